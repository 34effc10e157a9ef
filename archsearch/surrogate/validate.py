"""How far a surrogate can be trusted: its predictions of trials that it has not seen, against what they reached."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from archsearch.surrogate.domain import Floats, Networks

FOLDS = 10
RESAMPLES = 400
CUBIC = 3
MOST = 1000  # pairs of a rank correlation; of more, this many are drawn
ENOUGH = 5  # repeated measurements from which the noise is read off them alone
LEVELS = (0.5, 0.8, 0.95)


class Learnt(Protocol):
    """A surrogate that has seen trials."""

    def predict(self, networks: Networks) -> tuple[Floats, Floats]:
        """Mean and standard deviation of the true value of each, float[n]."""
        ...

    @property
    def noise(self) -> float:
        """Standard deviation of one measurement about the true value."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """A rank correlation and the ends of its bootstrap interval; a NaN where it does not exist."""

    value: float
    low: float
    high: float


def crossed(
    networks: Networks, top1: Floats, error: Floats, *, learn: Callable[[Networks, Floats, Floats], Learnt],
    rng: np.random.Generator,
) -> tuple[Floats, Floats, Floats]:  # fmt: skip
    """Each trial predicted by a surrogate that has not seen its network.

    learn    (networks, top1, error) -> a surrogate
    returns  on the surrogate's scale, float[n] each: mean; sd of the true value; sd of a measurement of it
    raises   ValueError where there are fewer than two different networks
    """
    fold = folds(networks.names, rng)
    mean, sd, noise = np.zeros((3, len(networks)))
    for out in range(int(fold.max()) + 1):
        rest = fold != out
        learnt = learn(networks.take(rest), top1[rest], error[rest])
        mean[~rest], sd[~rest] = learnt.predict(networks.take(~rest))
        noise[~rest] = learnt.noise
    return mean, sd, np.hypot(sd, noise)


def folds(names: NDArray[np.void], rng: np.random.Generator, *, most: int = FOLDS) -> NDArray[np.int64]:
    """A fold 0, 1, ... for each row: equal sizes, and rows of one network in one fold."""
    which = np.unique(names, return_inverse=True)[1]
    different = int(which.max(initial=-1)) + 1
    if different < 2:
        raise ValueError("a cross-validation needs two different networks")
    return np.asarray(rng.permutation(different)[which] % min(most, different))


def kendall(x: Floats, y: Floats, *, rng: np.random.Generator) -> Rank:
    """Kendall's tau-b of x and y float[n], with its 95 % bootstrap interval."""
    rows = _some(len(x), rng)
    return _rank(_taus(x[rows], y[rows], _resamples(len(rows), rng)))


def spearman(x: Floats, y: Floats, *, rng: np.random.Generator) -> Rank:
    """Spearman's rho of x and y float[n], with its 95 % bootstrap interval."""
    rows = _some(len(x), rng)
    drawn = np.vstack([np.arange(len(rows)), rng.integers(len(rows), size=(RESAMPLES, len(rows)))])
    a, b = (stats.rankdata(each[rows][drawn], axis=1) for each in (x, y))
    a, b = (each - each.mean(axis=1, keepdims=True) for each in (a, b))
    scale = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return _rank(np.divide((a * b).sum(axis=1), scale, out=np.full(len(drawn), np.nan), where=scale > 0))


def at_equal(values: Floats, cost: Floats) -> Floats:
    """What is left of values float[n] when what a cubic of the logarithm of cost says of them is taken away.

    The correlation of two such remainders says what one knows of the other beyond cost. Comparing their plain
    correlations does not: a search that learns tries networks near the front, and on a front the order by cost is the
    order by accuracy, whatever the surrogate knows.
    """
    logs = np.log(np.maximum(cost, 1.0))
    degree = min(CUBIC, len(np.unique(logs)) - 1)
    rest = values - np.polynomial.Polynomial.fit(logs, values, degree)(logs) if degree > 0 else values - values.mean()
    return np.where(np.abs(rest) <= 1e-9 * max(float(np.abs(values).max()), 1e-300), 0.0, rest)


def coverage(miss: Floats, sd: Floats, *, levels: tuple[float, ...] = LEVELS) -> dict[float, float]:
    """Level -> share of the measurements inside the central interval of that level.

    miss     measured less predicted, float[n]; sd of a measurement around its prediction, noise included
    """
    return {level: float(np.mean(np.abs(miss) <= stats.norm.ppf((1 + level) / 2) * sd)) for level in levels}


def noise_sd(names: NDArray[np.void], top1: Floats, *, miss: Floats, sd: Floats) -> float:
    """The standard deviation of one measurement around the network's true accuracy (a fraction).

    Read off networks that were measured more than once, where there are ENOUGH such repetitions. Else what is most
    likely to remain of the predictions' misses (float[n], measured less predicted) beyond their own sd; that is an
    upper bound, as a surrogate that fits badly misses more.
    """
    which, counts = np.unique(names, return_inverse=True, return_counts=True)[1:]
    spare = len(names) - len(counts)
    if spare >= ENOUGH:
        means = np.bincount(which, weights=top1) / counts
        return math.sqrt(float(((top1 - means[which]) ** 2).sum()) / spare)
    tries = np.append(0, np.geomspace(1e-4, 1, 200)) * max(float(np.abs(miss).max(initial=0)), 1e-12)
    variances = np.maximum(tries[:, None] ** 2 + sd**2, 1e-24)
    unlikely = (np.log(variances) + miss**2 / variances).sum(axis=1)
    return float(tries[np.argmin(unlikely)])


def _some(n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return np.arange(n) if n <= MOST else rng.choice(n, MOST, replace=False)


def _resamples(n: int, rng: np.random.Generator) -> Floats:
    """How often each of n rows is drawn: first all once, then RESAMPLES bootstrap samples, float[1 + RESAMPLES, n]."""
    drawn = rng.multinomial(n, np.full(n, 1 / n), size=RESAMPLES) if n else np.zeros((RESAMPLES, 0))
    return np.vstack([np.ones(n), drawn])


def _taus(x: Floats, y: Floats, counts: Floats) -> Floats:
    """tau-b of each resample, float[resamples]: concordant less discordant pairs over the untied ones."""
    a, b = (np.sign(each[:, None] - each) for each in (x, y))
    agree, untied_a, untied_b = (((counts @ pairs) * counts).sum(axis=1) for pairs in (a * b, a * a, b * b))
    scale = np.sqrt(untied_a * untied_b)
    return np.asarray(np.divide(agree, scale, out=np.full(len(counts), np.nan), where=scale > 0))


def _rank(values: Floats) -> Rank:
    """The first value with the middle 95 % of the others."""
    known = values[1:][~np.isnan(values[1:])]
    low, high = np.quantile(known, [0.025, 0.975]) if len(known) else (math.nan, math.nan)
    return Rank(value=float(values[0]), low=float(low), high=float(high))
