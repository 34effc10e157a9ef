"""Block types: generators of ops.

Each takes one `Block` and yields its ops in order. Arithmetic only, so that ints and int64[n] run the same line:
never `if` on a value that may be an array, multiply `times` by a mask instead. `held` is filled in by the lowering.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

from archsearch.spec.arch import expanded, make_divisible, whole_number
from archsearch.spec.ops import Int, Op


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block (or `times` equal ones) with its shapes: what a block type turns into ops."""

    c_in: Int
    c_out: Int
    size: Int  # side of the input map [pixels]
    stride: Int
    kernel: Int
    expand: Any  # an int, a float, or an array of them
    act: Any
    bottleneck: Any  # "auto", "linear", "relu6", or an array of them
    shortcut: Any  # "auto", "bottleneck", "expansion", "none", or an array of them
    start: Int
    se: Any  # a number, or an array of them
    se_of: Any
    se_gate: Any
    dilation: int = 1
    times: Int

    @property
    def size_out(self) -> Int:
        """Side of the output map: ceil(size / stride), as odd kernels with padding k // 2 give."""
        return shrunk(self.size, self.stride)

    @property
    def keeps_shape(self) -> Int:
        """1 where input and output have the same shape, else 0."""
        same: Int = (self.c_in == self.c_out) * (self.stride == 1) * 1
        return same

    def joins(self, place: str, *, own: str) -> Int:
        """1 where the shortcut joins `place`; `own` is the block type's own placement, taken for "auto"."""
        joined: Int = ((self.shortcut == place) | ((self.shortcut == "auto") & (own == place))) * 1
        return joined

    def squeeze_act(self, own: Any) -> Any:
        """The activation of the bottleneck layers; `own` is the block type's own, taken for "auto"."""
        return own if isinstance(self.bottleneck, str) and self.bottleneck == "auto" else self.bottleneck


def shrunk(size: Int, stride: Int) -> Int:
    """Side of a map behind a layer of this stride: ceil(size / stride)."""
    return (size + stride - 1) // stride


def inverted_residual(b: Block) -> Iterator[Op]:
    """Narrow, wide, narrow: 1x1 expansion (none at ratio 1), depthwise k x k, 1x1 projection to the bottleneck.

    The shortcut joins bottlenecks (the paper's), expansions (both sides of the depthwise layer), or nothing.
    A ReLU6 bottleneck puts the activation behind the projection's batch norm, before the shortcut is added.
    Source: arXiv:1801.04381, sections 3.2 to 3.4 and figures 3 and 6; with squeeze-and-excitation arXiv:1905.02244.
    """
    hidden = expanded(b.c_in, b.expand)
    yield Op(kind="conv", label="expand", c_in=b.c_in, c_out=hidden, size_in=b.size, size_out=b.size,
             per_group=b.c_in, norm=True, act=b.act, times=b.times * (b.expand != 1))  # fmt: skip
    yield depthwise(b, hidden, "expand")
    wide = yield from squeeze_excite(b, hidden, "depthwise")
    yield expansion_add(b, hidden, (wide, "expand"), own="bottleneck")
    yield Op(kind="conv", label="project", c_in=hidden, c_out=b.c_out, size_in=b.size_out, size_out=b.size_out,
             per_group=hidden, norm=True, act=b.squeeze_act("linear"), times=b.times,
             inputs=("expansion add",), flat=True)  # fmt: skip
    yield residual_add(b, b.joins("bottleneck", own="bottleneck") * b.keeps_shape)


def depthwise_separable(b: Block) -> Iterator[Op]:
    """Depthwise k x k, then 1x1, each with batch norm and activation; no shortcut of its own.

    Source: MobileNetV1, arXiv:1704.04861, section 3.1.
    """
    yield depthwise(b, b.c_in, "")
    wide = yield from squeeze_excite(b, b.c_in, "depthwise")
    yield expansion_add(b, b.c_in, (wide, ""), own="none")
    yield Op(kind="conv", label="project", c_in=b.c_in, c_out=b.c_out, size_in=b.size_out, size_out=b.size_out,
             per_group=b.c_in, norm=True, act=b.squeeze_act(b.act), times=b.times,
             inputs=("expansion add",))  # fmt: skip
    yield residual_add(b, b.joins("bottleneck", own="none") * b.keeps_shape)


def classic_residual(b: Block) -> Iterator[Op]:
    """Wide, narrow, wide: 1x1 reduction, k x k convolution, 1x1 expansion, activation behind the addition.

    `expand` is the reduction ratio; the narrow width is a multiple of 8. The shortcut joins the wide ends (the block's
    own), the narrow ones, or nothing; where the shape changes there is none. A linear bottleneck takes the activation
    from the narrow layers. Squeeze-and-excitation works on the wide output, before the addition.
    Source: arXiv:1512.03385, figure 5 right; arXiv:1709.01507, figure 3.
    """
    narrow = whole_number(make_divisible(b.c_out // b.expand))
    inner = b.joins("bottleneck", own="expansion") * (b.stride == 1)
    act = b.squeeze_act(b.act)
    yield Op(kind="conv", label="reduce", c_in=b.c_in, c_out=narrow, size_in=b.size, size_out=b.size,
             per_group=b.c_in, norm=True, act=act, times=b.times)  # fmt: skip
    yield Op(kind="conv", label="conv", c_in=narrow, c_out=narrow, size_in=b.size, size_out=b.size_out,
             kernel=b.kernel, stride=b.stride, dilation=b.dilation, per_group=narrow, norm=True, act=act,
             times=b.times, inputs=("reduce",))  # fmt: skip
    yield Op(kind="add", label="narrow add", c_in=narrow, c_out=narrow, size_in=b.size_out, size_out=b.size_out,
             times=b.times * inner, inputs=("conv", "reduce"))  # fmt: skip
    yield Op(kind="conv", label="project", c_in=narrow, c_out=b.c_out, size_in=b.size_out, size_out=b.size_out,
             per_group=narrow, norm=True, times=b.times, inputs=("narrow add",), flat=True)  # fmt: skip
    out = yield from squeeze_excite(b, b.c_out, "project")
    yield residual_add(b, b.joins("expansion", own="expansion") * b.keeps_shape, source=out)
    yield Op(kind="act", label="act", c_in=b.c_out, c_out=b.c_out, size_in=b.size_out, size_out=b.size_out,
             act=b.act, times=b.times * (b.act != "linear"), inputs=("add",))  # fmt: skip


def identity(b: Block) -> Iterator[Op]:
    """Nothing where the shape stays; else one 1x1 convolution with batch norm (NAS-Bench-Macro's identity)."""
    yield Op(kind="conv", label="project", c_in=b.c_in, c_out=b.c_out, size_in=b.size, size_out=b.size_out,
             stride=b.stride, per_group=b.c_in, norm=True, times=b.times * (1 - b.keeps_shape), flat=True)  # fmt: skip


def plain(b: Block) -> Iterator[Op]:
    """One k x k convolution with batch norm and activation; no shortcut of its own."""
    yield Op(kind="conv", label="project", c_in=b.c_in, c_out=b.c_out, size_in=b.size, size_out=b.size_out,
             kernel=b.kernel, stride=b.stride, dilation=b.dilation, per_group=b.c_in, norm=True, act=b.act,
             times=b.times)  # fmt: skip
    yield residual_add(b, b.joins("bottleneck", own="none") * b.keeps_shape)


def fused(b: Block) -> Iterator[Op]:
    """Fused inverted residual: k x k convolution to the hidden channels, 1x1 projection; at ratio 1 one convolution.

    The shortcut joins bottlenecks, or nothing. Source: EfficientNetV2, arXiv:2104.00298, figure 2.
    """
    wide = (b.expand != 1) * 1
    hidden = expanded(b.c_in, b.expand)
    yield Op(kind="conv", label="expand", c_in=b.c_in, c_out=hidden, size_in=b.size, size_out=b.size_out,
             kernel=b.kernel, stride=b.stride, dilation=b.dilation, per_group=b.c_in, norm=True, act=b.act,
             times=b.times * wide)  # fmt: skip
    inner = yield from squeeze_excite(b, hidden, "expand", where=wide)
    yield Op(kind="conv", label="project", c_in=hidden, c_out=b.c_out, size_in=b.size_out, size_out=b.size_out,
             per_group=hidden, norm=True, act=b.squeeze_act("linear"), times=b.times * wide,
             inputs=(inner,), flat=True)  # fmt: skip
    yield Op(kind="conv", label="single", c_in=b.c_in, c_out=b.c_out, size_in=b.size, size_out=b.size_out,
             kernel=b.kernel, stride=b.stride, dilation=b.dilation, per_group=b.c_in, norm=True, act=b.act,
             times=b.times * (1 - wide), inputs=("project",))  # fmt: skip
    yield residual_add(b, b.joins("bottleneck", own="bottleneck") * b.keeps_shape, source="single")


# parts of blocks ----------------------------------------------------------------------------------------------------


def depthwise(b: Block, width: Int, source: str) -> Op:
    """The k x k depthwise layer of a block, with its stride."""
    return Op(kind="conv", label="depthwise", c_in=width, c_out=width, size_in=b.size, size_out=b.size_out,
              kernel=b.kernel, stride=b.stride, dilation=b.dilation, norm=True, act=b.act, times=b.times,
              inputs=(source,))  # fmt: skip


def squeeze_excite(
    b: Block, width: Int, source: str, *, where: Int = 1, size: Int | None = None
) -> Generator[Op, None, str]:
    """Squeeze-and-excitation on `source`, whose map has `width` channels; its value is the label to read behind it.

    Inside: global pooling, a 1x1 convolution to the squeezed channels with ReLU (SiLU
    where the block's activation is that), one back with the gate's sigmoid, each with a bias; a product.
    where    1 where the block's layout has it at all
    size     side of the map; the block's output size where it is not given
    Source: arXiv:1709.01507, section 3; the squeezed widths arXiv:1905.02244, section 5.3, and arXiv:1807.11626.
    """
    if isinstance(b.se, int) and b.se == 0:
        return source
    of_input = (b.se_of == "input") * 1
    share = whole_number(b.c_in * b.se // 1)
    share = share + (share == 0)
    squeezed = share * of_input + whole_number(make_divisible(width * b.se)) * (1 - of_input)
    inner = "silu" if isinstance(b.act, str) and b.act == "silu" else "relu"
    size = b.size_out if size is None else size
    present: Int = (b.se != 0) * 1
    times: Any = b.times * present * where
    yield Op(kind="pool", label="squeeze pool", c_in=width, c_out=width, size_in=size, size_out=1, kernel=size,
             stride=size, times=times, inputs=(source,))  # fmt: skip
    yield Op(kind="conv", label="squeeze", c_in=width, c_out=squeezed, size_in=1, size_out=1, per_group=width,
             bias=True, act=inner, times=times, inputs=("squeeze pool",))  # fmt: skip
    yield Op(kind="conv", label="excite", c_in=squeezed, c_out=width, size_in=1, size_out=1, per_group=squeezed,
             bias=True, act=b.se_gate, times=times, inputs=("squeeze",))  # fmt: skip
    yield Op(kind="mul", label="scale", c_in=width, c_out=width, size_in=size, size_out=size, times=times,
             inputs=(source, "excite"))  # fmt: skip
    return "scale"


def expansion_add(b: Block, width: Int, ends: tuple[str, str], *, own: str, where: Int = 1) -> Op:
    """The shortcut around the depthwise layer: it joins the two wide tensors of the block, of one size at stride 1."""
    joined: Any = b.joins("expansion", own=own) * (b.stride == 1) * where
    return Op(kind="add", label="expansion add", c_in=width, c_out=width, size_in=b.size_out, size_out=b.size_out,
              times=b.times * joined, inputs=ends)  # fmt: skip


def residual_add(b: Block, joined: Int, *, source: str = "project") -> Op:
    """The shortcut around the whole block."""
    return Op(kind="add", label="add", c_in=b.c_out, c_out=b.c_out, size_in=b.size_out, size_out=b.size_out,
              times=b.times * joined, inputs=(source, ""))  # fmt: skip
