"""The tables of a run: `trials.csv`, `front.csv`, and the front as plain records."""

import math
from pathlib import Path
from typing import Any

import optuna
import pandas as pd

from archsearch.records import write_atomic
from archsearch.report.frame import COSTS, budgets_of, front_frame, objectives_of, trials_frame
from archsearch.report.open import open_run

RECORD = ("arch", "key", *COSTS, "trial", "top1", "top1_se", "top5", "top1_test", "top1_test_se", "top5_test")
WHOLE = {*COSTS, "number", "trial", "replay_of"}  # printed without a decimal point


def write_tables(run_dir: Path) -> tuple[Path, Path]:
    """Write `trials.csv` and `front.csv` into the run's folder, and return both paths.

    raises   RunError if the folder is no run or cannot be written
    """
    study, _, _ = open_run(run_dir)
    frame = trials_frame(study)
    front = front_frame(frame, objectives_of(study), budgets_of(study))
    paths = Path(run_dir) / "trials.csv", Path(run_dir) / "front.csv"
    for path, table in zip(paths, (frame, front), strict=True):
        write_atomic(path, whole(table.rename(columns={"number": "trial"})).to_csv(index=False))
    return paths


def front_records(study: optuna.Study) -> list[dict[str, Any]]:
    """The front as dicts of plain values, cheapest first; what is not known is None."""
    front = front_frame(trials_frame(study), objectives_of(study), budgets_of(study)).rename(
        columns={"number": "trial"}
    )
    names = [*RECORD, *(["latency_ms"] if "latency_ms" in front else [])]
    return [{name: _plain(name, row[name]) for name in names} for row in front.to_dict("records")]


def whole(table: pd.DataFrame) -> pd.DataFrame:
    """The table with counts as integers that may be missing, so that 1000000.0 prints as 1000000."""
    return table.astype({name: "Int64" for name in WHOLE & set(table.columns)})


def _plain(name: str, value: Any) -> Any:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return int(value) if name in WHOLE else value
