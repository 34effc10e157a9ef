"""The figure of a race: medians and quartiles over seeds, what is missing on a logarithmic axis."""

import numpy as np
import pytest

from archsearch.report.race import COLUMNS, FLOOR, race_data, race_page, race_plot

CURVES = {
    "greybox": [np.array([0.5, 0.9, 1.0]), np.array([0.7, 0.8, 1.0]), np.array([0.6, 0.7, 1.0])],
    "<script>alert(1)</script>": [np.array([0.1, 0.2, 0.3])],
}


def test_the_data_are_medians_and_quartiles_after_each_evaluation():
    data = race_data(CURVES)
    assert tuple(data.columns) == COLUMNS
    own = data[data["sampler"] == "greybox"]
    assert own["evaluations"].tolist() == [1, 2, 3]
    assert own["median"].tolist() == pytest.approx([0.6, 0.8, 1.0])
    assert own["low"].tolist() == pytest.approx([0.55, 0.75, 1.0])
    assert own["high"].tolist() == pytest.approx([0.65, 0.85, 1.0])


def test_one_seed_is_its_own_band():
    own = race_data({"x": [np.array([0.1, 0.4])]})
    assert own["low"].tolist() == own["median"].tolist() == own["high"].tolist()


def test_nobody_in_the_race_is_an_empty_figure():
    assert race_data({}).empty
    assert len(race_plot(race_data({})).data) == 0


def test_what_is_missing_is_drawn_with_a_floor():
    figure = race_plot(race_data(CURVES))
    lines = [trace for trace in figure.data if trace.line.width]
    assert len(figure.data) == 2 * 3
    assert [trace.name for trace in lines][0] == "greybox"
    assert list(lines[0].y) == pytest.approx([0.4, 0.2, FLOOR])
    assert list(lines[0].customdata) == pytest.approx([0.6, 0.8, 1.0])
    assert figure.layout.yaxis.type == "log"


def test_many_samplers_are_told_apart_by_colour_or_dash():
    names = [f"sampler{i}" for i in range(20)]
    figure = race_plot(race_data({name: [np.linspace(0, 0.9, 4)] for name in names}))
    looks = [(trace.line.color, trace.line.dash) for trace in figure.data if trace.line.width]
    assert len(set(looks)) == 20


def test_names_are_text_on_the_page():
    figure = race_plot(race_data(CURVES))
    page = race_page("a <b> table", "lead", {"one": figure, "two": figure})
    assert "<script>alert(1)" not in page
    assert "a <b> table" not in page
    assert page.count("<h2>") == 2
