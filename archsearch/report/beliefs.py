"""What to believe of a run's networks: accuracies with what the surrogate learnt of all trials, or as measured.

The surrogate sees every trial that was trained, and tells of each network that may be on the front what it is likely
to reach, with what probability it is on the front, and from which others it cannot be told apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
import pandas as pd

from archsearch.errors import SpaceError
from archsearch.records import TRAINED
from archsearch.report.frame import Budgets, candidates, front_frame
from archsearch.report.networks import run_networks
from archsearch.spec.fields import Axis
from archsearch.surrogate import belief as surrogate
from archsearch.surrogate.domain import Floats, Networks
from archsearch.surrogate.front import groups, handed_over, independent, moments, p_front, plausible

FEWEST = 8  # different networks from which a surrogate is asked
DRAWS = 2000  # joint samples: a probability is exact to a point
SPREAD = 4.0  # sd; what cannot reach the front within this is not sampled
DRAWN = 500  # networks sampled together at most
LIKELY = 0.5  # probability of being on the front from which a network is listed
BELIEFS = ("believed", "believed_sd", "p_front", "group", "observed", "handed_over")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the surrogate learnt from: one row a trained trial."""

    axes: tuple[Axis, ...]
    networks: Networks
    numbers: list[int]  # of the trials
    top1: Floats
    error: Floats  # standard error of each


@dataclass(frozen=True, slots=True, kw_only=True)
class Beliefs:
    """What is believed of each network that may be on the front."""

    table: pd.DataFrame  # the columns BELIEFS by trial number; group is missing where a network is not listed
    evidence: Evidence | None  # None where only measured values are shown
    why: str  # then the reason, in one line


def beliefs(
    study: optuna.Study, run: Mapping[str, Any] | None, frame: pd.DataFrame, *, objectives: Sequence[str],
    budgets: Budgets,
) -> Beliefs:  # fmt: skip
    """The beliefs of a run; always the same for the same trials.

    run      the resolved command, which names the space; None: measured values and their standard errors alone
    frame    as `trials_frame` makes it
    """
    rows = candidates(frame, budgets)
    evidence, why = _evidence(study, run, frame, objectives)
    costs = rows[list(objectives[1:])].to_numpy(dtype=float)
    fits = ~np.isnan(np.column_stack([rows["top1"], costs])).any(axis=1)
    seen = rows["number"].isin(front_frame(frame, objectives, budgets)["number"]).to_numpy(dtype=bool)
    told = _measured(rows, costs, fits) if evidence is None else _learnt(evidence, rows, costs, fits, seen)
    told |= {"observed": seen, "handed_over": _flags(handed_over(told["believed"], costs, fits), len(rows))}
    draws = told.pop("draws")
    listed = seen | told["handed_over"] | (told["p_front"] >= LIKELY)
    group = pd.array([pd.NA] * len(rows), dtype="Int64")
    group[listed] = groups(draws[:, listed])
    table = pd.DataFrame({**told, "group": group}, index=rows["number"].to_numpy())[list(BELIEFS)]
    return Beliefs(table=table, evidence=evidence, why=why)


def listed(frame: pd.DataFrame, told: Beliefs, objectives: Sequence[str]) -> pd.DataFrame:
    """The front as it is shown, cheapest first: members of the front as measured, and those believed to be on it.

    All columns of the frame, and `BELIEFS`; `observed` marks the front as measured, `handed_over` the front of what
    is believed, which is the set to use.
    """
    known = told.table[told.table["group"].notna()]
    rows = frame[frame["number"].isin(known.index)].merge(known, left_on="number", right_index=True)
    return rows.sort_values([*objectives[1:], "number"], ignore_index=True)


def _evidence(
    study: optuna.Study, run: Mapping[str, Any] | None, frame: pd.DataFrame, objectives: Sequence[str]
) -> tuple[Evidence | None, str]:
    own = frame["number"].isin(candidates(frame, {})["number"]) | (frame["status"] == TRAINED)  # repetitions, too
    rows = frame[frame["top1"].notna() & own]
    if run is None:
        return None, "the run's space was not asked for"
    different = rows["key"].nunique()
    if different < FEWEST:
        return None, f"a surrogate needs {FEWEST} trained networks, there are {different}"
    numbers = [int(number) for number in rows["number"]]
    try:
        axes, networks = run_networks(study, run, numbers, minimize=objectives[1:])
    except SpaceError as error:
        return None, str(error)
    top1, error = (rows[name].to_numpy(dtype=float) for name in ("top1", "top1_se"))
    return Evidence(axes=axes, networks=networks, numbers=numbers, top1=top1, error=np.nan_to_num(error)), ""


def _measured(rows: pd.DataFrame, costs: Floats, fits: Any) -> dict[str, Any]:
    """Each network as measured, errors independent of each other."""
    top1, error = (rows[name].to_numpy(dtype=float) for name in ("top1", "top1_se"))
    draws = independent(top1, error, DRAWS, np.random.default_rng(0))
    return {"believed": top1, "believed_sd": np.nan_to_num(error), "p_front": p_front(draws, costs, fits),
            "draws": draws}  # fmt: skip


def _learnt(evidence: Evidence, rows: pd.DataFrame, costs: Floats, fits: Any, seen: Any) -> dict[str, Any]:
    """Each network as the surrogate sees it after all trials; draws are NaN where it cannot be on the front."""
    model = surrogate.learn(evidence.networks, evidence.axes, evidence.top1, evidence.error)
    place = {number: i for i, number in enumerate(evidence.numbers)}
    networks = evidence.networks.take([place[int(number)] for number in rows["number"]])
    mean, sd = model.predict(networks)
    believed, believed_sd = moments(mean, sd, surrogate.accuracy)
    wanted = seen | _flags(handed_over(believed, costs, fits), len(rows))
    spread = SPREAD
    while True:
        ends = (surrogate.accuracy(mean + sign * spread * sd) for sign in (-1, 1))
        drawn = wanted | plausible(*ends, costs, fits)
        if drawn.sum() <= DRAWN or spread < 1:
            break
        spread *= 0.8
    draws = np.full((DRAWS, len(rows)), np.nan)
    draws[:, drawn] = model.draw(networks.take(drawn), DRAWS, np.random.default_rng(0))
    probability = np.zeros(len(rows))
    probability[drawn] = p_front(draws[:, drawn], costs[drawn], fits[drawn])
    return {"believed": believed, "believed_sd": believed_sd, "p_front": probability, "draws": draws}


def _flags(rows: Any, n: int) -> Any:
    """bool[n], True in some rows."""
    flags = np.zeros(n, dtype=bool)
    flags[rows] = True
    return flags
