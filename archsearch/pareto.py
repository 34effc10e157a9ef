"""Which ones are not beaten, and how much do they cover."""

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
    Method     slices along the last column (Zitzler's HSO); one sweep for two columns.
    """
    values, reference = _table(values), np.asarray(reference, dtype=float)
    if reference.shape != values.shape[1:]:
        raise SpecError(f"reference must have {values.shape[1]} numbers, got shape {reference.shape}")
    inside = values[(values < reference).all(axis=1)]
    return _volume(inside[front(inside)], reference) if len(inside) else 0.0


def _volume(points: Floats, reference: Floats) -> float:
    """Hypervolume of rows that are all inside the reference."""
    if len(points) == 0:
        return 0.0
    if points.shape[1] == 1:
        return float(reference[0] - points.min())
    points = points[np.argsort(points[:, -1], kind="stable")]
    if points.shape[1] == 2:
        best = np.minimum.accumulate(points[:, 0])
        heights = np.diff(np.append(points[:, 1], reference[1]))
        return float(((reference[0] - best) * heights).sum())
    edges = np.append(points[:, -1], reference[-1])
    slices = (
        (edges[i + 1] - edges[i]) * _volume(points[: i + 1, :-1][front(points[: i + 1, :-1])], reference[:-1])
        for i in range(len(points))
        if edges[i + 1] > edges[i]
    )
    return float(sum(slices))


def _table(values: Floats) -> Floats:
    values = np.asarray(values, dtype=float)
    if values.ndim != 2:
        raise SpecError(f"values must be [n, m], got shape {values.shape}")
    return values
