"""A Gaussian process over networks: choices that differ, a linear trend, traits; fitted by maximum a posteriori.

k(x, y) = a exp(-sum_j theta_j [x_j != y_j] - sum_t theta_t (dz_t)^2) + l <u, v> / p + noise, with x the choices, z the
standardised traits (logarithms of costs), u, v the linear columns. Priors are normal on logarithms. The form and the
priors are those of docs/sampler.md, which says what else was tried.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, lapack, solve_triangular
from scipy.optimize import minimize

from archsearch.surrogate.domain import Floats
from archsearch.surrogate.features import Rows, stacked

JITTER = 1e-5  # added to the noise variance
BOUND = 6.0  # of every logarithm
BLOCK = 256  # candidates worked on at once, so that little memory is needed
ROOM = 32  # observations that can be added before room is made for more
TOLD = 1.0  # spread of the noise's prior where a standard error is known: seeds scatter, too, and images are shared
PRIORS = {"choice": (-2.5, 0.7), "trait": (-2.0, 1.5), "scale": (0.0, 2.0), "slope": (-1.0, 1.5), "noise": (-4.0, 2.0)}


@dataclass(frozen=True, slots=True)
class Kernel:
    """The kernel with its parameters, all as logarithms."""

    axis_of: NDArray[np.int64]  # of each column of `Rows.marks`
    axes: int
    logs: Floats  # of theta for each axis and each trait, then a, l, noise

    @property
    def rates(self) -> Floats:
        """theta of the axes and the traits."""
        return np.asarray(np.exp(self.logs[:-3]))

    @property
    def noise(self) -> float:
        """Variance of the noise of one observation, on the scale of the targets."""
        return float(np.exp(self.logs[-1]) + JITTER)

    def cross(self, a: Rows, b: Rows) -> Floats:
        """Prior covariance float64[n of a, n of b]."""
        rates, scale, slope = self.rates, *np.exp(self.logs[-3:-1])
        decay = (a.marks * rates[self.axis_of]) @ b.marks.T
        decay -= rates[: self.axes].sum()
        for t, rate in enumerate(rates[self.axes :]):
            gap = a.traits[:, t, None] - b.traits[None, :, t]
            gap *= gap
            gap *= rate
            decay -= gap
        np.exp(decay, out=decay)
        decay *= scale
        decay += a.line @ b.line.T * (slope / max(a.line.shape[1], 1))
        return np.asarray(decay)

    def variance(self, a: Rows) -> Floats:
        """Prior variance of each row."""
        scale, slope = np.exp(self.logs[-3:-1])
        return np.asarray(scale + (a.line**2).sum(axis=1) * (slope / max(a.line.shape[1], 1)))


def prior(axis_of: NDArray[np.int64], axes: int, traits: int) -> Kernel:
    """The kernel at the middle of its priors."""
    return Kernel(axis_of, axes, _each("choice", "trait", axes, traits, 0))


def _each(choice: str, trait: str, axes: int, traits: int, which: int) -> Floats:
    of = {name: pair[which] for name, pair in PRIORS.items()}
    return np.array([of[choice]] * axes + [of[trait]] * traits + [of["scale"], of["slope"], of["noise"]])


def fitted(start: Kernel, rows: Rows, targets: Floats, *, steps: int, noise: float | None = None) -> Kernel:
    """The kernel at the maximum of the posterior, from `start` by at most `steps` of L-BFGS.

    rows     n networks; targets float64[n], about zero mean and unit variance
    noise    variance of one observation as far as it is known beforehand: the middle of a narrower prior
    cost     O(steps (n^3 + n^2 (axes + traits)))
    """
    loss = _loss(start, rows, targets, noise)
    found = minimize(loss, start.logs, jac=True, method="L-BFGS-B", bounds=[(-BOUND, BOUND)] * len(start.logs),
                     options={"maxiter": steps})  # fmt: skip
    return replace(start, logs=found.x)


def _loss(
    kernel: Kernel, rows: Rows, targets: Floats, expected: float | None
) -> Callable[[Floats], tuple[float, Floats]]:
    """Minus the log posterior of the kernel's parameters and its gradient, as a function of their logarithms."""
    traits, n = rows.traits.shape[1], len(rows)
    middle, width = (_each("choice", "trait", kernel.axes, traits, which) for which in (0, 1))
    if expected is not None:
        middle[-1], width[-1] = np.clip(np.log(max(expected, 1e-6)), -BOUND, BOUND), TOLD
    below = np.tril_indices(n, -1)
    gaps = _gaps(kernel, rows, below)
    line = rows.line @ rows.line.T / max(rows.line.shape[1], 1)

    def loss(logs: Floats) -> tuple[float, Floats]:
        rates, (scale, slope, noise) = np.exp(logs[:-3]), np.exp(logs[-3:])
        near = np.zeros((n, n))
        near[below] = scale * np.exp(-(rates @ gaps))
        near += near.T
        near[np.diag_indices(n)] = scale
        whole = near + slope * line
        whole[np.diag_indices(n)] += noise + JITTER
        pull = (logs - middle) / width
        try:
            factor = cholesky(whole, lower=True, check_finite=False)
        except np.linalg.LinAlgError:
            return 1e10, np.zeros_like(logs)
        weights = cho_solve((factor, True), targets, check_finite=False)
        half = np.tril(lapack.dpotri(factor, lower=1)[0])
        inverse = half + np.tril(half, -1).T - np.outer(weights, weights)
        pressed = inverse * near
        slopes = np.concatenate([
            -rates * (gaps @ pressed[below]),
            [0.5 * pressed.sum(), 0.5 * slope * (inverse * line).sum(), 0.5 * noise * np.trace(inverse)],
        ])  # fmt: skip
        value = 0.5 * targets @ weights + np.log(np.diag(factor)).sum() + 0.5 * pull @ pull
        return float(value), slopes + pull / width

    return loss


def _gaps(kernel: Kernel, rows: Rows, pairs: tuple[NDArray[np.intp], NDArray[np.intp]]) -> Floats:
    """For each pair of rows whether they differ on each axis, and how far on each trait: float64[axes + t, pairs]."""
    gaps = np.empty((kernel.axes + rows.traits.shape[1], len(pairs[0])))
    for axis in range(kernel.axes):
        mine = rows.marks[:, kernel.axis_of == axis]
        gaps[axis] = (1 - mine @ mine.T)[pairs]
    for t in range(rows.traits.shape[1]):
        gaps[kernel.axes + t] = (rows.traits[pairs[0], t] - rows.traits[pairs[1], t]) ** 2
    return gaps


class Posterior:
    """The process given observations, at a fixed set of candidates; observations are added one at a time.

    Adding costs O(candidates x observations); a network under way is added without a target: it takes away
    variance and moves no mean (kriging believer, Ginsbourger et al. 2010, doi:10.1007/978-3-642-10701-6_6).

    room   float64[observations, candidates or more] to work in, which nobody else uses meanwhile; else its own
    """

    def __init__(self, kernel: Kernel, known: Rows, targets: Floats, at: Rows, room: Floats | None = None) -> None:
        self._kernel, self._known, self._targets, self._at = kernel, known, targets, at
        whole = kernel.cross(known, known)
        whole[np.diag_indices(len(known))] += kernel.noise
        self._factor = cholesky(whole, lower=True, check_finite=False)
        self._score = solve_triangular(self._factor, targets, lower=True, check_finite=False)
        if room is None:
            room = np.empty((len(known) + ROOM, len(at)))  # rows for what is added, too
        self._room = room[:, : len(at)]
        self.mean, self._variance = np.empty(len(at)), kernel.variance(at)
        for start in range(0, len(at), BLOCK):
            part = slice(start, start + BLOCK)
            between = kernel.cross(known, at.take(np.arange(len(at))[part]))
            white = solve_triangular(self._factor, between, lower=True, check_finite=False)
            self._room[: len(known), part] = white
            self.mean[part] = self._score @ white
            self._variance[part] -= np.einsum("ij,ij->j", white, white)

    @property
    def sd(self) -> Floats:
        """Standard deviation of the true value at each candidate, the noise of an observation left out."""
        return np.asarray(np.sqrt(np.maximum(self._variance, 1e-12)))

    @property
    def _whitened(self) -> NDArray[np.float64]:
        return np.asarray(self._room[: len(self._factor)])

    def covariance(self) -> Floats:
        """Joint covariance of the candidates, float64[n, n]."""
        white = self._whitened.astype(float)
        return np.asarray(self._kernel.cross(self._at, self._at) - white.T @ white)

    def add(self, row: Rows, target: float | None) -> None:
        """One observation more, or a network under way where `target` is None."""
        link = solve_triangular(self._factor, self._kernel.cross(self._known, row)[:, 0], lower=True,
                                check_finite=False)  # fmt: skip
        pivot = np.sqrt(max(self._kernel.variance(row)[0] + self._kernel.noise - link @ link, JITTER))
        new = (self._kernel.cross(row, self._at)[0] - link.astype(np.float64) @ self._whitened) / pivot
        believed = float(link @ self._score)
        score = 0.0 if target is None else (target - believed) / pivot
        size = len(self._factor)
        factor = np.zeros((size + 1, size + 1))
        factor[:size, :size], factor[size, :size], factor[size, size] = self._factor, link, pivot
        self._factor, self._known = factor, stacked(self._known, row)
        self._targets = np.append(self._targets, believed if target is None else target)
        self._score = np.append(self._score, score)
        if size == len(self._room):
            more = np.empty((ROOM, self._room.shape[1]))
            self._room = np.concatenate([self._room, more])
        self._room[size] = new  # copies of this object may use the same rows, one after the other
        self.mean = self.mean + score * new
        self._variance = self._variance - new**2
