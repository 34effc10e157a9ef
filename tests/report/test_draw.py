"""Networks drawn stage by stage."""

import xml.etree.ElementTree as ET

import pytest

from archsearch.cost.count import count
from archsearch.report.draw import drawing, parts, stage_table
from archsearch.spec.arch import Arch, Head, Stage
from archsearch.spec.presets import preset
from archsearch.spec.text import from_text

NETWORKS = [
    preset("mobilenet_v2"),
    preset("mobilenet_v1_0.25_128"),
    from_text("r32 stem_c16_k3_s1 id_c16 cr_r2_c64_s2_e4 ir_r3_k5_e6_c24_linear_xskip head_c0_n10"),
    Arch(resolution=8, stages=(), head=Head(width=0, classes=2)),
    Arch(resolution=64, stages=(Stage(width=24, repeats=40),)),
]


@pytest.mark.parametrize("arch", NETWORKS)
def test_the_parts_cost_together_what_the_network_costs(arch):
    drawn, whole = parts(arch), count(arch)
    assert sum(part.madds for part in drawn) == whole["madds"]
    assert sum(part.params for part in drawn) == whole["params"]
    assert sum(part.share for part in drawn) == pytest.approx(1)


def test_mobilenet_v2_has_the_map_sizes_of_the_paper():
    assert [part.size for part in parts(preset("mobilenet_v2"))] == [112, 112, 56, 28, 14, 14, 7, 7, 7]


@pytest.mark.parametrize("arch", NETWORKS)
def test_the_drawing_is_well_formed_and_stays_inside_its_frame(arch):
    drawn = parts(arch)
    svg = ET.fromstring(drawing(drawn))
    width, height = float(svg.get("width")), float(svg.get("height"))
    for rect in svg.iter("rect"):
        x, y, w, h = (float(rect.get(name)) for name in ("x", "y", "width", "height"))
        assert x >= 0
        assert y >= 0
        assert x + w <= width
        assert y + h <= height
    assert len(svg.findall("g")) == len(arch.stages) + 2


def test_a_stage_is_drawn_with_a_bar_for_each_block():
    svg = ET.fromstring(drawing(parts(preset("mobilenet_v2"))))
    bars = [sum(r.get("class") == "b-ir" for r in column.iter("rect")) for column in svg.findall("g")]
    assert bars == [0, 1, 2, 3, 4, 3, 3, 1, 0]


def test_the_table_has_a_row_for_each_stage():
    table = stage_table(parts(preset("mobilenet_v2")))
    assert table.count("<tr>") == 1 + 9
    assert "inverted residual" in table
    assert "7 × 7" in table
