"""Heads: what makes an answer of a network's feature maps, as ops. Classifiers, SSDLite, DeepLabv3, LR-ASPP.

A head type is a generator of ops and what it needs of the trunk. Its ops read "" (the last feature map) and, where it
has a tap, "tap" (an earlier one). Ints and int64[n] run the same line, as in `blocks.py`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from archsearch.errors import SpecError
from archsearch.spec.blocks import shrunk
from archsearch.spec.ops import Int, Op

SSD_EXTRAS = (512, 256, 256, 128)  # channels of the maps behind the trunk's last
SSD_BOXES = (3, 6, 6, 6, 6, 6)  # anchor boxes a cell, finest map first
RATES = (6, 12, 18)  # of the atrous convolutions at output stride 16; twice as much at 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """A feature map of the trunk that a head reads besides the last one.

    It belongs to the first block of the stage that takes the image from `stride` to less: the input of that block, or
    with `wide` the output of its expansion (its input where it has none).
    """

    stride: int
    wide: bool = False

    def stage(self, stem: int, strides: Sequence[Int]) -> int:
        """Number of the stage, from the strides of stem and stages as they are written.

        raises   SpecError where no stage shrinks a map of that stride, or where a stride is not fixed
        """
        at = stem
        for number, stride in enumerate(strides):
            if not isinstance(stride, int):
                raise SpecError("a head that reads an earlier feature map needs stages of fixed strides")
            if at == self.stride and stride > 1:
                return number
            at *= stride
        raise SpecError(f"this head reads the map at 1/{self.stride} of the image, and no stage ends there")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """What a head finds: the trunk's last map, the tapped one, the size of the image; the head's own fields."""

    head: Any  # a `Head`, or the fields of n of them
    c_in: Int
    size: Int
    tap_c: Int = 0
    tap_size: Int = 0
    resolution: Int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadType:
    """A kind of head: its ops, and the earlier map that it reads."""

    make: Callable[[Ends], Iterator[Op]]
    tap: Tap | None = None


def last_conv(e: Ends) -> tuple[Op, Int]:
    """The last 1x1 convolution, absent at width 0, and the channels behind it."""
    has = (e.head.width != 0) * 1
    width = e.head.width + e.c_in * (1 - has)
    return (
        Op(kind="conv", label="last", c_in=e.c_in, c_out=width, size_in=e.size, size_out=e.size, per_group=e.c_in,
           norm=True, act=e.head.act, times=has),
        width,
    )  # fmt: skip


def classifier(e: Ends) -> Iterator[Op]:
    """An optional 1x1 convolution, global average pooling, an optional hidden layer, the linear classifier.

    The hidden layer is a linear one with bias and activation (MobileNetV3, arXiv:1905.02244, section 5.1), or with
    `hidden_norm` a 1x1 convolution with batch norm (MobileNetV4, arXiv:2404.10518, table 11).
    """
    last, width = last_conv(e)
    yield last
    yield Op(kind="pool", label="pool", c_in=width, c_out=width, size_in=e.size, size_out=1, kernel=e.size,
             stride=e.size, inputs=("last",))  # fmt: skip
    has, norm = (e.head.hidden != 0) * 1, bool(e.head.hidden_norm)
    hidden = e.head.hidden + width * (1 - has)
    yield Op(kind="conv" if norm else "linear", label="hidden", c_in=width, c_out=hidden, size_in=1, size_out=1,
             per_group=width, bias=not norm, norm=norm, act=e.head.act, times=has, inputs=("pool",))  # fmt: skip
    yield Op(kind="linear", label="classifier", c_in=hidden, c_out=e.head.classes, size_in=1, size_out=1,
             per_group=hidden, bias=True, inputs=("hidden",))  # fmt: skip


def ssdlite(e: Ends) -> Iterator[Op]:
    """SSDLite: boxes and classes from six maps by depthwise separable predictors.

    The maps: the expansion at 1/16 of the image, the last one behind its 1x1 convolution, four more, each of half the
    size. `classes` counts the background. The answer is [boxes, classes + 4] for each image.
    Source: arXiv:1801.04381, section 6.2; extras, boxes and half-width reductions as in TensorFlow's released model.
    """
    last, width = last_conv(e)
    yield last
    maps = [("tap", e.tap_c, e.tap_size), ("last", width, e.size)]
    for number, c_out in enumerate(SSD_EXTRAS):
        source, c_in, size = maps[-1]
        yield from _extra(f"extra {number}", source, (c_in, size), c_out, e.head.act)
        maps.append((f"extra {number}", c_out, shrunk(size, 2)))
    outputs: list[str] = []
    total: Int = 0
    for number, ((source, c_in, size), boxes) in enumerate(zip(maps, SSD_BOXES, strict=True)):
        for what, values in (("class", e.head.classes), ("box", 4)):
            label = f"{what} {number}"
            yield from _predictor(label, source, (c_in, size), boxes * values, e.head.act)
            outputs.append(label)
            total = total + boxes * values * size * size
    first = SSD_BOXES[0] * e.head.classes
    yield Op(kind="detections", label="detections", c_in=first, c_out=total, size_in=e.tap_size, size_out=1,
             inputs=tuple(outputs))  # fmt: skip


def _extra(label: str, source: str, shape: tuple[Int, Int], c_out: int, act: Any) -> Iterator[Op]:
    """A map of half the size: 1x1 to half the channels, depthwise 3x3 of stride 2, 1x1."""
    (c_in, size), half = shape, c_out // 2
    small = shrunk(size, 2)
    yield Op(kind="conv", label=f"{label} reduce", c_in=c_in, c_out=half, size_in=size, size_out=size, per_group=c_in,
             norm=True, act=act, inputs=(source,))  # fmt: skip
    yield Op(kind="conv", label=f"{label} depthwise", c_in=half, c_out=half, size_in=size, size_out=small, kernel=3,
             stride=2, norm=True, act=act, inputs=(f"{label} reduce",))  # fmt: skip
    yield Op(kind="conv", label=label, c_in=half, c_out=c_out, size_in=small, size_out=small, per_group=half, norm=True,
             act=act, inputs=(f"{label} depthwise",))  # fmt: skip


def _predictor(label: str, source: str, shape: tuple[Int, Int], c_out: Int, act: Any) -> Iterator[Op]:
    """Depthwise 3x3, then 1x1 with a bias."""
    c_in, size = shape
    yield Op(kind="conv", label=f"{label} depthwise", c_in=c_in, c_out=c_in, size_in=size, size_out=size, kernel=3,
             norm=True, act=act, inputs=(source,))  # fmt: skip
    yield Op(kind="conv", label=label, c_in=c_in, c_out=c_out, size_in=size, size_out=size, per_group=c_in, bias=True,
             inputs=(f"{label} depthwise",))  # fmt: skip


def deeplabv3(e: Ends) -> Iterator[Op]:
    """DeepLabv3 without atrous branches: image pooling and a 1x1 convolution, joined, a 1x1 convolution, the classes.

    Source: arXiv:1801.04381, section 6.3; arXiv:1706.05587, section 3.3.
    """
    return _deeplab(e, ())


def deeplabv3aspp(e: Ends) -> Iterator[Op]:
    """DeepLabv3 with atrous spatial pyramid pooling: three dilated 3x3 convolutions more. Source: arXiv:1706.05587."""
    if e.head.output_stride not in (8, 16):
        raise SpecError(f"head deeplabv3aspp needs output_stride 8 or 16, got {e.head.output_stride}")
    return _deeplab(e, tuple(rate * 16 // e.head.output_stride for rate in RATES))


def _deeplab(e: Ends, rates: tuple[int, ...]) -> Iterator[Op]:
    inner = _inner(e, "deeplabv3")
    last, width = last_conv(e)
    yield last
    yield Op(kind="pool", label="image pool", c_in=width, c_out=width, size_in=e.size, size_out=1, kernel=e.size,
             stride=e.size, inputs=("last",))  # fmt: skip
    yield Op(kind="conv", label="image", c_in=width, c_out=inner, size_in=1, size_out=1, per_group=width, norm=True,
             act=e.head.act, inputs=("image pool",))  # fmt: skip
    yield resize("image spread", inner, (1, e.size), "image")
    yield Op(kind="conv", label="branch 0", c_in=width, c_out=inner, size_in=e.size, size_out=e.size, per_group=width,
             norm=True, act=e.head.act, inputs=("last",))  # fmt: skip
    for number, rate in enumerate(rates, start=1):
        yield Op(kind="conv", label=f"branch {number}", c_in=width, c_out=inner, size_in=e.size, size_out=e.size,
                 kernel=3, dilation=rate, per_group=width, norm=True, act=e.head.act, inputs=("last",))  # fmt: skip
    branches = ("image spread", *(f"branch {number}" for number in range(len(rates) + 1)))
    joined = inner * len(branches)
    yield Op(kind="cat", label="join", c_in=inner, c_out=joined, size_in=e.size, size_out=e.size, inputs=branches)
    yield Op(kind="conv", label="project", c_in=joined, c_out=inner, size_in=e.size, size_out=e.size, per_group=joined,
             norm=True, act=e.head.act, inputs=("join",))  # fmt: skip
    yield Op(kind="conv", label="classes", c_in=inner, c_out=e.head.classes, size_in=e.size, size_out=e.size,
             per_group=inner, bias=True, inputs=("project",))  # fmt: skip
    yield resize("mask", e.head.classes, (e.size, e.resolution), "classes")


def lraspp(e: Ends) -> Iterator[Op]:
    """LR-ASPP: a 1x1 convolution weighed by globally pooled gates, joined with the map at 1/8 of the image.

    Source: arXiv:1905.02244, section 6.4 and figure 10; global pooling as in torchvision.
    """
    inner = _inner(e, "lraspp")
    last, width = last_conv(e)
    yield last
    yield Op(kind="conv", label="branch", c_in=width, c_out=inner, size_in=e.size, size_out=e.size, per_group=width,
             norm=True, act="relu", inputs=("last",))  # fmt: skip
    yield Op(kind="pool", label="image pool", c_in=width, c_out=width, size_in=e.size, size_out=1, kernel=e.size,
             stride=e.size, inputs=("last",))  # fmt: skip
    yield Op(kind="conv", label="gate", c_in=width, c_out=inner, size_in=1, size_out=1, per_group=width, act="sigmoid",
             inputs=("image pool",))  # fmt: skip
    yield Op(kind="mul", label="weigh", c_in=inner, c_out=inner, size_in=e.size, size_out=e.size,
             inputs=("branch", "gate"))  # fmt: skip
    yield resize("spread", inner, (e.size, e.tap_size), "weigh")
    yield Op(kind="conv", label="high classes", c_in=inner, c_out=e.head.classes, size_in=e.tap_size,
             size_out=e.tap_size, per_group=inner, bias=True, inputs=("spread",))  # fmt: skip
    yield Op(kind="conv", label="low classes", c_in=e.tap_c, c_out=e.head.classes, size_in=e.tap_size,
             size_out=e.tap_size, per_group=e.tap_c, bias=True, inputs=("tap",))  # fmt: skip
    yield Op(kind="add", label="classes", c_in=e.head.classes, c_out=e.head.classes, size_in=e.tap_size,
             size_out=e.tap_size, inputs=("low classes", "high classes"))  # fmt: skip
    yield resize("mask", e.head.classes, (e.tap_size, e.resolution), "classes")


def resize(label: str, channels: Int, sizes: tuple[Int, Int], source: str) -> Op:
    """Bilinear resizing from one side to another; free."""
    return Op(kind="resize", label=label, c_in=channels, c_out=channels, size_in=sizes[0], size_out=sizes[1],
              inputs=(source,))  # fmt: skip


def _inner(e: Ends, name: str) -> Any:
    if not e.head.hidden:
        raise SpecError(f"head {name} needs `hidden`, its channels inside; published: {name} 128 or 256")
    return e.head.hidden


CLASSIFIER = HeadType(make=classifier)
SSDLITE = HeadType(make=ssdlite, tap=Tap(stride=16, wide=True))
DEEPLABV3 = HeadType(make=deeplabv3)
DEEPLABV3ASPP = HeadType(make=deeplabv3aspp)
LRASPP = HeadType(make=lraspp, tap=Tap(stride=8))
