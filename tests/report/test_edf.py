"""The figure and the page of a comparison: the data, what is drawn, what is said, and that a browser shows it."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from archsearch.explore.statistics import edf, gap
from archsearch.report.compared import compared_page, sentences
from archsearch.report.edf import COLORS, edf_data, edf_plot, gap_data
from tests.report.test_page import HOSTILE, _browser, _outside

RNG = np.random.default_rng(0)
ERRORS = {"a": RNG.normal(0.3, 0.02, 40), f"b {HOSTILE}": RNG.normal(0.28, 0.02, 50), "c": RNG.normal(0.3, 0.02, 30)}


def frames(names):
    first, *others = names
    data = edf_data({name: edf(ERRORS[name], 0.95) for name in names})
    return data, gap_data({name: gap(ERRORS[first], ERRORS[name], 0.95) for name in others})


def difference(name="b", **changes):
    row = {"space": name, "against": "a", "median": -0.021, "median_low": -0.03, "median_high": -0.01, "better": 0.71,
           "ks": 0.4, "ks_p": 0.001, "mann_whitney_p": 0.0001, "ks_p_adjusted": 0.001,
           "mann_whitney_p_adjusted": 0.0002, "shown": True}  # fmt: skip
    return row | changes


def document(names):
    spaces = [{"space": name, "networks": 40, "failed": 1, "madds_median": 3.1e7, "error_best": 0.2,
               "error_median": 0.3, "error_mean": 0.31} for name in names]  # fmt: skip
    return {"spaces": spaces, "differences": [difference(name) for name in names[1:]], "warnings": [HOSTILE],
            "number": 40, "budgets": {"madds": "30M..32M"}, "evaluator": "synthetic", "data": HOSTILE, "seed": 0,
            "confidence": 0.95}  # fmt: skip


def test_the_data_are_the_steps_of_every_space():
    data, between = frames(list(ERRORS))
    assert list(data.columns) == ["space", "error", "share", "low", "high"]
    assert data.groupby("space")["share"].max().tolist() == pytest.approx([1, 1, 1])
    assert len(data) == 120
    assert set(between["space"]) == set(list(ERRORS)[1:])
    assert json.loads(data.to_json()) is not None


def test_every_space_has_a_line_and_a_band_and_the_first_has_no_difference():
    figure = edf_plot(*frames(list(ERRORS)))
    lines = [trace for trace in figure.data if trace.line.width]
    assert len(lines) == 3 + 2
    assert len(figure.data) == 3 * 5
    assert [trace.showlegend for trace in lines] == [True] * 3 + [False] * 2
    assert [trace.line.color for trace in lines] == [*COLORS[:3], *COLORS[1:3]]
    for trace in lines[:3]:
        assert (trace.y[0], trace.y[-1]) == (0, pytest.approx(1))
        assert list(trace.x) == sorted(trace.x)
    for trace in lines[3:]:
        assert (trace.y[0], trace.y[-1]) == (0, 0)


def test_one_space_and_one_value_can_be_drawn():
    flat = {"a": edf(np.full(9, 0.25), 0.95)}
    figure = edf_plot(edf_data(flat), gap_data({}))
    assert len(figure.data) == 3
    low, high = figure.layout.xaxis.range
    assert low < 0.25 < high


def test_sentences_begin_with_whether_a_difference_is_shown():
    told = SimpleNamespace(**{
        "lower": difference(), "higher": difference(better=0.2),
        "none": difference(shown=False), "other": difference(mann_whitney_p_adjusted=0.4),
    })  # fmt: skip
    lines = {name: sentences({"differences": [row], "confidence": 0.95})[0] for name, row in vars(told).items()}
    assert "b against a: errors are lower at the 5 % level (median error -2.10 points" in lines["lower"]
    assert "errors are higher" in lines["higher"]
    assert "b against a: no difference shown at the 5 % level" in lines["none"]
    assert "distributed differently, neither lower" in lines["other"]


def test_names_are_text_on_the_page():
    names = list(ERRORS)
    page = compared_page(document(names), *frames(names), command={"x": HOSTILE}, manifest={"argv": ["a", HOSTILE]})
    assert HOSTILE not in page
    assert "made by a formula" in page
    assert page.count("<script") == page.count("</script>")


@pytest.mark.slow
def test_a_browser_shows_the_page_without_errors(tmp_path, browser_path):
    names = list(ERRORS)
    page = compared_page(document(names), *frames(names), command={"x": HOSTILE}, manifest={"argv": ["a", HOSTILE]})
    path = tmp_path / "compare.html"
    path.write_text(page)
    with _browser(browser_path) as (tab, errors, requests):
        tab.set_viewport_size({"width": 390, "height": 800})
        tab.goto(path.as_uri())
        tab.wait_for_selector("#chart-1 .hoverlayer", state="attached")
        assert tab.locator("#chart-1 .scatterlayer path.js-line").count() >= 5
        assert tab.evaluate("window.hit === undefined")
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
        assert errors == []
        assert _outside(requests) == []
