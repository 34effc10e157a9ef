"""The tables of a run: `trials.csv`, `front.csv`, and the front as plain records."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd

from archsearch.records import write_atomic
from archsearch.report.beliefs import BELIEFS, beliefs, listed
from archsearch.report.frame import COSTS, budgets_of, objectives_of, trials_frame
from archsearch.report.view import View, view

RECORD = ("arch", "key", *COSTS, "trial", "top1", "top1_se", "top5", "top1_test", "top1_test_se", "top5_test")
WHOLE = {*COSTS, "number", "trial", "replay_of", "group"}  # printed without a decimal point


def write_tables(run_dir: Path, seen: View | None = None) -> tuple[Path, Path]:
    """Write `trials.csv` and `front.csv` into the run's folder, and return both paths.

    seen     the run, where it was read already
    raises   RunError if the folder is no run or cannot be written
    """
    seen = seen or view(run_dir)
    paths = Path(run_dir) / "trials.csv", Path(run_dir) / "front.csv"
    for path, table in zip(paths, (seen.frame, seen.listed), strict=True):
        write_atomic(path, whole(table.rename(columns={"number": "trial"})).to_csv(index=False))
    return paths


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
    front = front.rename(columns={"number": "trial"})
    names = [*RECORD, *BELIEFS, *(["latency_ms"] if "latency_ms" in front else [])]
    return [{name: _plain(name, row[name]) for name in names} for row in front.to_dict("records")]


def whole(table: pd.DataFrame) -> pd.DataFrame:
    """The table with counts as integers that may be missing, so that 1000000.0 prints as 1000000."""
    return table.astype({name: "Int64" for name in WHOLE & set(table.columns)})


def _plain(name: str, value: Any) -> Any:
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    return int(value) if name in WHOLE else value.item() if isinstance(value, np.generic) else value
