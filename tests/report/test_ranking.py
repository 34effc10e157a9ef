"""The figures and the page of a trust report: the data, what is drawn, what is said, and that a browser shows it."""

import numpy as np
import pandas as pd
import pytest

from archsearch.report.ranked import COLUMNS, cells, notes, ranked_page, rows_data
from archsearch.report.ranking import agreement_plot, ranking_data, ranking_plot
from tests.report.test_page import HOSTILE, _browser, _outside

KNOWN = {"value": 0.5, "low": 0.3, "high": 0.7}
UNKNOWN = {"value": None, "low": None, "high": None}


def row(name, cost=0.01, tau=KNOWN, **more):
    return {"name": name, "networks": 24, "tau": tau, "top": tau, "band": {**tau, "low": None}, "front_regret": 0.123,
            "best_regret": 0.004, "cost_s": cost, "each_s": cost, "once_s": 0.0, "labels_s": 0.0, "labels": 0,
            "failed": None} | more  # fmt: skip


ROWS = [row("madds", 3e-4), row("params", 3e-4), row("naswot", 0.02), row(HOSTILE, 0.03, {**KNOWN, "value": -0.2}),
        row("flat", 0.01, UNKNOWN), row("predictor", None), row("one more seed of the truth", 60.0),
        row("broken", None, UNKNOWN, networks=0, failed=HOSTILE, front_regret=None, best_regret=None)]  # fmt: skip


def document(**more):
    return {
        "rows": ROWS, "data": HOSTILE, "table": "", "space": "small", "budgets": {"madds": "6M"}, "networks": 24,
        "seeds": 2, "failed": ["abc: nan"], "unit": "core", "spread": 1000, "top": {"networks": 6, "pairs": 15},
        "band": {"share": 0.15, "pairs": 40}, "ceiling": {"tau": 0.9, "top": 0.7, "band": None},
        "truth": {"epochs": 4, "images": 10_000, "cost_s": 60.0, "noise": 0.0081, "lowest": 0.41, "highest": 0.62},
        "advice": f"else: {HOSTILE}", "sentences": [HOSTILE],
    } | more  # fmt: skip


def values():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"network": ["k"] * 24, "madds": np.arange(24) + 1, "params": np.arange(24), "truth": rng.random(24)}
    )
    return table.assign(naswot=[np.nan, *rng.random(23)], **{HOSTILE: rng.random(24)})


def test_only_evaluators_with_a_tau_and_a_cost_are_in_the_figure():
    data = ranking_data(ROWS)
    assert data["name"].tolist() == ["madds", "params", "naswot", HOSTILE, "one more seed of the truth"]
    assert data["kind"].tolist() == ["reference"] * 2 + ["evaluator"] * 2 + ["reference"]
    assert data["cost_s"].is_monotonic_increasing


def test_the_figure_has_intervals_a_ceiling_and_every_name():
    figure = ranking_plot(ranking_data(ROWS), ceiling=0.9, unit="GPU")
    evaluators = next(trace for trace in figure.data if trace.name == "evaluator")
    assert evaluators.error_y.array == pytest.approx((0.2, 0.9))
    assert evaluators.error_y.arrayminus == pytest.approx((0.2, -0.5))
    assert [trace.y for trace in figure.data if trace.mode == "lines"] == [(0.9, 0.9)]
    assert len(figure.layout.annotations) == 5
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.xaxis.title.text.startswith("GPU-seconds")
    low, high = figure.layout.yaxis.range
    assert low < -0.2 < 1 < high


def test_nothing_known_is_an_empty_figure():
    figure = ranking_plot(ranking_data([]), ceiling=None, unit="core")
    assert sum(len(trace.x) for trace in figure.data) == 0


def test_each_evaluator_is_drawn_against_the_truth_where_it_has_a_value():
    figure = agreement_plot(values(), ["madds", "naswot", HOSTILE, "params"])
    assert [len(trace.x) for trace in figure.data] == [24, 23, 24, 24]
    assert figure.data[1].y == tuple(values()["truth"][1:])


def test_cells_fill_the_columns():
    told = {each["name"]: dict(zip(COLUMNS, cells(each), strict=True)) for each in ROWS}
    assert told["naswot"]["tau"] == "0.50"
    assert told["naswot"]["95 % interval"] == "0.30 to 0.70"
    assert told["naswot"]["at equal MAdds"] == "0.50 (-)"
    assert told["naswot"]["cost a network"] == "20 ms"
    assert told["naswot"]["front regret"] == "12.3 %"
    assert told["naswot"]["top-1 regret"] == "0.40 points"
    assert set(list(told["broken"].values())[2:]) == {"-"}


def test_notes_tell_what_the_figures_are_of():
    first, second = notes(document())
    assert "24 networks, 2 seeds each, 1 more failed" in first
    assert "the 6 best" in first
    assert "40 pairs that differ by at most 15 %" in first
    assert "(0.81 points between seeds) allows a tau of 0.90 at most, 0.70 among the best, - at equal MAdds" in second
    learnt = notes(document(rows=[*ROWS, row("ensemble", labels=20)], truth=document()["truth"] | {"cost_s": None}))
    assert "labels of those that learn cost nothing here" in learnt[1]
    assert "--seeds 2" in notes(document(seeds=1, ceiling=dict.fromkeys(("tau", "top", "band"))))[1]


def test_the_table_has_a_row_an_evaluator():
    table = rows_data(document())
    assert table["name"].tolist() == [each["name"] for each in ROWS]
    assert table["tau_value"].isna().tolist() == [False, False, False, False, True, False, False, True]


def page(**more):
    return ranked_page(document(**more), values(), command={"x": HOSTILE}, manifest={"argv": ["a", HOSTILE]})


def test_names_are_text_on_the_page():
    text = page()
    assert HOSTILE not in text
    assert text.count("<script") == text.count("</script>")
    assert "trained alone for 4 epochs of 10,000 images; 41.0 % to 62.0 %" in text
    assert "as table t.csv has them" in page(
        table="t.csv", truth={"noise": 0.01, "cost_s": None, "lowest": 0.4, "highest": 0.6}
    )


@pytest.mark.slow
def test_a_browser_shows_the_page_without_errors(tmp_path, browser_path):
    path = tmp_path / "trust.html"
    path.write_text(page())
    with _browser(browser_path) as (tab, errors, requests):
        tab.set_viewport_size({"width": 390, "height": 800})
        tab.goto(path.as_uri())
        tab.wait_for_selector("#chart-2 .hoverlayer", state="attached")
        assert tab.locator("#chart-1 .scatterlayer path.point").count() == 5
        assert tab.locator("#chart-1 .annotation").count() == 5
        assert tab.evaluate("window.hit === undefined")
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
        assert errors == []
        assert _outside(requests) == []
