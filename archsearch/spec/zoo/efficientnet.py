"""EfficientNet-B0 (arXiv:1905.11946) and EfficientNet-lite0 to lite4, and what is printed of them."""

import math
from dataclasses import replace
from functools import partial

from archsearch.spec.arch import Arch
from archsearch.spec.zoo.published import Figure, Published, rows
from archsearch.spec.zoo.scale import Family, network

BLOCKS = "e1_c16 r2_s2_e6_c24 r2_k5_s2_e6_c40 r3_s2_e6_c80 r3_k5_e6_c112 r4_k5_s2_e6_c192 e6_c320"  # table 1
LITE = ((1.0, 1.0, 224), (1.0, 1.1, 240), (1.1, 1.2, 260), (1.2, 1.4, 280), (1.4, 1.8, 300))  # width, depth, pixels


def _trunk(stem: str, words: str = "") -> str:
    return " ".join(["r224", stem, *(f"ir_{block}{words}" for block in BLOCKS.split())])


def efficientnet_b0() -> Arch:
    """EfficientNet-B0, as torchvision has it."""
    return network(f"{_trunk('stem_c32_nsw', '_se0.25_sein_sesig_nsw')} head_c1280_n1000_nsw")


def efficientnet_lite(number: int) -> Arch:
    """EfficientNet-lite0 to lite4: no squeeze-and-excitation, ReLU6; stem, head, first and last stage are not scaled.

    Source: tensorflow/tpu, efficientnet/lite.
    """
    width, depth, resolution = LITE[number]
    arch = network(f"{_trunk('stem_c32')} head_c1280_n1000", width, resolution, stem=False, last=False)
    first, *inner, last = arch.stages
    deeper = (replace(stage, repeats=math.ceil(stage.repeats * depth)) for stage in inner)
    return replace(arch, stages=(first, *deeper, last))


NETWORKS = {
    "efficientnet_b0": Family(efficientnet_b0, scaled=False),
    **{f"efficientnet_lite{number}": Family(partial(efficientnet_lite, number), scaled=False) for number in range(5)},
}
ROWS = (
    Published(
        name="efficientnet_b0",
        source="arXiv:1905.11946, table 2",
        madds=Figure(text="0.39B"),
        params=Figure(text="5.3M"),
    ),
    *rows("torchvision 0.29, weights' meta", {"efficientnet_b0": ("0.386B", "5288548")}),
    *rows(
        "tensorflow/tpu, efficientnet/lite/README.md",
        {
            "efficientnet_lite0": ("407M", "4.7M"),
            "efficientnet_lite1": ("631M", "5.4M"),
            "efficientnet_lite2": ("899M", "6.1M"),
            "efficientnet_lite3": ("1.44B", "8.2M"),
            "efficientnet_lite4": ("2.64B", "13.0M"),
        },
        madds=Figure(text="0", counts="tfprof"),
    ),
)
