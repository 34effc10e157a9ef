"""FBNet-C (arXiv:1812.03443) and what is printed of it."""

from archsearch.spec.arch import Arch
from archsearch.spec.zoo.published import Figure, Published
from archsearch.spec.zoo.scale import Family, network

C = """r224 stem_c16_nre uib_e1_c16_nre ir_s2_e6_c24_nre uib_r2_e1_c24_nre ir_k5_s2_e6_c32_nre ir_k5_e3_c32_nre
    ir_k5_e6_c32_nre ir_e6_c32_nre ir_k5_s2_e6_c64_nre ir_k5_e3_c64_nre ir_r2_k5_e6_c64_nre ir_r3_k5_e6_c112_nre
    ir_k5_e3_c112_nre ir_r4_k5_s2_e6_c184_nre ir_e6_c352_nre head_c1984_n1000_nre"""


def fbnet_c() -> Arch:
    """FBNet-C; a block of ratio 1 has its 1x1 expansion too, so it is spelt `uib`: `ir` would leave it out."""
    return network(C)


NETWORKS = {
    "fbnet_c": Family(fbnet_c, scaled=False),
}
ROWS = (
    Published(
        name="fbnet_c",
        source="facebookresearch/mobile-vision, README",
        madds=Figure(text="383.0M", counts="conv"),
        params=Figure(text="5.5M", counts="no_norm"),
    ),
    Published(
        name="fbnet_c",
        source="arXiv:1812.03443, table 3",
        madds=Figure(text="375M", misprint="its authors' repository prints 383.0M, which follows"),
        params=Figure(text="5.5M", counts="no_norm"),
    ),
)
