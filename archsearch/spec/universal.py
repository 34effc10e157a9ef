"""MobileNetV4's block, the universal inverted bottleneck: one frame for four kinds of block."""

from collections.abc import Iterator

from archsearch.spec.arch import expanded
from archsearch.spec.blocks import Block, expansion_add, residual_add, shrunk, squeeze_excite
from archsearch.spec.ops import Op


def universal(b: Block) -> Iterator[Op]:
    """Depthwise (linear), 1x1 expansion, depthwise, 1x1 projection (linear); each depthwise layer may be left out.

    `start` and `kernel` are the kernels of the two depthwise layers, 0 = none: both = extra depthwise, the second =
    inverted bottleneck, the first = ConvNext-like, none = feed-forward network. The stride lies on the second depthwise
    layer, else on the first, else on the projection. The shortcut joins bottlenecks (the block's own), the wide tensors
    around the second depthwise layer, or nothing. Source: arXiv:2404.10518, section 3.1 and figure 4.
    """
    first, middle = (b.start != 0) * 1, (b.kernel != 0) * 1
    shrink = b.stride - 1
    first_stride, last_stride = 1 + shrink * first * (1 - middle), 1 + shrink * (1 - first) * (1 - middle)
    size = shrunk(b.size, first_stride)  # behind the first depthwise layer
    inner = shrunk(size, 1 + shrink * middle)  # behind the second
    hidden = expanded(b.c_in, b.expand)
    yield Op(kind="conv", label="start", c_in=b.c_in, c_out=b.c_in, size_in=b.size, size_out=size, kernel=b.start,
             stride=first_stride, dilation=b.dilation, norm=True, times=b.times * first)  # fmt: skip
    yield Op(kind="conv", label="expand", c_in=b.c_in, c_out=hidden, size_in=size, size_out=size, per_group=b.c_in,
             norm=True, act=b.act, times=b.times, inputs=("start",))  # fmt: skip
    yield Op(kind="conv", label="depthwise", c_in=hidden, c_out=hidden, size_in=size, size_out=inner, kernel=b.kernel,
             stride=1 + shrink * middle, dilation=b.dilation, norm=True, act=b.act, times=b.times * middle,
             inputs=("expand",))  # fmt: skip
    wide = yield from squeeze_excite(b, hidden, "depthwise", size=inner)
    yield expansion_add(b, hidden, (wide, "expand"), own="bottleneck", where=middle)
    yield Op(kind="conv", label="project", c_in=hidden, c_out=b.c_out, size_in=inner, size_out=b.size_out,
             stride=last_stride, per_group=hidden, norm=True, act=b.squeeze_act("linear"), times=b.times,
             inputs=("expansion add",), flat=True)  # fmt: skip
    yield residual_add(b, b.joins("bottleneck", own="bottleneck") * b.keeps_shape)
