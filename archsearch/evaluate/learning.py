"""Made-up learning curves: a power law towards a given accuracy; larger networks learn more slowly, so curves cross.

No training stands behind them. They are there to try out, without images, whatever halts trainings at rungs.
"""

from dataclasses import dataclass

import numpy as np

from archsearch.surrogate.domain import Floats

FAST, SLOW = 1.4, 0.7  # exponent of the power law, of the smallest and the largest networks
DROP = 0.15  # what the first epoch lacks of the last one's accuracy: the smallest networks
SLOWER = 0.1  # how much more the largest ones lack
OWN = 0.05  # standard deviation of a network's own speed and drop, as a share
NOISE = 0.006  # standard deviation of an epoch's accuracy at the beginning; it falls to nothing at the end


@dataclass(frozen=True, slots=True, kw_only=True)
class Learner:
    """How n networks learn."""

    speed: Floats  # exponents, float[n]
    drop: Floats  # float[n]

    def curves(self, final: Floats, epochs: int, rng: np.random.Generator) -> Floats:
        """Top-1 after each epoch, float[n, epochs]; the last one is `final`, float[n]."""
        steps = np.arange(1, epochs + 1, dtype=float)
        rest = steps[None] ** -self.speed[:, None]
        share = (rest - rest[:, -1:]) / np.maximum(1 - rest[:, -1:], 1e-9) if epochs > 1 else np.zeros_like(rest)
        left = 1 - (steps - 1) / max(epochs - 1, 1)
        noise = NOISE * np.sqrt(left) * rng.standard_normal((len(final), epochs))
        return np.clip(final[:, None] - self.drop[:, None] * share + noise * (left > 0), 0.0, 1.0)


def learner(size: Floats, rng: np.random.Generator, *, own_way: float = OWN, slower: float = SLOWER) -> Learner:
    """How networks of these relative sizes learn: float[n], 0 the smallest, 1 the largest."""
    own = np.clip(1 + own_way * rng.standard_normal((2, len(size))), 0.3, 1.7)
    return Learner(speed=(FAST + (SLOW - FAST) * size) * own[0], drop=(DROP + slower * size) * own[1])


def reached(top1: float, *, size: float, done: int, epochs: int, seed: int) -> float:
    """Top-1 of one network after `done` of `epochs` epochs, the same for the same arguments."""
    rng = np.random.default_rng(seed)
    made = learner(np.array([size]), rng).curves(np.array([top1]), epochs, rng)
    return float(made[0, min(done, epochs) - 1])
