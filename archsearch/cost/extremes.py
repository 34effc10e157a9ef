"""The smallest and the largest value of each metric in a space: exact where the method is exact, and it says so."""

from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from archsearch.cost.climb import climbed
from archsearch.cost.parts import Part
from archsearch.cost.table import CostTable, cost_table, fold
from archsearch.spec.space import SearchSpace

COMBINATIONS = 4_000_000  # of the axes that tie parts together; beyond that a search takes over


@dataclass(frozen=True, slots=True)
class Extremes:
    """Least and greatest value of one metric; `exact` unless they come from a search."""

    low: int
    high: int
    exact: bool


def extremes(space: SearchSpace, name: str) -> Extremes:
    """Least and greatest value of a metric over all networks of a space.

    Axes that only one part depends on are settled inside its table; the rest (width multiplier, resolution, shared
    axes, widths that the next stage sees) are tried in every combination.
    """
    table = cost_table(space, (name,))
    seen = [axis for part in table.parts for axis in part.axes]
    ties = sorted({axis for axis in seen if seen.count(axis) > 1})
    radix = space.radix[ties]
    if float(np.prod(radix.astype(float))) > COMBINATIONS:
        return _searched(space, table, name)
    grid = np.unravel_index(np.arange(int(np.prod(radix))), tuple(radix)) if ties else ()
    picks = dict(zip(ties, grid, strict=True))
    low, high = (
        reduce(fold(name), [_settled(space, part, name, picks, best) for part in table.parts])
        for best in (np.minimum, np.maximum)
    )
    return Extremes(int(np.min(low)), int(np.max(high)), True)


def _settled(
    space: SearchSpace, part: Part, name: str, picks: dict[int, NDArray[np.int64]], best: np.ufunc
) -> NDArray[np.int64]:
    """A part's best cost for every combination of the tying axes, its own axes free."""
    grid = part.costs[name].reshape([int(space.radix[axis]) for axis in part.axes])
    own = tuple(place for place, axis in enumerate(part.axes) if axis not in picks)
    left = best.reduce(grid, axis=own) if own else grid
    chosen = tuple(picks[axis] for axis in part.axes if axis in picks)
    return np.asarray(left[chosen] if chosen else left)


def _searched(space: SearchSpace, table: CostTable, name: str) -> Extremes:
    """Coordinate descent from 64 random starts: a good estimate, not a proof."""
    ends = []
    for sign in (1, -1):
        codes = space.sample(64, np.random.default_rng(0))
        codes = climbed(space, codes, lambda tries, sign=sign: sign * table.count(tries)[name], rounds=3)  # type: ignore[misc]
        ends.append(int((sign * table.count(codes)[name]).min()) * sign)
    return Extremes(ends[0], ends[1], False)
