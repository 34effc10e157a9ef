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
from archsearch.report.frame import Budgets, candidates
from archsearch.report.networks import run_networks
from archsearch.surrogate.front import groups
from archsearch.surrogate.handover import FEWEST, LIKELY, Evidence, learnt, measured, observed

BELIEFS = ("believed", "believed_sd", "p_front", "group", "observed", "handed_over")


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
    top1, error = (rows[name].to_numpy(dtype=float) for name in ("top1", "top1_se"))
    fits = ~np.isnan(np.column_stack([top1, costs])).any(axis=1)
    seen, tested = observed(top1, costs, fits), rows[["top1_test", "test_failed"]].notna().any(axis=1).to_numpy()
    told = (
        measured(top1, error, costs, fits) if evidence is None
        else learnt(evidence, [int(number) for number in rows["number"]], costs, fits, tested)
    )  # fmt: skip
    handed = np.isin(np.arange(len(rows)), told.handed)
    listed = seen | handed | tested | (told.p_front >= LIKELY)
    group = pd.array([pd.NA] * len(rows), dtype="Int64")
    group[listed] = groups(told.draws[:, listed])
    columns = {"believed": told.believed, "believed_sd": told.believed_sd, "p_front": told.p_front, "group": group,
               "observed": seen, "handed_over": handed}  # fmt: skip
    table = pd.DataFrame(columns, index=rows["number"].to_numpy())[list(BELIEFS)]
    return Beliefs(table=table, evidence=evidence, why=why)


def listed(frame: pd.DataFrame, told: Beliefs, objectives: Sequence[str]) -> pd.DataFrame:
    """The front as it is shown, cheapest first: members as measured, those believed to be on it, and what was tested.

    All columns of the frame, and `BELIEFS`; `observed` marks the front as measured, `handed_over` the front of what
    is believed, which is the set to use, and where accuracy is all that counts the network believed best.
    """
    known = told.table[told.table["group"].notna()]
    rows = frame[frame["number"].isin(known.index)].merge(known, left_on="number", right_index=True)
    return rows.sort_values([*objectives[1:], "number"], ignore_index=True)


def _evidence(
    study: optuna.Study, run: Mapping[str, Any] | None, frame: pd.DataFrame, objectives: Sequence[str]
) -> tuple[Evidence | None, str]:
    rows = frame[frame["top1"].notna() & frame["stands"].astype(bool)]  # repetitions of a network, too
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
