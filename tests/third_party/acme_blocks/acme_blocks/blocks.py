"""A block of cheap features: half of each map is made by a convolution, the other half from the first one."""

from collections.abc import Iterator
from typing import Any

from archsearch.spec.arch import expanded
from archsearch.spec.blocks import Block, depthwise, residual_add, squeeze_excite
from archsearch.spec.ops import Int, Op


def ghost(b: Block) -> Iterator[Op]:
    """Wide by a cheap pair, depthwise k x k with the stride, narrow by a linear cheap pair; widths must be even.

    The shortcut joins bottlenecks, or nothing. Source: GhostNet, arXiv:1911.11907, figure 4, its own shortcut plain.
    """
    hidden = expanded(b.c_in, b.expand)
    yield from _pair(b, "wide", (b.c_in, hidden, b.size), source="", act=b.act)
    yield depthwise(b, hidden, "wide")
    squeezed = yield from squeeze_excite(b, hidden, "depthwise")
    yield from _pair(b, "narrow", (hidden, b.c_out, b.size_out), source=squeezed, act="linear")
    yield residual_add(b, b.joins("bottleneck", own="bottleneck") * b.keeps_shape, source="narrow")


def _pair(b: Block, label: str, shape: tuple[Int, Int, Int], *, source: str, act: Any) -> Iterator[Op]:
    """A 1x1 convolution to half the channels, a depthwise 3x3 on those, both joined."""
    c_in, c_out, size = shape
    half = c_out // 2
    yield Op(kind="conv", label=f"{label} half", c_in=c_in, c_out=half, size_in=size, size_out=size, per_group=c_in,
             norm=True, act=act, times=b.times, inputs=(source,))  # fmt: skip
    yield Op(kind="conv", label=f"{label} cheap", c_in=half, c_out=half, size_in=size, size_out=size, kernel=3,
             norm=True, act=act, times=b.times, inputs=(f"{label} half",))  # fmt: skip
    yield Op(kind="cat", label=label, c_in=half, c_out=2 * half, size_in=size, size_out=size, times=b.times,
             inputs=(f"{label} half", f"{label} cheap"))  # fmt: skip
