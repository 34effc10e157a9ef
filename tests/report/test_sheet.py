"""A network as one HTML page."""

import re
from html.parser import HTMLParser

import pytest

from archsearch.errors import ReportError, RunError
from archsearch.report.diagram import diagram
from archsearch.report.sheet import page, write
from archsearch.spec.presets import preset
from archsearch.spec.text import from_text

NETWORK = diagram(preset("mobilenet_v2_0.35_96"), name="mine")


class Reader(HTMLParser):
    """Counts tags, and fails where one is closed that is not open."""

    VOID = ("meta", "link", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_closes_what_it_opens_and_has_a_row_for_each_operation():
    read = Reader(page(NETWORK))
    assert read.open == []
    assert read.seen.count("tr") == 1 + len(NETWORK.layers)
    assert read.seen.count("svg") == 2  # for wide and for narrow screens


def test_the_page_runs_no_script_and_asks_for_no_file():
    text = page(NETWORK)
    assert re.search(r"<script|url\(|@import|src=|https?://(?!www\.w3\.org/2000/svg)", text) is None
    assert set(re.findall(r'href="([^"]*)"', text)) == {"data:,"}
    assert "prefers-color-scheme: dark" in text


def test_a_hostile_name_stays_text():
    text = page(diagram(from_text("r8 stem_c8 head_c0_n2"), name="</title><img src=x onerror=alert(1)>\x00"))
    assert "<img" not in text
    assert "\x00" not in text


def test_the_suffix_says_what_is_written(tmp_path):
    write(NETWORK, tmp_path / "a.svg")
    write(NETWORK, tmp_path / "b.HTML")
    assert (tmp_path / "a.svg").read_text().startswith("<svg")
    assert (tmp_path / "b.HTML").read_text().startswith("<!doctype html>")


def test_an_unknown_suffix_and_a_missing_folder_are_errors(tmp_path):
    with pytest.raises(ReportError, match=r"\.svg or \.html"):
        write(NETWORK, tmp_path / "a.png")
    with pytest.raises(RunError, match="cannot be written"):
        write(NETWORK, tmp_path / "nowhere" / "a.svg")
    assert list(tmp_path.iterdir()) == []
