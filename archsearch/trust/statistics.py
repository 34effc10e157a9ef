"""Rank correlations and what they are worth: intervals, bands of equal cost, the noise of the truth, regret. Pure.

Networks are drawn with replacement in the bootstrap, and a pair of a network with itself is no pair. All evaluators
are looked at in the same resamples, so that differences between two of them are paired.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsearch.pareto import front, hypervolume

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
RESAMPLES = 1000
BAND = 0.15  # of MAdds: networks that differ by no more are compared
TENTH, QUARTER, LEAST = 10, 4, 5  # the best are a tenth where that is ten networks, else a quarter, at least five
DRAWS = 200  # of the truth's noise
ROOM = 1.1  # the reference point lies at so many times the greatest MAdds


@dataclass(frozen=True, slots=True, kw_only=True)
class Tau:
    """A rank correlation with its 95 % bootstrap interval; NaN where it does not exist."""

    value: float
    low: float
    high: float


def resamples(n: int, rng: np.random.Generator) -> Floats:
    """How often each of n networks is drawn: first all once, then the bootstrap, float[1 + RESAMPLES, n]."""
    drawn = rng.multinomial(n, np.full(n, 1 / n), size=RESAMPLES)
    return np.vstack([np.ones(n), drawn]).astype(float)


def taus(values: Floats, truth: Floats, counts: Floats, among: Mask | None = None) -> Floats:
    """Kendall's tau-b in each resample, float[resamples]; NaN where values or truth are all tied.

    values   float[n]; pairs with a NaN are left out, and so are those in the truth
    among    pairs that count, bool[n, n]; None = all
    """
    signs = [np.sign(each[:, None] - each) for each in (values, truth)]
    known = ~np.isnan(signs[0] + signs[1])
    among = known if among is None else known & among
    a, b = (np.where(among, each, 0.0) for each in signs)
    agree, untied_a, untied_b = (((counts @ pairs) * counts).sum(axis=1) for pairs in (a * b, a * a, b * b))
    scale = np.sqrt(untied_a * untied_b)
    return np.asarray(np.divide(agree, scale, out=np.full(len(counts), np.nan), where=scale > 0))


def seed_taus(top1: Floats, counts: Floats, among: Mask | None = None) -> Floats:
    """The same of one seed against the mean of the others, mean over which seed is left out; NaN with one seed.

    top1     float[n, seeds], NaN = no such seed
    """
    found = [taus(alone, others, counts, among) for alone, others in left_out(top1)]
    return np.asarray(np.mean(found, axis=0)) if found else np.full(len(counts), np.nan)


def left_out(top1: Floats) -> list[tuple[Floats, Floats]]:
    """Of each seed: its accuracies float[n], and the mean of the other seeds (NaN where there are none)."""
    pairs = []
    for place in range(top1.shape[1] if top1.shape[1] > 1 else 0):
        rest = np.delete(top1, place, axis=1)
        known = (~np.isnan(rest)).sum(axis=1)
        mean = np.divide(np.nansum(rest, axis=1), known, out=np.full(len(rest), np.nan), where=known > 0)
        pairs.append((top1[:, place], mean))
    return pairs


def interval(values: Floats) -> Tau:
    """The first value, and the middle 95 % of the others; no interval where it exists in fewer than half of them."""
    known = values[1:][~np.isnan(values[1:])]
    enough = len(known) * 2 >= max(len(values) - 1, 1)
    low, high = np.quantile(known, [0.025, 0.975]) if enough and len(known) else (math.nan, math.nan)
    return Tau(value=float(values[0]), low=float(low), high=float(high))


def ahead(first: Floats, second: Floats) -> float:
    """The share of the resamples in which the first is above the second, ties half; NaN where neither exists."""
    gap = (first - second)[1:]
    gap = gap[~np.isnan(gap)]
    return float(np.mean((np.sign(gap) + 1) / 2)) if len(gap) else math.nan


# which pairs --------------------------------------------------------------------------------------------------------


def near(madds: Floats, band: float = BAND) -> Mask:
    """Pairs of networks whose MAdds differ by at most `band` of the smaller one, bool[n, n]; none with itself."""
    low, high = np.minimum(madds[:, None], madds), np.maximum(madds[:, None], madds)
    return np.asarray((high <= low * (1 + band)) & ~np.eye(len(madds), dtype=bool))


def top_size(n: int) -> int:
    """How many networks of n are the best ones."""
    tenth = math.ceil(n / TENTH)
    return min(n, tenth if tenth >= TENTH else max(math.ceil(n / QUARTER), LEAST))


def top(truth: Floats) -> Mask:
    """Pairs of the best networks by the truth, bool[n, n]."""
    best = np.zeros(len(truth), dtype=bool)
    best[np.argsort(-truth, kind="stable")[: top_size(len(truth))]] = True
    return np.asarray(best[:, None] & best & ~np.eye(len(truth), dtype=bool))


def pairs_of(among: Mask) -> int:
    """How many pairs a mask has."""
    return int(among.sum()) // 2


# the truth's own noise ----------------------------------------------------------------------------------------------


def noise(top1: Floats) -> float:
    """Standard deviation of one seed, pooled over the networks; NaN where none has two seeds."""
    known = (~np.isnan(top1)).sum(axis=1)
    freedom = int((known - 1).sum())
    squares = float(np.nansum((top1 - np.nanmean(top1, axis=1)[:, None]) ** 2))
    return math.sqrt(squares / freedom) if freedom else math.nan


def ceiling(top1: Floats, madds: Floats, rng: np.random.Generator) -> tuple[float, float, float]:
    """The tau that an evaluator without any error would have with this truth: of all, of the best, within bands.

    The means are drawn together until they vary as much as true accuracies do (their variance less that of the noise);
    noise of the size found between the seeds is put on top, over and over, and the rank correlation between the two is
    averaged. NaN with one seed.
    """
    mean, spread = np.nanmean(top1, axis=1), noise(top1)
    if math.isnan(spread):
        return math.nan, math.nan, math.nan
    sd = spread / np.sqrt((~np.isnan(top1)).sum(axis=1))
    variance = float(mean.var(ddof=1))
    share = math.sqrt(max(variance - float(np.mean(sd**2)), 0.0) / variance) if variance > 0 else 0.0
    if share == 0.0:
        return 0.0, 0.0, 0.0
    true, once, close = mean.mean() + share * (mean - mean.mean()), np.ones((1, len(mean))), near(madds)
    found = []
    for _ in range(DRAWS):
        seen = true + sd * rng.standard_normal(len(true))
        found.append([taus(true, seen, once, among)[0] for among in (None, top(seen), close)])
    known = ~np.isnan(found)
    sums = np.nansum(found, axis=0)
    whole, best, band = np.divide(sums, known.sum(axis=0), out=np.full(3, np.nan), where=known.any(axis=0)).tolist()
    return whole, best, band


# regret -------------------------------------------------------------------------------------------------------------


def chosen(values: Floats, madds: Floats, most: int) -> NDArray[np.int64]:
    """Rows of the front of (madds, values) as an evaluator sees it, at most `most` of them, evenly along it."""
    rows = np.flatnonzero(front(np.column_stack([madds, -values])))
    rows = rows[np.argsort(madds[rows], kind="stable")]
    if len(rows) <= most:
        return rows
    return np.asarray(rows[np.unique(np.round(np.linspace(0, len(rows) - 1, most)).astype(int))])


def front_regret(values: Floats, truth: Floats, madds: Floats) -> float:
    """The share of hypervolume lost when the front is picked by `values` and scored by the truth, in [0, 1].

    As many networks are picked as the true front has. Hypervolume over log MAdds and error, up to 1.1 times the
    greatest MAdds and the worst accuracy of the sample. NaN where no front covers anything.
    """
    known = ~np.isnan(truth)
    values, truth, madds = values[known], truth[known], madds[known]
    if not len(truth):
        return math.nan
    points = np.column_stack([np.log(madds), -truth])
    corner = np.array([math.log(float(madds.max()) * ROOM), -float(truth.min())])
    most = int(front(points).sum())
    best = hypervolume(points, corner)
    return 1 - hypervolume(points[chosen(values, madds, most)], corner) / best if best > 0 else math.nan


def best_regret(values: Floats, truth: Floats) -> float:
    """What the network with the highest value lacks to the best one (a fraction); the mean where several are highest.

    NaN where no value is known
    """
    known = ~np.isnan(values) & ~np.isnan(truth)
    if not known.any():
        return math.nan
    picked = known & (values == values[known].max())
    return float(np.nanmax(truth) - truth[picked].mean())
