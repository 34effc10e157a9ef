"""No training: accuracies are looked up in a table of networks that somebody trained, on a simulated clock."""

from dataclasses import dataclass
from math import isnan

import numpy as np

from archsearch.errors import DataError, SpaceError, TrainingError
from archsearch.evaluate.base import Evaluation, Job, Setup
from archsearch.evaluate.table import Table
from archsearch.spec.arch import Arch
from archsearch.spec.space import SearchSpace
from archsearch.surrogate.domain import Floats

UNTOLD_S = 0.0  # seconds of a training where the table does not tell them


@dataclass(frozen=True, kw_only=True, eq=False)
class TableEvaluator:
    """Replays a table: a trial sees one of a network's seeds, a finalist is told the mean of all.

    Nothing sleeps: `Evaluation.seconds` are the table's, and a trial over its time limit fails at once. A table knows
    no top-5, so top5 is the least that it can be, top-1.
    """

    table: Table
    space: SearchSpace  # in which a network's code is found; that of the table
    mean: bool = False  # trials are told the mean, too

    @property
    def epochs(self) -> int | None:
        """Of a whole training, where the table has learning curves."""
        return None if self.table.curves is None else int(self.table.curves.shape[-1])

    def evaluate(self, arch: Arch, job: Job) -> Evaluation:
        """The accuracy of the seed that the job's seed picks, modulo how many there are; where it halts, its curve's.

        raises   TrainingError where the table has no such network, or its training took longer than the limit
        """
        row = self._row(arch)
        if self.mean:
            return self._told(row, None, job)
        return self._told(row, self.table.column(row, job.seed), job)

    def final(self, arch: Arch, job: Job) -> Evaluation:
        """The mean of all seeds."""
        return self._told(self._row(arch), None, job)

    def _row(self, arch: Arch) -> int:
        try:
            row = int(self.table.rows(self.space.encode(arch)[None])[0])
        except SpaceError as error:
            raise TrainingError(str(error), reason="not in the table") from None
        if row < 0:
            raise TrainingError(f"table {self.table.name} has no such network", reason="not in the table")
        return row

    def _told(self, row: int, column: int | None, job: Job) -> Evaluation:
        """One seed's training, or the mean of all where the column is None."""
        table = self.table
        seconds = UNTOLD_S if table.seconds is None else float(table.seconds[row])
        if job.time_limit_s is not None and seconds > job.time_limit_s:
            raise TrainingError(f"it took {seconds:.0f} s", reason="time limit")
        curve = self._curve(row, column)
        for epoch, value in enumerate(curve, start=1):
            job.progress(epoch, max(1, len(curve)), "" if isnan(value) else f"top-1 {value:.1%}")
        if not curve:
            job.progress(1, 1, table.name)
        error = float(table.noise / (np.sqrt(table.seeds[row]) if column is None else 1))
        if job.until is not None and self.epochs is not None and job.until < self.epochs:
            top1 = _at(curve, job.until)
            spent = seconds * job.until / self.epochs
            return Evaluation(top1=top1, top1_se=error, top5=top1, seconds=spent, extra={"epochs": job.until})
        top1 = float(table.mean[row] if column is None else table.top1[row, column])
        whole = {} if any(map(isnan, curve)) else {"curve": curve}
        extra = {**whole, "epochs": len(curve)} if curve else {}
        return Evaluation(top1=top1, top1_se=error, top5=top1, seconds=seconds, extra=extra)

    def _curve(self, row: int, column: int | None) -> list[float]:
        """Top-1 after each epoch up to the last that is known; NaN for one before it that is not."""
        if self.table.curves is None or self.table.mean_curves is None:
            return []
        curves: Floats = self.table.curves if column is not None else self.table.mean_curves
        curve = curves[row] if curves.ndim == 2 else curves[row, column]
        known = np.flatnonzero(~np.isnan(curve))
        return [float(value) for value in curve[: known[-1] + 1 if len(known) else 0]]


def _at(curve: list[float], epoch: int) -> float:
    """Top-1 where a training halts."""
    if len(curve) < epoch:
        raise TrainingError(f"its curve ends after {len(curve)} epochs", reason="not in the table")
    if isnan(curve[epoch - 1]):
        raise TrainingError(f"its curve does not tell epoch {epoch}", reason="not in the table")
    return curve[epoch - 1]


def table_evaluator(setup: Setup) -> TableEvaluator:
    """The plug-in "table"."""
    return _made(setup, mean=False)


def mean_evaluator(setup: Setup) -> TableEvaluator:
    """The plug-in "table-mean": trials are told the mean of all seeds, as if nothing were left to chance."""
    return _made(setup, mean=True)


def _made(setup: Setup, *, mean: bool) -> TableEvaluator:
    if setup.table is None:
        raise DataError("a table evaluator needs a table; give --table FILE")
    if setup.table.space is None:
        raise DataError(
            f"table {setup.table.name} belongs to no design space; give --space, or name one in the mapping"
        )
    return TableEvaluator(table=setup.table, space=setup.table.space, mean=mean)
