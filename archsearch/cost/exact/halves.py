"""The two halves of a space's networks under a budget, as distributions of costs."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

import numpy as np

from archsearch.cost.exact.distribution import Dist, Ints, Room, join, leaf, union
from archsearch.cost.exact.limits import Tables, pack
from archsearch.cost.exact.meeting import Meeting
from archsearch.cost.exact.order import Group, Plan
from archsearch.cost.exact.packing import Fields, Spare
from archsearch.errors import TooMany

CASES = 4000  # combinations of the axes that most parts depend on
ZERO, ONE = np.zeros(1, dtype=np.int64), np.ones(1, dtype=np.int64)
UNIT = Dist(ZERO, ONE, ZERO, np.array([0, 1]), 1)  # of no part at all
Choice = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Case:
    """One combination of the fixed axes.

    axes     of each part, those that are left
    rows     of each part, numbers of the rows that are left: int64[choices of each axis in `axes`]
    """

    axes: tuple[Choice, ...]
    rows: tuple[Ints, ...]


def cases(tables: Tables, fixed: Choice, radix: Ints) -> Iterator[Case]:
    """Every combination of the fixed axes.

    raises   TooMany where there are more than CASES
    """
    if float(np.prod(radix[list(fixed)].astype(float))) > CASES:
        raise TooMany(f"more than {CASES:,} combinations of the axes that tie the parts together")
    grids = [np.arange(len(part.allowed)).reshape(part.shape) for part in tables.parts]
    left = tuple(tuple(axis for axis in part.axes if axis not in fixed) for part in tables.parts)
    for choice in product(*(range(int(radix[axis])) for axis in fixed)):
        chosen = dict(zip(fixed, choice, strict=True))
        rows = (
            grid[tuple(chosen.get(axis, slice(None)) for axis in part.axes)]
            for grid, part in zip(grids, tables.parts, strict=True)
        )
        yield Case(left, tuple(np.asarray(each) for each in rows))


def most_costs(tables: Tables, fixed: Choice, radix: Ints) -> int:
    """How many different costs whole networks have, at most, over combinations of the fixed axes: up to 50 of them."""
    every = list(cases(tables, fixed, radix))
    return max(_most_costs(tables, case) for case in every[:: -(-len(every) // 50)])


def _most_costs(tables: Tables, case: Case) -> int:
    packed = pack(tables, [rows.ravel() for rows in case.rows])
    if packed is None:
        return 1
    fields, keys = packed
    spans = (sum(int(sums(each).max()) for each in keys) + 1 for sums in (fields.first, fields.second))
    return math.prod(spans) << fields.flags


@dataclass
class Purse:
    """Pairs of costs that are joined: what takes time, and what stays in memory."""

    most: int
    spent: int = 0

    def take(self, pairs: int) -> None:
        """Spend some; raises TooMany where that is more than there may be."""
        if self.spent + pairs > self.most:
            raise TooMany(f"more than {self.most:,} pairs of costs to be joined")
        self.spent += pairs


@dataclass(frozen=True, eq=False)
class Builder:
    """Puts the parts of one case together.

    keys     of each part's rows, in the order of `case.rows`, -1 where a row is not allowed
    """

    case: Case
    plan: Plan
    fields: Fields
    keys: Sequence[Ints]
    radix: Ints
    purse: Purse = field(default_factory=lambda: Purse(2**62))

    def meetings(self) -> list[Meeting]:
        """The two halves, for each choice of the axes that they share."""
        sides = [self.build(half) for half in self.plan.halves]
        if len(sides) == 1:
            return [Meeting(each, UNIT, self.fields) for each in sides[0].values() if len(each.keys)]
        met = [Meeting(mine, sides[1][choice], self.fields) for choice, mine in sides[0].items()]
        return [each for each in met if len(each.left.keys) and len(each.right.keys)]

    def build(self, group: Group) -> dict[Choice, Dist]:
        """A group's distribution for each choice of its scope."""
        if group.pair is None:
            return {choice: self._leaf(group, choice) for choice in self._choices(group.scope)}
        room = self._room(group)
        left, right = (self.build(each) for each in group.pair)
        first, second = (each.scope for each in group.pair)
        made = {}
        for choice in self._choices(group.scope):
            ways = []
            for dropped in self._choices(group.drop):
                now = dict(zip((*group.scope, *group.drop), (*choice, *dropped), strict=True))
                mine, other = left[tuple(now[a] for a in first)], right[tuple(now[a] for a in second)]
                self.purse.take(len(mine.keys) * len(other.keys))
                ways.append(join(mine, other, room))
            made[choice] = union(ways, room)
        return made

    def _leaf(self, group: Group, choice: Choice) -> Dist:
        (part,) = group.parts
        now = dict(zip(group.scope, choice, strict=True))
        places = np.arange(self.keys[part].size).reshape(self.case.rows[part].shape)
        mine = np.ravel(places[tuple(now.get(axis, slice(None)) for axis in self.case.axes[part])])
        mine = mine[self.keys[part][mine] >= 0]
        return leaf(part, self.keys[part][mine], mine, self._room(group))

    def _room(self, group: Group) -> Room:
        most = [self._most[part] for part in range(len(self.keys)) if part not in group.parts]
        return Room(self.fields, (sum(x for x, _ in most), sum(y for _, y in most)))

    @cached_property
    def _most(self) -> list[Spare]:
        """The greatest first and second sum of each part."""
        allowed = [each[each >= 0] for each in self.keys]
        return [(int(self.fields.first(each).max()), int(self.fields.second(each).max())) for each in allowed]

    def _choices(self, axes: Choice) -> Iterator[Choice]:
        return product(*(range(int(self.radix[axis])) for axis in axes))
