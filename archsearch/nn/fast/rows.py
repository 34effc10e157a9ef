"""Rows of a 3x3 depthwise convolution, forward and backward, as vector instructions.

A ring holds the last padded rows of an image, one block of 16 channels after another, so every neighbour of a pixel is
at a fixed distance. Totals are float32 vectors that live in registers along a row.
"""

from collections.abc import Callable
from typing import Any

from numba.core import cgutils
from numba.extending import intrinsic

from archsearch.nn.fast.vectors import BYTES, OFFSET, Code, typed

SIDE = 3  # of the kernel [pixels]
TAPS = SIDE * SIDE
AHEAD = 4  # pixels computed at once: with 9 weights and 9 totals they leave a few of 32 registers free
AFFINE = 6  # vectors a block: scale, shift, slope, add, low, high


def load_row(code: Code, x: Any, step: Any, ring: Any, count: Any, soon: Any) -> None:
    """A block of a row of x goes into the ring; fetches as much of the next row."""
    with cgutils.for_range(code.builder, count) as loop:
        code.soon(code.moved(soon, loop.index))
        code.write(code.moved(ring, loop.index), code.read(code.moved(x, loop.index, step)))


def load_back(code: Code, maps: Any, step: Any, affine: Any, ring: Any, count: Any) -> None:
    """The gradient before batch norm and clamp, from that after them, goes into the ring.

    maps  x, gradient, and of both what is fetched of the next row
    ring  where, and how far apart
    """
    b = code.builder
    x, gradient, *soon = maps
    scale, shift, slope, add, low, high = (code.read(code.moved(affine, i)) for i in range(AFFINE))
    with cgutils.for_range(b, count) as loop:
        for each in soon:
            code.soon(code.moved(each, loop.index))
        value = code.read(code.moved(x, loop.index, step))
        given = code.read(code.moved(gradient, loop.index, step))
        passed = code.inside(code.added(value, scale, shift), (low, high), given)
        made = b.fsub(b.fmul(scale, passed), code.added(slope, value, add))
        code.write(code.moved(ring[0], loop.index, ring[1]), made)


def forward_row(stride: int) -> Callable[..., None]:
    """Emits: a row of the convolution is written, its sum and sum of squares are added to the totals."""

    def emit(code: Code, rows: Any, weights: Any, totals: Any, out: Any, count: Any) -> None:
        taps = [code.read(code.moved(weights, k)) for k in range(TAPS)]

        def body(first: Any, pixels: int, past: bool, sums: Any) -> None:
            made: list[Any] = [None] * pixels
            for i, row in enumerate(rows):
                start = code.moved(row, first, stride * BYTES)
                for column in range((pixels - 1) * stride + SIDE):
                    value = code.read(code.moved(start, column))
                    for p in range(pixels):
                        j = column - p * stride
                        if 0 <= j < SIDE:
                            made[p] = code.added(value, taps[i * SIDE + j], made[p])
            written(code, (out[0], out[1], first), made, past)
            for total, parts in zip(sums, (made, [code.added(value, value, None) for value in made]), strict=True):
                added(code, total, code.total(parts))

        along(code, count, out[2], (totals, 2), body)

    return emit


def backward_row(code: Code, rows: Any, fixed: Any, totals: Any, maps: Any, count: Any) -> None:
    """A row of the gradient of x, cut to where x is inside the bounds, is written.

    Added to the totals is what it gives of each weight's gradient and, last, its sum. Weights and their totals are in
    reverse order: what a pixel gave to its neighbours comes back from them.
    """
    weights, bounds = fixed
    x, out, step, past = maps
    taps = [code.read(code.moved(weights, k)) for k in range(TAPS)]
    ends = [code.read(code.moved(bounds, k)) for k in range(2)]

    def body(first: Any, pixels: int, past: bool, sums: Any) -> None:
        values = [code.read(code.moved(x, code.moved(first, p, 1), step)) for p in range(pixels)]
        made: list[Any] = [None] * pixels
        for i, row in enumerate(rows):
            start = code.moved(row, first)
            for column in range(pixels - 1 + SIDE):
                back = code.read(code.moved(start, column))
                for p in range(max(0, column - SIDE + 1), min(pixels, column + 1)):
                    k = i * SIDE + column - p
                    made[p] = code.added(back, taps[k], made[p])
                    code.builder.store(code.added(back, values[p], code.builder.load(sums[k])), sums[k])
        made = [code.inside(value, ends, back) for value, back in zip(values, made, strict=True)]
        written(code, (out, step, first), made, past)
        added(code, sums[TAPS], code.total(made))

    along(code, count, past, (totals, TAPS + 1), body)


def along(code: Code, count: Any, past: Any, totals: Any, body: Callable[..., None]) -> None:
    """body(first, pixels, past, sums) over a row: `AHEAD` pixels at once, the rest one by one."""
    b = code.builder
    places = [code.moved(totals[0], k) for k in range(totals[1])]
    sums = [code.variable(code.read(place)) for place in places]
    whole = b.sdiv(count, OFFSET(AHEAD))
    done = b.mul(whole, OFFSET(AHEAD))
    with b.if_else(b.icmp_signed("!=", past, OFFSET(0))) as branches:
        for branch, kept in zip(branches, (True, False), strict=True):
            with branch:
                with cgutils.for_range(b, whole) as loop:
                    body(b.mul(loop.index, OFFSET(AHEAD)), AHEAD, kept, sums)
                with cgutils.for_range(b, count, start=done) as loop:
                    body(loop.index, 1, kept, sums)
    for place, total in zip(places, sums, strict=True):
        code.write(place, b.load(total))


def written(code: Code, out: Any, made: list[Any], past: bool) -> None:
    """Writes pixels side by side; out: the row's start, the pixels' distance, the first of them."""
    start, step, first = out
    for p, value in enumerate(made):
        code.write(code.moved(start, code.moved(first, p, 1), step), value, past=past)


def added(code: Code, total: Any, value: Any) -> None:
    """total += value"""
    code.builder.store(code.builder.fadd(code.builder.load(total), value), total)


@intrinsic
def load(typing, x, step, ring, count, soon):  # type: ignore[no-untyped-def]
    """See load_row."""
    return typed(load_row, x, step, ring, count, soon)


@intrinsic
def load_gradient(typing, maps, step, affine, ring, count):  # type: ignore[no-untyped-def]
    """See load_back."""
    return typed(load_back, maps, step, affine, ring, count)


@intrinsic
def forward_1(typing, rows, weights, totals, out, count):  # type: ignore[no-untyped-def]
    """See forward_row; stride 1."""
    return typed(forward_row(1), rows, weights, totals, out, count)


@intrinsic
def forward_2(typing, rows, weights, totals, out, count):  # type: ignore[no-untyped-def]
    """See forward_row; stride 2."""
    return typed(forward_row(2), rows, weights, totals, out, count)


@intrinsic
def backward(typing, rows, fixed, totals, maps, count):  # type: ignore[no-untyped-def]
    """See backward_row; of either stride, since the ring has zeros between the pixels of stride 2."""
    return typed(backward_row, rows, fixed, totals, maps, count)
