"""Costs of the parts of networks, stem, each stage, head, for every combination of the axes that matter there.

Made by the same `lower_part` and prices as everything else.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsearch.cost.count import metric
from archsearch.spec.fields import Codes
from archsearch.spec.grid import Grid, grid
from archsearch.spec.lower import lower_part
from archsearch.spec.space import SearchSpace


@dataclass(frozen=True)
class Part:
    """One part's costs for every combination of the axes it depends on."""

    grid: Grid
    costs: dict[str, NDArray[np.int64]]  # metric -> int64[rows]

    @property
    def axes(self) -> tuple[int, ...]:
        """Numbers of the axes, ascending."""
        return self.grid.axes

    def rows(self, codes: Codes) -> NDArray[np.int64]:
        """Row of the table of each code: int64[n]."""
        return self.grid.rows(codes)


def part_costs(space: SearchSpace, part: int, names: tuple[str, ...]) -> Part:
    """The table of one part; raises SpaceError where it has too many combinations."""
    table = grid(space, part, sized=True)
    ops = lower_part(space.population(table.codes(np.arange(table.count), len(space.axes))), part)
    costs = {
        name: np.broadcast_to(np.asarray(metric(name).total(ops), dtype=np.int64), (table.count,)) for name in names
    }
    return Part(table, costs)
