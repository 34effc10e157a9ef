"""Non-negative prices that explain measured amounts, with small relative errors and little regard for outliers."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RIDGES = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)  # candidates for how strongly prices are held down
FOLDS = 5
HUBER = 1.5  # typical errors (1.48 medians) beyond which a measurement loses weight
ROUNDS = 4  # of weighing again
LEAST = 1e-6  # the smallest sum [the unit of what was measured], so that it has a logarithm


def prices(rows: Floats, measured: Floats, *, dearer: Floats, ridge: float) -> tuple[Floats, Floats]:
    """What one of each column costs, so that the sums are near to what was measured, in relative terms.

    rows      float[n, columns], never negative
    measured  float[n], above 0
    dearer    float[columns]: how much harder than the others a column's price is held down
    returns   float[columns], never negative; 0 for a column that is 0 in all rows
              float[n]: how far each measurement is trusted, 1 or less (Huber, Robust Statistics, 1981)
    """
    seen = rows.any(axis=0)
    relative = rows[:, seen] / measured[:, None]
    size = np.sqrt((relative**2).mean(axis=0))
    relative = relative / size
    trust = np.ones(len(measured))
    found = np.zeros(len(size))
    for _ in range(ROUNDS):
        weighed = (relative * trust[:, None]).T / trust.sum()
        found = nnls(weighed @ relative + np.diag(ridge * dearer[seen]), weighed.sum(axis=1), start=found)
        error = np.abs(relative @ found - 1)
        trust = np.minimum(1, (HUBER * 1.4826 * np.median(error) + 1e-9) / np.maximum(error, 1e-9))
    each = np.zeros(rows.shape[1])
    each[seen] = found / size
    return each, trust


def best_ridge(rows: Floats, measured: Floats, *, dearer: Floats) -> float:
    """The ridge whose prices foretell left-out rows best (mean absolute log error over five fixed folds)."""
    fold = folds(len(measured))
    loss = dict.fromkeys(RIDGES, 0.0)
    for each in range(int(fold.max()) + 1):
        rest, left = fold != each, fold == each
        for ridge in RIDGES:
            found, _ = prices(rows[rest], measured[rest], dearer=dearer, ridge=ridge)
            loss[ridge] += float(np.abs(np.log(np.maximum(rows[left] @ found, LEAST) / measured[left])).sum())
    return min(RIDGES, key=lambda ridge: loss[ridge])


def folds(number: int) -> NDArray[np.int64]:
    """The fold of each of n rows, always the same: int[n], of as many folds as there are rows, at most five."""
    return np.random.default_rng(0).permutation(number) % min(FOLDS, number)


def nnls(gram: Floats, right: Floats, *, start: Floats | None = None) -> Floats:
    """The non-negative x with the least x·gram·x / 2 - right·x, by active sets.

    gram     float[n, n], positive definite
    start    a non-negative x to begin with, faster the nearer it is; 0 where there is none
    Source: Lawson and Hanson, Solving Least Squares Problems, 1974, chapter 23.
    """
    x = np.zeros(len(right)) if start is None else start
    x, free = _inside(gram, right, x, x > 0)
    for _ in range(10 * len(right)):
        slope = np.where(free, -np.inf, right - gram @ x)
        if slope.max() <= 1e-10:
            break
        x, free = _inside(gram, right, x, free | (np.arange(len(x)) == np.argmax(slope)))
    return x


def _inside(gram: Floats, right: Floats, x: Floats, free: NDArray[np.bool_]) -> tuple[Floats, NDArray[np.bool_]]:
    """The optimum over the free columns, and which are still free: those that would turn negative end at 0."""
    while True:
        wanted = np.zeros(len(x))
        wanted[free] = np.linalg.solve(gram[np.ix_(free, free)], right[free])
        below = free & (wanted <= 0)
        if not below.any():
            return wanted, free
        step = np.full(len(x), np.inf)
        step[below] = x[below] / np.maximum(x[below] - wanted[below], 1e-300)
        x = x + step.min() * (wanted - x)
        free = free & (step > step.min()) & (x > 0)
        x = np.where(free, x, 0.0)
