"""Latency of blocks that were never measured, learned from the shapes and the latencies of those that were.

Two layers. A sum of non-negative prices (ns a MAdd, an element, an op), fitted to relative errors: it always makes
sense, also far from what was measured. On top a Gaussian process on the logarithms of the same columns, which learns by
how much blocks of such shapes are dearer or cheaper than the sum says, and says nothing far away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from archsearch.cost.shape_features import RANK, features
from archsearch.errors import CountError
from archsearch.spec.ops import Op

Floats = NDArray[np.float64]

FOLDS = 5
RIDGES = (1e-5, 1e-4, 1e-3, 1e-2)  # candidates for how strongly prices are held down
DEARER = np.array([1.0, 10.0, 100.0])[RANK]  # a special price is held down harder than a general one
LENGTHS = (0.5, 1.0, 2.0, 4.0, 8.0)  # of the process, in spreads of a column
NOISES = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0)  # variance of the noise in that of the process
HUBER = 1.5  # spreads behind which a measurement loses weight
CHUNK = 2048


@dataclass(frozen=True, kw_only=True, eq=False)
class ShapeModel:
    """Latency of a block from its operations' shapes: non-negative prices times a Gaussian process's correction."""

    prices: Floats  # [columns] ms for one of each column
    mean: Floats  # [columns] of the logarithms
    scale: Floats  # [columns] what a logarithm is divided by: its spread times the length; inf = column unused
    anchors: Floats  # [measured, columns] measured blocks, scaled
    weights: Floats  # [measured] of the anchors in the correction
    spread: float  # standard deviation of the log error on blocks left out

    def predict(self, blocks: Sequence[Sequence[Op]]) -> Floats:
        """Latency of each block [ms], above 0.

        blocks   lists of ops with ints, as `unroll` gives them; an empty one takes next to no time
        returns  float[n]
        raises   CountError for an op of an unknown kind
        """
        rows = features(blocks)
        return _predict(self, rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers; `from_dict` reads them back."""
        lists = {name: getattr(self, name).tolist() for name in ("prices", "mean", "anchors", "weights")}
        scale = [each if np.isfinite(each) else None for each in self.scale.tolist()]
        return {**lists, "scale": scale, "spread": self.spread}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """The model that `to_dict` wrote; raises CountError where a part is missing or does not fit the others."""
        try:
            arrays = {name: np.array(plain[name], dtype=np.float64) for name in ("prices", "mean", "weights")}
            scale = np.array([np.inf if each is None else each for each in plain["scale"]], dtype=np.float64)
            anchors = np.array(plain["anchors"], dtype=np.float64).reshape(len(arrays["weights"]), len(RANK))
            spread = float(plain["spread"])
        except (KeyError, TypeError, ValueError) as error:
            raise CountError(f"not a model of latencies: {error}") from None
        return cls(**arrays, scale=scale, anchors=anchors, spread=spread)


def fit(blocks: Sequence[Sequence[Op]], ms: NDArray[np.float64]) -> ShapeModel:
    """A model learned from measured blocks.

    blocks   lists of ops with ints; whole networks do as well
    ms       float[n] their latencies [ms], above 0
    raises   CountError for fewer than two blocks, or a latency that is not above 0
    """
    ms = np.asarray(ms, dtype=np.float64)
    if len(blocks) != len(ms) or len(ms) < 2:
        raise CountError(f"a model of latencies needs two blocks or more, and a latency each, got {len(ms)}")
    if not (np.isfinite(ms) & (ms > 0)).all():
        raise CountError(f"latencies must be above 0 ms, got {ms[~(np.isfinite(ms) & (ms > 0))][0]}")
    rows = features(blocks)
    model, setting = _fit(rows, ms)
    fold = np.random.default_rng(0).permutation(len(ms)) % min(FOLDS, len(ms))
    errors = np.empty(len(ms))
    for each in range(fold.max() + 1):
        part, _ = _fit(rows[fold != each], ms[fold != each], setting)
        errors[fold == each] = np.log(_predict(part, rows[fold == each]) / ms[fold == each])
    return ShapeModel(**{**vars(model), "spread": float(np.sqrt(np.mean(errors**2)))})


def _predict(model: ShapeModel, rows: Floats) -> Floats:
    trend = np.maximum(rows @ model.prices, TINY_MS)
    logs = (np.log1p(rows) - model.mean) / model.scale
    parts = [_kernel(logs[at : at + CHUNK], model.anchors) @ model.weights for at in range(0, len(rows), CHUNK)]
    return trend * np.exp(np.clip(np.concatenate([np.zeros(0), *parts]), -MOST_LOG, MOST_LOG))


TINY_MS, MOST_LOG = 1e-6, 2.0


def _kernel(a: Floats, b: Floats) -> Floats:
    """Matern 5/2 of scaled rows: float[n, m]."""
    square = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    far = np.sqrt(5 * np.maximum(square, 0))
    return (1 + far + far**2 / 3) * np.exp(-far)


Setting = tuple[float, float, float]


def _fit(rows: Floats, ms: Floats, setting: Setting | None = None) -> tuple[ShapeModel, Setting]:
    ridge = setting[0] if setting else _best_ridge(rows, ms)
    prices, trust = _prices(rows, ms, ridge)
    target = np.log(ms / np.maximum(rows @ prices, TINY_MS))
    logs = np.log1p(rows)
    mean, spread = logs.mean(axis=0), logs.std(axis=0)
    count = max(1, int((spread > 1e-9).sum()))
    spread = np.where(spread > 1e-9, spread * np.sqrt(count), np.inf)
    scaled = (logs - mean) / spread
    if setting is None:
        setting = (ridge, *_likeliest(scaled, target, trust))
    anchors = scaled / setting[1]
    weights = np.linalg.solve(_kernel(anchors, anchors) + np.diag(setting[2] / trust), target)
    return ShapeModel(prices=prices, mean=mean, scale=spread * setting[1], anchors=anchors, weights=weights,
                      spread=0.0), setting  # fmt: skip


def _likeliest(scaled: Floats, target: Floats, trust: Floats) -> tuple[float, float]:
    """The length and noise under which the residuals are likeliest, the process's variance set to its best."""
    best = (np.inf, 1.0, 1.0)
    for length in LENGTHS:
        kernel = _kernel(scaled / length, scaled / length)
        for noise in NOISES:
            low = np.linalg.cholesky(kernel + np.diag(noise / trust))
            inner = np.linalg.solve(low, target)
            loss = len(target) / 2 * np.log(np.mean(inner**2) + 1e-12) + np.log(np.diag(low)).sum()
            best = min(best, (float(loss), length, noise))
    return best[1], best[2]


def _best_ridge(rows: Floats, ms: Floats) -> float:
    fold = np.random.default_rng(0).permutation(len(ms)) % min(FOLDS, len(ms))
    losses = []
    for ridge in RIDGES:
        errors = []
        for each in range(fold.max() + 1):
            prices, _ = _prices(rows[fold != each], ms[fold != each], ridge)
            errors += list(np.abs(np.log(np.maximum(rows[fold == each] @ prices, TINY_MS) / ms[fold == each])))
        losses.append(np.mean(errors))
    return RIDGES[int(np.argmin(losses))]


def _prices(rows: Floats, ms: Floats, ridge: float) -> tuple[Floats, Floats]:
    """Prices that make relative errors small, and how far each measurement is trusted (0 to 1)."""
    trust = np.ones(len(ms))
    relative = rows / ms[:, None]
    scale = np.sqrt((relative**2).mean(axis=0))
    scale[scale == 0] = np.inf
    relative = relative / scale
    solution = np.zeros(rows.shape[1])
    for _ in range(4):
        gram = (relative * trust[:, None]).T @ relative / trust.sum() + np.diag(ridge * DEARER)
        solution = nnls(gram, relative.T @ trust / trust.sum())
        errors = relative @ solution - 1
        wide = HUBER * 1.4826 * np.median(np.abs(errors)) + 1e-9
        trust = np.minimum(1, wide / np.maximum(np.abs(errors), 1e-12))
    return solution / scale, trust


def nnls(gram: Floats, right: Floats) -> Floats:
    """The non-negative x with the least x·gram·x / 2 - right·x, by active sets.

    gram     float[n, n], positive definite
    Source: Lawson and Hanson, Solving Least Squares Problems, 1974, chapter 23.
    """
    x = np.zeros(len(right))
    free = np.zeros(len(right), dtype=bool)
    for _ in range(10 * len(right)):
        slope = np.where(free, -np.inf, right - gram @ x)
        if slope.max() <= 1e-10:
            break
        free[np.argmax(slope)] = True
        x = _onto(gram, right, x, free)
    return x


def _onto(gram: Floats, right: Floats, x: Floats, free: NDArray[np.bool_]) -> Floats:
    """The optimum over the free columns; those that would turn negative on the way are fixed at 0 (in `free`)."""
    while True:
        wanted = np.zeros(len(x))
        wanted[free] = np.linalg.solve(gram[np.ix_(free, free)], right[free])
        below = free & (wanted <= 0)
        if not below.any():
            return wanted
        step = (x[below] / np.maximum(x[below] - wanted[below], 1e-300)).min()
        x = x + step * (wanted - x)
        free &= x > 1e-15
        x = np.where(free, x, 0)
