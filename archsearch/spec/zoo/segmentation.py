"""Segmenters: published trunks with DeepLabv3 or LR-ASPP, and what is printed of them."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from archsearch.spec.arch import Arch, Head
from archsearch.spec.zoo.mobilenet_v1 import mobilenet_v1
from archsearch.spec.zoo.mobilenet_v2 import mobilenet_v2
from archsearch.spec.zoo.mobilenet_v3 import mobilenet_v3_large
from archsearch.spec.zoo.published import Figure, Published, rows
from archsearch.spec.zoo.scale import Family, behind

PASCAL = 21  # classes with the background


def deeplab(arch: Arch, output_stride: int, *, aspp: bool) -> Arch:
    """A classifier's trunk, its last 1x1 convolution left out, with DeepLabv3 for PASCAL VOC."""
    kind = "deeplabv3aspp" if aspp else "deeplabv3"
    head = Head(kind=kind, width=0, hidden=256, classes=PASCAL, output_stride=output_stride, act="relu")
    return replace(arch, head=head)


def lraspp(arch: Arch) -> Arch:
    """A classifier's trunk, its last 1x1 convolution included, with LR-ASPP (arXiv:1905.02244, section 6.4)."""
    head = Head(kind="lraspp", width=arch.head.width, hidden=128, classes=PASCAL, output_stride=16, act=arch.head.act)
    return replace(arch, head=head)


def deeplabs(name: str, trunk: Callable[..., Arch], *, aspp: bool) -> dict[str, Family]:
    """Families of one trunk with DeepLabv3 at output strides 16 and 8 (arXiv:1801.04381, section 6.3)."""
    kind = "deeplabv3aspp" if aspp else "deeplabv3"
    return {
        f"{kind}_os{stride}_{name}": behind(partial(deeplab, output_stride=stride, aspp=aspp), trunk, 513)
        for stride in (16, 8)
    }


NETWORKS = {
    **deeplabs("mobilenet_v2", mobilenet_v2, aspp=False),
    **deeplabs("mobilenet_v2", mobilenet_v2, aspp=True),
    **deeplabs("mobilenet_v1", mobilenet_v1, aspp=True),
    "lraspp_mobilenet_v3_large": behind(lraspp, mobilenet_v3_large, 520),  # as torchvision has it
}
ROWS = (
    *rows(
        "arXiv:1801.04381, table 7",
        {
            "deeplabv3_os16_mobilenet_v2_1.0_513": ("2.75B", "2.11M"),
            "deeplabv3aspp_os16_mobilenet_v2_1.0_513": ("5.8B", "4.52M"),
        },
        madds=Figure(text="0", counts="atrous"),
    ),
    Published(
        name="deeplabv3aspp_os16_mobilenet_v1_1.0_513",
        source="arXiv:1801.04381, table 7",
        madds=Figure(text="14.25B", counts="atrous", unexplained="the V2 rows follow; here the count is 0.1 % less"),
        params=Figure(text="11.15M"),
    ),
    *rows(
        "arXiv:1801.04381, table 7",
        {
            "deeplabv3_os8_mobilenet_v2_1.0_513": ("152.6B", "2.11M"),
            "deeplabv3aspp_os8_mobilenet_v2_1.0_513": ("387B", "4.52M"),
        },
        madds=Figure(text="0", counts="atrous_scales", cut=True),
    ),
    Published(
        name="deeplabv3aspp_os8_mobilenet_v1_1.0_513",
        source="arXiv:1801.04381, table 7",
        madds=Figure(
            text="941.9B",
            counts="atrous_scales",
            cut=True,
            unexplained="the V2 rows follow; here the count is 5 % more",
        ),
        params=Figure(text="11.15M"),
    ),
    *rows(
        "torchvision 0.29, weights' meta",
        {"lraspp_mobilenet_v3_large_1.0_520": ("2.086B", "3221538")},
    ),
)
