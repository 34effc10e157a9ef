"""The passes over a feature map that batch norm needs, compiled by Numba.

Shapes: r rows of c channels, float32 and contiguous; what belongs to a channel is float32[c]; sums are float64[2, c].
What is changed in place is one argument, not two of one memory: a compiler that cannot tell does not vectorise.
"""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

# Not "nnan" and "ninf": a number that is not finite must come out at the other end, where the loss is looked at.
MATHS = {"nsz", "arcp", "contract", "afn", "reassoc"}
BLOCK = 64  # rows summed in float32 before they are added up in float64


def compiled(loop: Callable[..., None]) -> Any:
    """The loop as machine code, made at its first call and kept on disk where there is room for it."""
    how = {"fastmath": MATHS, "nogil": True, "error_model": "numpy", "boundscheck": False}
    try:
        return numba.njit(**how, cache=True)(loop)
    except RuntimeError:  # neither beside the source nor in the user's cache can be written
        return numba.njit(**how)(loop)


@compiled
def summed(x, sums):
    """Each channel's sum and sum of squares."""
    rows, channels = x.shape
    first, second = np.empty(channels, np.float32), np.empty(channels, np.float32)
    for start in range(0, rows, BLOCK):
        first[:] = 0
        second[:] = 0
        for i in range(start, min(rows, start + BLOCK)):
            for j in range(channels):
                value = x[i, j]
                first[j] += value
                second[j] += value * value
        for j in range(channels):
            sums[0, j] += first[j]
            sums[1, j] += second[j]


@compiled
def clamped(x, scale, shift, bounds, out):
    """out = x * scale + shift, cut to the bounds."""
    low, high = bounds
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            value = x[i, j] * scale[j] + shift[j]
            value = low if value < low else value
            out[i, j] = high if value > high else value


@compiled
def back_summed(x, gradient, scale, shift, bounds, sums):
    """Each channel's sum of the gradient that passes the clamp, and of that times x."""
    rows, channels = x.shape
    low, high = bounds
    first, second = np.empty(channels, np.float32), np.empty(channels, np.float32)
    for start in range(0, rows, BLOCK):
        first[:] = 0
        second[:] = 0
        for i in range(start, min(rows, start + BLOCK)):
            for j in range(channels):
                value = x[i, j]
                before = value * scale[j] + shift[j]
                passed = gradient[i, j] if (before > low and before < high) else np.float32(0)
                first[j] += passed
                second[j] += passed * value
        for j in range(channels):
            sums[0, j] += first[j]
            sums[1, j] += second[j]


@compiled
def back_applied(x, gradient, scale, shift, bounds, slope, add):
    """The gradient becomes scale * what of it passes the clamp - slope * x - add, in place."""
    low, high = bounds
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            value = x[i, j]
            before = value * scale[j] + shift[j]
            passed = gradient[i, j] if (before > low and before < high) else np.float32(0)
            gradient[i, j] = scale[j] * passed - slope[j] * value - add[j]


@compiled
def masked(y, gradient, bounds, sums):
    """The gradient becomes 0, in place, where y is not inside the bounds; sums[0]: its sum."""
    rows, channels = y.shape
    low, high = bounds
    first = np.empty(channels, np.float32)
    for start in range(0, rows, BLOCK):
        first[:] = 0
        for i in range(start, min(rows, start + BLOCK)):
            for j in range(channels):
                passed = gradient[i, j] if (y[i, j] > low and y[i, j] < high) else np.float32(0)
                first[j] += passed
                gradient[i, j] = passed
        for j in range(channels):
            sums[0, j] += first[j]
