"""The least and the greatest value of a metric among the networks that fit: proved by counting that none is beyond."""

import math

import numpy as np
from numpy.typing import NDArray

from archsearch.cost.budget import Budget, Limit
from archsearch.cost.climb import climbed
from archsearch.cost.exact.counting import Effort
from archsearch.cost.extremes import extremes
from archsearch.cost.table import CostTable, cost_table
from archsearch.errors import TooMany
from archsearch.spec.fields import Codes
from archsearch.spec.space import SearchSpace

STARTS = 16  # codes from which a climb begins
ROUNDS = 6  # of counting what lies beyond the best
BEYOND = 512  # networks beyond the best that are looked at


def end(
    space: SearchSpace, budget: Budget, name: str, sign: int, *, codes: Codes, effort: Effort
) -> tuple[int, bool]:  # fmt: skip
    """The least (sign 1) or greatest (sign -1) value of a metric among the networks that fit, and whether it is proved.

    codes    some that fit, from which the search begins
    effort   reduced by the work done; where too little is left the best value found is returned as it is
    """
    table = cost_table(space, tuple(dict.fromkeys([*budget.limits, name])))
    codes = _climbed(space, budget, table, name, sign, codes)
    bound = _bound(space, budget, name, sign)
    for _ in range(ROUNDS):
        best = int((sign * table.count(codes)[name]).min()) * sign
        if best == bound:
            return best, True
        if effort.left < max(effort.each, 1):
            break
        try:
            found = effort.fitting(space, _beyond(budget, name, sign, best))
        except TooMany:
            break
        if not found.count:
            return best, True
        codes = found.sample(BEYOND, np.random.default_rng(0))
    return best, False


def _bound(space: SearchSpace, budget: Budget, name: str, sign: int) -> float:
    """A value that no network that fits can go beyond; infinite where none is known."""
    ends, limit = extremes(space, name), budget.limits.get(name, Limit())
    if sign > 0:
        return max(ends.low if ends.exact else -math.inf, math.ceil(limit.low))
    return min(ends.high if ends.exact else math.inf, limit.high // 1)


def _beyond(budget: Budget, name: str, sign: int, best: int) -> Budget:
    """The budget with the metric beyond `best`."""
    old = budget.limits.get(name, Limit())
    new = Limit(low=old.low, high=best - 1) if sign > 0 else Limit(low=best + 1, high=old.high)
    return Budget(limits={**budget.limits, name: new})


def _climbed(space: SearchSpace, budget: Budget, table: CostTable, name: str, sign: int, codes: Codes) -> Codes:
    """The best codes, improved one axis at a time within the budget."""
    codes = codes[np.argsort(sign * table.count(codes)[name], kind="stable")[:STARTS]]

    def score(tries: Codes) -> NDArray[np.float64]:
        costs = table.count(tries)
        return np.where(budget.fits(costs), sign * costs[name].astype(float), np.inf)

    return climbed(space, codes, score, rounds=3)
