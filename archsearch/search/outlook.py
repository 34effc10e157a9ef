"""What a training that halted is expected to reach: learned from those that went on; arrays in, arrays out.

From rung to rung the gain of top-1 is a straight line in what was reached and in the logarithm of cost, with normal
errors whose size is not known (Bayesian linear regression with a conjugate prior: Bishop 2006, section 3.3):
few observations, or a network unlike those that went on, make the prediction wide.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from archsearch.surrogate.domain import Floats

UNKNOWN = 0.3  # standard deviation of a gain of which nothing is known
LEAST = 4  # networks that went on from a rung, before a gain is spoken of
NOISE, TRUST = 0.02, 2.0  # prior of the errors' size [fraction], and of how many observations it is worth
SURE = 1e6  # degrees of freedom of what was measured
SLOPE = 3.0  # prior sd of what one standard deviation of a feature changes, in errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """The final top-1 of n networks: Student's t around a mean."""

    mean: Floats
    scale: Floats
    freedom: Floats  # 0: nothing is known

    @property
    def sd(self) -> Floats:
        """Standard deviations, wider than the scale where there are few degrees of freedom."""
        wider = np.sqrt(self.freedom / np.maximum(self.freedom - 2, 0.5))
        return np.asarray(np.where(self.freedom > 0, np.minimum(self.scale * wider, UNKNOWN), UNKNOWN))

    def above(self, bar: Floats) -> Floats:
        """The probability of more than `bar`; 1 where nothing is known, or there is no bar (-inf)."""
        known = (self.freedom > 0) & np.isfinite(bar)
        standing = (self.mean - np.where(known, bar, 0.0)) / np.where(self.scale > 0, self.scale, 1.0)
        return np.where(known, stdtr(np.maximum(self.freedom, 1.0), standing), 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The gain from one rung to the next."""

    centre: Floats  # of the features
    unit: Floats
    weights: Floats  # of 1 and the features
    cover: Floats  # their covariance, in errors squared
    scale: float  # of one error
    freedom: float

    def gain(self, features: Floats) -> tuple[Floats, Floats]:
        """Mean and scale of the gain; features float[n, k]."""
        rows = _rows(features, self.centre, self.unit)
        wide = np.einsum("ij,jk,ik->i", rows, self.cover, rows)
        return rows @ self.weights, self.scale * np.sqrt(1 + wide)

    @property
    def slope(self) -> float:
        """What one more of top-1 at the rung changes in the gain."""
        return float(self.weights[1] / self.unit[0])


def outlook(curves: Floats, sizes: Floats) -> Outlook:
    """The final top-1 of each network from the last rung that it reached.

    curves   top-1 at each rung, float[n, rungs]; NaN where it was not reached
    sizes    float[n], a cost that may slow learning down; its logarithm counts
    """
    n, rungs = curves.shape
    logs = np.log(np.maximum(sizes, 1e-12))
    mean, spread, freedom = np.full(n, np.nan), np.zeros(n), np.full(n, SURE)
    for rung in range(rungs):
        here = ~np.isnan(curves[:, rung])
        if rung > 0:
            step = learnt(curves[:, rung - 1], curves[:, rung], logs)
            go = ~here & ~np.isnan(mean)
            if step is None:
                freedom[go] = 0.0
            elif go.any():
                gain, scale = step.gain(np.column_stack([mean[go], logs[go]]))
                spread[go] = np.hypot((1 + step.slope) * spread[go], scale)
                mean[go], freedom[go] = mean[go] + gain, np.minimum(freedom[go], step.freedom)
        mean[here], spread[here], freedom[here] = curves[here, rung], 0.0, SURE
    return Outlook(mean=np.clip(mean, 0.0, 1.0), scale=spread, freedom=np.where(np.isnan(mean), 0.0, freedom))


def learnt(before: Floats, after: Floats, logs: Floats) -> Step | None:
    """The gain between two rungs, from those that were at both; None where they are fewer than LEAST."""
    rows = ~np.isnan(before) & ~np.isnan(after)
    if rows.sum() < LEAST:
        return None
    features, gains = np.column_stack([before, logs])[rows], (after - before)[rows]
    centre, unit = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-6)
    table = _rows(features, centre, unit)
    prior = np.diag([0.0, SLOPE**-2, SLOPE**-2])  # flat in the mean gain
    cover = np.asarray(np.linalg.inv(table.T @ table + prior), dtype=np.float64)
    weights = cover @ table.T @ gains
    rest = float(((gains - table @ weights) ** 2).sum() + weights @ prior @ weights)
    freedom = TRUST + len(gains) - 1
    scale = float(np.sqrt((TRUST * NOISE**2 + rest) / freedom))
    return Step(centre=centre, unit=unit, weights=weights, cover=cover, scale=scale, freedom=freedom)


def _rows(features: Floats, centre: Floats, unit: Floats) -> Floats:
    return np.column_stack([np.ones(len(features)), (features - centre) / unit])
