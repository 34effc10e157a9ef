"""Detectors: published trunks with SSDLite at 320 pixels, and what is printed of them."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from archsearch.spec.arch import Arch, Head
from archsearch.spec.zoo.mnasnet import mnasnet_a1
from archsearch.spec.zoo.mobilenet_v1 import mobilenet_v1
from archsearch.spec.zoo.mobilenet_v2 import mobilenet_v2
from archsearch.spec.zoo.mobilenet_v3 import mobilenet_v3_large, mobilenet_v3_small
from archsearch.spec.zoo.published import Figure, Published, rows
from archsearch.spec.zoo.scale import Family, behind

CLASSES = 81  # COCO's 80 and the background: what arXiv:1801.04381 counts
LABELS = 91  # numbers up to COCO's last label, 90: what arXiv:1905.02244 counts


def ssdlite(arch: Arch, classes: int) -> Arch:
    """A classifier's trunk, its last 1x1 convolution included, with SSDLite for COCO."""
    return replace(arch, head=Head(kind="ssdlite", width=arch.head.width, classes=classes, act=arch.head.act))


def halved(arch: Arch) -> Arch:
    """Half the channels from the stage at 1/32 of the image on (arXiv:1905.02244, section 6.3: C4 to C5)."""
    at = arch.stem.stride
    stages = []
    for stage in arch.stages:
        at *= stage.stride
        stages.append(replace(stage, width=stage.width // 2) if at == 32 else stage)
    return replace(arch, stages=tuple(stages), head=replace(arch.head, width=arch.head.width // 2))


def mobilenet_v3_large_halved(width: float = 1.0, resolution: int = 224) -> Arch:
    """MobileNetV3-Large with half the channels at 1/32 of the image."""
    return halved(mobilenet_v3_large(width, resolution))


def mobilenet_v3_small_halved(width: float = 1.0, resolution: int = 224) -> Arch:
    """MobileNetV3-Small with half the channels at 1/32 of the image."""
    return halved(mobilenet_v3_small(width, resolution))


def detectors(classes: int, *trunks: Callable[..., Arch]) -> dict[str, Family]:
    """Families of some trunks with SSDLite, each under its trunk's name."""
    return {f"ssdlite_{trunk.__name__}": behind(partial(ssdlite, classes=classes), trunk, 320) for trunk in trunks}


NETWORKS = {
    **detectors(CLASSES, mobilenet_v1, mobilenet_v2),  # arXiv:1801.04381, section 6.2
    **detectors(LABELS, mobilenet_v3_large, mobilenet_v3_large_halved, mobilenet_v3_small, mobilenet_v3_small_halved),
    **detectors(LABELS, mnasnet_a1),
}
ROWS = (
    *rows(
        "arXiv:1801.04381, table 6",
        {
            "ssdlite_mobilenet_v1_1.0_320": ("1.3B", "5.1M"),
            "ssdlite_mobilenet_v2_1.0_320": ("0.8B", "4.3M"),
        },
        params=Figure(text="0", counts="no_norm"),
    ),
    *rows(
        "arXiv:1905.02244, table 6",
        {
            "ssdlite_mobilenet_v3_large_1.0_320": ("0.62B", "4.97M"),
            "ssdlite_mobilenet_v3_large_halved_1.0_320": ("0.51B", "3.22M"),
            "ssdlite_mobilenet_v3_small_1.0_320": ("0.21B", "2.49M"),
            "ssdlite_mobilenet_v3_small_halved_1.0_320": ("0.16B", "1.77M"),
        },
        madds=Figure(text="0", counts="tflite"),
        params=Figure(text="0", counts="no_norm"),
    ),
    Published(
        name="ssdlite_mnasnet_a1_1.0_320",
        source="arXiv:1905.02244, table 6",
        madds=Figure(text="0.84B"),
        params=Figure(
            text="4.88M",
            counts="no_norm",
            unexplained="between the counts without batch norm, 4.86M, and with it, 4.91M",
        ),
    ),
)
