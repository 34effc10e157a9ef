"""Which networks of a space take a step of its supernet: a pure function of seed and step."""

from functools import cached_property

import numpy as np

from archsearch.cost.budget import Budget
from archsearch.cost.climb import climbed
from archsearch.cost.feasible import pool
from archsearch.cost.table import cost_table
from archsearch.errors import RecipeError
from archsearch.spec.fields import Codes
from archsearch.spec.space import SearchSpace
from archsearch.train.supernet_recipe import SupernetRecipe

POOL = 16_384  # networks within a budget from which a step draws
STARTS, ROUNDS = 64, 4  # of the search for the largest and the smallest network


class Sampler:
    """The networks of each step.

    budget   hard limits; every network of a step keeps them
    raises   BudgetError where no network fits; RecipeError for fair sampling under a budget
    """

    def __init__(self, space: SearchSpace, recipe: SupernetRecipe, *, seed: int, budget: Budget | None = None) -> None:
        self._space, self._recipe, self._seed = space, recipe, seed
        self._budget = budget if budget is not None and budget.limits else None
        if self._budget is not None and recipe.sampling == "fair":
            raise RecipeError("fair sampling uses every choice equally often, which a budget forbids; leave one out")

    def codes(self, step: int) -> list[Codes]:
        """The codes int64[axes] of one step; of a sandwich the largest first, then the smallest."""
        if self._recipe.sampling == "fair":
            return self._fair(step)
        ends = [self.largest, self.smallest] if self._recipe.sampling == "sandwich" else []
        rng = np.random.default_rng(np.random.SeedSequence((self._seed, step)))
        return [*ends, *self._drawn(self._recipe.networks - len(ends), rng)]

    @cached_property
    def largest(self) -> Codes:
        """The network of the most MAdds, of those that fit."""
        return self._end(-1)

    @cached_property
    def smallest(self) -> Codes:
        """The network of the fewest MAdds, of those that fit."""
        return self._end(1)

    def _drawn(self, n: int, rng: np.random.Generator) -> list[Codes]:
        if self._budget is None:
            return list(self._space.sample(n, rng))
        return list(self._fitting[rng.integers(0, len(self._fitting), size=n)])

    def _fair(self, step: int) -> list[Codes]:
        """Each axis walks through permutations of its choices, one after the other, whatever steps they fall in.

        After every so many networks each choice of an axis was used equally often; before that, they differ by one.
        """
        first = step * self._recipe.networks
        columns = []
        for axis, choices in enumerate(self._space.radix.tolist()):
            turns = range(first, first + self._recipe.networks)
            rounds = {turn // choices for turn in turns}
            orders = {n: np.random.default_rng(np.random.SeedSequence((self._seed, axis, n))).permutation(choices)
                      for n in rounds}  # fmt: skip
            columns.append([orders[turn // choices][turn % choices] for turn in turns])
        return list(np.array(columns, dtype=np.int64).T.reshape(self._recipe.networks, len(columns)))

    @cached_property
    def _fitting(self) -> Codes:
        assert self._budget is not None
        return pool(self._space, self._budget, POOL, np.random.default_rng(self._seed)).codes

    def _end(self, sign: int) -> Codes:
        """The least (sign 1) or greatest by the exact counter, found axis by axis from many starts."""
        names = tuple(dict.fromkeys(["madds", "params", *(self._budget.limits if self._budget else ())]))
        table = cost_table(self._space, names)
        limits = self._budget or Budget(limits={})

        def score(tries: Codes) -> np.ndarray:
            costs = table.count(tries)
            size = costs["madds"] + 1e-9 * costs["params"]  # of equal MAdds the one with more weights is larger
            return np.where(limits.fits(costs), sign * size, np.inf) if limits.limits else sign * size

        starts = self._space.sample(STARTS, np.random.default_rng(0)) if self._budget is None else self._fitting
        starts = starts[np.argsort(score(starts), kind="stable")[:STARTS]]
        found = climbed(self._space, starts, score, rounds=ROUNDS)
        return np.asarray(found[int(np.argmin(score(found)))])
