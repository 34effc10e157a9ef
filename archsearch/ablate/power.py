"""What a run of so many pairs and seeds can show, and what more of either would: power of the paired t test."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats
from scipy.optimize import brentq

from archsearch.ablate.contrasts import mean
from archsearch.ablate.statistics import sd

Floats = NDArray[np.float64]
ALPHA, POWER = 0.05, 0.8
MOST = 2**24  # pairs; whoever needs more is told that none are enough


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Where the variance of the differences comes from; NaN where no pair has two seeds."""

    between: float  # between pairs, as with endlessly many seeds; never below zero
    within: float  # between seeds of one pair
    seeds: float  # harmonic mean over the pairs

    @property
    def noise(self) -> float:
        """Standard deviation between seeds of one pair's difference."""
        return math.sqrt(self.within)

    def variance(self, seeds: float) -> float:
        """What the differences of pairs with so many seeds would vary by, over pairs."""
        return self.between + self.within / seeds


@dataclass(frozen=True, slots=True, kw_only=True)
class Smallest:
    """The smallest effect that is shown with 80 % power, two-sided; NaN = not known."""

    now: float
    twice_pairs: float
    twice_seeds: float


def split(by_seed: Floats) -> Split:
    """The variance of the differences between pairs and between seeds of a pair: one-way analysis with random pairs.

    by_seed  float[pairs, seeds], NaN = no such seed; see `contrasts.seed_contrasts`
    The estimates are unbiased for any numbers of seeds a pair, but for this: where the means of the pairs vary less
    than their seeds explain, `between` is zero and not negative.
    """
    count = (~np.isnan(by_seed)).sum(axis=1)
    by_seed, count = by_seed[count > 0], count[count > 0]
    freedom = int((count - 1).sum())
    if freedom < 1 or len(count) < 2:
        return Split(between=math.nan, within=math.nan, seeds=_harmonic(count))
    means = mean(by_seed, axis=1)
    within = float(np.nansum((by_seed - means[:, None]) ** 2)) / freedom
    between = float(means.var(ddof=1)) - within / _harmonic(count)
    return Split(between=max(between, 0.0), within=within, seeds=_harmonic(count))


def _harmonic(count: NDArray[np.int64]) -> float:
    return float(len(count) / (1 / count).sum()) if len(count) else math.nan


def smallest(by_seed: Floats, *, alpha: float = ALPHA) -> Smallest:
    """What these pairs and seeds can show, what twice the pairs could, and what twice the seeds could.

    by_seed  float[pairs, seeds], NaN = no such seed
    alpha    of the test; with m comparisons 5 % / m, the strictest that Holm asks for
    returns  `twice_seeds` is NaN with one seed a pair: nothing tells then what seeds vary by
    """
    means = mean(by_seed, axis=1)
    means = means[~np.isnan(means)]
    spread, found = sd(means), split(by_seed)
    fewer = math.nan
    if not math.isnan(found.within):
        fewer = math.sqrt(min(found.variance(2 * found.seeds), spread**2))  # more seeds never hurt
    asked = ((len(means), spread), (2 * len(means), spread), (len(means), fewer))
    now, twice_pairs, twice_seeds = (smallest_effect(pairs, each, alpha=alpha) for pairs, each in asked)
    return Smallest(now=now, twice_pairs=twice_pairs, twice_seeds=twice_seeds)


def power(effect: float, pairs: int, spread: float, *, alpha: float = ALPHA) -> float:
    """The chance that the two-sided t test on so many pairs rejects, when the true effect is this one.

    By the noncentral F distribution of t squared. statsmodels' TTestPower says the same by the noncentral t
    distribution, which SciPy (1.17) gives as NaN here and there: four pairs and an effect of four standard deviations.

    pairs    at least 2
    spread   standard deviation of the differences over pairs, above 0
    """
    limit = float(stats.t.isf(alpha / 2, pairs - 1)) ** 2
    missed = float(special.ncfdtr(1, pairs - 1, pairs * (effect / spread) ** 2, limit))
    return 1.0 if math.isnan(missed) else 1 - missed  # NaN at some effects so large that none is missed


def smallest_effect(pairs: int, spread: float, *, alpha: float = ALPHA, wanted: float = POWER) -> float:
    """The smallest effect that so many pairs show with this power.

    spread   standard deviation of the differences over pairs
    returns  NaN for fewer than two pairs, or where no spread is known
    """
    if pairs < 2 or not spread > 0:
        return math.nan
    most = 1.0
    while power(most, pairs, 1.0, alpha=alpha) < wanted:
        most *= 2
    return spread * float(brentq(lambda size: power(size, pairs, 1.0, alpha=alpha) - wanted, 0.0, most, xtol=1e-12))


def pairs_needed(effect: float, spread: float, *, alpha: float = ALPHA, wanted: float = POWER) -> int | None:
    """How many pairs show an effect of this size with this power, at least two.

    spread   standard deviation of the differences over pairs
    returns  None where no spread is known, for an effect of zero, and beyond 16 million pairs
    """
    if not spread > 0 or not abs(effect) > 0:
        return None
    few, many = 1, 2
    while smallest_effect(many, spread, alpha=alpha, wanted=wanted) > abs(effect):
        few, many = many, many * 2
        if many > MOST:
            return None
    while many - few > 1:
        middle = (few + many) // 2
        enough = smallest_effect(middle, spread, alpha=alpha, wanted=wanted) <= abs(effect)
        few, many = (few, middle) if enough else (middle, many)
    return many
