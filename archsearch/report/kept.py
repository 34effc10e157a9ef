"""What is left of a run to be compared with others: its trials and its command, from its study or from `trials.csv`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from archsearch.errors import RunError
from archsearch.records import RunFolder, read_toml
from archsearch.report.frame import Budgets, budgets_of, objectives_of, trials_frame
from archsearch.report.open import open_run, read_manifest

TABLE = "trials.csv"
NEEDED = ("trial", "status", "key", "arch", "top1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A run without its study."""

    folder: str  # as it was named
    frame: pd.DataFrame  # as `trials_frame` makes it
    run: Mapping[str, Any]  # the resolved command
    objectives: list[str]  # "top1" first, then the metrics that are minimised
    budgets: Budgets  # those of now


def kept(run_dir: Path) -> Kept:
    """A run's folder, read; where its journal was not kept, from the table of its trials.

    raises   RunError, one line, where the folder is no run, or the table is none
    """
    folder = RunFolder(Path(run_dir))
    if folder.journal.is_file() or not all(path.is_file() for path in (folder.root / TABLE, folder.command)):
        study, run, _ = open_run(run_dir)
        return Kept(folder=str(run_dir), frame=trials_frame(study), run=run, objectives=objectives_of(study),
                    budgets=budgets_of(study))  # fmt: skip
    run, manifest = read_toml(folder.command), read_manifest(folder.manifest)
    objectives = ["top1", *run.get("minimize", ["madds"])]
    limits = {"budgets": {}, **[manifest, *manifest.get("resumed", [])][-1]}["budgets"]
    return Kept(folder=str(run_dir), frame=_table(folder.root / TABLE, objectives), run=run, objectives=objectives,
                budgets={name: (low, high) for name, (low, high) in limits.items()})  # fmt: skip


def _table(path: Path, objectives: list[str]) -> pd.DataFrame:
    try:
        frame = pd.read_csv(path, dtype={"key": str})
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {' '.join(str(error).split())}") from None
    missing = [name for name in (*NEEDED, *objectives[1:]) if name not in frame]
    if missing:
        raise RunError(f"{path} is no table of trials: it has no column {', '.join(missing)}")
    return frame.rename(columns={"trial": "number"})
