"""What a budget says of each part's table: which rows are allowed, which sums are limited, which peaks to reach."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from archsearch.cost.budget import Budget
from archsearch.cost.count import metric
from archsearch.cost.exact.packing import Fields
from archsearch.cost.parts import Part
from archsearch.cost.table import CostTable

Ints = NDArray[np.int64]
Range = tuple[int, float]  # lowest and highest value allowed; the highest may be infinite


@dataclass(frozen=True)
class Rows:
    """One part's rows.

    axes      that the part depends on
    shape     choices of each; rows are numbered in that order, the last axis fastest
    allowed   bool[rows]: no peak above its limit
    reached   for each peak with a lower limit, int64[rows]: 1 where the part reaches it
    sums      for each limited sum, int64[rows]
    """

    axes: tuple[int, ...]
    shape: tuple[int, ...]
    allowed: NDArray[np.bool_]
    reached: tuple[Ints, ...]
    sums: tuple[Ints, ...]


@dataclass(frozen=True)
class Tables:
    """All parts under one budget; `ranges` belong to the sums in each part's `sums`.

    names    of those sums
    units    of each sum: a part's share of it is rounded to a multiple of this. None: nothing is rounded
    inner    whether what is counted then fits for certain (a subset), or may fit (everything that fits, and some more)
    """

    parts: tuple[Rows, ...]
    ranges: tuple[Range, ...]
    names: tuple[str, ...] = ()
    units: tuple[int, ...] | None = None
    inner: bool = False


def make_tables(table: CostTable, budget: Budget, radix: Ints) -> Tables:
    """The tables of a space under a budget; a limit on a multiple of another sum is folded into that one's."""
    limits = {name: (math.ceil(each.low), each.high) for name, each in budget.limits.items()}
    peaks = {name: each for name, each in limits.items() if metric(name).peak}
    sums = _folded(table, {name: each for name, each in limits.items() if name not in peaks})
    reach = [name for name, (low, _) in peaks.items() if low > 0]
    parts = []
    for part in table.parts:
        allowed = np.ones(_rows(part), dtype=np.bool_)
        for name, (_, high) in peaks.items():
            allowed &= part.costs[name] <= high
        reached = tuple((part.costs[name] >= peaks[name][0]).astype(np.int64) for name in reach)
        shape = tuple(int(radix[axis]) for axis in part.axes)
        parts.append(Rows(part.axes, shape, allowed, reached, tuple(part.costs[name] for name in sums)))
    return Tables(tuple(parts), tuple(sums.values()), tuple(sums))


def _rows(part: Part) -> int:
    return len(next(iter(part.costs.values())))


def _folded(table: CostTable, limits: dict[str, Range]) -> dict[str, Range]:
    """The limits without those on sums that are multiples of others (bytes of the parameters)."""
    left: dict[str, Range] = {}
    for name, (low, high) in limits.items():
        for other, (other_low, other_high) in left.items():
            times = ratio(table, name, other)
            if times is not None:
                low, high = math.ceil(low / times), high if math.isinf(high) else math.floor(Fraction(high) / times)
                left[other] = max(low, other_low), min(high, other_high)
                break
        else:
            left[name] = low, high
    return left


def ratio(table: CostTable, name: str, other: str) -> Fraction | None:
    """What one metric is of another, where that is the same in every row of every part."""
    above = sum(int(part.costs[name].max()) for part in table.parts)
    below = sum(int(part.costs[other].max()) for part in table.parts)
    if not above or not below:
        return None
    ratio = Fraction(above, below)
    if max(ratio.numerator, ratio.denominator) > 2**20:  # no simple multiple; and products stay in int64
        return None
    same = all((p.costs[name] * ratio.denominator == p.costs[other] * ratio.numerator).all() for p in table.parts)
    return ratio if same else None


def pack(tables: Tables, rows: Sequence[Ints]) -> tuple[Fields, list[Ints]] | None:
    """Keys of some rows of each part, sums measured from their least and in their common unit.

    rows     of each part, int64[k]
    returns  the layout and the keys of each part (-1 = not allowed); None where nothing can fit
    """
    allowed = [part.allowed[mine] for part, mine in zip(tables.parts, rows, strict=True)]
    if not all(each.any() for each in allowed):
        return None
    limits, scales, columns = [], [], []
    for nth, (low, high) in enumerate(tables.ranges):
        values = [part.sums[nth][mine] for part, mine in zip(tables.parts, rows, strict=True)]
        least = [int(each[free].min()) for each, free in zip(values, allowed, strict=True)]
        span = sum(int(each[free].max()) for each, free in zip(values, allowed, strict=True)) - sum(least)
        low, high = max(0, low - sum(least)), min(span, high - sum(least))
        if low > high:
            return None
        if low == 0 and high == span:
            continue  # cannot be broken here
        moved = [np.where(free, each - low_, 0) for each, low_, free in zip(values, least, allowed, strict=True)]
        column = _in_units(moved, (int(low), int(high)), tables.units[nth] if tables.units else 1, tables.inner)
        if column.low > column.high:
            return None
        limits.append((column.low, column.high))
        scales.append(column.span + 1)
        columns.append(column.values)
    fields = Fields(tuple(limits), scales[1] if len(scales) > 1 else 1, len(tables.parts[0].reached))
    fields.check(scales)
    keys = []
    for place, (part, mine, free) in enumerate(zip(tables.parts, rows, allowed, strict=True)):
        key = fields.pack([column[place] for column in columns], [each[mine] for each in part.reached], len(mine))
        keys.append(np.where(free, key, -1))
    return fields, keys


@dataclass(frozen=True)
class Column:
    """One sum of each part's rows in whole units, from 0 up; its limits, and the most that it can be."""

    values: list[Ints]
    low: int
    high: int
    span: int


def _in_units(values: Sequence[Ints], limit: tuple[int, int], unit: int, inner: bool) -> Column:
    """A sum in its common unit; rounded to the nearest multiple of `unit` where that is larger.

    A part is off by a known least and greatest error. The limits move outwards by all parts' errors together,
    so that all that holds them is kept; or inwards (`inner`), so that all that is kept holds them.
    """
    low, high = limit
    span = sum(int(each.max()) for each in values)
    common = math.gcd(*(int(np.gcd.reduce(each)) for each in values))
    if unit <= common:
        return Column([each // common for each in values], -(-low // common), high // common, span // common)
    rounded = [(each + unit // 2) // unit for each in values]
    errors = [each - unit * whole for each, whole in zip(values, rounded, strict=True)]
    least, most = sum(int(each.min()) for each in errors), sum(int(each.max()) for each in errors)
    if inner:
        least, most = most, least
    whole = sum(int(each.max()) for each in rounded)
    first = max(0, -((most - low) // unit)) if low > 0 else 0
    last = min(whole, (high - least) // unit) if high < span else whole
    return Column(rounded, first, last, whole)
