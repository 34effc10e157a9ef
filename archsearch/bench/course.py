"""What samplers are raced on: networks whose accuracy is known to us and not to them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from archsearch.cost.budget import Budget
from archsearch.spec.fields import Codes
from archsearch.surrogate.domain import Domain, Floats, Networks

Costs = Callable[[Codes, Sequence[str]], Mapping[str, Floats]]


@dataclass(frozen=True, kw_only=True)
class Course:
    """A domain with the truth about it; functions of codes int64[n, axes] give float[n]."""

    name: str
    domain: Domain  # what samplers are told
    budget: Budget  # hard limits, which the domain holds, too
    costs: Costs  # metrics by name, of any codes that exist
    exists: Callable[[Codes], np.ndarray]  # bool[n]; a table need not be complete
    truth: Callable[[Codes], Floats]  # accuracy, the mean of all seeds
    shown: Callable[
        [Codes, int], Floats
    ]  # accuracy as one training shows it; trainings that follow have seeds in a row
    error: float  # standard deviation of one training's accuracy from the truth
    whole: Networks | None  # all networks that fit, each once; None where they cannot be listed
    strict: float | None = None  # an accuracy below which nobody wants a network, where one is known

    def values(self, networks: Networks) -> Floats:
        """What is minimised, float[n, objectives]: the true accuracy's negative, then the costs."""
        return joined_values(self.truth(networks.codes), networks.costs)

    def broken(self, code: Codes) -> dict[str, float]:
        """Limit -> how far one code breaks it, as a share of it; at most 0 where it holds."""
        excess = self.budget.excess(self.costs(code[None], tuple(self.budget.limits)))
        return {name: float(np.ravel(value)[0]) for name, value in excess.items()}


def joined_values(top1: Floats, costs: Floats) -> Floats:
    """Accuracies float[n] and costs float[n, m - 1] as rows of objectives that are all minimised, float[n, m]."""
    return np.column_stack([-np.asarray(top1, dtype=float), costs])
