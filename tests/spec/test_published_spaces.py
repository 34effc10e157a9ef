"""Each shipped space holds the network that it was made around, exactly: it is encoded and decoded to the same key."""

import numpy as np
import pytest

from archsearch.cost.count import count, count_codes
from archsearch.spec.arch import Arch
from archsearch.spec.canon import key
from archsearch.spec.lower import lower
from archsearch.spec.presets import mobilenet_v1, mobilenet_v2, preset
from archsearch.spec.space_file import read_space
from archsearch.spec.text import from_text, to_text

V2 = to_text(mobilenet_v2()).rpartition(" ")[0].partition(" ")[2]  # stem and stages
SE = "se0.25_sein_sesig_nre"
TEXTS = {
    "mobilenet_v1": to_text(mobilenet_v1()),
    "mobilenet_v1_shallow": """r224 stem_c32 ds_c64 ds_s2_c128 ds_c128 ds_s2_c256 ds_c256 ds_s2_c512 ds_s2_c1024
        ds_c1024 head_c0_n1001""",
    "mobilenet_v1_full": """r224 stem_c32 cn_c64 cn_s2_c128 cn_c128 cn_s2_c256 cn_c256 cn_s2_c512 cn_r5_c512
        cn_s2_c1024 cn_c1024 head_c0_n1001""",
    "mobilenet_v2": to_text(mobilenet_v2()),
    "mnasnet_a1": f"""r224 stem_c32_nre ir_e1_c16_nre ir_r2_s2_e6_c24_nre ir_r3_k5_s2_e3_c40_{SE} ir_r4_s2_e6_c80_nre
        ir_r2_e6_c112_{SE} ir_r3_k5_s2_e6_c160_{SE} ir_e6_c320_nre head_c1280_n1000_nre""",
    "mnasnet_b1": """r224 stem_c32_nre ir_e1_c16_nre ir_r3_s2_e3_c24_nre ir_r3_k5_s2_e3_c40_nre ir_r3_k5_s2_e6_c80_nre
        ir_r2_e6_c96_nre ir_r4_k5_s2_e6_c192_nre ir_e6_c320_nre head_c1280_n1000_nre""",
    "proxyless_mobile": """r224 stem_c32 ir_e1_c16 ir_k5_s2_e3_c32 ir_e3_c32 ir_k7_s2_e3_c40 ir_e3_c40 ir_r2_k5_e3_c40
        ir_k7_s2_e6_c80 ir_r3_k5_e3_c80 ir_k5_e6_c96 ir_r3_k5_e3_c96 ir_k7_s2_e6_c192 ir_k7_e6_c192 ir_r2_k7_e3_c192
        ir_k7_e6_c320 head_c1280_n1000""",
    "ofa_largest": """r224 stem_c16_nhs ir_e1_c16_nre ir_r4_k7_s2_e6_c24_nre ir_r4_k7_s2_e6_c40_se0.25_nre
        ir_r4_k7_s2_e6_c80_nhs ir_r4_k7_e6_c112_se0.25_nhs ir_r4_k7_s2_e6_c160_se0.25_nhs head_c960_h1280_n1000_nhs""",
    "ofa_smallest_1.2": """r128 stem_c24_nhs ir_e1_c24_nre ir_r2_s2_e3_c32_nre ir_r2_s2_e3_c48_se0.25_nre
        ir_r2_s2_e3_c96_nhs ir_r2_e3_c136_se0.25_nhs ir_r2_s2_e3_c192_se0.25_nhs head_c1152_h1536_n1000_nhs""",
    "mobilenext": """r224 stem_c32 sg_s2_e2_c96 sg_a3_e6_c144 sg_r3_s2_e6_c192 sg_r3_s2_e6_c288 sg_r4_e6_c384
        sg_r4_s2_e6_c576 sg_r3_e6_c960 sg_a3_e6_c1280 head_c0_n1000""",
    "mobilenet_v4_conv_small": """r224 stem_c32_nre cn_s2_c32_nre cn_k1_c32_nre cn_s2_c96_nre cn_k1_c64_nre
        uib_a5_k5_s2_e3_c96_nre uib_r4_e2_c96_nre uib_a3_k0_e4_c96_nre uib_a3_s2_e6_c128_nre uib_a5_k5_e4_c128_nre
        uib_k5_e4_c128_nre uib_k5_e3_c128_nre uib_r2_e4_c128_nre head_c960_h1280_hnorm_n1000_nre""",
    "ssdlite_mobilenet_v2": f"r320 {V2} ssdlite_c1280_n81",
    "deeplabv3_mobilenet_v2": f"r513 {V2} deeplabv3_c0_h256_o16_n21_nre",
}
ALSO = {
    "mnasnet_a1_0.75_160": f"""r160 stem_c24_nre ir_e1_c16_nre ir_r2_s2_e6_c24_nre ir_r3_k5_s2_e3_c32_{SE}
        ir_r4_s2_e6_c64_nre ir_r2_e6_c88_{SE} ir_r3_k5_s2_e6_c120_{SE} ir_e6_c240_nre head_c1280_n1000_nre""",
    "mobilenet_v1_0.5_160": to_text(mobilenet_v1(0.5, 160)),
}
PUBLISHED = (  # network, space, millions of MAdds and of parameters as printed or measured
    ("mobilenet_v1", "mobilenet_v1", "569", "4.2"),  # arXiv:1704.04861, table 4
    ("mobilenet_v1_shallow", "mobilenet_v1", "307", "2.9"),  # table 5
    ("mobilenet_v1_full", "mobilenet_v1", "4867", "29.3"),  # table 4 prints 4866
    ("mobilenet_v2", "mobilenet_v2", "300.774272", "3.504872"),  # torchvision
    ("mnasnet_a1", "mnasnet", "312", "3.887038"),  # tensorflow/tpu's README; timm's semnasnet_100
    ("mnasnet_b1", "mnasnet", "314", "4.383312"),  # torchvision's mnasnet1_0
    ("mnasnet_a1_0.75_160", "mnasnet", "115", "2.9"),  # the README prints 116.4 by another convention
    ("proxyless_mobile", "proxyless", "320", "4.08"),  # mit-han-lab/proxylessnas, README
    ("mobilenext", "mobilenext", "311", "3.5"),  # the released code; its README prints 300 and 3.5
    ("mobilenet_v4_conv_small", "mobilenet_v4", "186", "3.774024"),  # timm's mobilenetv4_conv_small; printed 0.2B, 3.8M
    ("ssdlite_mobilenet_v2", "ssdlite_mobilenet_v2", "789", "4.337"),  # arXiv:1801.04381, table 6: 0.8B
    ("deeplabv3_mobilenet_v2", "deeplabv3_mobilenet_v2", "2741", "2.114"),  # table 7: 2.75B, 2.11M
    ("ofa_largest", "ofa_mobilenet_v3", "566", "7.66604"),  # the released one has 1,280 biases fewer
    ("ofa_smallest_1.2", "ofa_mobilenet_v3", "66", "4.60"),
    ("mobilenet_v1_0.5_160", "mobilenet_v1", "77", "1.3"),  # TF-slim's table
)


def _printed(count: int, like: str) -> str:
    """Millions with as many digits as the printed figure."""
    return f"{count / 1e6:.{len(like.partition('.')[2])}f}"


@pytest.mark.parametrize(("name", "space", "madds", "params"), PUBLISHED, ids=[row[0] for row in PUBLISHED])
def test_a_space_holds_its_published_network(name, space, madds, params):
    arch, read = from_text((TEXTS | ALSO)[name]), read_space(space)
    costs = count(arch)
    assert (_printed(costs["madds"], madds), _printed(costs["params"], params)) == (madds, params)
    code = read.encode(arch)
    assert key(read.decode(code)) == key(arch)
    assert {each: values.tolist() for each, values in count_codes(read, code[None]).items()} == {
        each: [value] for each, value in costs.items()
    }


ZOO = {
    "mobilenet_v1": [
        f"mobilenet_v1_{width}_{side}" for width in (0.25, 0.5, 0.75, 1.0) for side in (128, 160, 192, 224)
    ],
    "mobilenet_v2": [f"mobilenet_v2_{width}_{side}" for width in (0.35, 1.3, 1.4) for side in (96, 224)],
    "mnasnet": [
        "mnasnet_b1",
        *(f"mnasnet_a1_{width}_{side}" for width in (0.35, 0.5, 0.75, 1.0) for side in (96, 224)),
    ],
    "proxyless": ["proxyless_mobile"],
    "mobilenext": ["mobilenext", "mobilenext_1.4_224"],
    "mobilenet_v4": ["mobilenet_v4_conv_small", "mobilenet_v4_conv_small_1.0_256"],
    "ssdlite_mobilenet_v2": ["ssdlite_mobilenet_v2", "ssdlite_mobilenet_v2_0.5_224"],
    "deeplabv3_mobilenet_v2": ["deeplabv3_os16_mobilenet_v2", "deeplabv3_os16_mobilenet_v2_0.35_257"],
}


@pytest.mark.parametrize("name", ZOO)
def test_a_space_holds_the_zoos_networks_of_its_widths_and_sizes(name):
    space = read_space(name)
    for arch in map(preset, ZOO[name]):
        assert key(space.decode(space.encode(arch))) == key(arch)


def test_the_zoo_spells_the_published_networks_as_here():
    same = {"mobilenet_v1", "mobilenet_v2", "mnasnet_a1", "mnasnet_b1", "proxyless_mobile", "mobilenext",
            "mobilenet_v4_conv_small", "ssdlite_mobilenet_v2"}  # fmt: skip
    assert {name: key(preset(name)) for name in same} == {name: key(from_text(TEXTS[name])) for name in same}
    assert key(preset("deeplabv3_os16_mobilenet_v2")) == key(from_text(TEXTS["deeplabv3_mobilenet_v2"]))


def test_the_published_detector_has_its_printed_size_without_batch_norm():
    arch = from_text(TEXTS["ssdlite_mobilenet_v2"])
    norms = sum(2 * op.c_out * op.times for op in lower(arch) if op.norm)
    assert _printed(count(arch)["params"] - norms, "4.286") == "4.286"  # table 6: 4.3M


def test_mobilenet_v3_is_not_in_once_for_alls_space_for_its_ratios_only():
    text = """r224 stem_c16_nhs ir_e1_c16_nre ir_s2_e4_c24_nre ir_e3_c24_nre ir_r3_k5_s2_e3_c40_se0.25_nre
        ir_s2_e6_c80_nhs ir_e2.5_c80_nhs ir_r2_e2.3_c80_nhs ir_r2_e6_c112_se0.25_nhs ir_r3_k5_s2_e6_c160_se0.25_nhs
        head_c960_h1280_n1000_nhs"""
    space = read_space("ofa_mobilenet_v3")
    assert "stage 6 expand is 2.5, the space has 3, 4, 6" in str(space.contains(from_text(text)))
    near = from_text(text.replace("e2.5", "e3").replace("e2.3", "e3"))
    assert key(space.decode(space.encode(near))) == key(near)


def test_a_head_with_a_hidden_layer_grows_and_narrows_as_released():
    space = read_space("mobilenet_v4")
    heads = [space.restrict("width", (each,)).decode(np.zeros(len(space.axes), dtype=np.int64)).head
             for each in (0.5, 1.0)]  # fmt: skip
    assert [(head.width, head.hidden) for head in heads] == [(480, 1280), (960, 1280)]


def _units(low: int, high: int, choices: int) -> int:
    return sum(choices**blocks for blocks in range(low, high + 1))


def test_a_unit_of_once_for_all_has_as_many_networks_as_its_paper_reckons():
    assert f"{_units(2, 4, 9) ** 5:.1e}" == "2.2e+19"  # arXiv:1908.09791, section 3: about 2 x 10^19
    units: set[Arch] = set()
    one = read_space("ofa_mobilenet_v3").restrict("width", (1.0,)).restrict("resolution", (224,))
    for axis in one.axes:  # everything but depth and kernels of the first unit fixed
        if not axis.name.startswith("stage2") or axis.name.endswith("expand"):
            one = one.restrict(axis.name, axis.values[:1])
    for codes in one.enumerate():
        units |= {one.decode(code) for code in codes}
    assert one.size == 3 * 3**4
    assert len(units) == _units(2, 4, 3)


def test_a_skipped_block_is_nothing_and_an_absent_one_keeps_its_axes():
    space = read_space("proxyless")
    skipped = from_text(TEXTS["proxyless_mobile"])
    arch = space.decode(space.encode(skipped))
    assert len(arch.stages) == 22 > sum(stage.repeats for stage in skipped.stages)
    assert [stage.block for stage in arch.stages].count("id") == 22 - sum(stage.repeats for stage in skipped.stages)
