"""The networks on which evaluators are judged: spread evenly over the logarithm of MAdds, or drawn from a table."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from archsearch.cost.budget import Budget
from archsearch.cost.count import count
from archsearch.cost.spread import spread_codes
from archsearch.errors import BudgetError, DataError
from archsearch.evaluate.table import Table
from archsearch.spec.arch import Arch
from archsearch.spec.canon import key
from archsearch.spec.space import SearchSpace


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One network to be judged."""

    key: str
    arch: Arch
    madds: int
    params: int


def stratified(space: SearchSpace, budget: Budget, n: int, *, seed: int) -> list[Network]:
    """Up to n distinct networks that fit, evenly over the logarithm of MAdds (`cost.spread`).

    raises   BudgetError where nothing fits
    """
    return [network(space.decode(code)) for code in spread_codes(space, budget, n, seed=seed)]


def network(arch: Arch) -> Network:
    """A network with its key and costs."""
    costs = count(arch, ("madds", "params"))
    return Network(key=key(arch), arch=arch, madds=costs["madds"], params=costs["params"])


def of_table(table: Table, budget: Budget, n: int, *, seed: int) -> tuple[list[Network], list[int]]:
    """n random networks of a table that fit, and their rows; the first of a larger draw are a draw.

    raises   DataError where the table belongs to no space, BudgetError where none of its networks fits
    """
    if table.space is None:
        raise DataError(f"table {table.name} belongs to no design space; give --space, or name one in the mapping")
    fits = np.broadcast_to(budget.fits({name: table.cost(name) for name in budget.limits}), (len(table),))
    rows = np.random.default_rng([seed, 3]).permutation(np.flatnonzero(fits))[:n].tolist()
    if not rows:
        raise BudgetError(f"no network of table {table.name} fits the budget")
    return [network(table.space.decode(table.codes[row])) for row in rows], rows


def timed(networks: Sequence[Network]) -> list[Network]:
    """The smallest, the median and the largest one by MAdds: what is timed before a plan is told."""
    order = sorted(networks, key=lambda each: (each.madds, each.key))
    return list({each.key: each for each in (order[0], order[len(order) // 2], order[-1])}.values())


def expected(networks: Sequence[Network], known: Sequence[tuple[int, float]]) -> list[float]:
    """What each network takes [s], between those that were timed: (MAdds, seconds) of each."""
    points = np.array(sorted(known), dtype=float)
    return [float(each) for each in np.interp([net.madds for net in networks], points[:, 0], points[:, 1])]


def within(seconds: Sequence[float], limit_s: float) -> int:
    """How many of the first networks fit into a time, given what each takes [s]."""
    return int(np.searchsorted(np.cumsum(seconds), limit_s, side="right"))
