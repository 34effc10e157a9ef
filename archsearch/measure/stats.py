"""Numbers from repeated timings: medians with bootstrap intervals, and when a series has settled. NumPy only."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 400  # of a bootstrap: the ends of a 95 % interval then move by less than a tenth of its width
LEVEL = 0.95


def median_interval(values: Sequence[float] | NDArray[np.float64], seed: int = 0) -> tuple[float, float]:
    """The 95 % percentile-bootstrap interval of the median (Efron and Tibshirani 1993, section 13.3).

    seed     of the resampling: the same values give the same interval
    returns  both ends; infinite ones for fewer than two values
    """
    known = np.asarray(values, dtype=float)
    if len(known) < 2:
        return -np.inf, np.inf
    rows = np.random.default_rng(seed).integers(len(known), size=(RESAMPLES, len(known)))
    medians = np.median(known[rows], axis=1)
    low, high = np.quantile(medians, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def half_width(values: Sequence[float] | NDArray[np.float64]) -> float:
    """Half the width of `median_interval`, as a share of the median."""
    low, high = median_interval(values)
    return float((high - low) / 2 / np.median(values)) if np.isfinite(high) else float("inf")


def settled(times: Sequence[float], *, window: int = 5, close: float = 0.05) -> bool:
    """Whether a series no longer falls: the medians of its last two windows differ by less than `close`."""
    if len(times) < 2 * window:
        return False
    last, before = np.median(times[-window:]), np.median(times[-2 * window : -window])
    return bool(abs(last / before - 1) < close)


def low_quartile(times: Sequence[float]) -> float:
    """What a visit counts: the quartile of its runs, for what disturbs a run makes it longer, never shorter."""
    return float(np.quantile(np.asarray(times), 0.25))
