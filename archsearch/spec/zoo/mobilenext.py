"""MobileNeXt (arXiv:2007.02269) and what its authors print of it."""

from dataclasses import replace

from archsearch.spec.arch import Arch, scaled_head
from archsearch.spec.zoo.published import Figure, rows
from archsearch.spec.zoo.scale import Family, network

TRUNK = """r224 stem_c32 sg_s2_e2_c96 sg_a3_e6_c144 sg_r3_s2_e6_c192 sg_r3_s2_e6_c288 sg_r4_e6_c384 sg_r4_s2_e6_c576
    sg_r3_e6_c960 sg_a3_e6_c1280"""  # table 2


def mobilenext(width: float = 1.0, resolution: int = 224) -> Arch:
    """MobileNeXt as released: the last block, too, keeps its 1,280 channels below width 1."""
    arch = network(f"{TRUNK} head_c0_n1000", width, resolution)
    last = replace(arch.stages[-1], width=scaled_head(1280, width))
    return replace(arch, stages=(*arch.stages[:-1], last))


NETWORKS = {"mobilenext": Family(mobilenext)}
ROWS = rows(
    "yitu-opensource/MobileNeXt, README",
    {
        "mobilenext_1.4_224": ("590M", "6.1M"),
        "mobilenext_1.0_224": ("300M", "3.5M"),
        "mobilenext_0.75_224": ("210M", "2.5M"),
        "mobilenext_0.5_224": ("110M", "2.1M"),
        "mobilenext_0.35_224": ("80M", "1.8M"),
    },
    madds=Figure(text="0", step=10),
    misprints={
        "mobilenext_1.0_224": "the released code makes 311M",
        "mobilenext_0.5_224": "the released code makes 103M",
    },
    wrong_params={
        "mobilenext_0.75_224": "the released code makes 2.77M",
        "mobilenext_0.5_224": "the released code makes 2.15M, which would be cut, not rounded",
        "mobilenext_0.35_224": "the released code makes 1.91M",
    },
)
