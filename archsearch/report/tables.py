"""The tables of a run: `trials.csv`, `front.csv`, and the front as plain records."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd

from archsearch.cost.budget import LATENCIES, NS
from archsearch.records import write_atomic
from archsearch.report.beliefs import BELIEFS, beliefs, listed
from archsearch.report.frame import COSTS, budgets_of, objectives_of, trials_frame
from archsearch.report.ladder import ladder_frame, ladder_metric, rungs_of
from archsearch.report.timed import LATENCY
from archsearch.report.view import View, view

RECORD = ("arch", "key", *COSTS, "trial", "top1", "top1_se", "top5", "top1_test", "top1_test_se", "top5_test")
COUNTS = ("number", "trial", "replay_of", "group", "epochs", "rung", "epochs_spent")
WHOLE = {*COSTS, *LATENCIES, *COUNTS}  # printed without a decimal point


def write_tables(run_dir: Path, seen: View | None = None) -> list[Path]:
    """Write `trials.csv` and `front.csv`, and `ladder.csv` for a ladder, into the run's folder; their paths.

    seen     the run, where it was read already
    raises   RunError if the folder is no run or cannot be written
    """
    seen = seen or view(run_dir)
    tables = {"trials.csv": seen.frame, "front.csv": seen.listed}
    if rungs_of(seen.study):
        tables["ladder.csv"] = ladder_frame(seen)
    for name, table in tables.items():
        write_atomic(Path(run_dir) / name, whole(table.rename(columns={"number": "trial"})).to_csv(index=False))
    return [Path(run_dir) / name for name in tables]


def front_records(study: optuna.Study, seen: View | None = None) -> list[dict[str, Any]]:
    """The front as dicts of plain values, cheapest first; what is not known is None.

    seen     the run as `view` read it: then also networks that are believed to be on the front. None: the front as
             measured, and nothing else is believed than measurements
    """
    if seen is None:
        frame, objectives, budgets = trials_frame(study), objectives_of(study), budgets_of(study)
        front = listed(frame, beliefs(study, None, frame, objectives=objectives, budgets=budgets), objectives)
        front = front[front["observed"]]
    else:
        front = seen.listed
    return records(front, (*RECORD, *BELIEFS))


def ladder_records(seen: View) -> list[dict[str, Any]]:
    """The network believed best within each rung of the run's ladder, lowest rung first.

    `metric`, `budget` (of a latency in ns, and `budget_ms` beside it), then its record with `believed`, `believed_sd`
    and its own value of the metric, all None where no network within the rung was trained; [] for a run without a
    ladder.
    """
    if not rungs_of(seen.study):
        return []
    ladder, metric = ladder_frame(seen), ladder_metric(seen.study)
    own = () if metric in RECORD or metric == "latency_ms" else (metric,)
    best = records(ladder, (*RECORD, *BELIEFS[:2], *own))
    return [{"metric": metric, **_rung(metric, float(rung)), **record}
            for rung, record in zip(ladder["budget"], best, strict=True)]  # fmt: skip


def _rung(metric: str, rung: float) -> dict[str, float]:
    budget = {"budget": int(rung) if rung.is_integer() else rung}
    return budget | ({"budget_ms": rung / NS} if metric in LATENCIES else {})


def records(table: pd.DataFrame, names: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of trials as dicts of plain values, latencies last where they are known."""
    table = table.rename(columns={"number": "trial"})
    names = [*names, *(name for name in LATENCY if name in table)]
    return [{name: _plain(name, row[name]) for name in names} for row in table.to_dict("records")]


def whole(table: pd.DataFrame) -> pd.DataFrame:
    """The table with counts as integers that may be missing, so that 1000000.0 prints as 1000000."""
    return table.astype({name: "Int64" for name in WHOLE & set(table.columns)})


def _plain(name: str, value: Any) -> Any:
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    return int(value) if name in WHOLE else value.item() if isinstance(value, np.generic) else value
