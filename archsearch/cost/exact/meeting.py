"""Meeting in the middle: which members of two distributions go together within the limits."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from archsearch.cost.exact.distribution import SAFE, Dist, Ints
from archsearch.cost.exact.dominance import dominance
from archsearch.cost.exact.packing import Fields
from archsearch.errors import TooMany


@dataclass(frozen=True)
class Block:
    """Entries of both sides whose flags go together: every pair that holds the limits counts."""

    left: Ints
    right: Ints


@dataclass(frozen=True, eq=False)
class Meeting:
    """Two distributions whose members are combined freely."""

    left: Dist
    right: Dist
    fields: Fields

    @cached_property
    def partners(self) -> tuple[Ints, Ints]:
        """For each entry the number of members of the other side that go with it: left int[n], right int[m]."""
        kind = np.result_type(self.left.weight, self.right.weight)  # objects where either side passes int64
        mine, other = (np.zeros(len(each.keys), dtype=kind) for each in (self.left, self.right))
        for block in self._blocks():
            first, second = self._met(block)
            mine[block.left] += first
            other[block.right] += second
        return mine, other

    @cached_property
    def total(self) -> int:
        """How many pairs of members hold the limits."""
        big = self.left.total * self.right.total >= SAFE
        weight = self.right.weight.astype(object) if big else self.right.weight
        return int((weight * self.partners[1]).sum())

    def pairs(self, numbers: Ints) -> tuple[tuple[Ints, Ints], tuple[Ints, Ints]]:
        """The pairs number 0 to total - 1: (entry, member within it) on the left and on the right."""
        big = self.left.total * self.right.total >= SAFE
        share = self.right.weight.astype(object) if big else self.right.weight
        ends = np.cumsum(share * self.partners[1])
        right = np.searchsorted(ends, numbers, side="right")
        rest = numbers - (ends[right] - share[right] * self.partners[1][right])
        count = self.partners[1][right]
        left, inner = self._partner(right, rest % count)
        return (left, inner), (right, rest // count)

    def _blocks(self) -> Iterator[Block]:
        """The entries, by their flags: one block where nothing has to be reached."""
        mine, other = self.fields.reached(self.left.keys), self.fields.reached(self.right.keys)
        for pattern in np.unique(other):
            left = np.flatnonzero((mine | pattern) == self.fields.all_reached)
            if len(left):
                yield Block(left, np.flatnonzero(other == pattern))

    def _met(self, block: Block) -> tuple[Ints, Ints]:
        """Members on the other side within the limits, for each entry of a block."""
        left, right = self.left.keys[block.left], self.right.keys[block.right]
        mine, other = self.left.weight[block.left], self.right.weight[block.right]
        fields, limits = self.fields, self.fields.limits
        if len(limits) < 2:
            low, high = limits[0] if limits else (0, 0)
            first, second = fields.first(left), fields.first(right)
            return (
                _between(second, other, low - first, high - first),
                _between(first, mine, low - second, high - second),
            )
        if mine.dtype == object or other.dtype == object:
            raise TooMany("more than 2^62 networks in one half under two limits")
        total: tuple[Ints, Ints] = np.zeros_like(mine), np.zeros_like(other)
        for sign, x, y in _signed_corners(fields):
            found = _below(
                (fields.first(left), fields.second(left), mine),
                (x - fields.first(right), y - fields.second(right), other),
            )
            total = total[0] + sign * found[0], total[1] + sign * found[1]
        return total

    def _partner(self, right: Ints, numbers: Ints) -> tuple[Ints, Ints]:
        """The `numbers`-th left member that goes with each right entry: (left entry, member within it)."""
        fields = self.fields
        first, second = fields.first(self.left.keys), fields.second(self.left.keys)
        if len(fields.limits) < 2 and not fields.flags:  # partners lie side by side
            low = (fields.limits or ((0, 0),))[0][0]
            return _counted(
                self.left.weight, numbers, np.searchsorted(first, low - fields.first(self.right.keys[right]))
            )
        entries, inner = np.empty(len(right), dtype=np.int64), np.empty_like(numbers)
        reached, limits = fields.reached(self.left.keys), (*fields.limits, (0, 0), (0, 0))
        for entry, places in _same(right):
            key = self.right.keys[entry : entry + 1]
            x, y = int(fields.first(key)[0]), int(fields.second(key)[0])
            start, stop = np.searchsorted(first, [limits[0][0] - x, limits[0][1] - x + 1])
            fits = (second[start:stop] >= limits[1][0] - y) & (second[start:stop] <= limits[1][1] - y)
            fits &= (reached[start:stop] | fields.reached(key)) == fields.all_reached
            found, inner[places] = _counted(self.left.weight[start:stop] * fits, numbers[places], 0)
            entries[places] = found + start
        return entries, inner


def _counted(weight: Ints, numbers: Ints, start: Ints | int) -> tuple[Ints, Ints]:
    """The entry that holds the `numbers`-th member from entry `start` on, and which of its members that is."""
    ends = np.concatenate([np.zeros(1, dtype=weight.dtype), np.cumsum(weight)])
    wanted = numbers + ends[start]
    found = np.searchsorted(ends, wanted, side="right") - 1
    return found, wanted - ends[found]


def _same(values: Ints) -> Iterator[tuple[int, Ints]]:
    """Each distinct value with the places where it stands."""
    order = np.argsort(values, kind="stable")
    distinct, first = np.unique(values[order], return_index=True)
    yield from zip(distinct.tolist(), np.split(order, first[1:]), strict=True)


def _between(keys: Ints, weight: Ints, low: Ints, high: Ints) -> Ints:
    """Weight of the keys (ascending) from low to high, for each pair of bounds."""
    ends = np.concatenate([np.zeros(1, dtype=weight.dtype), np.cumsum(weight)])
    upper, lower = np.searchsorted(keys, high, side="right"), np.searchsorted(keys, low, side="left")
    return np.asarray(ends[np.maximum(upper, lower)] - ends[lower])


def _signed_corners(fields: Fields) -> Iterator[tuple[int, int, int]]:
    """A rectangle as a sum and difference of quarter planes: sign, greatest x, greatest y."""
    (left, right), (bottom, top) = fields.limits
    for sign, x in ((1, right), (-1, left - 1)):
        for other, y in ((1, top), (-1, bottom - 1)):
            if x >= 0 and y >= 0:
                yield sign * other, x, y


def _below(points: tuple[Ints, Ints, Ints], corners: tuple[Ints, Ints, Ints]) -> tuple[Ints, Ints]:
    """`dominance`, with the points and corners that are settled at a glance taken out first."""
    x, y, mine = points
    right, top, other = corners
    inner, outer = (x <= right.min()) & (y <= top.min()), (right >= x.max()) & (top >= y.max())
    points_left = np.flatnonzero(~inner & (x <= right.max()) & (y <= top.max()))
    corners_left = np.flatnonzero(~outer & (right >= x.min()) & (top >= y.min()))
    collected = np.where(inner, other.sum(), np.where((x <= right.max()) & (y <= top.max()), other[outer].sum(), 0))
    gathered = np.where(outer, mine.sum(), np.where((right >= x.min()) & (top >= y.min()), mine[inner].sum(), 0))
    if len(points_left) and len(corners_left):
        first, second = dominance(
            (x[points_left], y[points_left], mine[points_left]),
            (right[corners_left], top[corners_left], other[corners_left]),
        )
        collected[points_left] += first
        gathered[corners_left] += second
    return collected, gathered
