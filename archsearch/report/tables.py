"""The tables of a run: `trials.csv`, `front.csv`, and the front as plain records."""

import math
from pathlib import Path
from typing import Any

import optuna
import pandas as pd

from archsearch.records import write_atomic
from archsearch.report.frame import COSTS, budgets_of, front_frame, objectives_of, trials_frame
from archsearch.report.ladder import ladder_frame, ladder_metric, rungs_of
from archsearch.report.open import open_run

RECORD = ("arch", "key", *COSTS, "trial", "top1", "top1_se", "top5", "top1_test", "top1_test_se", "top5_test")
WHOLE = {*COSTS, "number", "trial", "replay_of"}  # printed without a decimal point


def write_tables(run_dir: Path) -> list[Path]:
    """Write `trials.csv` and `front.csv`, and `ladder.csv` for a ladder, into the run's folder; their paths.

    raises   RunError if the folder is no run or cannot be written
    """
    study, _, _ = open_run(run_dir)
    frame = trials_frame(study)
    front = front_frame(frame, objectives_of(study), budgets_of(study))
    tables = {"trials.csv": frame, "front.csv": front}
    if rungs_of(study):
        tables["ladder.csv"] = ladder_frame(study, frame)
    for name, table in tables.items():
        write_atomic(Path(run_dir) / name, whole(table.rename(columns={"number": "trial"})).to_csv(index=False))
    return [Path(run_dir) / name for name in tables]


def front_records(study: optuna.Study) -> list[dict[str, Any]]:
    """The front as dicts of plain values, cheapest first; what is not known is None."""
    return records(front_frame(trials_frame(study), objectives_of(study), budgets_of(study)))


def ladder_records(study: optuna.Study) -> list[dict[str, Any]]:
    """The best network within each rung of the run's ladder, lowest rung first: `metric`, `budget`, and its record.

    Everything of the record is None where no network within the rung was trained; [] for a run without a ladder.
    """
    ladder = ladder_frame(study, trials_frame(study))
    metric = ladder_metric(study)
    return [{"metric": metric, "budget": int(rung), **record}
            for rung, record in zip(ladder["budget"], records(ladder), strict=True)]  # fmt: skip


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of trials as dicts of plain values."""
    table = table.rename(columns={"number": "trial"})
    names = [*RECORD, *(["latency_ms"] if "latency_ms" in table else [])]
    return [{name: _plain(name, row[name]) for name in names} for row in table.to_dict("records")]


def whole(table: pd.DataFrame) -> pd.DataFrame:
    """The table with counts as integers that may be missing, so that 1000000.0 prints as 1000000."""
    return table.astype({name: "Int64" for name in WHOLE & set(table.columns)})


def _plain(name: str, value: Any) -> Any:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return int(value) if name in WHOLE else value
