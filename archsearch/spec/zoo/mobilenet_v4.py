"""MobileNetV4's convolutional networks (arXiv:2404.10518, appendix) and what is printed of them."""

from archsearch.spec.arch import Arch
from archsearch.spec.zoo.published import rows
from archsearch.spec.zoo.scale import Family, network

HEAD = "head_c960_h1280_hnorm_n1000_nre"
SMALL = """r224 stem_c32 cn_s2_c32 cn_k1_c32 cn_s2_c96 cn_k1_c64 uib_a5_k5_s2_e3_c96 uib_r4_e2_c96 uib_a3_k0_e4_c96
    uib_a3_s2_e6_c128 uib_a5_k5_e4_c128 uib_k5_e4_c128 uib_k5_e3_c128 uib_r2_e4_c128"""
MEDIUM = """r256 stem_c32 er_s2_e4_c48 uib_a3_k5_s2_e4_c80 uib_a3_e2_c80 uib_a3_k5_s2_e6_c160 uib_r2_a3_e4_c160
    uib_a3_k5_e4_c160 uib_a3_e4_c160 uib_a3_k0_e4_c160 uib_k0_e2_c160 uib_a3_k0_e4_c160 uib_a5_k5_s2_e6_c256
    uib_a5_k5_e4_c256 uib_r2_a3_k5_e4_c256 uib_k0_e4_c256 uib_a3_k0_e4_c256 uib_a3_k5_e2_c256 uib_a5_k5_e4_c256
    uib_r2_k0_e4_c256 uib_a5_k0_e2_c256"""
LARGE = """r384 stem_c24 er_s2_e4_c48 uib_a3_k5_s2_e4_c96 uib_a3_e4_c96 uib_a3_k5_s2_e4_c192 uib_r3_a3_e4_c192
    uib_a3_k5_e4_c192 uib_r5_a5_e4_c192 uib_a3_k0_e4_c192 uib_r4_a5_k5_s2_e4_c512 uib_a5_k0_e4_c512 uib_a5_e4_c512
    uib_r2_a5_k0_e4_c512 uib_a5_e4_c512 uib_a5_k5_e4_c512 uib_r3_a5_k0_e4_c512"""


def mobilenet_v4_conv_small(width: float = 1.0, resolution: int = 224) -> Arch:
    """MobileNetV4-Conv-S; below width 1 stem and hidden layer stay, as in timm."""
    return _conv(SMALL, width, resolution)


def mobilenet_v4_conv_medium(width: float = 1.0, resolution: int = 256) -> Arch:
    """MobileNetV4-Conv-M."""
    return _conv(MEDIUM, width, resolution)


def mobilenet_v4_conv_large(width: float = 1.0, resolution: int = 384) -> Arch:
    """MobileNetV4-Conv-L."""
    return _conv(LARGE, width, resolution)


def _conv(text: str, width: float, resolution: int) -> Arch:
    """All activations are ReLU."""
    first, *words = text.split()
    trunk = " ".join([first, *(f"{word}_nre" for word in words)])
    return network(f"{trunk} {HEAD}", width, resolution, stem=width > 1)


NETWORKS = {
    "mobilenet_v4_conv_small": Family(mobilenet_v4_conv_small),
    "mobilenet_v4_conv_medium": Family(mobilenet_v4_conv_medium),
    "mobilenet_v4_conv_large": Family(mobilenet_v4_conv_large),
}
MORE = ("mobilenet_v4_conv_medium_1.0_256", "mobilenet_v4_conv_large_1.0_384")
OTHERS = "the layers that the paper's appendix lists make more; timm and d-li14 count as here"
ROWS = (
    *rows(
        "arXiv:2404.10518, ImageNet table",
        {
            "mobilenet_v4_conv_small_1.0_224": ("0.2B", "3.8M"),
            "mobilenet_v4_conv_medium_1.0_256": ("1.0B", "9.2M"),
            "mobilenet_v4_conv_large_1.0_384": ("5.9B", "31.0M"),
        },
        misprints={name: OTHERS for name in MORE},
        wrong_params={name: OTHERS for name in MORE},
    ),
    *rows(
        "d-li14/mobilenetv4.pytorch, README",
        {
            "mobilenet_v4_conv_medium_1.0_256": ("1.080B", "9.72M"),
            "mobilenet_v4_conv_large_1.0_384": ("6.376B", "32.59M"),
        },
    ),
)
