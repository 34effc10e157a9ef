"""A domain with what earlier runs say of its networks: one more trait for each of them.

Results that were made otherwise (other images, fewer epochs) are no results of this search, but they order networks
much alike. What a surrogate of theirs expects of a network is a number about it like the logarithm of its cost, and the
search's own surrogate learns from its own results how far to trust it. Source of the idea: nonlinear autoregressive
fusion of fidelities, Perdikaris et al. 2017, doi:10.1098/rspa.2016.0751 (here with the mean alone).
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from archsearch.pareto import front
from archsearch.spec.fields import Axis, Codes
from archsearch.surrogate.belief import Belief
from archsearch.surrogate.domain import Domain, Networks


@dataclass(frozen=True, kw_only=True)
class InformedDomain:
    """Another domain, whose networks have the traits of that one and one for each belief."""

    plain: Domain
    beliefs: tuple[Belief, ...]  # what earlier runs say, learned on networks of the plain domain

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Those of the plain domain."""
        return self.plain.axes

    @property
    def minimize(self) -> tuple[str, ...]:
        """Those of the plain domain."""
        return self.plain.minimize

    @property
    def traits(self) -> tuple[str, ...]:
        """Those of the plain domain, then `earlier0`, `earlier1`, ..."""
        return (*self.plain.traits, *(f"earlier{number}" for number in range(len(self.beliefs))))

    def everything(self) -> Networks | None:
        """All networks that fit; None where they may be too many."""
        found = self.plain.everything()
        return None if found is None else self.informed(found)

    def draw(self, n: int, rng: np.random.Generator) -> Networks:
        """About n different networks that fit."""
        return self.informed(self.plain.draw(n, rng))

    def around(self, codes: Codes) -> Networks:
        """Networks that fit, one axis away."""
        return self.informed(self.plain.around(codes))

    def look(self, codes: Codes) -> Networks:
        """What is known of given codes."""
        return self.informed(self.plain.look(codes))

    def fits(self, codes: Codes) -> NDArray[np.bool_]:
        """Which codes fit the budget."""
        return self.plain.fits(codes)

    def informed(self, networks: Networks) -> Networks:
        """Networks of the plain domain with what the beliefs expect of them, on the scale of `belief.target`."""
        if not len(networks):
            told = np.zeros((0, len(self.beliefs)))
        else:
            told = np.stack([belief.predict(networks)[0] for belief in self.beliefs], axis=1)
        return replace(networks, traits=np.concatenate([networks.traits, told], axis=1))


def favourites(networks: Networks, beliefs: int, n: int) -> list[int]:
    """Rows of at most n networks that earlier runs expect to be on the front, evenly along it.

    networks   of an informed domain; its last `beliefs` traits are what the earlier runs expect
    Fronts are peeled off until there are enough; the expectations are standardised and averaged.
    """
    told = networks.traits[:, -beliefs:]
    expected = ((told - told.mean(axis=0)) / np.maximum(told.std(axis=0), 1e-9)).mean(axis=1)
    values = np.concatenate([-expected[:, None], networks.costs], axis=1)
    left, found = np.arange(len(networks)), np.zeros(0, dtype=np.int64)
    while len(left) and len(found) < n:
        on = front(values[left])
        more = left[on][np.argsort(-expected[left[on]], kind="stable")]
        even = np.unique(np.linspace(0, len(more) - 1, min(len(more), n - len(found))).round().astype(int))
        found = np.concatenate([found, more[even]])
        left = left[~on]
    return [int(row) for row in found[:n]]
