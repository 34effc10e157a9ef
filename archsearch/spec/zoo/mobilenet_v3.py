"""MobileNetV3 (arXiv:1905.02244), its minimalistic forms and MobileNet-EdgeTPU, and what is printed of them."""

from archsearch.spec.arch import Arch
from archsearch.spec.zoo.published import Figure, Published, rows
from archsearch.spec.zoo.scale import Family, network

LARGE = """r224 stem_c16_nhs ir_e1_c16_nre ir_s2_e4_c24_nre ir_e3_c24_nre ir_r3_k5_s2_e3_c40_se0.25_nre ir_s2_e6_c80_nhs
    ir_e2.5_c80_nhs ir_r2_e2.3_c80_nhs ir_r2_e6_c112_se0.25_nhs ir_r3_k5_s2_e6_c160_se0.25_nhs"""  # table 1
SMALL = """r224 stem_c16_nhs ir_s2_e1_c16_se0.25_nre ir_s2_e4.5_c24_nre ir_e3.67_c24_nre ir_k5_s2_e4_c40_se0.25_nhs
    ir_r2_k5_e6_c40_se0.25_nhs ir_r2_k5_e3_c48_se0.25_nhs ir_r3_k5_s2_e6_c96_se0.25_nhs"""  # table 2
EDGETPU = """r224 stem_c32_nre cn_k1_c16_nre er_s2_e8_c32_nre er_r3_e4_c32_nre er_s2_e8_c48_nre er_r3_e4_c48_nre
    ir_s2_e8_c96_nre ir_r3_e4_c96_nre ir_e8_c96_noskip_nre ir_r3_e4_c96_nre ir_k5_s2_e8_c160_nre ir_r3_k5_e4_c160_nre
    ir_e8_c192_nre head_c1280_n1000_nre"""


def mobilenet_v3_large(width: float = 1.0, resolution: int = 224) -> Arch:
    """MobileNetV3-Large, as torchvision has it."""
    return network(f"{LARGE} head_c960_h1280_n1000_nhs", width, resolution)


def mobilenet_v3_small(width: float = 1.0, resolution: int = 224) -> Arch:
    """MobileNetV3-Small, as torchvision has it: 1,024 hidden units."""
    return network(f"{SMALL} head_c576_h1024_n1000_nhs", width, resolution)


def mobilenet_v3_small_h1280(width: float = 1.0, resolution: int = 224) -> Arch:
    """MobileNetV3-Small of the paper's first version: 1,280 hidden units."""
    return network(f"{SMALL} head_c576_h1280_n1000_nhs", width, resolution)


def mobilenet_v3_large_minimalistic(width: float = 1.0, resolution: int = 224) -> Arch:
    """MobileNetV3-Large without squeeze-and-excitation, hard-swish and 5x5 kernels (TF-slim)."""
    return network(f"{_minimalistic(LARGE)} head_c960_h1280_n1000_nre", width, resolution)


def mobilenet_v3_small_minimalistic(width: float = 1.0, resolution: int = 224) -> Arch:
    """MobileNetV3-Small without squeeze-and-excitation, hard-swish and 5x5 kernels (TF-slim)."""
    return network(f"{_minimalistic(SMALL)} head_c576_h1024_n1000_nre", width, resolution)


def mobilenet_edgetpu(width: float = 1.0, resolution: int = 224) -> Arch:
    """MobileNet-EdgeTPU (TF-slim); its first block is one 1x1 convolution."""
    return network(EDGETPU, width, resolution)


def _minimalistic(text: str) -> str:
    return text.replace("_se0.25", "").replace("_nhs", "_nre").replace("_k5", "_k3")


NETWORKS = {
    "mobilenet_v3_large": Family(mobilenet_v3_large),
    "mobilenet_v3_small": Family(mobilenet_v3_small),
    "mobilenet_v3_small_h1280": Family(mobilenet_v3_small_h1280),
    "mobilenet_v3_large_minimalistic": Family(mobilenet_v3_large_minimalistic),
    "mobilenet_v3_small_minimalistic": Family(mobilenet_v3_small_minimalistic),
    "mobilenet_edgetpu": Family(mobilenet_edgetpu),
}
SLIM = "TF-slim, nets/mobilenet/README.md"
TF_SLIM = rows(
    SLIM,
    {
        "mobilenet_v3_large_0.75_224": ("155M", "4.0M"),
        "mobilenet_v3_large_minimalistic_1.0_224": ("209M", "3.9M"),
        "mobilenet_v3_small_h1280_1.0_224": ("66M", "2.9M"),
        "mobilenet_v3_small_h1280_0.75_224": ("44M", "2.4M"),
        "mobilenet_v3_small_minimalistic_1.0_224": ("65M", "2.0M"),
    },
    misprints={
        "mobilenet_v3_small_h1280_1.0_224": "the paper's later version prints 56M; 0.75 of it, 44M, follows",
        "mobilenet_v3_small_minimalistic_1.0_224": "more than V3-Small has, whose layers are the same or larger",
    },
)
TF_SLIM_CUT = (
    *rows(SLIM, {"mobilenet_v3_large_1.0_224": ("217M", "5.4M")}, params=Figure(text="0", cut=True)),
    *rows(
        SLIM,
        {"mobilenet_edgetpu_1.0_224": ("990M", "4.0M"), "mobilenet_edgetpu_0.75_224": ("624M", "2.9M")},
        madds=Figure(text="0", cut=True),
        params=Figure(text="0", cut=True),
    ),
)
PAPER = (
    Published(
        name="mobilenet_v3_large_1.0_224",
        source="arXiv:1905.02244, table 3",
        madds=Figure(text="219M", counts="tflite"),
        params=Figure(text="5.4M", cut=True),
    ),
    Published(
        name="mobilenet_v3_small_1.0_224",
        source="arXiv:1905.02244, table 3",
        madds=Figure(text="56M", cut=True),
        params=Figure(text="2.5M"),
    ),
)
RETRAINED = rows(
    "d-li14/mobilenetv3.pytorch, README",
    {
        "mobilenet_v3_large_1.0_224": ("216.60M", "5.483M"),
        "mobilenet_v3_large_0.75_224": ("154.57M", "3.994M"),
        "mobilenet_v3_small_1.0_224": ("56.52M", "2.543M"),
        "mobilenet_v3_small_0.75_224": ("43.40M", "2.042M"),
    },
    madds=Figure(text="0", counts="biases"),
)
TORCHVISION = rows(
    "torchvision 0.29, weights' meta",
    {
        "mobilenet_v3_large_1.0_224": ("0.217B", "5483032"),
        "mobilenet_v3_small_1.0_224": ("0.057B", "2542856"),
    },
)
ROWS = (*TF_SLIM_CUT, *TF_SLIM, *PAPER, *RETRAINED, *TORCHVISION)
