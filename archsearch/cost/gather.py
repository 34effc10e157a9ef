"""Costs of many codes, gathered from tables in chunks that stay in the cache; `cost/joins.py` makes the tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsearch.cost.columns import Columns, Integers

CHUNK = 32768  # networks at once: buffers of 8 bytes each stay in the L2 cache, and Python's share is under 1 ns each

Table = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Word:
    """Metrics that are gathered as one int64: `shifts[i]` is the lowest bit of `names[i]`, the first one's is 0."""

    names: tuple[str, ...]
    shifts: tuple[int, ...]
    join: np.ufunc  # of the parts' values: addition, or maximum for a peak

    def pack(self, costs: Mapping[str, Table]) -> Table:
        """The values of all metrics of the word side by side."""
        packed = costs[self.names[0]]
        for name, shift in zip(self.names[1:], self.shifts[1:], strict=True):
            packed = packed + (costs[name] << shift)
        return packed

    def unpack(self, packed: Table, totals: Mapping[str, Table], where: slice) -> None:
        """Write the values of each metric."""
        for name, shift, end in zip(self.names, self.shifts, [*self.shifts[1:], None], strict=True):
            out = totals[name][where]
            np.right_shift(packed, shift, out=out)
            if end is not None:
                np.bitwise_and(out, (1 << (end - shift)) - 1, out=out)


@dataclass(frozen=True, slots=True)
class Step:
    """A row number made of two others: `left * size + right`, in the type of `size`."""

    left: int
    right: int
    size: np.unsignedinteger[Any]


@dataclass(frozen=True, slots=True)
class Joined:
    """Costs of some parts together: `tables[word][row]`; the row is value `number`, or 0 where that is None."""

    number: int | None
    tables: tuple[Table, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """How codes become costs. Values are the columns of the codes, then the result of each step."""

    names: tuple[str, ...]  # the metrics
    radix: Mapping[int, int]  # axis -> choices
    steps: tuple[Step, ...]
    joined: tuple[Joined, ...]
    words: tuple[Word, ...]

    def count(self, codes: Integers) -> dict[str, Table]:
        """Costs of n networks: codes of any integer type and layout [n, axes] -> metric -> int64[n].

        raises   SpaceError for codes of too few axes, or a code that is no choice of its axis
        """
        n, chunk = len(codes), min(len(codes), CHUNK)
        totals = {name: np.empty(n, dtype=np.int64) for name in self.names}
        columns = Columns(codes, self.radix, chunk)
        numbers = [np.empty(chunk, dtype=step.size.dtype) for step in self.steps]
        rows, packed = np.empty(chunk, dtype=np.intp), np.empty((len(self.words) + 1, chunk), dtype=np.int64)
        for start in range(0, n, CHUNK):
            where = slice(start, min(start + CHUNK, n))
            long = where.stop - start
            values = columns.read(where)
            self._number(values, [number[:long] for number in numbers])
            self._gather(values, rows[:long], packed[:, :long])
            for word, value in zip(self.words, packed[:-1, :long], strict=True):
                word.unpack(value, totals, where)
        return totals

    def _number(self, values: list[Integers], numbers: list[Integers]) -> None:
        """Append the value of each step."""
        for step, out in zip(self.steps, numbers, strict=True):
            np.multiply(values[step.left], step.size, out=out)
            np.add(out, values[step.right], out=out)
            values.append(out)

    def _gather(self, values: list[Integers], rows: NDArray[np.intp], packed: Table) -> None:
        """Fill packed[word]; the last row of `packed` is scratch."""
        for nth, joined in enumerate(self.joined):
            if joined.number is None:
                rows[:] = 0
            else:
                np.copyto(rows, values[joined.number])
            for word, table, total in zip(self.words, joined.tables, packed[:-1], strict=True):
                out = packed[-1] if nth else total
                np.take(table, rows, out=out, mode="clip")  # every row is in range; mode "raise" would copy `out`
                if nth:
                    word.join(total, out, out=total)
