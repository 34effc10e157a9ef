"""In which order the parts of a space are put together, so that no distribution grows large.

Axes that most parts depend on are tried in every combination. The other axes that tie parts together are summed over
as soon as all their parts are joined. At the end two halves are left, about equally large.
"""

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, combinations

from archsearch.spec.space import SearchSpace

AT_ONCE = 8  # groups whose order of joining is looked for by trying all
ENTRIES = 4_000_000  # pairs of costs in one join, at most: 130 MB
LAST_RESORT = 1000  # how much worse a join is that may have more: sizes are upper bounds
MEETING = 8  # work of the last step for each cost of either half, in pairs joined


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


def make_plan(
    space: SearchSpace,
    axes: Sequence[tuple[int, ...]],
    sizes: Sequence[tuple[int, Hashable]],
    most: Callable[[tuple[int, ...]], int],
    *,
    chain: bool = False,
) -> Plan:
    """The plan for a space.

    axes    of each part
    sizes   of each part: about how many different costs once the axes that tie it to others are chosen, and what is
            the same for parts with the same costs
    most    different costs that whole networks can have, at most, given the fixed axes
    chain   join the parts one after the other, from both ends: best where the costs are few however many parts join
    """
    users = {axis: frozenset(p for p, mine in enumerate(axes) if axis in mine) for axis in range(len(space.axes))}
    ties = {axis for axis, parts in users.items() if len(parts) > 1}
    bound = sum(1 for mine in axes if mine)
    fixed = {axis for axis in ties if 2 * len(users[axis]) > bound}
    ties -= fixed
    radix = {axis: int(space.radix[axis]) for axis in ties}
    make = Maker({axis: users[axis] for axis in ties}, radix, sizes, most(tuple(sorted(fixed))))
    single = [
        Group(frozenset([part]), tuple(sorted(ties & set(mine))), make.size(frozenset([part])))
        for part, mine in enumerate(axes)
    ]
    free = tuple(axis for axis, parts in users.items() if not parts)
    halves = make.chained(single) if chain else make.halves(make.joined(single, AT_ONCE))
    return Plan(tuple(sorted(fixed)), free, halves)


@dataclass(frozen=True)
class Maker:
    """Joins groups; knows which parts each tying axis has, its number of choices, and the parts' sizes."""

    users: dict[int, frozenset[int]]
    radix: dict[int, int]
    sizes: Sequence[tuple[int, Hashable]]
    most: int

    def size(self, parts: frozenset[int]) -> int:
        """Different costs of some parts together: k parts with the same n costs have no more than (n+k-1 over k)."""
        alike = Counter(self.sizes[part] for part in parts)
        dropped = [axis for axis, mine in self.users.items() if mine <= parts]
        return min(self.most, math.prod(math.comb(n + k - 1, k) for (n, _), k in alike.items()) * self.choices(dropped))

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
        """The two halves that are the least work, of all ways to divide the groups and to join each half."""
        if len(groups) == 1:
            return (groups[0],)
        trees = [Tree(0, each) for each in groups]
        best: list[Tree] = [trees[0]]  # of each set of groups, by its bits; the empty set is never used
        for bits in range(1, 2 ** len(groups)):
            if bits & (bits - 1):
                best.append(min((self._tree(best[one], best[bits ^ one]) for one in _subsets(bits)), key=_work))
            else:
                best.append(trees[bits.bit_length() - 1])
        whole = 2 ** len(groups) - 1
        one = min(_subsets(whole), key=lambda one: self._meeting(best[one], best[whole ^ one]))
        return best[one].group, best[whole ^ one].group

    def chained(self, groups: Sequence[Group]) -> tuple[Group, ...]:
        """Two halves, each half a run of neighbours joined one after the other, towards the middle."""
        if len(groups) == 1:
            return (groups[0],)
        trees = [Tree(0, each) for each in groups]
        first = list(accumulate(trees, self._tree))[:-1]
        last = list(accumulate(reversed(trees), self._tree))[-2::-1]
        left, right = min(zip(first, last, strict=True), key=lambda pair: self._meeting(*pair))
        return left.group, right.group

    def _tree(self, left: "Tree", right: "Tree") -> "Tree":
        group = self.join(left.group, right.group)
        pairs = left.group.size * right.group.size
        times = self.choices({*left.group.scope, *right.group.scope})
        return Tree(left.work + right.work + times * pairs * (1 if pairs <= ENTRIES else LAST_RESORT), group)

    def _meeting(self, left: "Tree", right: "Tree") -> int:
        shared = self.choices(set(left.group.scope) & set(right.group.scope))
        return left.work + right.work + MEETING * shared * (left.group.size + right.group.size)

    def choices(self, axes: Iterable[int]) -> int:
        """Combinations of some tying axes."""
        return math.prod(self.radix[axis] for axis in axes)


@dataclass(frozen=True)
class Tree:
    """A group, and how many pairs of costs have to be looked at to make it."""

    work: int
    group: Group


def _work(tree: Tree) -> int:
    return tree.work


def _subsets(bits: int) -> Iterator[int]:
    """The parts into which a set can be cut in two, each cut once: those without its highest bit."""
    rest = bits ^ (1 << (bits.bit_length() - 1))
    part = rest
    while part:
        yield part
        part = (part - 1) & rest
