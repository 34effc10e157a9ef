"""The networks on which evaluators are judged: spread evenly over the logarithm of MAdds, or drawn from a table."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsearch.cost.budget import Budget
from archsearch.cost.count import count
from archsearch.cost.sampling import draw
from archsearch.cost.table import cost_table
from archsearch.errors import BudgetError, DataError
from archsearch.evaluate.table import Table
from archsearch.spec.arch import Arch
from archsearch.spec.canon import key
from archsearch.spec.space import SearchSpace

POOL = 1024  # codes among which each network is looked for; the same for any number of up to a quarter of that
GOLDEN = (5**0.5 - 1) / 2  # its multiples modulo 1 fill an interval evenly, however many there are


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One network to be judged."""

    key: str
    arch: Arch
    madds: int
    params: int


def stratified(space: SearchSpace, budget: Budget, n: int, *, seed: int) -> list[Network]:
    """Up to n distinct networks that fit, evenly over the logarithm of MAdds; fewer where no more are found.

    The k-th aims at its own place on the axis, so the first n of a larger sample, up to 256, are a sample of n.
    raises   BudgetError where nothing fits
    """
    codes = draw(space, budget, POOL if 4 * n <= POOL else 4 * n, np.random.default_rng([seed, 1]), spread="log-madds")
    logs = np.log(np.maximum(cost_table(space, ("madds",)).count(codes)["madds"], 1))
    start = np.random.default_rng([seed, 2]).random()
    found: dict[str, Network] = {}
    left = np.ones(len(codes), dtype=bool)
    while len(found) < n and left.any():
        share = (start + len(found) * GOLDEN) % 1
        row = _nearest(logs, left, float(logs.min() + share * (logs.max() - logs.min())))
        left[row] = False
        made = network(space.decode(codes[row]))
        found.setdefault(made.key, made)
    return list(found.values())


def _nearest(logs: NDArray[np.float64], left: NDArray[np.bool_], target: float) -> int:
    return int(np.argmin(np.where(left, np.abs(logs - target), np.inf)))


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
