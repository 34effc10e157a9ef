"""Intervals of means that hold what they promise for few values: the bootstrap, widened. SciPy resamples."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from archsearch.errors import ArchSearchError

Floats = NDArray[np.float64]
LEVEL = 0.95
RESAMPLES = 9_999
FEW = 8  # with fewer values resamples repeat themselves, and Student's interval takes the bootstrap's place
AT_ONCE = 4_000_000  # numbers drawn at a time
SAME = 1e-12  # accuracies are counts over counts: what differs by no more is round-off


def mean_interval(
    values: Floats, rng: np.random.Generator, *, level: float = LEVEL, resamples: int = RESAMPLES
) -> tuple[Floats, Floats]:
    """Ends of the interval of the mean over the last axis, widened for few values.

    The percentile bootstrap is too narrow for few values, by the factor sqrt((n - 1) / n) and by a normal distribution
    where Student's belongs; here its percentiles lie farther out by as much ("expanded percentile interval",
    arXiv:1411.5279). Fewer than 8 values: Student's interval, which is what that one approaches.

    values   float[..., n], no NaN
    returns  low and high, float[...] each; NaN where there is one value, or where fewer than 8 are all equal

    How often it covers the true mean is told in docs/ablations.md, by a test. BCa with the same widening is a little
    better on skewed values and a little worse on heavy tails; differences of matched pairs are rarely skewed: no BCa.
    """
    n = values.shape[-1]
    if n < 2:
        nothing = np.full(values.shape[:-1], np.nan)
        return nothing, nothing
    equal = np.ptp(values, axis=-1) <= SAME
    if n < FEW:
        middle, half = values.mean(axis=-1), _student(n - 1, level) * stats.sem(values, axis=-1)
        return np.where(equal, np.nan, middle - half), np.where(equal, np.nan, middle + half)
    wide = _widened(math.sqrt(n / (n - 1)) * _student(n - 1, level))
    return _bootstrap((values,), lambda x, axis: x.mean(axis=axis), rng, wide, resamples)


def gap_interval(
    first: Floats, second: Floats, rng: np.random.Generator, *, level: float = LEVEL, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """Interval of mean(second) - mean(first) where nothing pairs the two samples; of the same kind.

    Each sample is resampled alone; the widening takes the degrees of freedom of Welch 1947, Biometrika 34, 28.

    first, second  float[n], float[m], no NaN
    returns  low and high; NaN where a sample has one value or none, or both have no spread
    """
    sizes = np.array([len(first), len(second)])
    if sizes.min() < 2 or max(np.ptp(first), np.ptp(second)) <= SAME:
        return math.nan, math.nan
    squares = np.array([first.var(ddof=1), second.var(ddof=1)]) / sizes  # of the standard error, a sample's share
    freedom = float(squares.sum() ** 2 / (squares**2 / (sizes - 1)).sum())
    ratio = math.sqrt(squares.sum() / (squares * (sizes - 1) / sizes).sum())  # true error over the bootstrap's
    if sizes.min() < FEW:
        middle, half = second.mean() - first.mean(), _student(freedom, level) * math.sqrt(squares.sum())
        return float(middle - half), float(middle + half)
    wide = _widened(ratio * _student(freedom, level))
    low, high = _bootstrap((first, second), _gap, rng, wide, resamples)
    return float(low), float(high)


def _gap(first: Floats, second: Floats, axis: int) -> Floats:
    return np.asarray(second.mean(axis=axis) - first.mean(axis=axis))


def _student(freedom: float, level: float) -> float:
    """How many standard errors Student's interval reaches to each side."""
    return float(stats.t.ppf((1 + level) / 2, freedom))


def _widened(errors: float) -> float:
    """The level whose normal interval reaches so many standard errors."""
    return float(1 - 2 * stats.norm.sf(errors))


def _bootstrap(
    samples: tuple[Floats, ...], statistic: Any, rng: np.random.Generator, level: float, resamples: int
) -> tuple[Floats, Floats]:
    found = stats.bootstrap(
        samples, statistic, axis=-1, vectorized=True, method="percentile", confidence_level=level, rng=rng,
        n_resamples=resamples, batch=max(1, AT_ONCE // max(each.size for each in samples)),
    )  # fmt: skip
    return np.asarray(found.confidence_interval.low), np.asarray(found.confidence_interval.high)


def proportion(hits: int, tries: int, *, level: float = LEVEL) -> tuple[float, float]:
    """Interval of a share (Clopper and Pearson 1934, Biometrika 26, 404); 0 to 1 where nothing was tried.

    raises   ArchSearchError unless 0 <= hits <= tries
    """
    if not 0 <= hits <= tries:
        raise ArchSearchError(f"hits must lie between 0 and the {tries} tries, got {hits}")
    if tries == 0:
        return 0.0, 1.0
    found = stats.binomtest(hits, tries).proportion_ci(confidence_level=level, method="exact")
    return float(found.low), float(found.high)
