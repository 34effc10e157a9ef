"""Random search by construction: networks that fit, never the same twice, spread evenly over the logarithm of cost."""

from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from archsearch.search.history import read, values_of
from archsearch.search.samplers import SamplerSetup
from archsearch.spec.fields import Codes
from archsearch.surrogate.domain import Networks

CANDIDATES = 2048
GOLDEN = (5**0.5 - 1) / 2  # its multiples modulo 1 fill an interval evenly, however many there are


class Exhausted(Exception):
    """Every network that fits has been tried, as far as sampling can find."""


class StratifiedSampler(BaseSampler):
    """Draws feasible, unseen networks; trial k aims at its own place on the cost axis.

    Uniform sampling of a space piles up at middling costs; here every part of the cost range gets its share.
    """

    def __init__(self, setup: SamplerSetup) -> None:
        self._setup = setup

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """All axes, together."""
        return dict(self._setup.distributions)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The values of a network that fits and was not tried; raises Exhausted where there is none."""
        code = self.draw(study, trial.number)
        if code is None:
            raise Exhausted
        return values_of(self._setup.domain.axes, code)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Never needed: every axis is drawn together."""
        raise AssertionError(f"axis {param_name} was asked for alone")

    def draw(self, study: Study, number: int) -> Codes | None:
        """A code for trial `number`; None where no more can be found."""
        ask = self._setup
        seen = read(study, ask.domain, ask.memory).seen
        for attempt in range(4):
            found = self._pool(attempt)
            if not len(found):
                return None
            logs = np.log(np.maximum(found.costs[:, 0], 1)) if found.costs.shape[1] else found.traits[:, 0]
            start = np.random.default_rng(ask.seed).random()
            place = (start + number * GOLDEN) % 1
            target = logs.min() + place * (logs.max() - logs.min())
            for index in np.argsort(np.abs(logs - target), kind="stable"):
                if found.names[index].tobytes() not in seen:
                    return np.asarray(found.codes[index])
        return None

    def _pool(self, attempt: int) -> Networks:
        """All networks that fit, or many of them, more with each attempt; the same ones for each trial of a run."""
        ask, name = self._setup, f"pool{attempt}"
        if name not in ask.memory:
            rng = np.random.default_rng(np.random.SeedSequence([ask.seed, attempt]))
            ask.memory[name] = ask.domain.everything() or ask.domain.draw(CANDIDATES * 4**attempt, rng)
        return ask.memory[name]  # type: ignore[no-any-return]


def stratified(setup: SamplerSetup) -> StratifiedSampler:
    """The plug-in "random"."""
    return StratifiedSampler(setup)
