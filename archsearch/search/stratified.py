"""Random search by construction: networks that fit, never the same twice, spread evenly over the logarithm of cost."""

from collections.abc import Callable

import numpy as np

from archsearch.cost.budget import Budget
from archsearch.search.feasible import pool
from archsearch.spec.space import Codes, SearchSpace

CANDIDATES = 2048
GOLDEN = (5**0.5 - 1) / 2  # its multiples modulo 1 fill an interval evenly, however many there are


class StratifiedSampler:
    """Draws feasible codes; trial k aims at its own place on the cost axis.

    Uniform sampling of a space piles up at middling costs; here every part of the cost range gets its share.
    """

    def __init__(self, space: SearchSpace, budget: Budget, metric: str) -> None:
        self._space, self._budget, self._metric = space, budget, metric

    def draw(self, number: int, seed: int, seen: Callable[[Codes], bool]) -> Codes | None:
        """A code that fits and is not `seen`, for trial `number`; None where no more can be found."""
        rng = np.random.default_rng(np.random.SeedSequence([seed, number]))
        for attempt in range(4):
            found = pool(self._space, self._budget, CANDIDATES * 4**attempt, rng, also=(self._metric,))
            logs = np.log(np.maximum(found.costs[self._metric], 1))
            start = np.random.default_rng(seed).random()
            place = (start + number * GOLDEN) % 1
            target = logs.min() + place * (logs.max() - logs.min())
            for index in np.argsort(np.abs(logs - target), kind="stable"):
                if not seen(found.codes[index]):
                    return np.asarray(found.codes[index])
        return None
