"""A gate on a sampler's quality: a small contest, what was reached when it was recorded, and how far that may fall."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from archsearch.bench.race import Rules
from archsearch.bench.search import Contest, Outcome
from archsearch.bench.tracks import Asked
from archsearch.errors import RunError

RANDOM = "random"  # a sampler has to be better than this one
WIDTH = 2.5  # standard errors of the median that it may fall
SE_OF_MEDIAN = 1.2533 / 1.349  # times quartile distance / sqrt(n): a normal distribution's
LEAST = 0.3  # of the logarithm of what is missing, that it may fall even where all seeds say the same
LOOKS = (0.5, 1.0)  # parts of the budget after which the hypervolume is looked at


def band(asked: Asked, outcome: Outcome) -> dict[str, Any]:
    """What the first sampler of a contest reached, and the least that it has to reach from now on.

    Hypervolumes are compared by the logarithm of what is missing; a random search joins the contest that is kept.
    """
    contest = outcome.contest
    name = contest.samplers[0]
    figures = [figure(outcome, name, reference, n) for reference in outcome.goal.references for n in looks(contest)]
    kept = asdict(contest) | {"samplers": [name] if name == RANDOM else [name, RANDOM]}
    return {"asked": asdict(asked), "contest": kept, "figures": figures}


def figure(outcome: Outcome, name: str, reference: str, evaluations: int) -> dict[str, Any]:
    """Median hypervolume of a sampler after some evaluations, and the least that is not worse but for luck."""
    values = np.array([each.volume[reference][evaluations - 1] for each in outcome.scores[name]])
    logs = np.log(np.maximum(1 - values, 1e-6))
    low, middle, high = np.quantile(logs, (0.25, 0.5, 0.75))
    spread = max(WIDTH * SE_OF_MEDIAN * (high - low) / math.sqrt(len(values)), LEAST)
    return {"reference": reference, "evaluations": evaluations, "hypervolume": float(np.median(values)),
            "least": float(1 - np.exp(middle + spread))}  # fmt: skip


def looks(contest: Contest) -> list[int]:
    """After how many evaluations the hypervolume is looked at."""
    return sorted({max(1, round(part * contest.rules.budget)) for part in LOOKS})


def complaints(kept: Mapping[str, Any], outcome: Outcome) -> list[str]:
    """What is worse than its band, or at the end no better than random search; one line each."""
    name = outcome.contest.samplers[0]
    lines = []
    for each in kept["figures"]:
        now = figure(outcome, name, each["reference"], each["evaluations"])["hypervolume"]
        where = f"after {each['evaluations']} evaluations, reference {each['reference']}"
        if now < each["least"]:
            lines.append(f"{name} has {now:.4f} of the hypervolume {where}; at least {each['least']:.4f} is asked for, "
                         f"{each['hypervolume']:.4f} was recorded")  # fmt: skip
        if RANDOM in outcome.scores and name != RANDOM and each["evaluations"] == outcome.contest.rules.budget:
            other = figure(outcome, RANDOM, each["reference"], each["evaluations"])["hypervolume"]
            if now <= other:
                lines.append(f"{name} has {now:.4f} of the hypervolume {where}, no more than random's {other:.4f}")
    return lines


def read_band(path: Path) -> tuple[dict[str, Any], Asked, Contest]:
    """A band with the contest that it was recorded from.

    raises   RunError where the file is none
    """
    try:
        kept = json.loads(Path(path).read_text(encoding="utf-8"))
        plain, contest = kept["asked"], dict(kept["contest"])
        asked = Asked(**plain | {"minimize": tuple(plain["minimize"]), "budgets": tuple(map(tuple, plain["budgets"]))})
        contest |= {"samplers": tuple(contest["samplers"]), "rules": Rules(**contest["rules"])}
        for each in kept["figures"]:
            _check_figure(each, contest["rules"].budget)
        return kept, asked, Contest(**contest)
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} is no band that `bench search --record` wrote: {error}") from None


def _check_figure(told: Mapping[str, Any], budget: int) -> None:
    """Raise what `read_band` tells where a figure is none."""
    float(told["hypervolume"]), float(told["least"]), str(told["reference"])
    if not 1 <= int(told["evaluations"]) <= budget:
        raise ValueError(f"a figure after {told['evaluations']} of {budget} evaluations")
