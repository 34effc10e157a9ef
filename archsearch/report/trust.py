"""How far a run can be trusted: its surrogate cross-validated, and the health checks of the whole search."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from archsearch.records import ALL
from archsearch.report.view import View
from archsearch.spec.fields import Axis
from archsearch.surrogate import belief as surrogate
from archsearch.surrogate import health
from archsearch.surrogate.domain import Floats, Networks
from archsearch.surrogate.front import moments
from archsearch.surrogate.handover import Evidence
from archsearch.surrogate.health import Finding
from archsearch.surrogate.validate import Learnt, Rank, at_equal, coverage, crossed, kendall, noise_sd, spearman

MOST = 400  # trials that are cross-validated; of more, this many are drawn
Z = 1.959964  # sd; the half width of the 95 % intervals in the figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A surrogate's predictions of trials that it has not seen, and what they are worth."""

    predictions: pd.DataFrame  # number, top1, predicted, low, high (ends of the 95 % interval of a measurement)
    noise: float  # standard deviation of one measurement (a fraction), at most
    ranks: dict[str, tuple[Rank, Rank]]  # "surrogate", "MAdds alone" -> Kendall's tau, Spearman's rho
    beyond: Rank  # tau of predicted and measured with the effect of MAdds taken out of both
    coverage: dict[float, float]  # level -> share of the measurements inside


@lru_cache(maxsize=1)
def checked(seen: View) -> Checked | None:
    """The surrogate of a run cross-validated; None where it has none. Always the same for the same trials.

    The newest answer is kept: a run asks for its page and for its JSON document.
    """
    evidence = seen.beliefs.evidence
    if evidence is None:
        return None
    rng = np.random.default_rng(0)
    told = _some(evidence, rng)

    def learn(networks: Networks, top1: Floats, error: Floats) -> Learnt:
        return surrogate.learn(networks, told.axes, top1, error)

    mean, sd, spread = crossed(told.networks, told.top1, told.error, learn=learn, rng=rng)
    predicted, unsure = moments(mean, sd, surrogate.accuracy)
    miss, target = told.top1 - predicted, surrogate.target(told.top1)
    noise = _noise(told, miss, unsure)
    madds = seen.frame.set_index("number")["madds"].loc[told.numbers].to_numpy(dtype=float)
    pairs = {"surrogate": predicted, "MAdds alone": madds}
    low, high = (surrogate.accuracy(mean + sign * Z * spread) for sign in (-1, 1))
    return Checked(
        predictions=pd.DataFrame({"number": told.numbers, "top1": told.top1, "predicted": predicted,
                                  "low": low, "high": high}),
        noise=noise,
        ranks={name: (kendall(x, told.top1, rng=rng), spearman(x, told.top1, rng=rng)) for name, x in pairs.items()},
        beyond=kendall(at_equal(mean, madds), at_equal(target, madds), rng=rng),
        coverage=coverage(target - mean, spread),
    )  # fmt: skip


def surrogate_record(seen: View) -> dict[str, Any] | None:
    """What a run's surrogate is worth, as plain values; None where it has none."""
    told = checked(seen)
    if told is None:
        return None
    tau, rho = told.ranks["surrogate"]
    ranks = {"tau": tau, "rho": rho, "tau_of_madds": told.ranks["MAdds alone"][0], "tau_at_equal_madds": told.beyond}
    return {
        "predicted": len(told.predictions), **{name: _ends(rank) for name, rank in ranks.items()},
        "coverage": {f"{level:g}": share for level, share in told.coverage.items()}, "noise": told.noise,
        "findings": [f"{each.kind}: {each.text}" for each in findings(seen, told)],
    }  # fmt: skip


def findings(seen: View, told: Checked | None) -> list[Finding]:
    """Everything a reader must know before the result is used, empty where all is well."""
    trained = int((seen.frame["status"] == "trained").sum())
    failed = int((seen.frame["status"] == "failed").sum())
    handed = seen.listed[seen.listed["handed_over"]]
    limits = {name: ends for name, ends in seen.budgets.items() if name in handed}
    costs = {name: handed[name].to_numpy(dtype=float) for name in limits}
    errors = handed["top1_se"].to_numpy(dtype=float)
    known = float(np.sqrt(np.nanmean(errors**2))) if np.isfinite(errors).any() else 0.0
    noise = known if told is None else told.noise
    axes = sum(name.startswith("axis:") for name in seen.frame)
    made = [
        health.few_trials(trained, axes, every=bool(seen.study.user_attrs.get(ALL))),
        health.many_failed(trained, failed),
        health.noisy_front(handed["believed"].to_numpy(dtype=float), noise),
        health.idle_budget(costs, limits) if len(handed) else None,
    ]
    evidence = seen.beliefs.evidence
    if evidence is not None and told is not None:
        places = [evidence.numbers.index(int(number)) for number in handed["number"]]
        made += [
            health.no_better_than_cost(told.beyond),
            health.overconfident(told.coverage, len(told.predictions)),
            health.at_the_edge(*_varied(evidence, places)),
        ]
    return [each for each in made if each is not None]


def _noise(told: Evidence, miss: Floats, unsure: Floats) -> float:
    """The noise of one measurement: at least its standard error, at most what predictions miss altogether.

    All networks are measured on the same images, so that a standard error by their number says too much of what
    differs between networks; and a miss holds the noise and the surrogate's own error.
    """
    found = noise_sd(told.networks.names, told.top1, miss=miss, sd=unsure)
    known, most = (float(np.sqrt(np.mean(each**2))) for each in (told.error, miss))
    return min(max(found, known), most)


def _ends(rank: Rank) -> dict[str, float | None]:
    """A rank correlation and its interval; None where it does not exist."""
    ends = {"value": rank.value, "low": rank.low, "high": rank.high}
    return {name: None if math.isnan(value) else value for name, value in ends.items()}


def _varied(evidence: Evidence, rows: list[int]) -> tuple[list[Axis], NDArray[np.int64]]:
    """The axes on which the run had a choice, and the slots of some networks on them."""
    codes = evidence.networks.codes
    varied = np.flatnonzero((codes != codes[:1]).any(axis=0))
    return [evidence.axes[i] for i in varied], evidence.networks.slots[rows][:, varied]


def _some(evidence: Evidence, rng: np.random.Generator) -> Evidence:
    """The evidence, or MOST rows of it, in order."""
    n = len(evidence.numbers)
    rows = np.arange(n) if n <= MOST else np.sort(rng.choice(n, MOST, replace=False))
    return Evidence(
        axes=evidence.axes,
        networks=evidence.networks.take(rows),
        numbers=[evidence.numbers[i] for i in rows],
        top1=evidence.top1[rows],
        error=evidence.error[rows],
    )
