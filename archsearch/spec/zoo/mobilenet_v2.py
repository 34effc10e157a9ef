"""MobileNetV2 (arXiv:1801.04381) and what its authors, TF-slim and two PyTorch zoos print of it."""

from archsearch.spec.arch import Arch
from archsearch.spec.zoo.published import Figure, rows
from archsearch.spec.zoo.scale import Family, network

TRUNK = """r224 stem_c32_k3_s2 ir_e1_c16 ir_r2_s2_c24 ir_r3_s2_c32 ir_r4_s2_c64 ir_r3_c96 ir_r3_s2_c160
    ir_c320"""  # table 2


def mobilenet_v2(width: float = 1.0, resolution: int = 224) -> Arch:
    """MobileNetV2 with 1,000 classes, as TF-slim and torchvision have it."""
    return network(f"{TRUNK} head_c1280_n1000", width, resolution)


NETWORKS = {"mobilenet_v2": Family(mobilenet_v2)}
TF_SLIM = rows(
    "TF-slim, nets/mobilenet/README.md",
    {
        "mobilenet_v2_1.4_224": ("582M", "6.06M"),
        "mobilenet_v2_1.3_224": ("509M", "5.34M"),
        "mobilenet_v2_1.0_224": ("300M", "3.47M"),
        "mobilenet_v2_1.0_192": ("221M", "3.47M"),
        "mobilenet_v2_1.0_160": ("154M", "3.47M"),
        "mobilenet_v2_1.0_128": ("99M", "3.47M"),
        "mobilenet_v2_1.0_96": ("56M", "3.47M"),
        "mobilenet_v2_0.75_224": ("209M", "2.61M"),
        "mobilenet_v2_0.75_192": ("153M", "2.61M"),
        "mobilenet_v2_0.75_160": ("107M", "2.61M"),
        "mobilenet_v2_0.75_128": ("69M", "2.61M"),
        "mobilenet_v2_0.75_96": ("39M", "2.61M"),
        "mobilenet_v2_0.5_224": ("97M", "1.95M"),
        "mobilenet_v2_0.5_192": ("71M", "1.95M"),
        "mobilenet_v2_0.5_160": ("50M", "1.95M"),
        "mobilenet_v2_0.5_128": ("32M", "1.95M"),
        "mobilenet_v2_0.5_96": ("18M", "1.95M"),
        "mobilenet_v2_0.35_224": ("59M", "1.66M"),
        "mobilenet_v2_0.35_192": ("43M", "1.66M"),
        "mobilenet_v2_0.35_160": ("30M", "1.66M"),
        "mobilenet_v2_0.35_128": ("20M", "1.66M"),
        "mobilenet_v2_0.35_96": ("11M", "1.66M"),
    },
    madds=Figure(text="0", cut=True),
    params=Figure(text="0", counts="no_norm"),
)
PAPER = rows(
    "arXiv:1801.04381, table 4",
    {"mobilenet_v2_1.0_224": ("300M", "3.4M"), "mobilenet_v2_1.4_224": ("585M", "6.9M")},
    madds=Figure(text="0", cut=True),
    params=Figure(text="0", counts="no_norm", cut=True),
    misprints={"mobilenet_v2_1.4_224": "TF-slim prints 582M for the same network"},
    wrong_params={"mobilenet_v2_1.4_224": "TF-slim prints 6.06M for the same network"},
)
RETRAINED = rows(
    "d-li14/mobilenetv2.pytorch, README",
    {
        "mobilenet_v2_1.0_224": ("300.79M", "3.504M"),
        "mobilenet_v2_0.75_224": ("209.08M", "2.636M"),
        "mobilenet_v2_0.5_224": ("97.14M", "1.968M"),
        "mobilenet_v2_0.25_224": ("37.21M", "1.519M"),
        "mobilenet_v2_1.0_128": ("99.09M", "3.504M"),
        "mobilenet_v2_1.0_96": ("56.31M", "3.504M"),
    },
    madds=Figure(text="0", counts="offsets"),
    params=Figure(text="0", cut=True),
)
TORCHVISION = rows("torchvision 0.29, weights' meta", {"mobilenet_v2_1.0_224": ("0.301B", "3504872")})
KERAS = rows(
    "Keras, MobileNetV2().summary()",
    {"mobilenet_v2_1.0_224": ("", "3538984")},
    params=Figure(text="0", counts="with_statistics"),
)
ROWS = (*TF_SLIM, *PAPER, *RETRAINED, *TORCHVISION, *KERAS)
