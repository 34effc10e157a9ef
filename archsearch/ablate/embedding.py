"""How much a ReLU in a narrow layer destroys: points sent through a random layer and back, for many widths.

Points of few dimensions d are embedded into n by a random matrix T, a nonlinearity is applied, and a linear map brings
them back: the pseudo-inverse of T as in arXiv:1801.04381, figure 1, or the best one there is, by least squares.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsearch.ablate.intervals import FEW, mean_interval
from archsearch.errors import ArchSearchError

Floats = NDArray[np.float64]
Act = Callable[[Floats], Floats]
WIDTHS = (2, 3, 5, 10, 15, 20, 30, 50)
MATRICES, POINTS, TURNS = 200, 400, 2
RESAMPLES = 1_999
CUT = 1e-10  # singular values below this share of the largest are none


def _relu6(x: Floats) -> Floats:
    return np.clip(x, 0.0, 6.0)


ACTS: Mapping[str, Act] = {"linear": lambda x: x, "relu": lambda x: np.maximum(x, 0.0), "relu6": _relu6}
ACTIVE: Mapping[str, Callable[[Floats], NDArray[np.bool_]]] = {  # units whose output tells their input
    "linear": lambda x: np.ones(x.shape, dtype=bool),
    "relu": lambda x: x > 0,
    "relu6": lambda x: (x > 0) & (x < 6),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Embedding:
    """What comes back: a row for each width and nonlinearity, and the points of one matrix for a figure."""

    original: Floats  # float[points, d]
    rows: list[dict[str, Any]]  # see `embedding`
    curves: list[dict[str, Any]]  # "n", "act", "points": [[x, y], ...] sent back by the pseudo-inverse


def spiral(points: int = POINTS, turns: float = TURNS) -> Floats:
    """A spiral around the origin, mean zero and variance one in both coordinates: float[points, 2]."""
    angle = 2 * np.pi * turns * np.linspace(0.0, 1.0, points)
    return standard(np.column_stack([angle * np.cos(angle), angle * np.sin(angle)]))


def cloud(points: int, dimension: int, rng: np.random.Generator) -> Floats:
    """Normal points that fill their dimensions, mean zero and variance one: float[points, dimension]."""
    return standard(rng.normal(size=(points, dimension)))


def standard(points: Floats) -> Floats:
    """Shifted and scaled to mean zero and variance one in each coordinate."""
    return np.asarray((points - points.mean(axis=0)) / points.std(axis=0))


def embedding(
    seed: int = 0, *, widths: Sequence[int] = WIDTHS, matrices: int = MATRICES, points: int = POINTS, dimension: int = 2
) -> Embedding:
    """The spiral (d = 2) or a normal cloud (other d) through random layers of each width, without and with ReLU, ReLU6.

    T has normal entries of variance 1 / d, so that what a unit sees has variance one, as after batch norm.

    widths   numbers of units n, each at least d: fewer lose dimensions without any nonlinearity
    matrices how many random ones, at least 8; the same ones for all nonlinearities of a width
    returns  rows: "n", "act", and means over the matrices with the ends of their 95 % intervals, all shares:
             "kept", "low", "high": of the variance that the pseudo-inverse of T brings back, 1 - residual / total sum
                 of squares about the mean; below zero counts as zero, for the mean itself does as well (and T of few
                 units is near to singular often enough that raw means would be those of a few matrices). With many
                 units it goes to 0.75: a ReLU halves what they add up to, and the pseudo-inverse does not know
             "kept_linear_map", "linear_map_low", "linear_map_high": the same of the best linear map with an offset
             "unique", "unique_low", "unique_high": of the points that no other point of the plane shares its image
                 with: at least d units tell their input (appendix A, on the invertibility of ReLU; any d rows
                 of a normal matrix are independent with probability one)
             "unique_expected": what appendix A says of it; None for ReLU6
    raises   ArchSearchError for a width below d, fewer than 8 matrices, no dimension, or no more points than dimensions
    """
    _check(widths, matrices, points, dimension)
    rng = np.random.default_rng(seed)
    x = spiral(points) if dimension == 2 else cloud(points, dimension, rng)
    rows: list[dict[str, Any]] = []
    curves: list[dict[str, Any]] = []
    for n in widths:
        layers = rng.normal(size=(matrices, n, dimension)) / math.sqrt(dimension)
        seen = x @ layers.swapaxes(1, 2)  # float[matrices, points, n]
        for name, act in ACTS.items():
            out = act(seen)
            back = out @ np.linalg.pinv(layers, rcond=CUT).swapaxes(1, 2)
            shares = np.stack([kept(back, x), kept_linear(out, x), unique(ACTIVE[name](seen), dimension)])
            rows.append(_row(n, name, shares, dimension, rng))
            curves.append({"n": n, "act": name, "points": back[0].tolist()})
    return Embedding(original=x, rows=rows, curves=curves)


def _check(widths: Sequence[int], matrices: int, points: int, dimension: int) -> None:
    if dimension < 1:
        raise ArchSearchError(f"points need at least 1 dimension, got {dimension}")
    if not widths or min(widths) < dimension:
        raise ArchSearchError(f"widths must be at least the {dimension} dimensions of the points, got {list(widths)}")
    if matrices < FEW:
        raise ArchSearchError(f"intervals need at least {FEW} matrices, got {matrices}")
    if points <= max(dimension, 2):
        raise ArchSearchError(f"there must be more than {max(dimension, 2)} points, got {points}")


def _row(n: int, name: str, shares: Floats, dimension: int, rng: np.random.Generator) -> dict[str, Any]:
    """Means and intervals of shares float[3, matrices]."""
    low, high = mean_interval(shares, rng, resamples=RESAMPLES)
    parts = (("kept", "low", "high"), ("kept_linear_map", "linear_map_low", "linear_map_high"),
             ("unique", "unique_low", "unique_high"))  # fmt: skip
    told: dict[str, Any] = {"n": n, "act": name}
    for keys, *values in zip(parts, shares.mean(axis=1), low, high, strict=True):
        told |= {key: float(value) for key, value in zip(keys, values, strict=True)}
    known = {"linear": 1.0, "relu": unique_expected(n, dimension)}
    return {**told, "unique_expected": known.get(name)}


def kept(back: Floats, x: Floats) -> Floats:
    """Of each matrix, the share of the variance of x float[points, d] that back float[matrices, points, d] has."""
    left = ((back - x) ** 2).sum(axis=(1, 2))
    return np.asarray(np.maximum(1 - left / ((x - x.mean(axis=0)) ** 2).sum(), 0.0))


def kept_linear(out: Floats, x: Floats) -> Floats:
    """The same for the best linear map with an offset, from out float[matrices, points, n]: least squares."""
    outs, ins = out - out.mean(axis=1, keepdims=True), x - x.mean(axis=0)
    across = outs.swapaxes(1, 2) @ ins  # float[matrices, n, d]
    maps = np.linalg.pinv(outs.swapaxes(1, 2) @ outs, rcond=CUT, hermitian=True) @ across
    return np.asarray(np.clip((across * maps).sum(axis=(1, 2)) / (ins**2).sum(), 0.0, 1.0))


def unique(active: NDArray[np.bool_], dimension: int) -> Floats:
    """The share of points with at least d active units, given bool[matrices, points, n]: float[matrices]."""
    return np.asarray((active.sum(axis=2) >= dimension).mean(axis=1))


def unique_expected(n: int, dimension: int) -> float:
    """The share of points that ReLU of n random units leaves unique, on average: at least d of n fair coins fall heads.

    Source: arXiv:1801.04381, appendix A, for matrices whose rows may be flipped in sign.
    """
    return float(sum(math.comb(n, k) for k in range(dimension, n + 1)) / 2**n)
