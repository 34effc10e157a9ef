"""A design space under a budget, as a domain."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsearch.cost.budget import Budget
from archsearch.cost.sampling import draw
from archsearch.cost.table import cost_table
from archsearch.spec.algebra import moves, settled
from archsearch.spec.content import fingerprints, first_of_each
from archsearch.spec.fields import Axis, Codes
from archsearch.spec.space import SearchSpace
from archsearch.surrogate.domain import IDLE, WHOLE, Networks

CODES = 300_000  # codes up to which a space is listed, to see how many different networks fit
TRAITS = ("madds", "params")  # whose logarithms say most of accuracy (docs/sampler.md)


@dataclass(frozen=True, kw_only=True)
class SpaceDomain:
    """All networks of a space that fit a budget."""

    space: SearchSpace
    budget: Budget
    minimize: tuple[str, ...] = ("madds",)
    traits: tuple[str, ...] = TRAITS

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The space's axes."""
        return self.space.axes

    def everything(self) -> Networks | None:
        """All networks that fit, in the order of their codes; None for a large space, or where more than WHOLE fit."""
        if self.space.size > CODES:
            return None
        found = [codes[self.fits(codes)] for codes in self.space.enumerate()]
        codes = np.concatenate(found)
        codes = codes[first_of_each(fingerprints(self.space, codes))] if len(codes) else codes
        return self.look(codes) if len(codes) <= WHOLE else None

    def draw(self, n: int, rng: np.random.Generator) -> Networks:
        """About n different networks, even over the logarithm of MAdds; raises BudgetError where nothing fits."""
        return self.look(draw(self.space, self.budget, n, rng, spread="log-madds")).once()

    def around(self, codes: Codes) -> Networks:
        """All networks one axis away that fit."""
        near = moves(self.space, codes)
        near = near[self.fits(near)]
        prints = fingerprints(self.space, np.concatenate([codes, near]))
        first = first_of_each(prints)
        return self.look(near[first[first >= len(codes)] - len(codes)])

    def look(self, codes: Codes) -> Networks:
        """Costs, idle axes and names of codes."""
        codes = np.asarray(codes, dtype=np.int64)
        costs = cost_table(self.space, tuple(dict.fromkeys([*self.minimize, *self.traits]))).count(codes)
        kept = settled(self.space, codes)[1] if len(codes) else np.zeros(codes.shape, dtype=bool)
        prints = np.ascontiguousarray(fingerprints(self.space, codes))
        columns = [costs[name].astype(float) for name in self.minimize]
        traits = [np.log(np.maximum(costs[name], 1)) for name in self.traits]
        return Networks(
            codes=codes,
            slots=np.where(kept, codes, IDLE),
            costs=np.stack(columns, axis=1) if columns else np.zeros((len(codes), 0)),
            traits=np.stack(traits, axis=1) if traits else np.zeros((len(codes), 0)),
            names=prints.view(np.dtype((np.void, prints.dtype.itemsize * prints.shape[1]))).reshape(len(codes)),
        )

    def fits(self, codes: Codes) -> NDArray[np.bool_]:
        """Which codes fit the budget."""
        if not self.budget.limits:
            return np.ones(len(codes), dtype=bool)
        costs = cost_table(self.space, tuple(self.budget.limits)).count(codes)
        return np.broadcast_to(self.budget.fits(costs), (len(codes),))
