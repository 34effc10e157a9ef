"""From blocks measured alone to blocks in a network: a table's weights, fitted to a handful of whole networks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsearch.cost.latency import TRAITS, block_traits, corrected
from archsearch.spec.arch import Arch

Floats = NDArray[np.float64]
RIDGES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # how strongly the weights are held at one factor on all blocks
COVER = 0.95  # share of networks that the upper end of a prediction holds for
FEW = 4  # networks; with fewer only one factor is fitted


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Weights of the traits, and the errors of networks that each were left out of the fit."""

    weights: tuple[float, ...]
    ratios: Floats  # measured / predicted of each network, by weights that were fitted without it
    ridge: float

    @property
    def margin(self) -> float:
        """Measured latencies are at most this times the prediction, for 19 of 20 networks like those.

        The (n + 1) x 0.95-th smallest ratio, as of split conformal prediction (Vovk et al. 2005, section 4.2), at
        least 1; the largest, widened, where n is too small for that.
        """
        ordered = np.sort(self.ratios)
        rank = int(np.ceil((len(ordered) + 1) * COVER))
        if rank <= len(ordered):
            return max(1.0, float(ordered[rank - 1]))
        return max(1.0, float(ordered[-1] * (1 + np.std(ordered))))

    @property
    def error(self) -> float:
        """Mean relative error of the networks left out."""
        return float(np.mean(np.abs(1 / self.ratios - 1)))


def calibrate(networks: Sequence[Arch], ms: Floats, alone: Mapping[str, float]) -> Calibration:
    """Weights by ridge regression on relative errors, their strength chosen by leaving each network out.

    networks  measured whole
    ms        float[n] their latencies
    alone     description -> ms of each of their blocks
    """
    parts = [block_traits(arch, alone) for arch in networks]
    rows = np.array([times @ traits for traits, times in parts])
    scale = rows.mean(axis=0)
    scale[scale == 0] = 1.0
    if len(networks) < FEW:
        weights = np.array([float(np.median(ms / rows[:, 0])), *[0.0] * (len(TRAITS) - 1)])
        return Calibration(weights=tuple(weights), ratios=ms / _told(parts, weights), ridge=float("inf"))
    tried = {ridge: _left_out(parts, ms, rows / scale, scale, ridge) for ridge in RIDGES}
    ridge = min(tried, key=lambda each: float(np.mean(np.abs(np.log(tried[each])))))
    weights = fit(rows / scale, ms, scale, ridge) / scale
    return Calibration(weights=tuple(float(each) for each in weights), ratios=tried[ridge], ridge=ridge)


Part = tuple[Floats, Floats]


def _told(parts: Sequence[Part], weights: Floats) -> Floats:
    """What networks take by these weights [ms], as a table tells it: no block's correction takes it away."""
    return np.array([times @ corrected(traits, weights) for traits, times in parts])


def fit(rows: Floats, ms: Floats, scale: Floats, ridge: float) -> Floats:
    """Weights of scaled traits that make relative errors small, held at one factor on all blocks' own times.

    Two rounds: the second one trusts networks less whose error is large (Huber 1964), for one in fifty is a slip.
    """
    start = np.zeros(len(scale))
    start[0] = float(np.median(ms / rows[:, 0]))
    relative = rows / ms[:, None]
    trust = np.ones(len(ms))
    for _ in range(2):
        gram = (relative * trust[:, None]).T @ relative + ridge * len(ms) * np.eye(len(scale))
        weights = start + np.linalg.solve(gram, relative.T @ (trust * (1 - relative @ start)))
        errors = np.abs(relative @ weights - 1)
        wide = 2.5 * 1.4826 * np.median(errors) + 1e-9
        trust = np.minimum(1, wide / np.maximum(errors, 1e-12))
    return np.asarray(weights)


def _left_out(parts: Sequence[Part], ms: Floats, rows: Floats, scale: Floats, ridge: float) -> Floats:
    """measured / predicted of each network, fitted without it."""
    ratios = np.empty(len(ms))
    for out in range(len(ms)):
        kept = np.arange(len(ms)) != out
        weights = fit(rows[kept], ms[kept], scale, ridge) / scale
        ratios[out] = ms[out] / _told([parts[out]], weights)[0]
    return ratios
