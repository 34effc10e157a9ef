"""Block types: generators of ops.

Each takes one `Block` and yields its ops in order. Arithmetic only, so that ints and int64[n] run the same line:
never `if` on a value that may be an array, multiply `times` by a mask instead.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from archsearch.spec.arch import make_divisible
from archsearch.spec.ops import Int, Op


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block (or `times` equal ones) with its shapes: what a block type turns into ops."""

    c_in: Int
    c_out: Int
    size: Int  # side of the input map [pixels]
    stride: Int
    kernel: Int
    expand: Int
    act: Any
    bottleneck: Any  # "auto", "linear", "relu6", or an array of them
    shortcut: Any  # "auto", "bottleneck", "expansion", "none", or an array of them
    times: Int

    @property
    def size_out(self) -> Int:
        """Side of the output map: ceil(size / stride), as odd kernels with padding k // 2 give."""
        return (self.size + self.stride - 1) // self.stride

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


def inverted_residual(b: Block) -> Iterator[Op]:
    """Narrow, wide, narrow: 1x1 expansion (none at ratio 1), depthwise k x k, 1x1 projection to the bottleneck.

    The shortcut joins bottlenecks (the paper's), expansions (both sides of the depthwise layer), or nothing.
    A ReLU6 bottleneck puts the activation behind the projection's batch norm, before the shortcut is added.
    Source: arXiv:1801.04381, sections 3.2 to 3.4 and figures 3 and 6.
    """
    hidden = b.c_in * b.expand
    expands = (b.expand != 1) * 1
    joined = b.joins("bottleneck", own="bottleneck") * b.keeps_shape
    kept = joined * b.c_in * b.size * b.size
    yield Op(kind="conv", label="expand", c_in=b.c_in, c_out=hidden, size_in=b.size, size_out=b.size,
             per_group=b.c_in, norm=True, act=b.act, times=b.times * expands)  # fmt: skip
    yield from _depthwise(b, hidden, "expand", held=kept * expands)
    yield from _expansion_add(b, hidden, "expand", own="bottleneck")
    yield Op(kind="conv", label="project", c_in=hidden, c_out=b.c_out, size_in=b.size_out, size_out=b.size_out,
             per_group=hidden, norm=True, act=b.squeeze_act("linear"), held=kept, times=b.times,
             inputs=("expansion add",), flat=True)  # fmt: skip
    yield _add(b, "add", joined)


def depthwise_separable(b: Block) -> Iterator[Op]:
    """Depthwise k x k, then 1x1, each with batch norm and activation; no shortcut of its own.

    Source: MobileNetV1, arXiv:1704.04861, section 3.1.
    """
    joined = b.joins("bottleneck", own="none") * b.keeps_shape
    yield from _depthwise(b, b.c_in, "", held=0)
    yield from _expansion_add(b, b.c_in, "", own="none")
    yield Op(kind="conv", label="project", c_in=b.c_in, c_out=b.c_out, size_in=b.size_out, size_out=b.size_out,
             per_group=b.c_in, norm=True, act=b.squeeze_act(b.act), held=joined * b.c_in * b.size * b.size,
             times=b.times, inputs=("expansion add",))  # fmt: skip
    yield _add(b, "add", joined)


def classic_residual(b: Block) -> Iterator[Op]:
    """Wide, narrow, wide: 1x1 reduction, k x k convolution, 1x1 expansion, activation behind the addition.

    `expand` is the reduction ratio; the narrow width is a multiple of 8. The shortcut joins the wide ends (the block's
    own), the narrow ones, or nothing; where the shape changes there is none. A linear bottleneck takes the activation
    from the narrow layers. Source: arXiv:1512.03385, figure 5 right.
    """
    narrow = make_divisible(b.c_out // b.expand)
    wide_join = b.joins("expansion", own="expansion") * b.keeps_shape
    kept = wide_join * b.c_in * b.size * b.size
    inner = b.joins("bottleneck", own="expansion") * (b.stride == 1)
    act = b.squeeze_act(b.act)
    yield Op(kind="conv", label="reduce", c_in=b.c_in, c_out=narrow, size_in=b.size, size_out=b.size,
             per_group=b.c_in, norm=True, act=act, times=b.times)  # fmt: skip
    yield Op(kind="conv", label="conv", c_in=narrow, c_out=narrow, size_in=b.size, size_out=b.size_out,
             kernel=b.kernel, stride=b.stride, per_group=narrow, norm=True, act=act, held=kept, times=b.times,
             inputs=("reduce",))  # fmt: skip
    yield Op(kind="add", label="narrow add", c_in=narrow, c_out=narrow, size_in=b.size_out, size_out=b.size_out,
             held=narrow * b.size_out * b.size_out, times=b.times * inner, inputs=("conv", "reduce"))  # fmt: skip
    yield Op(kind="conv", label="project", c_in=narrow, c_out=b.c_out, size_in=b.size_out, size_out=b.size_out,
             per_group=narrow, norm=True, held=kept, times=b.times, inputs=("narrow add",), flat=True)  # fmt: skip
    yield _add(b, "add", wide_join)
    yield Op(kind="act", label="act", c_in=b.c_out, c_out=b.c_out, size_in=b.size_out, size_out=b.size_out,
             act=b.act, times=b.times * (b.act != "linear"), inputs=("add",))  # fmt: skip


def identity(b: Block) -> Iterator[Op]:
    """Nothing where the shape stays; else one 1x1 convolution with batch norm (NAS-Bench-Macro's identity)."""
    yield Op(kind="conv", label="project", c_in=b.c_in, c_out=b.c_out, size_in=b.size, size_out=b.size_out,
             stride=b.stride, per_group=b.c_in, norm=True, times=b.times * (1 - b.keeps_shape), flat=True)  # fmt: skip


def _depthwise(b: Block, width: Int, source: str, *, held: Int) -> Iterator[Op]:
    yield Op(kind="conv", label="depthwise", c_in=width, c_out=width, size_in=b.size, size_out=b.size_out,
             kernel=b.kernel, stride=b.stride, norm=True, act=b.act, held=held, times=b.times,
             inputs=(source,))  # fmt: skip


def _expansion_add(b: Block, width: Int, source: str, *, own: str) -> Iterator[Op]:
    """The shortcut around the depthwise layer: it joins the two wide tensors of the block."""
    joined = b.joins("expansion", own=own) * (b.stride == 1)
    yield Op(kind="add", label="expansion add", c_in=width, c_out=width, size_in=b.size_out, size_out=b.size_out,
             held=width * b.size_out * b.size_out, times=b.times * joined, inputs=("depthwise", source))  # fmt: skip


def _add(b: Block, label: str, joined: Int) -> Op:
    """The shortcut around the whole block; `held` is its second operand."""
    return Op(kind="add", label=label, c_in=b.c_out, c_out=b.c_out, size_in=b.size_out, size_out=b.size_out,
              held=b.c_out * b.size_out * b.size_out, times=b.times * joined, inputs=("project", ""))  # fmt: skip
