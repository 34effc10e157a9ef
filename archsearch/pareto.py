"""Which ones are not beaten, and how much do they cover."""

import math
from bisect import bisect_left, bisect_right

import numpy as np
from numpy.typing import NDArray

from archsearch.errors import SpecError

Floats = NDArray[np.float64]


def front(values: Floats) -> NDArray[np.bool_]:
    """Which rows no other row beats.

    values   float[n, m], every column minimised; a row with NaN is never on the front
    returns  bool[n]; equal rows stand or fall together
    raises   SpecError unless values has two dimensions
    cost     O(n²·m) time at worst, O(n·m) memory
    """
    values = _table(values)
    alive: NDArray[np.bool_] = np.asarray(~np.isnan(values).any(axis=1))
    for i in np.flatnonzero(alive):
        if alive[i]:
            alive &= ~((values[i] <= values).all(axis=1) & (values[i] < values).any(axis=1))
    return alive


def hypervolume(values: Floats, reference: Floats) -> float:
    """Volume that the rows dominate, up to a reference point; exact.

    values     float[n, m], every column minimised; rows with NaN or beyond the reference add nothing
    reference  float[m]
    raises     SpecError where the shapes do not match
    cost       O(n log n) for two columns, about that for three (a sweep along the last one, whose cross-section is
               kept as a staircase); slices along the last column (Zitzler's HSO) for more
    """
    values, reference = _checked(values, reference)
    inside = values[(values < reference).all(axis=1)]
    if len(inside) == 0:
        return 0.0
    if np.isinf(inside).any() or np.isinf(reference).any():
        return math.inf
    return _volume(inside, reference)


def growth(values: Floats, reference: Floats) -> Floats:
    """The hypervolume of the first row, of the first two, ..., of all: float64[n].

    Takes and raises what `hypervolume` does.
    cost       for two columns O(log n) a row beside what it beats; for more, rows that are beaten cost O(n), the
               others one hypervolume of the front so far
    """
    values, reference = _checked(values, reference)
    useful = (values < reference).all(axis=1)
    gains = np.zeros(len(values))
    if values.shape[1] == 2:
        stairs = Staircase(reference)
        for i in np.flatnonzero(useful):
            gains[i] = stairs.add(values[i, 0].item(), values[i, 1].item())
        return np.cumsum(gains)
    kept = np.empty((0, values.shape[1]))
    for i in np.flatnonzero(useful):
        row = values[i]
        if not (kept <= row).all(axis=1).any():
            gains[i] = max(np.prod(reference - row) - hypervolume(np.maximum(kept, row), reference), 0.0)
            kept = np.vstack([kept[~(row <= kept).all(axis=1)], row])
    return np.cumsum(gains)


class Staircase:
    """The points of two columns that no other beats, in order of the first; grows by one point at a time."""

    def __init__(self, reference: Floats) -> None:
        self._x = [-math.inf, float(reference[0])]  # a guard at each end
        self._y = [float(reference[1]), -math.inf]

    def add(self, x: float, y: float) -> float:
        """Add a point that lies inside the reference; the area that it adds, 0 where it is beaten or there already."""
        xs, ys = self._x, self._y
        after = bisect_right(xs, x)
        level = ys[after - 1]  # of the staircase at x
        if level <= y:
            return 0.0
        area, left, end = 0.0, x, after
        while level > y:
            area += (xs[end] - left) * (level - y)
            left, level, end = xs[end], ys[end], end + 1
        start, end = bisect_left(xs, x), end - 1
        xs[start:end], ys[start:end] = [x], [y]
        return area


def _volume(points: Floats, reference: Floats) -> float:
    """Hypervolume of at least one row, all of them inside the reference."""
    if points.shape[1] == 1:
        return float(reference[0] - points.min())
    points = points[np.argsort(points[:, -1], kind="stable")]
    thickness = np.diff(np.append(points[:, -1], reference[-1]))
    if points.shape[1] == 2:
        best = np.minimum.accumulate(points[:, 0])
        return float(((reference[0] - best) * thickness).sum())
    if points.shape[1] == 3:
        stairs = Staircase(reference)
        areas = np.cumsum([stairs.add(x, y) for x, y in points[:, :2].tolist()])
        return float((areas * thickness).sum())
    slices = (
        thickness[i] * _volume(points[: i + 1, :-1][front(points[: i + 1, :-1])], reference[:-1])
        for i in np.flatnonzero(thickness)
    )
    return float(sum(slices))


def _checked(values: Floats, reference: Floats) -> tuple[Floats, Floats]:
    values, reference = _table(values), np.asarray(reference, dtype=float)
    if reference.shape != values.shape[1:]:
        raise SpecError(f"reference must have {values.shape[1]} numbers, got shape {reference.shape}")
    return values, reference


def _table(values: Floats) -> Floats:
    values = np.asarray(values, dtype=float)
    if values.ndim != 2:
        raise SpecError(f"values must be [n, m], got shape {values.shape}")
    return values
