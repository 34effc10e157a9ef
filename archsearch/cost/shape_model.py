"""Latency of blocks that were never measured, learned from the shapes and the latencies of those that were.

Two layers. A sum of non-negative prices (ms for a MAdd, an element, an op), fitted to relative errors: it makes sense
also far from what was measured. On it a Gaussian process on the logarithms of the same columns, which learns by how
much blocks of such shapes are dearer or cheaper than the sum says, and falls silent where nothing similar was measured.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from archsearch.cost.nonnegative import LEAST, best_ridge, folds, prices
from archsearch.cost.shape_features import COLUMNS, RANK, SHAPE, features
from archsearch.errors import CountError
from archsearch.spec.ops import Op

Floats = NDArray[np.float64]

DEARER = np.array([1.0, 30.0, 1000.0])[RANK]  # a special price is held down harder than a general one
LENGTHS = (0.1, 0.2, 0.35, 0.5, 1.0, 2.0, 4.0)  # of the process, in spreads of its columns
NOISES = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0)  # variance of the noise, in variances of the process
JUDGES = 500  # measured blocks by which length and noise are chosen
MOST_LOG = 1.0  # the correction is at most this factor's logarithm
CHUNK = 1024  # blocks predicted at once: their kernel stays small
ARRAYS = ("prices", "mean", "scale", "weights")


@dataclass(frozen=True, kw_only=True, eq=False)
class ShapeModel:
    """Latency of a block from its operations' shapes: non-negative prices, corrected by a Gaussian process."""

    prices: Floats  # [columns] ms for one of each of `COLUMNS`
    mean: Floats  # [shape] of the logarithms of the columns `SHAPE`
    scale: Floats  # [shape] what they are divided by; 0 = not used
    anchors: Floats  # [measured, shape] the measured blocks, so scaled
    weights: Floats  # [measured] of the anchors in the correction
    spread: float  # 95 % of left-out blocks were foretold within a factor exp(1.96 * spread); see `fit`

    def predict(self, blocks: Sequence[Sequence[Op]]) -> Floats:
        """Latency of each block [ms], above 0.

        blocks   lists of ops with ints, as `unroll` gives them; an empty one takes next to no time
        returns  float[n]
        raises   CountError for an op of an unknown kind
        """
        return _predict(self, features(blocks))

    def trend(self, blocks: Sequence[Sequence[Op]]) -> Floats:
        """The same without the correction: the sum of prices [ms]."""
        return np.maximum(features(blocks) @ self.prices, LEAST)

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers; `from_dict` reads them back."""
        lists = {name: getattr(self, name).tolist() for name in (*ARRAYS, "anchors")}
        return {**lists, "columns": list(COLUMNS), "spread": self.spread}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """The model that `to_dict` wrote; raises CountError where it is no model, or one on other columns."""
        try:
            if tuple(plain["columns"]) != COLUMNS:
                raise ValueError("its columns are not those of this version")
            found = {name: np.array(plain[name], dtype=np.float64) for name in ARRAYS}
            anchors = np.array(plain["anchors"], dtype=np.float64).reshape(len(found["weights"]), len(SHAPE))
            sizes = {name: len(found[name]) for name in ARRAYS[:3]}
            if sizes != {"prices": len(COLUMNS), "mean": len(SHAPE), "scale": len(SHAPE)}:
                raise ValueError(f"lists of wrong lengths: {sizes}")
            spread = float(plain["spread"])
            if not (np.isfinite(spread) and all(np.isfinite(each).all() for each in (*found.values(), anchors))):
                raise ValueError("a number is not finite")
            return cls(**found, anchors=anchors, spread=spread)
        except (KeyError, TypeError, ValueError) as error:
            raise CountError(f"not a model of latencies: {error}") from None


def fit(blocks: Sequence[Sequence[Op]], ms: NDArray[np.float64]) -> ShapeModel:
    """A model learned from measured blocks; the same ones give the same model.

    The correction is kept only where it makes the errors on left-out blocks smaller, by more than a standard error.
    The spread is the 95th percentile of the absolute log errors on blocks left out (five folds; with few blocks their
    largest), divided by 1.96: the standard deviation, were the errors normal, that one odd block cannot blow up.
    blocks   lists of ops with ints; whole networks do as well
    ms       float[n] their latencies [ms], above 0
    raises   CountError for fewer than two blocks, a latency that is not above 0, or an op of an unknown kind
    """
    ms = np.asarray(ms, dtype=np.float64)
    if len(ms) < 2 or ms.shape != (len(blocks),):
        raise CountError(f"a model needs two blocks or more, each with a latency, got {len(blocks)} and {ms.size}")
    if not (fine := np.isfinite(ms) & (ms > 0)).all():
        raise CountError(f"a latency must be above 0 ms, got {ms[~fine][0]}")
    rows = features(blocks)
    setting = _setting(rows, ms)
    model, errors = _learn(rows, ms, setting), _left_out(rows, ms, setting)
    gain = errors[0] - errors[1]
    if gain.mean() * np.sqrt(len(gain)) <= gain.std():
        model, errors = replace(model, weights=np.zeros(0), anchors=model.anchors[:0]), errors[::-1]
    level = min(1.0, 0.95 * (len(ms) + 1) / len(ms))
    return replace(model, spread=float(np.quantile(errors[1], level, method="higher")) / 1.96)


def _left_out(rows: Floats, ms: Floats, setting: "_Setting") -> Floats:
    """Absolute log errors on blocks left out by folds: float[2, n], of the prices alone and with the correction."""
    fold, errors = folds(len(ms)), np.empty((2, len(ms)))
    for each in range(int(fold.max()) + 1):
        rest, left = fold != each, fold == each
        part = _learn(rows[rest], ms[rest], setting)
        told = [np.maximum(rows[left] @ part.prices, LEAST), _predict(part, rows[left])]
        errors[:, left] = np.abs(np.log(np.array(told) / ms[left]))
    return errors


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setting:
    """What is chosen once from all measurements, and kept while folds are left out."""

    ridge: float
    length: float
    noise: float


def _learn(rows: Floats, ms: Floats, setting: _Setting) -> ShapeModel:
    """Prices and correction under a setting; the spread is still unknown."""
    found, trust = prices(rows, ms, dearer=DEARER, ridge=setting.ridge)
    mean, scale = _scales(rows, setting.length)
    anchors: Floats = np.round(_scaled(rows, mean, scale), 5)  # short in a file
    kernel = _kernel(anchors, anchors) + np.diag(setting.noise / trust)
    weights = np.asarray(np.linalg.solve(kernel, _missing(rows, ms, found)), dtype=np.float64)
    return ShapeModel(prices=found, mean=mean, scale=scale, anchors=anchors, weights=weights, spread=np.nan)


def _setting(rows: Floats, ms: Floats) -> _Setting:
    """The ridge that foretells best, then the length and noise under which the prices' errors are likeliest.

    The process's variance is set to its best each time; a part of the measurements is enough to choose.
    """
    ridge = best_ridge(rows, ms, dearer=DEARER)
    found, trust = prices(rows, ms, dearer=DEARER, ridge=ridge)
    part = np.random.default_rng(0).permutation(len(ms))[:JUDGES]
    missing, rows, trust = _missing(rows, ms, found)[part], rows[part], trust[part]
    best = (np.inf, 0.0, 0.0)
    for length in LENGTHS:
        scaled = _scaled(rows, *_scales(rows, length))
        root = np.sqrt(trust)
        values, vectors = np.linalg.eigh(root[:, None] * _kernel(scaled, scaled) * root)
        along = vectors.T @ (root * missing)
        for noise in NOISES:
            spectrum = np.maximum(values, 0) + noise
            loss = len(part) * np.log(np.mean(along**2 / spectrum) + 1e-12) + np.log(spectrum).sum()
            best = min(best, (float(loss), length, noise))
    return _Setting(ridge=ridge, length=best[1], noise=best[2])


def _predict(model: ShapeModel, rows: Floats) -> Floats:
    scaled = _scaled(rows, model.mean, model.scale)
    shares = [np.empty(0)]
    shares += [_kernel(scaled[at : at + CHUNK], model.anchors) @ model.weights for at in range(0, len(rows), CHUNK)]
    factor: Floats = np.exp(np.clip(np.concatenate(shares), -MOST_LOG, MOST_LOG))
    return np.maximum(rows @ model.prices, LEAST) * factor


def _missing(rows: Floats, ms: Floats, found: Floats) -> Floats:
    """What the prices leave unexplained, as a logarithm: float[n]."""
    left: Floats = np.log(ms / np.maximum(rows @ found, LEAST))
    return left


def _scales(rows: Floats, length: float) -> tuple[Floats, Floats]:
    """Means of the logarithms of the columns, and factors that make one `length` of the process 1."""
    logs = np.log1p(rows[:, SHAPE])
    spread = logs.std(axis=0)
    used = spread > 1e-9
    return logs.mean(axis=0), used / np.where(used, spread * length * np.sqrt(max(1, used.sum())), 1.0)


def _scaled(rows: Floats, mean: Floats, scale: Floats) -> Floats:
    return (np.log1p(rows[:, SHAPE]) - mean) * scale


def _kernel(a: Floats, b: Floats) -> Floats:
    """Matérn 5/2 between scaled rows: float[n, m]. Source: Rasmussen and Williams, 2006, equation 4.17."""
    square = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * (a @ b.T)
    far = np.sqrt(5 * np.maximum(square, 0.0))
    nearness: Floats = (1 + far + far**2 / 3) * np.exp(-far)
    return nearness
