"""ProxylessNAS (arXiv:1812.00332): the networks searched for a phone, a GPU and a CPU, and a small one."""

from archsearch.spec.arch import Arch
from archsearch.spec.zoo.published import rows
from archsearch.spec.zoo.scale import Family, network

MOBILE = """r224 stem_c32 ir_e1_c16 ir_k5_s2_e3_c32 ir_e3_c32 ir_k7_s2_e3_c40 ir_e3_c40 ir_r2_k5_e3_c40 ir_k7_s2_e6_c80
    ir_r3_k5_e3_c80 ir_k5_e6_c96 ir_r3_k5_e3_c96 ir_k7_s2_e6_c192 ir_k7_e6_c192 ir_r2_k7_e3_c192 ir_k7_e6_c320
    head_c1280_n1000"""
MOBILE_14 = """r224 stem_c48 ir_e1_c24 ir_k5_s2_e3_c40 ir_e3_c40 ir_k7_s2_e3_c56 ir_e3_c56 ir_r2_k5_e3_c56
    ir_k7_s2_e6_c112 ir_r3_k5_e3_c112 ir_k5_e6_c136 ir_r3_k5_e3_c136 ir_k7_s2_e6_c256 ir_k7_e6_c256 ir_r2_k7_e3_c256
    ir_k7_e6_c448 head_c1792_n1000"""
GPU = """r224 stem_c40 ir_e1_c24 ir_k5_s2_e3_c32 ir_k7_s2_e3_c56 ir_e3_c56 ir_k7_s2_e6_c112 ir_k5_e3_c112 ir_k5_e6_c128
    ir_e3_c128 ir_k5_e3_c128 ir_k7_s2_e6_c256 ir_r2_k7_e6_c256 ir_k5_e6_c256 ir_k7_e6_c432 head_c1728_n1000"""
CPU = """r224 stem_c40 ir_e1_c24 ir_s2_e6_c32 ir_r3_e3_c32 ir_s2_e6_c48 ir_r2_e3_c48 ir_k5_e3_c48 ir_s2_e6_c88
    ir_e3_c88 ir_k5_e6_c104 ir_r3_e3_c104 ir_k5_s2_e6_c216 ir_r2_k5_e3_c216 ir_e3_c216 ir_k5_e6_c360
    head_c1432_n1000"""
W03_R176 = """r176 stem_c16 ir_e1_c8 ir_k5_s2_e3_c16 ir_e3_c16 ir_k7_s2_e3_c16 ir_e3_c16 ir_r2_k5_e3_c16 ir_k7_s2_e6_c24
    ir_r3_k5_e3_c24 ir_k5_e6_c32 ir_r3_k5_e3_c32 ir_k7_s2_e6_c64 ir_k7_e6_c64 ir_r2_k7_e3_c64 ir_k7_e6_c96
    head_c384_n1000"""


def proxyless_mobile() -> Arch:
    """ProxylessNAS (mobile)."""
    return network(MOBILE)


def proxyless_mobile_14() -> Arch:
    """ProxylessNAS (mobile) 1.4 times as wide, as released: not all widths are what a multiplier would give."""
    return network(MOBILE_14)


def proxyless_gpu() -> Arch:
    """ProxylessNAS (GPU)."""
    return network(GPU)


def proxyless_cpu() -> Arch:
    """ProxylessNAS (CPU)."""
    return network(CPU)


def proxyless_w03_r176() -> Arch:
    """The network of width 0.3 for images of 176 pixels that mit-han-lab/proxylessnas uses for gaze and faces."""
    return network(W03_R176)


NETWORKS = {
    "proxyless_mobile": Family(proxyless_mobile, scaled=False),
    "proxyless_mobile_14": Family(proxyless_mobile_14, scaled=False),
    "proxyless_gpu": Family(proxyless_gpu, scaled=False),
    "proxyless_cpu": Family(proxyless_cpu, scaled=False),
    "proxyless_w0.3_r176": Family(proxyless_w03_r176, scaled=False),
}
ROWS = (
    *rows(
        "mit-han-lab/proxylessnas, README (2019)",
        {"proxyless_mobile": ("320M", ""), "proxyless_mobile_14": ("581M", "")},
    ),
    *rows("mit-han-lab/proxylessnas", {"proxyless_gpu": ("", ""), "proxyless_cpu": ("", "")}),
    *rows(
        "mit-han-lab/proxylessnas, proxyless_gaze",
        {"proxyless_w0.3_r176": ("38.3M", "0.75M")},
    ),
)
