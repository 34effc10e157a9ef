"""The first networks of a search, before there is anything to learn from."""

import numpy as np
from numpy.typing import NDArray

from archsearch.surrogate.domain import Networks

FIRST = 6  # networks; 3 to 10 were tried (docs/sampler.md)
ALONE = 4  # networks where accuracy is all that counts: cheap ones tell less
LOOK = 30  # networks of a stratum among which the farthest is taken


def size(networks: Networks) -> int:
    """How many networks a first design has."""
    return FIRST if networks.costs.shape[1] else ALONE


def place(networks: Networks) -> NDArray[np.float64]:
    """Where each network lies on the cost axis, float64[n]: the logarithm of its first cost, else its first trait.

    With neither all lie at 0. A cost of 0 or less counts as the least above 0, so that it does not stretch the axis.
    """
    if networks.costs.shape[1]:
        cost = networks.costs[:, 0]
        least = cost[cost > 0].min() if (cost > 0).any() else 1.0
        return np.asarray(np.log(np.maximum(cost, least)))
    return np.asarray(networks.traits[:, 0] if networks.traits.shape[1] else np.zeros(len(networks)))


def first(pool: Networks, n: int, rng: np.random.Generator) -> list[int]:
    """Rows of n networks of a pool that are far apart: the cheapest, the dearest, then one from each stratum of cost.

    Strata are equally wide on the logarithm of cost; in each the network is taken that differs in most axes from the
    nearest of those already chosen, out of 30 drawn from it.
    """
    where = place(pool)
    chosen = list(dict.fromkeys([int(where.argmin()), int(where.argmax())]))[:n]
    edges = np.linspace(where.min(), where.max(), n + 1)
    for low, high in zip(edges[1:-2], edges[2:-1], strict=True):
        inside = np.flatnonzero((where >= low) & (where <= high))
        if not len(inside):
            inside = np.argsort(np.abs(where - (low + high) / 2), kind="stable")[:LOOK]
        drawn = rng.choice(inside, min(LOOK, len(inside)), replace=False)
        row = farthest(pool, drawn, chosen)
        if row not in chosen:
            chosen.append(row)
    return chosen


def farthest(pool: Networks, drawn: NDArray[np.int64], chosen: list[int]) -> int:
    """Of some rows the one that differs in most axes from the nearest of those chosen."""
    apart = (pool.slots[drawn][:, None] != pool.slots[chosen][None]).sum(axis=2).min(axis=1)
    return int(drawn[apart.argmax()])
