"""The figures and the page of `relu-embedding`: what is drawn, and that what is not known does no harm."""

import numpy as np
import pytest

from archsearch.report.embedding import embedding_page, kept_plot, spirals_plot
from tests.report.test_page import HOSTILE, _browser, _outside

WIDTHS = (2, 5, 30)
ANGLE = np.linspace(0, 4 * np.pi, 50)
SPIRAL = np.column_stack([ANGLE * np.cos(ANGLE), ANGLE * np.sin(ANGLE)]).tolist()


def rows():
    made = [{"n": n, "act": "linear", "kept": 1.0, "low": 1.0, "high": 1.0} for n in WIDTHS]
    for act in ("relu", "relu6", HOSTILE):
        made += [{"n": n, "act": act, "kept": 1 - 1 / n, "low": 0.9 - 1 / n, "high": 1.05 - 1 / n, "unique": 0.5,
                  "kept_linear_map": 1 - 0.5 / n, "more": HOSTILE} for n in WIDTHS]  # fmt: skip
    return made


def curves(acts=("relu",)):
    return [{"n": n, "act": act, "points": SPIRAL[: n + 10], "seed": 0} for n in WIDTHS for act in acts]


def test_every_activation_has_its_line_with_intervals():
    traces = {trace.name: trace for trace in kept_plot(rows()[::-1]).data}
    assert "no activation, best linear map" not in traces
    relu = traces["ReLU"]
    assert relu.x == WIDTHS
    assert relu.y == pytest.approx([1 - 1 / n for n in WIDTHS])
    assert relu.error_y.array == pytest.approx([0.05] * 3)
    assert relu.error_y.arrayminus == pytest.approx([0.1] * 3)
    assert traces["ReLU, best linear map"].y == pytest.approx([1 - 0.5 / n for n in WIDTHS])


def test_what_is_not_known_is_left_out():
    bare = [{"n": 3, "act": "relu", "kept": None, "low": None, "high": None}]
    assert [trace.name for trace in kept_plot(bare).data] == ["ReLU"]
    assert len(kept_plot([]).data) == 0
    low, high = kept_plot([{"n": 2, "act": "relu", "kept": -0.5, "low": -1.0, "high": 0.1}]).layout.yaxis.range
    assert low < -1 < 1 < high


@pytest.mark.parametrize("acts", [("relu",), ("linear", "relu", "relu6")])
def test_each_spiral_stands_beside_the_input_in_one_shape(acts):
    figure = spirals_plot(curves(acts), SPIRAL)
    assert [note.text for note in figure.layout.annotations] == ["input", "n = 2", "n = 5", "n = 30"]
    assert len(figure.data) == 1 + 2 * 3
    assert [len(trace.x) for trace in figure.data] == [50, 50, 12, 50, 15, 50, 40]
    assert figure.layout.yaxis4.scaleanchor == "x4"


def page():
    return embedding_page(rows(), curves(), SPIRAL, manifest={"argv": ["archsearch", HOSTILE]})


def test_names_are_text_on_the_page():
    text = page()
    assert HOSTILE not in text
    assert text.count("<script") == text.count("</script>")
    assert "<td>96.7 %</td>" in text


@pytest.mark.slow
def test_a_browser_shows_the_page_without_errors(tmp_path, browser_path):
    path = tmp_path / "embedding.html"
    path.write_text(page())
    with _browser(browser_path) as (tab, errors, requests):
        tab.set_viewport_size({"width": 390, "height": 800})
        tab.goto(path.as_uri())
        tab.wait_for_selector("#chart-2 .hoverlayer", state="attached")
        assert tab.locator("#chart-1 .scatterlayer path.js-line").count() == 7
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
        assert errors == []
        assert _outside(requests) == []
