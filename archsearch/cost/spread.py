"""Networks spread evenly over the logarithm of MAdds."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from archsearch.cost.budget import Budget
from archsearch.cost.sampling import draw
from archsearch.cost.table import cost_table
from archsearch.spec.canon import key
from archsearch.spec.fields import Codes
from archsearch.spec.space import SearchSpace

POOL = 1024  # codes among which each network is looked for; the same for any number of up to a quarter of that
GOLDEN = (5**0.5 - 1) / 2  # its multiples modulo 1 fill an interval evenly, however many there are


def spread_codes(space: SearchSpace, budget: Budget, n: int, *, seed: int) -> Iterator[Codes]:
    """Codes int64[axes] of up to n distinct networks that fit, evenly over the logarithm of MAdds.

    Fewer where no more are found. The k-th aims at its own place on the axis, so the first n of a larger sample, up to
    256, are a sample of n.
    raises   BudgetError where nothing fits
    """
    codes = draw(space, budget, POOL if 4 * n <= POOL else 4 * n, np.random.default_rng([seed, 1]), spread="log-madds")
    logs = np.log(np.maximum(cost_table(space, ("madds",)).count(codes)["madds"], 1))
    start = np.random.default_rng([seed, 2]).random()
    found: set[str] = set()
    left = np.ones(len(codes), dtype=bool)
    while len(found) < n and left.any():
        share = (start + len(found) * GOLDEN) % 1
        row = _nearest(logs, left, float(logs.min() + share * (logs.max() - logs.min())))
        left[row] = False
        name = key(space.decode(codes[row]))
        if name not in found:
            found.add(name)
            yield codes[row]


def _nearest(logs: NDArray[np.float64], left: NDArray[np.bool_], target: float) -> int:
    return int(np.argmin(np.where(left, np.abs(logs - target), np.inf)))
