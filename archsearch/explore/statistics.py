"""Two samples of errors side by side: distribution functions with bands, tests, and a verdict."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
RESAMPLES = 10_000  # of the bootstrap
TESTS = ("ks", "mann_whitney")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edf:
    """An empirical distribution function and its simultaneous band, at the steps of the sample."""

    x: Floats  # the distinct values, rising
    share: Floats  # of the sample at or below x
    low: Floats
    high: Floats
    eps: float  # half the band's height, before it is cut at 0 and 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A second sample against a first one; all of it in units of the samples."""

    ks: float  # largest distance between the two distribution functions
    ks_p: float
    better: float  # share of pairs in which the second is smaller, ties half
    mann_whitney_p: float
    median: float  # of the second, less that of the first
    low: float  # ends of the bootstrap interval of that difference
    high: float

    @property
    def p_values(self) -> dict[str, float]:
        """Name of the test -> its p value."""
        return {"ks": self.ks_p, "mann_whitney": self.mann_whitney_p}


def half_width(n: int, confidence: float) -> float:
    """Half the height of the band that holds the whole true distribution function with this confidence.

    Source: Dvoretzky, Kiefer and Wolfowitz 1956 with the constant of Massart 1990, doi:10.1214/aop/1176990746.
    """
    return min(1.0, math.sqrt(math.log(2 / (1 - confidence)) / (2 * n)))


def edf(values: Floats, confidence: float) -> Edf:
    """The share of a sample at or below each of its values, with the band of `half_width`.

    values   float[n], n at least 1, no NaN
    Source: arXiv:1905.13214, section 3.1, draws such functions of the errors of a design space.
    """
    x, counts = np.unique(values, return_counts=True)
    share = np.cumsum(counts) / len(values)
    eps = half_width(len(values), confidence)
    return Edf(x=x, share=share, low=np.maximum(share - eps, 0.0), high=np.minimum(share + eps, 1.0), eps=eps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One distribution function less another, with a band, at the steps of both."""

    x: Floats
    gap: Floats
    low: Floats
    high: Floats


def gap(first: Floats, second: Floats, confidence: float) -> Gap:
    """The second sample's distribution function less the first's: above 0 where the second has more that is smaller.

    The band is the inverted two-sample Kolmogorov-Smirnov test at its limit for large samples: it leaves 0 where that
    test rejects.
    """
    x = np.union1d(first, second)
    between = at(edf(second, confidence), x) - at(edf(first, confidence), x)
    eps = math.sqrt(math.log(2 / (1 - confidence)) / 2 * (1 / len(first) + 1 / len(second)))
    return Gap(x=x, gap=between, low=np.maximum(between - eps, -1.0), high=np.minimum(between + eps, 1.0))


def at(curve: Edf, x: Floats, which: str = "share") -> Floats:
    """A curve's value at any x: `share`, `low` or `high`; left of the sample 0 and its band."""
    steps = np.concatenate([[curve.eps if which == "high" else 0.0], getattr(curve, which)])
    return np.asarray(steps[np.searchsorted(curve.x, x, side="right")])


def compare(first: Floats, second: Floats, rng: np.random.Generator, *, confidence: float) -> Difference:
    """How the second sample differs from the first; both float[n] with at least 2 values.

    Kolmogorov-Smirnov sees any difference of the two distributions, Mann-Whitney sees that one lies lower.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # that its exact p value is out of reach: it takes the limit's
        ks = stats.ks_2samp(first, second)
    mw = stats.mannwhitneyu(first, second, alternative="two-sided")
    low, high = median_interval(first, second, rng, confidence=confidence)
    return Difference(
        ks=float(ks.statistic),
        ks_p=_known(ks.pvalue),
        better=float(mw.statistic) / (len(first) * len(second)),
        mann_whitney_p=_known(mw.pvalue),
        median=float(np.median(second) - np.median(first)),
        low=low,
        high=high,
    )


def _known(p_value: float) -> float:
    """A p value; samples in which all values are equal have none, and show nothing."""
    return 1.0 if math.isnan(p_value) else float(p_value)


def median_interval(
    first: Floats, second: Floats, rng: np.random.Generator, *, confidence: float
) -> tuple[float, float]:
    """Bootstrap interval (percentiles of 10,000 resamples) of the second sample's median less the first's."""
    gaps = _medians(second, rng) - _medians(first, rng)
    tail = (1 - confidence) / 2
    low, high = np.quantile(gaps, [tail, 1 - tail])
    return float(low), float(high)


def _medians(values: Floats, rng: np.random.Generator) -> Floats:
    """Medians of resamples with replacement: float[RESAMPLES].

    A resample draws places in the sorted sample, n uniform numbers; the k-th smallest of those is beta distributed, so
    the middle ones are drawn at once and the others never.
    """
    n, ordered = len(values), np.sort(values)
    k = (n + 1) // 2
    lower = rng.beta(k, n - k + 1, RESAMPLES)
    if n % 2:
        return _picked(ordered, lower)
    upper = 1 - (1 - lower) * rng.uniform(size=RESAMPLES) ** (1 / (n - k))  # the least of the n - k that lie above
    return (_picked(ordered, lower) + _picked(ordered, upper)) / 2


def _picked(ordered: Floats, places: Floats) -> Floats:
    return np.asarray(ordered[np.minimum((places * len(ordered)).astype(np.int64), len(ordered) - 1)])


def holm(p_values: Sequence[float]) -> list[float]:
    """p values adjusted so that the chance of even one false alarm among them stays at the level.

    Source: Holm 1979, Scandinavian Journal of Statistics 6, 65.
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted, so_far = [1.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        so_far = max(so_far, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = so_far
    return adjusted


def verdicts(differences: Sequence[Difference], confidence: float) -> list[dict[str, float | bool]]:
    """For each difference its p values, adjusted over all tests of all of them, and whether one of them rejects.

    So "shown" is false for all of them with this confidence where the samples come from one distribution.
    """
    adjusted = iter(holm([each.p_values[name] for each in differences for name in TESTS]))
    told: list[dict[str, float | bool]] = []
    for _ in differences:
        values = {f"{name}_p_adjusted": next(adjusted) for name in TESTS}
        told.append({**values, "shown": min(values.values()) <= 1 - confidence})
    return told
