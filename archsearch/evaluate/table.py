"""A table of networks that somebody trained: their codes, accuracies of each seed, costs; as arrays, one row a network.

One network may have several codes (an absent layer before or after another one). A table keeps one row for it and all
the codes that it was given under, so that each of them finds it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsearch.errors import DataError, choices
from archsearch.spec.content import fingerprints
from archsearch.spec.fields import Axis, Codes
from archsearch.spec.space import SearchSpace
from archsearch.surrogate.domain import Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """What is known of a set of trained networks. `table_merge.merged` makes one out of rows in any order."""

    name: str
    axes: tuple[Axis, ...]
    codes: Codes  # of each network its first one, in ascending order: int64[n, axes]
    top1: Floats  # fraction of right answers, float64[n, seeds]; NaN = no such seed
    costs: Mapping[str, Floats]  # exact, of any metrics: float64[n] each
    seconds: Floats | None = None  # of one training, float64[n]
    curves: Floats | None = None  # top-1 after each epoch, float64[n, epochs] or [n, seeds, epochs]; NaN = not known
    space: SearchSpace | None = None  # whose axes these are; None: a table of its own
    spellings: Codes = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))  # all codes; none = `codes`
    rows_of: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))  # row of each spelling
    notes: tuple[str, ...] = ()  # what was taken for granted when it was read

    def __post_init__(self) -> None:
        if not len(self.spellings):
            object.__setattr__(self, "spellings", self.codes)
            object.__setattr__(self, "rows_of", np.arange(len(self.codes)))
        n, known = len(self.codes), {"top1": self.top1, "seconds": self.seconds, "curves": self.curves, **self.costs}
        for name, values in known.items():
            if values is not None and len(values) != n:
                raise DataError(f"table {self.name}: {name} has {len(values)} rows, the codes have {n}")
        if n == 0:
            raise DataError(f"table {self.name} has no rows")
        if self.codes.shape != (n, len(self.axes)) or self.top1.ndim != 2:
            raise DataError(f"table {self.name}: codes {self.codes.shape} and top1 {self.top1.shape} are no table")

    def __len__(self) -> int:
        """How many different networks."""
        return len(self.codes)

    # accuracy -------------------------------------------------------------------------------------------------------

    @cached_property
    def mean(self) -> Floats:
        """Mean accuracy over the seeds of each network, float64[n]."""
        return np.asarray(np.nanmean(self.top1, axis=1))

    @cached_property
    def seeds(self) -> NDArray[np.int64]:
        """How many seeds each network was trained with, int64[n]."""
        return np.asarray((~np.isnan(self.top1)).sum(axis=1))

    @cached_property
    def noise(self) -> float:
        """Standard deviation of one seed's accuracy, pooled over all networks; 0 where none has two seeds."""
        squares = np.nansum((self.top1 - self.mean[:, None]) ** 2)
        freedom = int((self.seeds - 1).sum())
        return float(np.sqrt(squares / freedom)) if freedom else 0.0

    @cached_property
    def mean_curves(self) -> Floats | None:
        """Top-1 after each epoch, the mean over the seeds that tell it: float64[n, epochs], NaN where none does."""
        if self.curves is None or self.curves.ndim == 2:
            return self.curves
        known = (~np.isnan(self.curves)).sum(axis=1)
        total = np.nansum(self.curves, axis=1)
        return np.asarray(np.divide(total, known, out=np.full(total.shape, np.nan), where=known > 0))

    def check_told(self, epochs: Sequence[int]) -> None:
        """Raise DataError where the learning curves do not tell one of these epochs of every network."""
        assert self.mean_curves is not None
        told = (np.flatnonzero(~np.isnan(self.mean_curves).any(axis=0)) + 1).tolist()
        if not set(epochs) <= set(told):
            known = f"after {', '.join(map(str, told))} epochs" if told else "after no number of epochs"
            asked = ", ".join(map(str, epochs))
            raise DataError(f"table {self.name} tells top-1 of all its networks {known}, not after {asked}")

    def column(self, row: int, seed: int) -> int:
        """The column of one of a network's seeds: the given one modulo how many it has."""
        known = np.flatnonzero(~np.isnan(self.top1[row]))
        return int(known[seed % len(known)])

    # costs ----------------------------------------------------------------------------------------------------------

    def cost(self, name: str) -> Floats:
        """One cost of all networks, float64[n]; where the table has none, it is counted in the space.

        raises   DataError for a cost that can be neither read nor counted
        """
        if name in self.costs:
            return self.costs[name]
        if name not in self.countable:
            known = {*self.costs, *self.countable}
            others = choices(name, known) if known else "it has none; search it for accuracy alone"
            raise DataError(f"table {self.name} has no cost {name!r}: {others}")
        return counted(self.space, self.codes, name)

    def told(self, code: Codes) -> dict[str, int | float]:
        """The costs that the table tells of one code int64[axes], whole numbers as such; none where it has it not."""
        row = int(self.rows(np.asarray(code, dtype=np.int64)[None])[0])
        values = {name: float(column[row]) for name, column in self.costs.items()} if row >= 0 else {}
        return {name: int(value) if value.is_integer() else value for name, value in values.items()}

    @property
    def countable(self) -> tuple[str, ...]:
        """Metrics and traits that can be counted; none without a space."""
        from archsearch.cost.count import all_metrics

        return all_metrics() if self.space is not None else ()

    # identity -------------------------------------------------------------------------------------------------------

    def rows(self, codes: Codes) -> NDArray[np.int64]:
        """The row of each code int[n, axes], -1 where the table has no such network: int64[n]."""
        found = self._find(joined_bytes(codes), self._by_code)
        lost = np.flatnonzero(found < 0)
        if self.space is not None and len(lost):
            prints = joined_bytes(fingerprints(self.space, np.asarray(codes)[lost]))
            found[lost] = self._find(prints, self._by_print)
        return found

    @cached_property
    def names(self) -> NDArray[np.void]:
        """What tells the networks apart, void[n]: what they compute where there is a space, else the code."""
        return self.names_of(self.codes)

    def names_of(self, codes: Codes) -> NDArray[np.void]:
        """The same of any codes."""
        if self.space is not None:
            return joined_bytes(fingerprints(self.space, np.asarray(codes, dtype=np.int64)))
        rows = self.rows(codes)
        return joined_bytes(np.where((rows >= 0)[:, None], self.codes[rows], codes))

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits of a hash of all it holds, its name and notes left out."""
        told = hashlib.sha256(repr([(axis.name, axis.values) for axis in self.axes]).encode())
        arrays = {"codes": self.codes, "top1": self.top1, "seconds": self.seconds, "curves": self.curves,
                  "spellings": self.spellings, "rows": self.rows_of, **dict(sorted(self.costs.items()))}  # fmt: skip
        for name, values in arrays.items():
            if values is not None:
                told.update(f"{name}{values.shape}".encode())
                told.update(np.ascontiguousarray(np.where(np.isnan(values), np.nan, values)).tobytes())
        return told.hexdigest()[:16]

    @cached_property
    def _by_code(self) -> tuple[NDArray[np.void], NDArray[np.int64]]:
        return _index(joined_bytes(self.spellings), self.rows_of)

    @cached_property
    def _by_print(self) -> tuple[NDArray[np.void], NDArray[np.int64]]:
        return _index(self.names, np.arange(len(self)))

    @staticmethod
    def _find(names: NDArray[np.void], index: tuple[NDArray[np.void], NDArray[np.int64]]) -> NDArray[np.int64]:
        known, rows = index
        place = np.minimum(np.searchsorted(known, names), len(known) - 1)
        return np.where(known[place] == names, rows[place], -1)


def sample_rows(table: Table, n: int, seed: int) -> NDArray[np.int64]:
    """Rows of n different networks, drawn evenly: int64[n] in the order drawn.

    raises   DataError where the table has fewer, or n is below 1
    """
    if not 1 <= n <= len(table):
        raise DataError(f"table {table.name} has {len(table):,} different networks: cannot draw {n}")
    return np.random.default_rng(seed).choice(len(table), n, replace=False)


def counted(space: SearchSpace | None, codes: Codes, name: str) -> Floats:
    """One metric of codes of a space, exactly: float64[n]."""
    from archsearch.cost.table import cost_table

    assert space is not None
    return cost_table(space, (name,)).count(codes)[name].astype(float)


def joined_bytes(rows: NDArray[Any]) -> NDArray[np.void]:
    """Each row of integers [n, k] as one value that can be sorted and compared: void[n]."""
    wide = np.ascontiguousarray(rows if rows.dtype == np.uint64 else rows.astype(np.int64))
    kind = np.dtype((np.void, 8 * max(1, wide.shape[1])))
    return wide.view(kind).reshape(len(wide)) if wide.size else np.zeros(len(wide), dtype=kind)


def _index(names: NDArray[np.void], rows: NDArray[np.int64]) -> tuple[NDArray[np.void], NDArray[np.int64]]:
    order = np.argsort(names, kind="stable")
    return names[order], rows[order]
