"""Counting with rounded costs, where the exact costs are too many: all networks that fit, and some more.

Each part's share of a limited sum is rounded to a multiple of a unit, and the limits are moved outwards by as much as
rounding can be off. Few different costs are left, so the networks within these limits are counted and numbered exactly.
Every network that fits is one of them, and each of them is drawn equally often; those drawn that truly fit are
therefore uniform over all that fit.
"""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from archsearch.cost.budget import Budget, Limit
from archsearch.cost.count import metric
from archsearch.cost.exact.counting import Fitting, Named, Tell, known_as, planned, silent
from archsearch.cost.exact.limits import Tables, make_tables
from archsearch.cost.metrics import Metric
from archsearch.cost.table import cost_table
from archsearch.errors import TooMany
from archsearch.spec.fields import Codes
from archsearch.spec.space import SearchSpace

WORK = 2_000_000  # different costs of half networks looked at, at most: about 2 s
GROWTH = 2  # times the work of one step finer
ALONE = 6  # how much less work is allowed for one sum, of which each cost has more ways: time and memory
FAR = 0.8  # share that does not fit from which one sum's unit shrinks two steps at once
ENOUGH = 0.3  # share that truly fits from which no finer unit is tried
PROBE = 2048  # codes by which that share is judged
FIRST = (500, 60)  # units in the range of each sum, at most, at first; the second where that is too much
LOOSE = 8  # how many times wider all parts' errors together may be at first than the limits
EDGE = 8  # part of the way to a limit within which most networks that hold it lie
SUMS = 2  # limited at once; a third limit is only looked at


@dataclass(eq=False)
class Near:
    """The networks of a space that fit a budget by rounded costs: all that fit, and some more.

    outer    those networks, counted and numbered
    left     limits that were left out of the count
    """

    space: SearchSpace
    budget: Budget
    outer: Fitting
    left: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many there are: never fewer than fit."""
        return self.outer.count

    @property
    def units(self) -> tuple[int, ...]:
        """What each limited sum was rounded to."""
        return self.outer.tables.units or ()

    @cached_property
    def least(self) -> int:
        """A number of networks that fit for certain: those within limits moved inwards."""
        if self.left:
            return 0
        inner = Fitting(self.space, replace(self.outer.tables, inner=True), self.outer.plan)
        inner.settle(silent)
        return inner.count

    def look(self, n: int, rng: np.random.Generator) -> Codes:
        """Those that fit of n codes drawn with replacement: int64[<=n, axes], uniform over what fits."""
        return self._fitting(self.outer.sample(n, rng, replace=True))

    def all(self) -> Codes:
        """Every code that fits; for small counts."""
        return self._fitting(self.outer.codes(np.arange(self.count)))

    def _fitting(self, codes: Codes) -> Codes:
        costs = cost_table(self.space, tuple(self.budget.limits) or ("madds",)).count(codes)
        return np.asarray(codes[np.broadcast_to(self.budget.fits(costs), (len(codes),))])


@dataclass(eq=False)
class _Kept:
    """What was found for one space and budget, once it has been looked for."""

    found: Near | None = None
    done: bool = False


@lru_cache(maxsize=2)
def _kept(space: SearchSpace, limits: Named, metrics: tuple[Metric, ...]) -> _Kept:
    return _Kept()


def near(space: SearchSpace, budget: Budget, tell: Tell = silent) -> Near | None:
    """The networks that fit by rounded costs, or None where even those are too many; kept for the last few budgets.

    Units shrink until a share ENOUGH of what they leave truly fits, or a finer one would be more than WORK.

    tell     called as the count goes on
    """
    kept = _kept(space, *known_as(budget))
    if not kept.done:
        counts = (_with(space, budget, sums, tell) for sums in range(SUMS, 0, -1))
        kept.found = next((each for each in counts if each is not None), None)
        kept.done = True
    return kept.found


def _with(space: SearchSpace, budget: Budget, sums: int, tell: Tell) -> Near | None:
    """The same with at most so many sums in the count; the others are only looked at."""
    counted = _tightest(space, budget, sums)
    left = tuple(sorted(budget.limits.keys() - counted.limits.keys()))
    if sums < SUMS and not left:
        return None  # the same as with more sums
    tables = make_tables(cost_table(space, tuple(counted.limits) or ("madds",)), counted, space.radix)
    found = None
    for whole in FIRST:
        found = found or _near(space, budget, _rounded(tables, whole), left, tell)
    most = WORK if len(tables.ranges) > 1 else WORK // ALONE
    while found is not None and found.outer.work * GROWTH <= most and (units := _finer(found)):
        finer = _near(space, budget, replace(tables, units=units), left, tell)
        if finer is None:
            break
        found = finer
    return found


def _finer(found: Near) -> tuple[int, ...] | None:
    """Units of which the one that lets most through is finer; None where enough of what is left truly fits."""
    tables = found.outer.tables
    if found.count <= PROBE or set(found.units) <= {1}:
        return None
    drawn = found.outer.sample(PROBE, np.random.default_rng(0), replace=True)
    costs = cost_table(found.space, tables.names).count(drawn)
    broken = [(costs[name] < low) | (costs[name] > high) for name, (low, high) in
              zip(tables.names, tables.ranges, strict=True)]  # fmt: skip
    if np.any(broken, axis=0).mean() < 1 - ENOUGH:
        return None
    which = int(np.argmax([each.mean() * (unit > 1) for each, unit in zip(broken, found.units, strict=True)]))
    factor = 4 if len(broken) < 2 and broken[0].mean() > FAR else 2
    return tuple(max(1, unit // factor) if nth == which else unit for nth, unit in enumerate(found.units))


def _near(space: SearchSpace, budget: Budget, tables: Tables, left: tuple[str, ...], tell: Tell) -> Near | None:
    try:
        outer = planned(space, tables)
        outer.most = WORK
        outer.settle(tell)
    except TooMany:
        return None
    return Near(space, budget, outer, left)


def _rounded(tables: Tables, whole: int) -> Tables:
    """The tables with a first unit for each sum: from the width of its limits, at most `whole` in all.

    A limit far from its other end is as wide as a few steps of one part: most networks that fit lie close to it.
    """
    units = []
    for nth, (low, high) in enumerate(tables.ranges):
        least, most = (sum(int(end(part.sums[nth])) for part in tables.parts) for end in (np.min, np.max))
        width = min(high, most) - max(low, least)
        if high < most:
            width = min(width, (high - least) / EDGE)
        if low > least:
            width = min(width, (most - low) / EDGE)
        parts = sum(1 for part in tables.parts if part.sums[nth].min() < part.sums[nth].max())
        units.append(max(1, int(LOOSE * width / max(parts, 1)), int((most - least) / whole)))
    return replace(tables, units=tuple(units))


def _tightest(space: SearchSpace, budget: Budget, sums: int) -> Budget:
    """The budget without the limits on sums that are broken least by random networks, until `sums` are left."""
    limits = dict(budget.limits)
    table = cost_table(space, tuple(limits) or ("madds",))
    costs = table.count(space.sample(PROBE, np.random.default_rng(0)))
    while len(make_tables(table, Budget(limits=limits), space.radix).ranges) > sums:
        names = [name for name in limits if not metric(name).peak]
        del limits[min(names, key=lambda name: _broken(name, limits[name], costs))]
    return Budget(limits=limits)


def _broken(name: str, limit: Limit, costs: dict[str, NDArray[np.int64]]) -> float:
    """By how much a limit is broken on average, as a share of it."""
    excess = Budget(limits={name: limit}).excess({name: costs[name]})
    return float(sum(np.maximum(each, 0).mean() for each in excess.values()))
