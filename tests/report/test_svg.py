"""Diagrams as SVG."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsearch.report.diagram import FAMILIES, diagram
from archsearch.report.svg import picture, svg
from archsearch.report.svg_rows import NARROW, WIDE
from archsearch.spec.presets import preset
from archsearch.spec.text import from_text
from tests.strategies import archs

SVG = "{http://www.w3.org/2000/svg}"
DEEP = from_text("r64 stem_c8 " + "ir_r2_c8 ds_k5_c8_xskip " * 30 + "head_c16_n10")
LONG = from_text("r64 stem_c8 ir_r400_c8 head_c16_n10")


def rects(root: ET.Element, kind: str) -> list[ET.Element]:
    return [each for each in root.iter(f"{SVG}rect") if each.get("class") == kind]


@given(archs())
def test_a_picture_is_well_formed_and_has_every_op_once(arch):
    drawn = diagram(arch)
    for text in (svg(drawn), picture(drawn, NARROW)):
        root = ET.fromstring(text)
        ops = [group for group in root.iter(f"{SVG}g") if group.get("class") == "op"]
        assert [op.find(f"{SVG}title").text.split(":")[0] for op in ops] == [layer["name"] for layer in drawn.layers]
        assert len(rects(root, "here")) == 1  # one row holds the peak


@given(archs())
def test_bars_are_as_long_as_the_shares(arch):
    drawn = diagram(arch)
    root = ET.fromstring(picture(drawn, WIDE))
    for metric, left, right in (("madds", WIDE.madds, WIDE.params), ("params", WIDE.params, WIDE.memory)):
        pieces = [float(each.get("width")) for kind in FAMILIES for each in rects(root, kind)
                  if each.get("height") == "12" and left <= float(each.get("x")) < right]  # fmt: skip
        shares = [row.shares[metric] for row in drawn.rows]
        assert sum(pieces) == pytest.approx(WIDE.bar * sum(shares) / max(shares), abs=0.01 * len(drawn.layers))


@given(archs())
def test_memory_lines_are_as_long_as_what_is_live(arch):
    drawn = diagram(arch)
    root = ET.fromstring(picture(drawn, WIDE))
    lines = [each for each in root.iter(f"{SVG}rect") if each.get("x") == str(WIDE.memory)]
    for line, layer in zip(lines, drawn.layers, strict=True):
        long = max(WIDE.bar * layer["peak_memory"] / drawn.costs["peak_memory"], 1)
        assert float(line.get("width")) == pytest.approx(long, abs=0.01)
        assert line.get("class") == ("peak" if layer["name"] == drawn.peak else "memory")


@pytest.mark.parametrize("frame", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("arch", [preset("mobilenet_v2"), preset("mobilenet_v1_0.25_128"), DEEP, LONG])
def test_everything_stays_inside_the_frame(arch, frame):
    root = ET.fromstring(picture(diagram(arch), frame))
    height = float(root.get("height"))
    body = root.find(f"{SVG}g")
    for row in body.findall(f"{SVG}g"):
        moved = re.fullmatch(r"translate\(0 ([\d.]+)\)", row.get("transform", "translate(0 0)"))
        for each in row.iter(f"{SVG}rect"):
            x, y, wide, tall = (float(each.get(name)) for name in ("x", "y", "width", "height"))
            assert min(x, y, wide, tall) >= 0
            assert x + wide <= frame.width
            assert y + tall + float(moved[1]) <= height
        for each in row.iter(f"{SVG}text"):
            if each.get("text-anchor") != "end":
                assert float(each.get("x")) + 5.4 * len(each.text) <= frame.width


@given(st.text(max_size=60), st.text(alphabet="<>&\"'/]\x00\x1b\ud800\ufffe", max_size=20))
def test_hostile_words_are_escaped_or_replaced(name, block):
    drawn = diagram(from_text("r8 stem_c8 head_c0_n2"))
    bad = {**drawn.layers[0], "role": block, "name": name + block, "act": block}
    row = replace(drawn.rows[0], title=name, words=block, shape=block, layers=(bad,))
    drawn = replace(drawn, name=name + block, text=block, rows=(row, *drawn.rows[1:]), peak=name + block)
    made = svg(drawn)
    made.encode("utf-8")
    assert {each.tag for each in ET.fromstring(made).iter()} == {
        f"{SVG}{tag}" for tag in ("svg", "g", "rect", "text", "title", "style")
    }


def test_a_script_in_a_name_stays_text():
    made = svg(diagram(preset("mobilenet_v2"), name="<script>alert(1)</script>"))
    assert "<script" not in made
    assert "&lt;script&gt;" in made


def test_the_title_has_the_text_form_and_the_file_asks_for_nothing():
    drawn = diagram(preset("mobilenet_v2"), name="mobilenet_v2")
    made = svg(drawn)
    assert ET.fromstring(made).find(f"{SVG}title").text == f"mobilenet_v2: {drawn.text}"
    for word in (drawn.key, "300.8M", "5.74 MiB", "prefers-color-scheme"):
        assert word in made
    asks = re.compile(r"href|url\(|@import|<script|https?://(?!www\.w3\.org/2000/svg)")
    assert asks.search(made) is None
