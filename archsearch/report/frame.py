"""The study as tables: one row a trial, and the front among them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import optuna
import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from archsearch.cost.count import BUILT_IN as COSTS
from archsearch.pareto import front
from archsearch.records import (
    BUDGETS,
    FAILED,
    GIVEN,
    OBJECTIVES,
    OVER,
    REPLAYED,
    RUNNING,
    SKIPPED,
    SPENT,
    STOPPED,
    TESTED,
    TRAINED,
    WAITING,
    stands,
)
from archsearch.report.timed import measured_within, with_latencies

STATUSES = (TRAINED, GIVEN, REPLAYED, STOPPED, WAITING, OVER, SKIPPED, FAILED, RUNNING)
HALTED = ("epochs", "rung", "rung_top1", SPENT)  # of runs with rungs
AFTER = "top1_after_"  # and the epochs: the column of top-1 at a rung
RESULTS = ("top1", "top1_se", "top5", "top1_test", "top1_test_se", "top5_test", "seconds")

Budgets = Mapping[str, Sequence[float | None]]  # metric -> (low, high), either may be None


def objectives_of(study: optuna.Study) -> list[str]:
    """What the study optimises: "top1" first (up), then the metrics to minimise."""
    return list(study.user_attrs.get(OBJECTIVES, ["top1", "madds"]))


def budgets_of(study: optuna.Study) -> dict[str, tuple[float | None, float | None]]:
    """Metric -> (low, high), as the run was told; either end may be None."""
    return {name: (low, high) for name, (low, high) in study.user_attrs.get(BUDGETS, {}).items()}


def trials_frame(study: optuna.Study) -> pd.DataFrame:
    """One row a trial, in any state, by trial number.

    Columns: number, status, key, arch, replay_of, source (the earlier run that trained it), stands (whether its result
    is one of this run's own), reason; one per cost (counts, bytes); top1 and top5 with standard error on validation
    and, for retrained networks, test (fractions); seconds; test_failed, why the retraining went wrong; `axis:<name>`
    per axis of the space; where a latency table was in use the columns `timed.LATENCY`; where trainings halt at rungs
    the columns HALTED: epochs trained, the last rung reached (1, 2, ...), top-1 there, and the
    epochs that the run had trained by then; and for each rung top-1 there, like top1_after_3.
    A value that is not known is NaN or None. The accuracy of a network that was never trained is not known.
    """
    trials = study.get_trials(deepcopy=False)
    attrs = study.user_attrs
    rows = [_row(trial, attrs.get(TESTED.format(trial.number), {})) for trial in trials]
    axes = sorted({f"axis:{name}" for trial in trials for name in trial.params})
    asked = {*objectives_of(study), *budgets_of(study)} - {"top1"}
    extra = sorted(asked.union(*map(_costs, trials)) - set(COSTS))
    known = ["number", "status", "key", "arch", "replay_of", "source", "stands", "reason"]
    rungs = sorted({epochs for trial in trials for epochs in trial.intermediate_values})
    halted = (*HALTED, *(f"{AFTER}{epochs}" for epochs in rungs)) if rungs else ()
    columns = [*known, *COSTS, *extra, *RESULTS, *halted, "test_failed", *axes]
    table = pd.DataFrame(rows, columns=columns)
    numbers = [*COSTS, *extra, *RESULTS, *halted, "replay_of"]
    table[numbers] = table[numbers].astype(float)
    return with_latencies(table.sort_values("number", ignore_index=True), study)


def front_frame(frame: pd.DataFrame, objectives: Sequence[str], budgets: Budgets) -> pd.DataFrame:
    """The candidates that no other one beats, cheapest first.

    frame       as `trials_frame` makes it
    objectives  "top1" first, then the metrics to minimise
    budgets     a row outside them is never on the front
    """
    trained = candidates(frame, budgets)
    alive = front(minimised(trained, objectives)) if len(trained) else np.zeros(0, dtype=bool)
    return trained[alive].sort_values([*objectives[1:], "number"], ignore_index=True)


def candidates(frame: pd.DataFrame, budgets: Budgets) -> pd.DataFrame:
    """The rows that may be on the front: results of the run's own, within the budgets, each network once."""
    return frame[frame["stands"].astype(bool) & within(frame, budgets)].drop_duplicates("key", keep="first")


def minimised(frame: pd.DataFrame, objectives: Sequence[str]) -> np.ndarray:
    """float[n, m]: the objectives' values, top1 turned round so that every column is minimised."""
    columns = [-frame[name] if name == "top1" else frame[name] for name in objectives]
    return np.column_stack([column.to_numpy(dtype=float) for column in columns])


def within(frame: pd.DataFrame, budgets: Budgets) -> pd.Series:
    """bool[n]: the rows that keep every budget, a measured latency, too; an unknown cost keeps none."""
    kept = pd.Series(True, index=frame.index)
    for metric, (low, high) in budgets.items():
        ends = -math.inf if low is None else low, math.inf if high is None else high
        kept &= frame[metric].between(*ends) & measured_within(frame, metric, *ends)
    return kept


def _row(trial: FrozenTrial, test: Mapping[str, Any]) -> dict[str, Any]:
    attrs, status = trial.user_attrs, _status(trial)
    known = status in (TRAINED, REPLAYED, GIVEN)
    values = trial.values or [math.nan]
    return {
        "number": trial.number,
        "status": status,
        **{name: attrs.get(name) for name in ("key", "arch", "replay_of", "source", "reason", "seconds")},
        "stands": trial.state is TrialState.COMPLETE and stands({"status": status, "equal": attrs.get("equal")}),
        **_costs(trial),
        "top1": attrs.get("top1", values[0]) if known else math.nan,
        **{name: attrs.get(name) if known else math.nan for name in ("top1_se", "top5")},
        **{name: test.get(name) for name in ("top1_test", "top1_test_se", "top5_test")},
        **_halted(trial),
        "test_failed": test.get("failed"),
        **{f"axis:{name}": value for name, value in trial.params.items()},
    }


def _halted(trial: FrozenTrial) -> dict[str, Any]:
    """How far a trial came, where its training was judged at rungs."""
    reached = trial.intermediate_values
    if not reached:
        return {}
    return {"epochs": max(reached), "rung": len(reached), "rung_top1": reached[max(reached)],
            SPENT: trial.user_attrs.get(SPENT, math.nan),
            **{f"{AFTER}{epochs}": top1 for epochs, top1 in reached.items()}}  # fmt: skip


def _status(trial: FrozenTrial) -> str:
    """The state decides where it can: an attribute set before a crash does not make a trial finished."""
    if trial.state is TrialState.PRUNED:
        return STOPPED
    if trial.state in (TrialState.RUNNING, TrialState.WAITING):
        return WAITING if trial.user_attrs.get("status") == WAITING else RUNNING
    noted = str(trial.user_attrs.get("status", TRAINED))
    if trial.state is TrialState.COMPLETE:
        return noted
    return noted if noted == SKIPPED else FAILED


def _costs(trial: FrozenTrial) -> dict[str, float]:
    return dict(trial.user_attrs.get("costs", {}))
