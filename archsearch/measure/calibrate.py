"""From blocks measured alone to blocks in a network: a table's weights, fitted to a handful of whole networks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from archsearch.cost.latency import TRAITS, block_traits, corrected
from archsearch.spec.arch import Arch

Floats = NDArray[np.float64]
RIDGES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # how strongly the weights are held at one factor on all blocks
COVER = 0.95  # share of networks that the upper end of a prediction holds for
UNKNOWN = 1.5  # margin where no error is known
FEW = 4  # networks; with fewer only one factor is fitted


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Weights of the traits, and the errors of networks that each were left out of the fit."""

    weights: tuple[float, ...]
    ratios: Floats  # measured / predicted of each network, by weights that were fitted without it
    ridge: float

    @property
    def margin(self) -> float:
        """Measured latencies are at most this times the prediction, for 19 of 20 networks like those; at least 1.

        The (n + 1) x 0.95-th smallest ratio, as of split conformal prediction (Vovk et al. 2005, section 4.2). With
        too few for that the upper prediction bound of a normal distribution of their logarithms; with too few to be
        left out of the fit nobody knows, and it is UNKNOWN.
        """
        n = len(self.ratios)
        if n < FEW:
            return UNKNOWN
        rank = int(np.ceil((n + 1) * COVER))
        if rank <= n:
            return max(1.0, float(np.sort(self.ratios)[rank - 1]))
        logs = np.log(self.ratios)
        wide = float(student.ppf(COVER, n - 1)) * float(logs.std(ddof=1)) * np.sqrt(1 + 1 / n)
        return max(1.0, float(np.exp(logs.mean() + wide)))

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
    if len(networks) < FEW:
        weights = np.array([float(np.median(ms / rows[:, 0])), *[0.0] * (len(TRAITS) - 1)])
        return Calibration(weights=tuple(weights), ratios=ms / _told(parts, weights), ridge=float("inf"))
    tried = {ridge: _left_out(parts, ms, rows, ridge) for ridge in RIDGES}
    ridge = strongest(tried)
    weights = fit(rows, ms, ridge)
    return Calibration(weights=tuple(float(each) for each in weights), ratios=tried[ridge], ridge=ridge)


Part = tuple[Floats, Floats]


def _told(parts: Sequence[Part], weights: Floats) -> Floats:
    """What networks take by these weights [ms], as a table tells it: no block's correction takes it away."""
    return np.array([times @ corrected(traits, weights) for traits, times in parts])


def strongest(tried: Mapping[float, Floats]) -> float:
    """The strongest ridge whose error is within one standard error of the least (Breiman et al. 1984, section 3.4)."""
    errors = {ridge: np.abs(np.log(ratios)) for ridge, ratios in tried.items()}
    best = min(errors.values(), key=lambda each: float(each.mean()))
    most = float(best.mean() + best.std(ddof=1) / np.sqrt(len(best)))
    return max(ridge for ridge, each in errors.items() if each.mean() <= most)


def fit(rows: Floats, ms: Floats, ridge: float) -> Floats:
    """Weights of the traits of networks that make relative errors small, held at one factor on all blocks' own times.

    rows     float[n, TRAITS]; they and the times may be in any unit: each trait's share of a network is what is held
    Three rounds: the later ones trust networks less whose error is large (Huber 1964), for one in fifty is a slip.
    """
    scale = np.abs(rows).mean(axis=0)
    unit = float(np.median(ms)) / np.where(scale > 0, scale, np.inf)
    shares = rows * unit / ms[:, None]
    start = np.zeros(len(scale))
    start[0] = float(np.median(ms / rows[:, 0])) / unit[0]
    trust = np.ones(len(ms))
    for _ in range(3):
        gram = (shares * trust[:, None]).T @ shares + ridge * len(ms) * np.eye(len(scale))
        weights = start + np.linalg.solve(gram, shares.T @ (trust * (1 - shares @ start)))
        errors = np.abs(shares @ weights - 1)
        wide = 2.5 * 1.4826 * np.median(errors) + 1e-9
        trust = np.minimum(1, wide / np.maximum(errors, 1e-12))
    return np.asarray(weights * unit)


def _left_out(parts: Sequence[Part], ms: Floats, rows: Floats, ridge: float) -> Floats:
    """measured / predicted of each network, fitted without it."""
    ratios = np.empty(len(ms))
    for out in range(len(ms)):
        kept = np.arange(len(ms)) != out
        ratios[out] = ms[out] / _told([parts[out]], fit(rows[kept], ms[kept], ridge))[0]
    return ratios
