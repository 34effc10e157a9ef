"""MobileNetV1 (arXiv:1704.04861) and what its authors and TF-slim print of it."""

from archsearch.spec.arch import Arch
from archsearch.spec.zoo.published import Figure, rows
from archsearch.spec.zoo.scale import Family, network

TRUNK = """r224 stem_c32_k3_s2 ds_e1_c64 ds_s2_e1_c128 ds_e1_c128 ds_s2_e1_c256 ds_e1_c256 ds_s2_e1_c512 ds_r5_e1_c512
    ds_s2_e1_c1024 ds_e1_c1024"""  # table 1


def mobilenet_v1(width: float = 1.0, resolution: int = 224) -> Arch:
    """MobileNetV1 with TF-slim's 1,001 classes: the background class counts."""
    return network(f"{TRUNK} head_c0_n1001", width, resolution)


NETWORKS = {"mobilenet_v1": Family(mobilenet_v1)}
TF_SLIM = rows(
    "TF-slim, nets/mobilenet_v1.md",
    {
        "mobilenet_v1_1.0_224": ("569M", "4.24M"),
        "mobilenet_v1_1.0_192": ("418M", "4.24M"),
        "mobilenet_v1_1.0_160": ("291M", "4.24M"),
        "mobilenet_v1_1.0_128": ("186M", "4.24M"),
        "mobilenet_v1_0.75_224": ("317M", "2.59M"),
        "mobilenet_v1_0.75_192": ("233M", "2.59M"),
        "mobilenet_v1_0.75_160": ("162M", "2.59M"),
        "mobilenet_v1_0.75_128": ("104M", "2.59M"),
        "mobilenet_v1_0.5_224": ("150M", "1.34M"),
        "mobilenet_v1_0.5_192": ("110M", "1.34M"),
        "mobilenet_v1_0.5_160": ("77M", "1.34M"),
        "mobilenet_v1_0.5_128": ("49M", "1.34M"),
        "mobilenet_v1_0.25_224": ("41M", "0.47M"),
        "mobilenet_v1_0.25_192": ("34M", "0.47M"),
        "mobilenet_v1_0.25_160": ("21M", "0.47M"),
        "mobilenet_v1_0.25_128": ("14M", "0.47M"),
    },
    madds=Figure(text="0", counts="offsets"),
    params=Figure(text="0", counts="norm_of_three"),
    misprints={
        f"mobilenet_v1_0.75_{side}": "all rows of width 0.75 print too little; the paper prints 325M at 224 pixels"
        for side in (224, 192, 160, 128)
    }
    | {"mobilenet_v1_0.25_192": "41M at 224 pixels makes 30M at 192"},
)
PAPER = rows(
    "arXiv:1704.04861, tables 6 and 7",
    {
        "mobilenet_v1_0.75_224": ("325M", "2.6M"),
        "mobilenet_v1_0.5_224": ("149M", "1.3M"),
        "mobilenet_v1_0.25_224": ("41M", "0.5M"),
        "mobilenet_v1_1.0_192": ("418M", "4.2M"),
        "mobilenet_v1_1.0_160": ("290M", "4.2M"),
        "mobilenet_v1_1.0_128": ("186M", "4.2M"),
    },
    madds=Figure(text="0", cut=True),
)
PAPER_ROUNDED = rows("arXiv:1704.04861, tables 6 and 7", {"mobilenet_v1_1.0_224": ("569M", "4.2M")})
V2_PAPER = rows(
    "arXiv:1801.04381, table 4",
    {"mobilenet_v1_1.0_224": ("575M", "4.2M")},
    misprints={"mobilenet_v1_1.0_224": "MobileNetV1's own paper prints 569M"},
)
ROWS = (*TF_SLIM, *PAPER_ROUNDED, *PAPER, *V2_PAPER)
