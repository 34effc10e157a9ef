"""Costs of a whole space as one table for each part of the network, gathered by code.

A part (stem, stage, head) depends on few axes: the width multiplier, the resolution, its own, its neighbour's width.
So its cost for every combination of those is a small table, made by the same `lower_part` and prices as everything
else; the cost of a network is a few gathers and additions. Exact, and tens of times faster than the formula.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from archsearch.cost.columns import Integers
from archsearch.cost.count import metric
from archsearch.cost.gather import Plan
from archsearch.cost.joins import plan
from archsearch.cost.metrics import Metric
from archsearch.cost.parts import Part, part_costs
from archsearch.spec.lower import parts
from archsearch.spec.space import SearchSpace


@dataclass(frozen=True)
class CostTable:
    """Exact costs of any codes of a space."""

    names: tuple[str, ...]
    parts: tuple[Part, ...]

    def count(self, codes: Integers) -> dict[str, NDArray[np.int64]]:
        """Costs of n networks; codes [n, axes] of any integer type and layout -> metric -> int64[n].

        Quickest for what `SearchSpace.sample_compact` gives: one byte an axis, one axis after the other.
        raises   SpaceError for codes of too few axes, or a code that is no choice of its axis
        """
        return self._plan.count(codes) if self.names else {}

    @cached_property
    def _plan(self) -> Plan:
        return plan(self.parts, tuple(dict.fromkeys(self.names)))


def fold(name: str) -> np.ufunc:
    """How the parts' values of a metric join: addition, or maximum for a peak."""
    return np.maximum if metric(name).peak else np.add


@lru_cache(maxsize=32)
def _table(space: SearchSpace, names: tuple[str, ...], metrics: tuple[Metric, ...]) -> CostTable:
    """The table; `metrics` are told so that a name which was bound anew is counted anew."""
    return CostTable(names, tuple(part_costs(space, part, names) for part in parts(space)))


def cost_table(space: SearchSpace, names: Sequence[str]) -> CostTable:
    """The table of a space for some metrics; made once for each space object and kept.

    raises   PluginError for an unknown metric, SpaceError where a single stage has too many combinations
    """
    return _table(space, tuple(names), tuple(metric(name) for name in names))
