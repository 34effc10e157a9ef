"""Random search by construction: networks that fit, never the same twice, spread evenly over the logarithm of cost."""

import numpy as np
from optuna.study import Study
from optuna.trial import FrozenTrial

from archsearch.search.history import read
from archsearch.search.samplers import SamplerSetup
from archsearch.search.whole import WholeSampler
from archsearch.spec.fields import Codes
from archsearch.surrogate.design import place
from archsearch.surrogate.domain import Networks

CANDIDATES = 2048
GOLDEN = (5**0.5 - 1) / 2  # its multiples modulo 1 fill an interval evenly, however many there are


class StratifiedSampler(WholeSampler):
    """Draws feasible, unseen networks; trial k aims at its own place on the cost axis.

    Uniform sampling of a space piles up at middling costs; here every part of the cost range gets its share.
    """

    def proposal(self, study: Study, trial: FrozenTrial) -> Codes | None:
        """A network that fits and was not tried."""
        return self.draw(study, trial.number)

    def draw(self, study: Study, number: int) -> Codes | None:
        """A code for trial `number`; None where no more can be found."""
        ask = self._setup
        seen = read(study, ask.domain, ask.memory).seen
        for attempt in range(4):
            found = self._pool(attempt)
            if not len(found):
                return None
            logs = place(found)
            start = np.random.default_rng(ask.seed).random()
            share = (start + number * GOLDEN) % 1
            target = logs.min() + share * (logs.max() - logs.min())
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
