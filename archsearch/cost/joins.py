"""The plan by which a table counts many codes: which parts are joined, what shares a word, how rows are numbered.

A gather costs about as much from 10,000 rows as from 100. So parts whose axes together have few combinations become
one table, and metrics that add up lie side by side in one 64-bit word while their totals fit.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from math import prod

import numpy as np

from archsearch.cost.columns import UNSIGNED, narrowest
from archsearch.cost.count import metric
from archsearch.cost.gather import Joined, Plan, Step, Table, Word
from archsearch.cost.parts import Part

ROWS = 1 << 14  # of a joined table: 128 KiB a word. With 2^18, fewer gathers but from L3, peaks took twice as long
BITS = 63  # of a word that metrics share; its sign stays clear

Axes = tuple[int, ...]


def plan(parts: Sequence[Part], names: Sequence[str]) -> Plan:
    """The plan for these parts and metrics, each metric once and at least one."""
    radix = {axis: size for part in parts for axis, size in zip(part.axes, part.grid.sizes, strict=True)}
    found = words(parts, names)
    groups = grouped(parts, radix)
    uses = Counter(axis for axes in groups for axis in axes)
    numbering = _Numbering(radix, max(radix, default=-1) + 1)
    joined = []
    for axes, members in groups.items():
        shared = tuple(axis for axis in axes if uses[axis] > 1)
        own = tuple(axis for axis in axes if uses[axis] == 1)
        tables = tuple(_table(members, word, axes, radix, shared + own) for word in found)
        joined.append(Joined(numbering.of(shared, own), tables))
    return Plan(tuple(names), radix, tuple(numbering.steps), tuple(joined), found)


def words(parts: Sequence[Part], names: Sequence[str]) -> tuple[Word, ...]:
    """Metrics that add up and are never negative share words; every other metric has one of its own."""
    alone, shared = [], []
    for name in names:
        bits = sum(int(part.costs[name].max()) for part in parts).bit_length()
        if metric(name).peak:
            alone.append(Word((name,), (0,), np.maximum))
        elif bits > BITS or min(int(part.costs[name].min()) for part in parts) < 0:
            alone.append(Word((name,), (0,), np.add))
        else:
            shared.append((name, bits))
    return (*_packed(shared), *alone)


def _packed(shared: list[tuple[str, int]]) -> list[Word]:
    """Words of (metric, bits of its greatest total), filled in order."""
    filled: list[list[tuple[str, int]]] = []  # (metric, its lowest bit), last entry: where the next one would begin
    for name, bits in shared:
        if filled and filled[-1][-1][1] + bits <= BITS:
            start = filled[-1].pop()[1]
            filled[-1] += [(name, start), ("", start + bits)]
        else:
            filled.append([(name, 0), ("", bits)])
    return [Word(tuple(n for n, _ in word[:-1]), tuple(s for _, s in word[:-1]), np.add) for word in filled]


def grouped(parts: Sequence[Part], radix: dict[int, int]) -> dict[Axes, list[Part]]:
    """Parts by the axes of the joined table they go into: each, smallest first, where the fewest rows result."""
    groups: dict[Axes, list[Part]] = {}
    for part in sorted(parts, key=lambda part: part.grid.count):
        unions = [(prod(radix[axis] for axis in {*axes, *part.axes}), axes) for axes in groups]
        rows, best = min(unions, default=(ROWS + 1, ()))
        members = groups.pop(best) if rows <= ROWS else []
        axes = tuple(sorted({*(best if members else ()), *part.axes}))
        groups[axes] = [*groups.get(axes, []), *members, part]
    return groups


def _table(members: list[Part], word: Word, axes: Axes, radix: dict[int, int], order: Axes) -> Table:
    """Joined costs of some parts for every combination of `axes`, rows in the order of the axes `order`."""
    grids = [
        word.pack(part.costs).reshape([radix[axis] if axis in part.axes else 1 for axis in axes]) for part in members
    ]
    whole = np.broadcast_to(reduce(word.join, grids), [radix[axis] for axis in axes])
    return np.ascontiguousarray(whole.transpose([axes.index(axis) for axis in order])).ravel()


@dataclass
class _Numbering:
    """Makes the steps of row numbers, each number once."""

    radix: dict[int, int]
    columns: int
    steps: list[Step] = field(default_factory=list)
    known: dict[Axes, int] = field(default_factory=dict)  # axes -> value

    def of(self, shared: Axes, own: Axes) -> int | None:
        """The value that holds the row number of these axes, the last one turning fastest; None without axes."""
        pieces = self._narrow(shared) + self._narrow(own)
        return self.known[self._fold(pieces)] if pieces else None

    def _narrow(self, axes: Axes) -> list[Axes]:
        """Runs of axes, each numbered in as narrow a type as may be: bytes first, for they are quickest."""
        for axis in axes:
            self.known[(axis,)] = axis
        pieces: list[Axes] = [(axis,) for axis in axes]
        for kind in UNSIGNED:
            runs: list[Axes] = []
            for piece in pieces:
                if runs and self._rows(runs[-1] + piece) <= np.iinfo(kind).max:
                    runs[-1] = self._fold([runs[-1], piece])
                else:
                    runs.append(piece)
            pieces = runs
        return pieces

    def _fold(self, pieces: list[Axes]) -> Axes:
        """All axes of some numbers, and a step for each joint."""
        return reduce(self._join, pieces)

    def _join(self, left: Axes, right: Axes) -> Axes:
        if left + right not in self.known:
            kind = narrowest(max(self._rows(left + right) + 1, 2)).type
            self.steps.append(Step(self.known[left], self.known[right], kind(self._rows(right))))
            self.known[left + right] = self.columns + len(self.steps) - 1
        return left + right

    def _rows(self, axes: Axes) -> int:
        return prod(self.radix[axis] for axis in axes)
