"""What the trials so far say of any network: a posterior of its true accuracy."""

from dataclasses import dataclass

import numpy as np

from archsearch.spec.fields import Axis
from archsearch.surrogate.domain import Floats, Networks
from archsearch.surrogate.features import Encoder, encoder
from archsearch.surrogate.gp import Kernel, Posterior, fitted, prior

FLOOR = 0.005  # keeps the logarithm of the error finite: half a point
STEPS = 40  # of the fit, from the priors
MOST = 300  # trials that a Gaussian process is given; of more, the best and an even share of the rest


def target(top1: Floats) -> Floats:
    """Accuracy as the surrogate learns it, -log(1.005 - top1): what halves the error counts the same everywhere."""
    return np.asarray(-np.log(np.maximum(1 + FLOOR - top1, 1e-6)))


def accuracy(value: Floats) -> Floats:
    """The inverse of `target`, cut to [0, 1]."""
    return np.asarray(np.clip(1 + FLOOR - np.exp(-value), 0.0, 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """A fitted surrogate; targets are standardised by `centre` and `spread`."""

    encoder: Encoder
    kernel: Kernel
    networks: Networks  # that it learned from
    targets: Floats
    centre: float
    spread: float

    def predict(self, networks: Networks) -> tuple[Floats, Floats]:
        """Mean and standard deviation of the true `target` of n networks."""
        posterior = self._posterior(networks)
        return self.centre + self.spread * posterior.mean, self.spread * posterior.sd

    def draw(self, networks: Networks, n: int, rng: np.random.Generator) -> Floats:
        """n joint samples of the true accuracies, float64[n, networks], as fractions."""
        posterior = self._posterior(networks)
        covariance = posterior.covariance()
        values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
        spread = rng.standard_normal((n, len(values))) * np.sqrt(np.maximum(values, 0.0))
        return accuracy(self.centre + self.spread * (posterior.mean + spread @ vectors.T))

    @property
    def noise(self) -> float:
        """Standard deviation of one observed `target` about the true one."""
        return float(np.sqrt(self.kernel.noise) * self.spread)

    def _posterior(self, networks: Networks) -> Posterior:
        known, at = self.encoder.rows(self.networks), self.encoder.rows(networks)
        return Posterior(self.kernel, known, self.targets, at)


def learn(
    networks: Networks, axes: tuple[Axis, ...], top1: Floats, error: Floats, *, sample: Networks | None = None
) -> Belief:
    """A belief from n trained networks and their observed accuracies.

    error    standard errors of the accuracies, 0 where unknown; they say how much noise to expect
    sample   networks of the domain that set the scales; the trained ones where it is left out
    """
    scale = encoder(axes, sample if sample is not None else networks)
    chosen = active(top1, networks, MOST)
    networks = networks.take(chosen)
    targets, centre, spread = standardised(target(top1[chosen]))
    start = prior(scale.axis_of, scale.axes, networks.traits.shape[1])
    kernel = fitted(start, scale.rows(networks), targets, steps=STEPS,
                    noise=expected_noise(top1[chosen], error[chosen], spread))  # fmt: skip
    return Belief(encoder=scale, kernel=kernel, networks=networks, targets=targets, centre=centre, spread=spread)


def standardised(values: Floats) -> tuple[Floats, float, float]:
    """Targets about zero mean and unit variance, and what they were centred and divided by."""
    centre, spread = float(values.mean()), max(float(values.std()), 1e-9)
    return (values - centre) / spread, centre, spread


def expected_noise(top1: Floats, error: Floats, spread: float) -> float | None:
    """Variance of one standardised target that the standard errors of the accuracies tell; None where they do not."""
    known = error > 0
    if not known.any():
        return None
    return float(np.median((error[known] / (1 + FLOOR - top1[known]) / spread) ** 2))


def active(top1: Floats, networks: Networks, most: int) -> np.ndarray:
    """Rows of at most `most` trials to learn from, ascending: those near the front, and an even share of the others."""
    if len(top1) <= most:
        return np.arange(len(top1))
    order = np.argsort(peeled(top1, networks.costs), kind="stable")
    near, far = order[: most // 2], np.sort(order[most // 2 :])
    even = far[np.linspace(0, len(far) - 1, most - most // 2).round().astype(int)]
    return np.sort(np.concatenate([near, even]))


def peeled(top1: Floats, costs: Floats) -> Floats:
    """How far below the best at its costs each network is, in accuracy: 0 on the front.

    top1   float64[n]; costs float64[n, k]: the best is looked for among those whose every cost is no greater
    """
    if costs.shape[1] == 0:
        return np.asarray(top1.max() - top1)
    best = np.empty(len(top1))
    if costs.shape[1] == 1:
        order = np.lexsort((-top1, costs[:, 0]))
        best[order] = np.maximum.accumulate(top1[order])
    else:
        for row, own in enumerate(costs):
            best[row] = top1[(costs <= own).all(axis=1)].max()
    return np.asarray(best - top1)
