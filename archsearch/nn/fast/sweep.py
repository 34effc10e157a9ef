"""Sweeps over images that a 3x3 depthwise convolution needs, compiled by Numba: one each way.

Maps are flat float32 in channels-last order; what belongs to a channel is cut into blocks of 16 (see `blocked`). Each
image stays in the caches while all that needs it is done.
"""

import numba
import numpy as np
from numpy.typing import NDArray

from archsearch.nn.fast.loops import compiled
from archsearch.nn.fast.rows import AFFINE, TAPS, backward, forward_1, forward_2, load, load_gradient
from archsearch.nn.fast.vectors import BYTES, LANES

Floats = NDArray[np.float32]
SLOTS = 4  # rows of a ring: three in use, and one of zeros


def blocked(values: NDArray[np.float64] | Floats) -> Floats:
    """[k, c], c at least 16, as flat float32[ceil(c / 16), k, 16]; the last block starts at c - 16."""
    channels = values.shape[1]
    starts = [min(start, channels - LANES) for start in range(0, channels, LANES)]
    return np.stack([values[:, start : start + LANES] for start in starts]).astype(np.float32).ravel()


def room(width: int, channels: int, totals: int) -> tuple[Floats, Floats]:
    """A ring of zeros that starts with a line of the cache, and totals[ceil(c / 16), k, 16]."""
    blocks = -(-channels // LANES)
    count = SLOTS * blocks * (width + 2) * LANES
    loose = np.zeros(count + LANES, np.float32)
    start = -loose.ctypes.data // 4 % LANES
    return loose[start : start + count], np.zeros((blocks, totals, LANES), np.float32)


@numba.njit(inline="always")
def slot_of(y, stride, height, size):
    """Where in the ring row y lies; the zeros for what is outside or between the rows of stride 2."""
    return y // stride % 3 * size if y >= 0 and y % stride == 0 and y // stride < height else 3 * size


@compiled
def counted(totals, channels, sums):
    """Adds an image's totals to the sums; lanes that two blocks share count once."""
    for block in range(totals.shape[0]):
        start = min(block * LANES, channels - LANES)
        for k in range(totals.shape[1]):
            for lane in range(block * LANES - start, LANES):
                sums[k, start + lane] += totals[block, k, lane]


@compiled
def convolve(shape, maps, weights, space, sums):
    """Writes the convolution; adds up sums and sums of squares of its channels, float64[2, c].

    shape   first image, one behind the last, height, width, channels, stride, whether to write past the caches
    maps    x, out
    space   see `room`
    """
    first, end, height, width, channels, stride, past = shape
    ring, totals = space
    x, out, fixed = maps[0].ctypes.data, maps[1].ctypes.data, weights.ctypes.data
    start, total = ring.ctypes.data, totals.ctypes.data
    blocks, line = totals.shape[0], (width + 2) * BYTES
    tall, wide = (height - 1) // stride + 1, (width - 1) // stride + 1
    for image in range(first, end):
        totals[:] = 0
        ready = 0
        for row in range(tall):
            y = row * stride
            until = min(y + 2, height)
            one, two, three = (slot_of(y - 1, 1, height, blocks * line), slot_of(y, 1, height, blocks * line),
                               slot_of(y + 1, 1, height, blocks * line))  # fmt: skip
            for block in range(blocks):
                at = 4 * min(block * LANES, channels - LANES)
                here = start + block * line
                for new in range(ready, until):
                    source = x + 4 * (image * height + new) * width * channels
                    load(source + at, 4 * channels, here + new % 3 * blocks * line + BYTES, width,
                         source + (4 * channels + block * BYTES) * width)  # fmt: skip
                rows = (here + one, here + two, here + three)
                target = (out + 4 * (image * tall + row) * wide * channels + at, 4 * channels, past)
                if stride == 1:
                    forward_1(rows, fixed + block * TAPS * BYTES, total + block * 2 * BYTES, target, wide)
                else:
                    forward_2(rows, fixed + block * TAPS * BYTES, total + block * 2 * BYTES, target, wide)
            ready = until
        counted(totals, channels, sums)


@compiled
def convolve_back(shape, maps, fixed, space, sums):
    """Writes the gradient of x; adds up those of the 9 weights, in reverse order, and its own sums: float64[10, c].

    shape   as in `convolve`
    maps    x, the convolution's result, the gradient behind batch norm and clamp, out
    fixed   blocked: `AFFINE` values of that batch norm, weights in reverse order; two vectors that bound x
    """
    first, end, height, width, channels, stride, past = shape
    ring, totals = space
    x, y, gradient, out = maps[0].ctypes.data, maps[1].ctypes.data, maps[2].ctypes.data, maps[3].ctypes.data
    affine, weights, bounds = fixed[0].ctypes.data, fixed[1].ctypes.data, fixed[2].ctypes.data
    start, total = ring.ctypes.data, totals.ctypes.data
    blocks, line = totals.shape[0], (width + 2) * BYTES
    tall, wide = (height - 1) // stride + 1, (width - 1) // stride + 1
    for image in range(first, end):
        totals[:] = 0
        ready = 0
        for row in range(height):
            until = min((row + 1) // stride + 1, tall)
            one, two, three = (slot_of(row - 1, stride, tall, blocks * line), slot_of(row, stride, tall, blocks * line),
                               slot_of(row + 1, stride, tall, blocks * line))  # fmt: skip
            for block in range(blocks):
                at = 4 * min(block * LANES, channels - LANES)
                here = start + block * line
                for new in range(ready, until):
                    source = 4 * (image * tall + new) * wide * channels
                    soon = source + (4 * channels + block * BYTES) * wide
                    load_gradient((y + source + at, gradient + source + at, y + soon, gradient + soon), 4 * channels,
                                  affine + block * AFFINE * BYTES,
                                  (here + new % 3 * blocks * line + BYTES, stride * BYTES), wide)  # fmt: skip
                target = 4 * (image * height + row) * width * channels + at
                backward((here + one, here + two, here + three), (weights + block * TAPS * BYTES, bounds),
                         total + block * (TAPS + 1) * BYTES, (x + target, out + target, 4 * channels, past),
                         width)  # fmt: skip
            ready = until
        counted(totals, channels, sums)
