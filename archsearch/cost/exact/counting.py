"""How many networks of a space fit a budget, exactly; which choices they have; and each of them by its number.

A network's cost is the sum of its parts' costs, and parts depend on few axes. So the distribution of costs is put
together part by part (`distribution.py`, in the order of `order.py`), and two halves meet in the middle
(`meeting.py`): time grows with the number of different costs of half a network, not with the size of the space.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np

from archsearch.cost.budget import Budget, Limit
from archsearch.cost.count import metric
from archsearch.cost.exact.distribution import SAFE, Dist, Ints, members, push
from archsearch.cost.exact.halves import Builder, Case, Purse, cases, most_costs
from archsearch.cost.exact.limits import Tables, make_tables, pack
from archsearch.cost.exact.meeting import Meeting
from archsearch.cost.exact.numbers import below, distinct
from archsearch.cost.exact.order import Plan, make_plan
from archsearch.cost.metrics import Metric
from archsearch.cost.table import cost_table
from archsearch.errors import TooMany
from archsearch.spec.fields import Codes
from archsearch.spec.space import SearchSpace

WORK = 10_000_000  # different costs of half networks, at most: about 3 s, and 300 MB while they are kept
TWICE = 3  # times the work where two sums are limited
PAIRS = 40_000_000  # pairs of costs joined, at most: 2 s, and 160 MB
EACH = 4  # pairs that are about as much work as one of the different costs
EARLY = 2  # times too much from which what the first cases took is believed
Tell = Callable[[int, int, str], object]  # done, of how many, what


def silent(done: int, total: int, text: str) -> None:
    """Tells nobody."""


@dataclass(eq=False)
class Fitting:
    """The networks of a space that fit a budget, numbered from 0; make one with `fitting`."""

    space: SearchSpace
    tables: Tables
    plan: Plan
    totals: list[int] = field(default_factory=list)  # how many fit in each case, free axes left out
    most: int | None = None  # work at most, where that is less than WORK
    work: int = 0  # different costs of half networks that were made
    purse: Purse = field(default_factory=lambda: Purse(PAIRS))
    _kept: dict[object, list[Meeting]] = field(default_factory=dict)
    _refused: TooMany | None = None

    def settle(self, tell: Tell) -> None:
        """Count every case, once.

        raises   TooMany where that would take too long, again and again
        """
        if self._refused:
            raise TooMany(*self._refused.args)
        while len(self.totals) < len(self._cases):
            tell(len(self.totals), len(self._cases), "cases counted")
            try:
                self.totals.append(self._counted(self._cases[len(self.totals)]))
            except TooMany as error:
                self._refused = TooMany(*error.args)  # without its traceback, which keeps what was made in memory
                self._kept.clear()
                raise

    def _counted(self, case: Case) -> int:
        meetings = self._solve(case)
        spent = max(self.work / self._most, self.purse.spent / self.purse.most)
        done = len(self.totals) + 1
        if spent > EARLY / len(self._cases):  # few spaces come here, and looking ahead takes time
            bound = sum(self._bound[:done]), sum(self._bound)
            if spent * bound[1] > EARLY * bound[0]:
                raise TooMany(f"{bound[0]} of {bound[1]} cases took {100 * spent:.0f} % of the work allowed")
        return sum(each.total for each in meetings)

    @property
    def _most(self) -> int:
        return max(1, min(WORK, WORK if self.most is None else self.most))

    @cached_property
    def _bound(self) -> list[bool]:
        """Which cases have a limit that may be broken: the others are hardly any work."""
        packed = (pack(self.tables, [rows.ravel() for rows in case.rows]) for case in self._cases)
        return [each is not None and bool(each[0].limits) for each in packed]

    @property
    def count(self) -> int:
        """How many codes of the space fit."""
        return sum(self.totals) * self._free

    @cached_property
    def marginals(self) -> dict[str, list[int]]:
        """Axis name -> for each of its choices, how many of the networks that fit have it."""
        kind = object if self.count >= SAFE else np.int64
        found = [np.zeros(len(part.allowed), dtype=kind) for part in self.tables.parts]
        for case, total in zip(self._cases, self.totals, strict=True):
            if total:
                out = {place: np.zeros(rows.size, dtype=kind) for place, rows in enumerate(case.rows)}
                push([each for meeting in self._solve(case) for each in _shares(meeting, kind)], out)
                for place, rows in enumerate(case.rows):
                    found[place][rows.ravel()] += out[place]
        return {axis.name: self._choices(number, found) for number, axis in enumerate(self.space.axes)}

    def codes(self, numbers: Sequence[int] | Ints) -> Codes:
        """The networks of some numbers from 0 to count - 1: int64[n, axes]; each number is another code."""
        wanted = np.asarray(numbers, dtype=np.int64 if self.count < SAFE else object)
        codes = np.zeros((len(wanted), len(self.space.axes)), dtype=np.int64)
        for axis in self.plan.free:
            choices = int(self.space.radix[axis])
            codes[:, axis] = wanted % choices
            wanted = wanted // choices
        for case, places, inner in _shared_out(wanted, self.totals):
            meetings = self._solve(self._cases[case])
            for nth, found, rest in _shared_out(inner, [each.total for each in meetings]):
                self._fill(codes, places[found], self._cases[case], meetings[nth], rest)
        return codes

    def sample(self, n: int, rng: np.random.Generator, *, replace: bool = False) -> Codes:
        """n codes, uniform over those that fit: int64[n, axes].

        replace  whether one code may be drawn twice; without, all of them in random order where n is more than fit
        """
        if not self.count:
            return np.zeros((0, len(self.space.axes)), dtype=np.int64)
        return self.codes(below(self.count, n, rng) if replace else distinct(self.count, n, rng))

    @cached_property
    def _free(self) -> int:
        return int(np.prod(self.space.radix[list(self.plan.free)].astype(object))) if self.plan.free else 1

    @cached_property
    def _cases(self) -> list[Case]:
        return list(cases(self.tables, self.plan.fixed, self.space.radix))

    def _solve(self, case: Case) -> list[Meeting]:
        """The halves of one case, for each choice of the axes that they share; made once.

        raises   TooMany where that is more work than is allowed
        """
        packed = pack(self.tables, [rows.ravel() for rows in case.rows])
        if packed is None:
            return []
        fields, keys = packed
        name = (fields, tuple(each.tobytes() for each in keys))
        if name not in self._kept:
            meetings = Builder(case, self.plan, fields, keys, self.space.radix, self.purse).meetings()
            size = sum(len(each.left.keys) + len(each.right.keys) for each in meetings)
            self.work += size * (TWICE if len(fields.limits) > 1 else 1)
            if self.work > self._most:
                raise TooMany(f"more than {self._most:,} different costs of half networks")
            self._kept[name] = meetings
        return self._kept[name]

    def _fill(self, codes: Codes, places: Ints, case: Case, meeting: Meeting, numbers: Ints) -> None:
        """Write the pairs number `numbers` of a meeting into `codes[places]`."""
        for half, (entries, inner) in zip((meeting.left, meeting.right), meeting.pairs(numbers), strict=True):
            for mine, part, rows in members(half, entries, inner):
                table = self.tables.parts[part]
                whole = case.rows[part].ravel()[rows]
                for axis, choice in zip(table.axes, _digits(whole, table.shape), strict=True):
                    codes[places[mine], axis] = choice

    def _choices(self, axis: int, found: Sequence[Ints]) -> list[int]:
        """Networks for each choice of one axis, from those of each row."""
        if axis in self.plan.free:
            return [self.count // int(self.space.radix[axis])] * int(self.space.radix[axis])
        owner = next(place for place, part in enumerate(self.tables.parts) if axis in part.axes)
        part = self.tables.parts[owner]
        grid = np.moveaxis(found[owner].reshape(part.shape), part.axes.index(axis), 0)
        return [int(np.sum(each)) * self._free for each in grid]


def fitting(space: SearchSpace, budget: Budget, tell: Tell = silent) -> Fitting:
    """The networks that fit; kept for the last two budgets.

    tell     called as the count goes on
    raises   TooMany where exact counting would take too long: halves too large, more than two sums limited at once
    """
    made = _fitting(space, *known_as(budget))
    made.settle(tell)
    return made


Named = tuple[tuple[str, float, float], ...]


def known_as(budget: Budget) -> tuple[Named, tuple[Metric, ...]]:
    """A budget as what counts are kept by: its limits, and the metrics, for a name may be bound anew."""
    limits = tuple(sorted((name, each.low, each.high) for name, each in budget.limits.items()))
    return limits, tuple(metric(name) for name, _, _ in limits)


@lru_cache(maxsize=2)
def _fitting(space: SearchSpace, limits: Named, metrics: tuple[Metric, ...]) -> Fitting:
    return unsettled(space, Budget(limits={name: Limit(low=low, high=high) for name, low, high in limits}))


@dataclass
class Effort:
    """Work that may still be spent on some counts: different costs of half networks."""

    left: int = 5_000_000  # about 3 s
    each: int = 0  # what one count is expected to take

    def fitting(self, space: SearchSpace, budget: Budget) -> Fitting:
        """The networks that fit, counted with what is left and not kept; what it took is taken off.

        raises   TooMany where that is too little
        """
        made = unsettled(space, budget)
        made.most, made.purse = max(self.left, 0), Purse(min(PAIRS, EACH * max(self.left, 1)))
        try:
            made.settle(silent)
        finally:
            self.left -= max(made.work, made.purse.spent // EACH, 1)
        return made


def unsettled(space: SearchSpace, budget: Budget) -> Fitting:
    """The networks that fit; nothing is counted yet, and nothing kept for others."""
    tables = make_tables(cost_table(space, tuple(budget.limits) or ("madds",)), budget, space.radix)
    return planned(space, tables)


def planned(space: SearchSpace, tables: Tables) -> Fitting:
    """The networks that the tables allow; nothing is counted yet."""
    axes = [part.axes for part in tables.parts]
    plan = make_plan(
        space, axes, _sizes(space, tables), lambda fixed: most_costs(tables, fixed, space.radix),
        chain=tables.units is not None,
    )  # fmt: skip
    return Fitting(space, tables, plan)


def _sizes(space: SearchSpace, tables: Tables) -> list[tuple[int, bytes]]:
    """About how many different costs each part has once the axes that it shares are chosen; and a digest of them."""
    axes = [axis for part in tables.parts for axis in part.axes]
    sizes, units = [], tables.units or (1,) * len(tables.ranges)
    for part in tables.parts:
        sums = [each // unit for each, unit in zip(part.sums, units, strict=True)]
        costs = np.stack([*sums, *part.reached, np.zeros(len(part.allowed), dtype=np.int64)], axis=1)
        shared = np.prod([space.radix[axis] for axis in part.axes if axes.count(axis) > 1], initial=1.0)
        distinct_ = np.unique(costs, axis=0)
        rows, least = len(costs) / float(shared), 2 * len(distinct_) / float(shared)
        sizes.append((max(1, round(min(rows, least))), distinct_.tobytes()))
    return sizes


def _shares(meeting: Meeting, kind: type) -> Iterator[tuple[Dist, Ints]]:
    """Both halves of a meeting, with the number of networks that a member of each entry is part of."""
    for half, partners in zip((meeting.left, meeting.right), meeting.partners, strict=True):
        yield half, partners.astype(kind)


def _digits(rows: Ints, shape: tuple[int, ...]) -> tuple[Ints, ...]:
    """The choice on each axis of some rows of a table."""
    return np.unravel_index(rows, shape) if shape else ()


def _shared_out(numbers: Ints, totals: Sequence[int]) -> Iterator[tuple[int, Ints, Ints]]:
    """Numbers by the bin into which they fall: (bin, their places, numbers within the bin)."""
    ends = np.cumsum(np.array(totals, dtype=numbers.dtype))
    bins = np.searchsorted(ends, numbers, side="right")
    for each in np.unique(bins).tolist():
        places = np.flatnonzero(bins == each)
        yield each, places, numbers[places] - (ends[each] - totals[each])
