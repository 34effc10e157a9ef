"""The front figure: its data, its marks."""

import pandas as pd
import pytest

from archsearch.report.frame import front_frame, trials_frame
from archsearch.report.scatter import beyond, front_data, front_plot, log_ticks, stairs

ASKED = {"objectives": ["top1", "madds"], "budgets": {"madds": (None, 8e6)}}


def _numbers(figure):
    return sorted(n for trace in figure.data if trace.meta == "trials" for n in trace.customdata)


def test_each_trial_is_one_mark(study):
    data = front_data(trials_frame(study), metric="madds", **ASKED)
    figure = front_plot(data, metric="madds", budget=(None, 8e6))
    assert _numbers(figure) == list(range(60))


@pytest.mark.parametrize("metric", ["madds", "peak_memory"])
def test_each_trial_is_one_mark_in_the_figure_of_each_metric(make, metric):
    asked = {"objectives": ["top1", "madds", "peak_memory"], "budgets": {"peak_memory": (1e4, 2e5)}}
    study = make.filled(40, **asked)
    figure = front_plot(front_data(trials_frame(study), metric=metric, **asked), metric=metric)
    assert _numbers(figure) == list(range(40))


def test_over_budget_trials_lie_in_their_own_row_and_never_at_zero_accuracy(study):
    data = front_data(trials_frame(study), metric="madds", **ASKED)
    figure = front_plot(data, metric="madds", budget=(None, 8e6))
    over = set(data.loc[data["role"] == "over_budget", "number"])
    assert over
    for trace in figure.data:
        if trace.meta == "trials" and over & set(trace.customdata):
            assert trace.yaxis == "y2"
            assert set(trace.y) == {"over budget"}


def test_the_shade_begins_where_the_budget_ends(study):
    data = front_data(trials_frame(study), metric="madds", **ASKED)
    figure = front_plot(data, metric="madds", budget=(1e6, 8e6))
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes][1][0] == 8e6
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes][0][1] == 1e6


def test_hover_names_the_trial_its_place_and_every_stage(study):
    frame = trials_frame(study)
    data = front_data(frame, metric="madds", **ASKED)
    front = front_frame(frame, ASKED["objectives"], ASKED["budgets"])
    for row in front.itertuples():
        hover = data.loc[data["number"] == row.number, "hover"].iloc[0]
        assert f"<b>trial {row.number}</b> · on the front" in hover
        assert all(stage in hover.split("<br>") for stage in row.arch.split())


def test_hover_escapes_what_it_shows(make):
    study = make.empty()
    study.add_trial(make.trial(make.point(0), "failed", reason="<script>x</script>", arch="r1 <img src=x>"))
    hover = front_data(trials_frame(study), metric="madds", **ASKED)["hover"].iloc[0]
    assert "<script" not in hover
    assert "<img" not in hover


def test_the_staircase_rises_and_ends_at_the_limit():
    data = pd.DataFrame(
        {
            "cost": [1.0, 2.0, 3.0, 4.0, 4.0, 0.5],
            "top1": [0.3, 0.2, 0.5, 0.6, 0.7, 0.9],
            "role": ["front", "trained", "front", "trained", "front", "over_budget"],
        }
    )
    line = stairs(data, 9.0)
    assert line.to_numpy().tolist() == [[1.0, 0.3], [3.0, 0.5], [4.0, 0.7], [9.0, 0.7]]


def test_without_a_budget_the_line_ends_at_the_dearest_trained_network(study):
    data = front_data(trials_frame(study), metric="params", **ASKED)
    figure = front_plot(data, metric="params")
    assert figure.data[0].x[-1] == data.loc[data["role"].isin(["trained", "front"]), "cost"].max()


def test_without_a_trained_network_there_is_no_line_and_the_figure_says_so(make):
    study = make.empty()
    study.add_trial(make.trial(make.point(0), "over_budget"))
    data = front_data(trials_frame(study), metric="madds", **ASKED)
    figure = front_plot(data, metric="madds", budget=(None, 1e6))
    assert len(figure.data[0].x) == 0
    assert "no finished trial yet" in [note.text for note in figure.layout.annotations]
    assert _numbers(figure) == [0]


def test_one_trained_trial_is_a_figure(make):
    study = make.empty()
    study.add_trial(make.trial(make.point(0), "trained"))
    figure = front_plot(front_data(trials_frame(study), metric="madds", **ASKED), metric="madds")
    low, high = figure.layout.xaxis.range
    assert low < figure.data[0].x[0] < high


def test_a_budget_far_beyond_all_networks_is_told_and_not_drawn():
    data = pd.DataFrame({"cost": [1e6, 2e6]})
    assert beyond(data, (None, 3e8))
    assert not beyond(data, (None, 3e6))
    assert not beyond(data, (None, None))


def test_ticks_of_a_log_axis_are_round_numbers_inside_it():
    assert log_ticks(6e5, 2.1e7) == [1e6, 2e6, 5e6, 1e7, 2e7]
    assert log_ticks(1.0, 1e5) == [1.0, 10.0, 100.0, 1e3, 1e4, 1e5]
