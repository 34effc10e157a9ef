"""A network's picture in numbers."""

import pytest
from hypothesis import given

from archsearch.cost.count import all_metrics, metric
from archsearch.cost.layers import layers
from archsearch.report.diagram import FAMILIES, _shape, diagram, family, summary
from archsearch.spec.presets import preset
from archsearch.spec.text import from_text, to_text
from tests.strategies import archs


@given(archs())
def test_every_op_is_in_exactly_one_row_and_every_part_has_one(arch):
    drawn = diagram(arch)
    assert drawn.layers == layers(arch)
    assert [row.name for row in drawn.rows] == ["stem", *(str(i + 1) for i in range(len(arch.stages))), "head"]
    assert all(layer["stage"] == row.name for row in drawn.rows for layer in row.layers)


@given(archs())
def test_shares_add_up_to_the_whole_and_a_peaks_shares_reach_it(arch):
    drawn = diagram(arch)
    for name in all_metrics():
        shares = [row.shares[name] for row in drawn.rows]
        assert min(shares) >= 0
        assert max(shares) == 1 if metric(name).peak else sum(shares) == pytest.approx(1)


@given(archs())
def test_the_peak_is_the_op_with_the_most_live_memory(arch):
    drawn = diagram(arch)
    most = max(layer["peak_memory"] for layer in drawn.layers)
    assert most == drawn.costs["peak_memory"]
    (row,) = [row for row in drawn.rows if any(layer["name"] == drawn.peak for layer in row.layers)]
    assert row.costs["peak_memory"] == most


@given(archs())
def test_a_rows_shape_is_the_next_rows_input(arch):
    drawn = diagram(arch)
    working = [row for row in drawn.rows if row.layers]
    for before, after in zip(working, working[1:], strict=False):
        first = after.layers[0]
        assert before.shape == f"{first['c_in']} channels, {first['size_in']} × {first['size_in']} px"


def test_mobilenet_v2_in_words():
    drawn = diagram(preset("mobilenet_v2"), name="mine")
    row = drawn.rows[2]
    assert (drawn.name, drawn.peak) == ("mine", "features.2.conv.1")  # docs/counting.md: the second block's depthwise
    assert (row.title, row.shape) == ("inverted residual × 2", "24 channels, 56 × 56 px")
    assert row.words == "kernel 3, stride 2, expand 6, relu6/linear"
    assert drawn.rows[1].words == "kernel 3, expand 1, relu6/linear"
    assert drawn.rows[-1].words == "last, pool, classifier, relu6"


def test_settings_are_told_where_they_change_something_only():
    spelled = "r16 stem_c16 ds_c16_e6 id_c16_e3 ir_c16_e4_noskip_relu6_nhs cr_c32_e2 head_c0_n2"
    rows = diagram(from_text(spelled)).rows
    assert ["expand" in row.words for row in rows] == [False, False, False, True, True, False]
    assert "bottleneck relu6, shortcut none" in rows[3].words
    assert (rows[2].shape, rows[2].words, rows[2].layers) == ("nothing is computed", "", ())


def test_a_title_is_the_key_where_there_is_no_name():
    drawn = diagram(preset("mobilenet_v2"))
    assert drawn.name == drawn.key
    assert drawn.text == to_text(preset("mobilenet_v2"))


def test_families_follow_the_arithmetic_and_unknown_kinds_have_no_weights():
    drawn = diagram(from_text("r16 stem_c16 ir_c16_e2 cr_c16_e2 head_c0_n2"))
    assert {family(layer) for layer in drawn.layers} == set(FAMILIES)
    assert [family(layer) for layer in drawn.rows[1].layers] == ["pointwise", "depthwise", "pointwise", "free"]
    assert family({**drawn.layers[0], "kind": "resize"}) == "free"


def test_several_outputs_are_told_apart():
    ends = [{"name": str(i), "kind": "conv", "inputs": ["x"], "c_out": 24, "size_out": 20 - i} for i in range(5)]
    assert _shape(ends[:2]) == "2 outputs: 24 at 20 px, 24 at 19 px"
    assert _shape(ends) == "5 outputs: 24 at 20 px, 24 at 19 px …"
    assert _shape([*ends[:1], {**ends[1], "inputs": ["0"]}]) == "24 channels, 19 × 19 px"


def test_the_summary_has_a_record_for_each_row():
    drawn = diagram(preset("mobilenet_v1_0.25_128"))
    told = summary(drawn)
    assert sum(row["operations"] for row in told) == len(drawn.layers)
    assert sum(row["costs"]["madds"] for row in told) == drawn.costs["madds"]
