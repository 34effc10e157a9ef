"""MnasNet (arXiv:1807.11626) and what is printed of it."""

from archsearch.spec.arch import Arch
from archsearch.spec.zoo.published import Figure, rows
from archsearch.spec.zoo.scale import Family, network

SE = "se0.25_sein_sesig_nre"
A1 = f"""r224 stem_c32_nre ir_e1_c16_nre ir_r2_s2_e6_c24_nre ir_r3_k5_s2_e3_c40_{SE} ir_r4_s2_e6_c80_nre
    ir_r2_e6_c112_{SE} ir_r3_k5_s2_e6_c160_{SE} ir_e6_c320_nre"""  # figure 7
B1 = """r224 stem_c32_nre ir_e1_c16_nre ir_r3_s2_e3_c24_nre ir_r3_k5_s2_e3_c40_nre ir_r3_k5_s2_e6_c80_nre
    ir_r2_e6_c96_nre ir_r4_k5_s2_e6_c192_nre ir_e6_c320_nre"""
SMALL = f"""r224 stem_c8_nre ir_e1_c8_nre ir_s2_e3_c16_nre ir_r2_s2_e6_c16_nre ir_r4_k5_s2_e6_c32_{SE}
    ir_r3_e6_c32_{SE} ir_r3_k5_s2_e6_c88_{SE} ir_e6_c144_nre"""
HEAD = "head_c1280_n1000_nre"


def mnasnet_a1(width: float = 1.0, resolution: int = 224) -> Arch:
    """MnasNet-A1, with squeeze-and-excitation; the last convolution keeps its 1,280 channels at every width."""
    return network(f"{A1} {HEAD}", width, resolution, last=False)


def mnasnet_b1(width: float = 1.0, resolution: int = 224) -> Arch:
    """MnasNet-B1, without squeeze-and-excitation: torchvision's mnasnet1_0."""
    return network(f"{B1} {HEAD}", width, resolution, last=False)


def mnasnet_small(width: float = 1.0, resolution: int = 224) -> Arch:
    """MnasNet-small of the released code."""
    return network(f"{SMALL} {HEAD}", width, resolution, last=False)


NETWORKS = {
    "mnasnet_a1": Family(mnasnet_a1),
    "mnasnet_b1": Family(mnasnet_b1),
    "mnasnet_small": Family(mnasnet_small),
}
TPU = "tensorflow/tpu, mnasnet/README.md"
GRID = rows(
    f"{TPU}, table",
    {
        f"mnasnet_a1_{width}_{side}": (f"{madds}M", f"{params}M")
        for width, params, column in (
            ("1.4", "6.1", {224: "591.5", 192: "435.1", 160: "302.8", 128: "194.5", 96: "110.3"}),
            ("1.0", "3.9", {224: "315.2", 192: "232.0", 160: "161.6", 128: "104.1", 96: "59.3"}),
            ("0.75", "2.9", {224: "226.7", 192: "166.9", 160: "116.4", 128: "75.0", 96: "42.9"}),
            ("0.5", "2.1", {224: "105.2", 192: "77.6", 160: "54.4", 128: "35.3", 96: "20.5"}),
            ("0.35", "1.7", {224: "63.2", 192: "46.8", 160: "32.9", 128: "21.6", 96: "12.7"}),
        )
        for side, madds in column.items()
    },
    madds=Figure(text="0", counts="tflite"),
)
README = rows(TPU, {"mnasnet_a1_1.0_224": ("312M", "3.9M"), "mnasnet_small_1.0_224": ("68M", "2.0M")})
TORCHVISION = rows(
    "torchvision 0.29, weights' meta",
    {
        "mnasnet_b1_0.5_224": ("0.104B", "2218512"),
        "mnasnet_b1_0.75_224": ("0.215B", "3170208"),
        "mnasnet_b1_1.0_224": ("0.314B", "4383312"),
        "mnasnet_b1_1.3_224": ("0.526B", "6282256"),
    },
)
ROWS = (*README, *GRID, *TORCHVISION)
