"""MobileNeXt's block, the sandglass: depthwise layers on the wide ends, the bottleneck between them."""

from collections.abc import Iterator

from archsearch.spec.arch import make_divisible, whole_number
from archsearch.spec.blocks import Block, residual_add
from archsearch.spec.ops import Op


def sandglass(b: Block) -> Iterator[Op]:
    """Wide, narrow, wide: depthwise k x k, 1x1 reduction (linear), 1x1 expansion, depthwise k x k (linear).

    `expand` is the reduction ratio. As released, a block that changes its width has no first depthwise layer, and at
    stride 1 no second one, unless its ratio is 2 or `start` gives the first one's kernel (released: blocks that stand
    alone in their stage); and the narrow width is at least a sixth of the wide output.
    The shortcut joins the wide ends (the block's own), or nothing. Source: arXiv:2007.02269, sections 3.2 and 3.3.
    """
    named = (b.start != 0) * 1
    both = ((b.c_in == b.c_out) | (b.expand == 2) | named) * 1
    last = 1 - (1 - both) * (b.stride == 1)
    floor = whole_number(make_divisible(-(-b.c_out // 6), 16))
    ratio = whole_number(b.c_in // b.expand)
    narrow = ratio + (floor - ratio) * (6 * ratio < b.c_out)
    yield Op(kind="conv", label="first depthwise", c_in=b.c_in, c_out=b.c_in, size_in=b.size, size_out=b.size,
             kernel=b.start + b.kernel * (1 - named), dilation=b.dilation, norm=True, act=b.act,
             times=b.times * both)  # fmt: skip
    yield Op(kind="conv", label="reduce", c_in=b.c_in, c_out=narrow, size_in=b.size, size_out=b.size,
             per_group=b.c_in, norm=True, act=b.squeeze_act("linear"), times=b.times,
             inputs=("first depthwise",))  # fmt: skip
    yield Op(kind="conv", label="widen", c_in=narrow, c_out=b.c_out, size_in=b.size, size_out=b.size,
             per_group=narrow, norm=True, act=b.act, times=b.times, inputs=("reduce",))  # fmt: skip
    yield Op(kind="conv", label="project", c_in=b.c_out, c_out=b.c_out, size_in=b.size, size_out=b.size_out,
             kernel=b.kernel, stride=b.stride, dilation=b.dilation, norm=True, times=b.times * last,
             inputs=("widen",))  # fmt: skip
    yield residual_add(b, b.joins("expansion", own="expansion") * b.keeps_shape)
