"""Segmenters: published trunks with DeepLabv3 or LR-ASPP, and what is printed of them."""

from dataclasses import replace

from archsearch.spec.arch import Arch, Head
from archsearch.spec.zoo.mobilenet_v1 import mobilenet_v1
from archsearch.spec.zoo.mobilenet_v2 import mobilenet_v2
from archsearch.spec.zoo.mobilenet_v3 import mobilenet_v3_large
from archsearch.spec.zoo.published import Figure, rows
from archsearch.spec.zoo.scale import Family

PASCAL = 21  # classes with the background


def deeplab(arch: Arch, output_stride: int, *, aspp: bool) -> Arch:
    """A classifier's trunk, its last 1x1 convolution left out, with DeepLabv3 for PASCAL VOC."""
    kind = "deeplabv3aspp" if aspp else "deeplabv3"
    head = Head(kind=kind, width=0, hidden=256, classes=PASCAL, output_stride=output_stride, act="relu")
    return replace(arch, head=head)


def deeplabv3_os16_mobilenet_v2(width: float = 1.0, resolution: int = 513) -> Arch:
    """MobileNetV2 with DeepLabv3 without ASPP at output stride 16 (arXiv:1801.04381, section 6.3)."""
    return deeplab(mobilenet_v2(width, resolution), 16, aspp=False)


def deeplabv3_os8_mobilenet_v2(width: float = 1.0, resolution: int = 513) -> Arch:
    """MobileNetV2 with DeepLabv3 without ASPP at output stride 8."""
    return deeplab(mobilenet_v2(width, resolution), 8, aspp=False)


def deeplabv3aspp_os16_mobilenet_v2(width: float = 1.0, resolution: int = 513) -> Arch:
    """MobileNetV2 with DeepLabv3 and ASPP at output stride 16."""
    return deeplab(mobilenet_v2(width, resolution), 16, aspp=True)


def deeplabv3aspp_os8_mobilenet_v2(width: float = 1.0, resolution: int = 513) -> Arch:
    """MobileNetV2 with DeepLabv3 and ASPP at output stride 8."""
    return deeplab(mobilenet_v2(width, resolution), 8, aspp=True)


def deeplabv3aspp_os16_mobilenet_v1(width: float = 1.0, resolution: int = 513) -> Arch:
    """MobileNetV1 with DeepLabv3 and ASPP at output stride 16."""
    return deeplab(mobilenet_v1(width, resolution), 16, aspp=True)


def deeplabv3aspp_os8_mobilenet_v1(width: float = 1.0, resolution: int = 513) -> Arch:
    """MobileNetV1 with DeepLabv3 and ASPP at output stride 8."""
    return deeplab(mobilenet_v1(width, resolution), 8, aspp=True)


def lraspp_mobilenet_v3_large(width: float = 1.0, resolution: int = 520) -> Arch:
    """MobileNetV3-Large with LR-ASPP at output stride 16, as torchvision has it."""
    return lraspp(mobilenet_v3_large(width, resolution))


def lraspp(arch: Arch) -> Arch:
    """A classifier's trunk, its last 1x1 convolution included, with LR-ASPP (arXiv:1905.02244, section 6.4)."""
    head = Head(kind="lraspp", width=arch.head.width, hidden=128, classes=PASCAL, output_stride=16, act=arch.head.act)
    return replace(arch, head=head)


NETWORKS = {
    "deeplabv3_os16_mobilenet_v2": Family(deeplabv3_os16_mobilenet_v2),
    "deeplabv3_os8_mobilenet_v2": Family(deeplabv3_os8_mobilenet_v2),
    "deeplabv3aspp_os16_mobilenet_v2": Family(deeplabv3aspp_os16_mobilenet_v2),
    "deeplabv3aspp_os8_mobilenet_v2": Family(deeplabv3aspp_os8_mobilenet_v2),
    "deeplabv3aspp_os16_mobilenet_v1": Family(deeplabv3aspp_os16_mobilenet_v1),
    "deeplabv3aspp_os8_mobilenet_v1": Family(deeplabv3aspp_os8_mobilenet_v1),
    "lraspp_mobilenet_v3_large": Family(lraspp_mobilenet_v3_large),
}
ROWS = (
    *rows(
        "arXiv:1801.04381, table 7",
        {
            "deeplabv3_os16_mobilenet_v2_1.0_513": ("2.75B", "2.11M"),
            "deeplabv3aspp_os16_mobilenet_v2_1.0_513": ("5.8B", "4.52M"),
            "deeplabv3aspp_os16_mobilenet_v1_1.0_513": ("14.25B", "11.15M"),
        },
        madds=Figure(text="0", counts="atrous"),
        misprints={"deeplabv3aspp_os16_mobilenet_v1_1.0_513": "the V2 rows follow; here the count is 0.1 % less"},
    ),
    *rows(
        "arXiv:1801.04381, table 7",
        {
            "deeplabv3_os8_mobilenet_v2_1.0_513": ("152.6B", "2.11M"),
            "deeplabv3aspp_os8_mobilenet_v2_1.0_513": ("387B", "4.52M"),
            "deeplabv3aspp_os8_mobilenet_v1_1.0_513": ("941.9B", "11.15M"),
        },
        madds=Figure(text="0", counts="atrous_scales", cut=True),
        misprints={"deeplabv3aspp_os8_mobilenet_v1_1.0_513": "the V2 rows follow; here the count is 5 % more"},
    ),
    *rows(
        "torchvision 0.29, weights' meta",
        {"lraspp_mobilenet_v3_large_1.0_520": ("2.086B", "3221538")},
    ),
)
