"""In which order the parts of a space are put together, so that no distribution grows large.

Axes that most parts depend on are tried in every combination. The other axes that tie parts together are summed over
as soon as all their parts are joined. At the end two halves are left, about equally large.
"""

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from archsearch.spec.space import SearchSpace

AT_ONCE = 10  # groups whose division into two halves is looked for by trying all


@dataclass(frozen=True)
class Group:
    """Parts put together: a part's number, or two groups.

    scope   tying axes that other groups depend on too, ascending
    drop    tying axes that only this group depends on: summed over when it is made
    size    the different costs for each choice of the scope, at most, as far as the parts' sizes are right
    """

    parts: frozenset[int]
    scope: tuple[int, ...]
    size: int
    drop: tuple[int, ...] = ()
    pair: tuple["Group", "Group"] | None = None


@dataclass(frozen=True)
class Plan:
    """fixed: axes tried in every combination; free: axes that no part depends on."""

    fixed: tuple[int, ...]
    free: tuple[int, ...]
    halves: tuple[Group, ...]  # one or two


def make_plan(space: SearchSpace, axes: Sequence[tuple[int, ...]], sizes: Sequence[tuple[int, Hashable]]) -> Plan:
    """The plan for a space.

    axes    of each part
    sizes   of each part: about how many different costs once the axes that tie it to others are chosen, and what is
            the same for parts with the same costs
    """
    users = {axis: frozenset(p for p, mine in enumerate(axes) if axis in mine) for axis in range(len(space.axes))}
    ties = {axis for axis, parts in users.items() if len(parts) > 1}
    bound = sum(1 for mine in axes if mine)
    fixed = {axis for axis in ties if 2 * len(users[axis]) > bound}
    ties -= fixed
    make = Maker({axis: users[axis] for axis in ties}, {axis: int(space.radix[axis]) for axis in ties}, sizes)
    single = [
        Group(frozenset([part]), tuple(sorted(ties & set(mine))), make.size(frozenset([part])))
        for part, mine in enumerate(axes)
    ]
    free = tuple(axis for axis, parts in users.items() if not parts)
    return Plan(tuple(sorted(fixed)), free, make.halves(make.joined(single, AT_ONCE)))


@dataclass(frozen=True)
class Maker:
    """Joins groups; knows which parts each tying axis has, its number of choices, and the parts' sizes."""

    users: dict[int, frozenset[int]]
    radix: dict[int, int]
    sizes: Sequence[tuple[int, Hashable]]

    def size(self, parts: frozenset[int]) -> int:
        """Different costs of some parts together: k parts with the same n costs have no more than (n+k-1 over k)."""
        alike = Counter(self.sizes[part] for part in parts)
        dropped = [axis for axis, mine in self.users.items() if mine <= parts]
        return math.prod(math.comb(n + k - 1, k) for (n, _), k in alike.items()) * self.choices(dropped)

    def join(self, left: Group, right: Group) -> Group:
        """Two groups as one."""
        parts = left.parts | right.parts
        scope = {*left.scope, *right.scope}
        drop = {axis for axis in scope if self.users[axis] <= parts}
        return Group(parts, tuple(sorted(scope - drop)), self.size(parts), tuple(sorted(drop)), (left, right))

    def joined(self, groups: Sequence[Group], most: int) -> list[Group]:
        """At most `most` groups, the smallest pairs joined first."""
        left = list(groups)
        while len(left) > most:
            pairs = [(self.join(a, b), i, j) for (i, a), (j, b) in combinations(enumerate(left), 2)]
            best, i, j = min(pairs, key=lambda each: each[0].size * self.choices(each[0].scope))
            left = [group for place, group in enumerate(left) if place not in (i, j)] + [best]
        return left

    def halves(self, groups: Sequence[Group]) -> tuple[Group, ...]:
        """The two halves that are the least work, of all ways to divide the groups."""
        ways = range(1, 2 ** (len(groups) - 1)) if len(groups) > 1 else ()
        best = min(ways, key=lambda way: self._work(*_divided(groups, way)), default=0)
        return tuple(self.joined(half, 1)[0] for half in _divided(groups, best) if half)

    def _work(self, left: Sequence[Group], right: Sequence[Group]) -> int:
        """Entries of both halves, over all choices of the axes that they share."""
        sides = [frozenset(part for group in half for part in group.parts) for half in (left, right)]
        shared = {axis for axis, parts in self.users.items() if parts & sides[0] and parts & sides[1]}
        return sum(map(self.size, sides)) * self.choices(shared)

    def choices(self, axes: Iterable[int]) -> int:
        """Combinations of some tying axes."""
        return math.prod(self.radix[axis] for axis in axes)


def _divided(groups: Sequence[Group], way: int) -> tuple[list[Group], list[Group]]:
    """The groups whose bit in `way` is 1, and the others; the last one is always among the others."""
    ones = [group for place, group in enumerate(groups) if way >> place & 1]
    return ones, [group for place, group in enumerate(groups) if not way >> place & 1]
