"""Latency in tables and on the page: predicted, measured, struck out."""

import math

import numpy as np
import pytest

from archsearch.report.frame import candidates, front_frame, trials_frame, within
from archsearch.report.latency import agreement, latency_data, latency_plot
from archsearch.report.tables import front_records
from archsearch.report.theme import scaled
from archsearch.report.timed import LATENCY, struck, worst
from archsearch.report.view import shown_budget
from tests.report.conftest import empty_study, point, told_trial

OBJECTIVES = ("top1", "latency")
BUDGETS = {"latency_upper": (None, 5_000_000)}
MEASURED = {0: (1.1, 1.05, 1.15), 1: (2.0, 1.9, 2.1), 2: (5.1, 4.9, 5.3)}  # of trials: ms, low, high


@pytest.fixture
def study():
    """Four trained networks that take 1, 2, 4.5 and 3 ms by the table, 10 % more at most; three of them measured."""
    made, rng = empty_study(OBJECTIVES, BUDGETS), np.random.default_rng(0)
    for number, (ms, top1) in enumerate([(1.0, 0.5), (2.0, 0.6), (4.5, 0.9), (3.0, 0.7)]):
        costs = {"madds": 1000 * (number + 1), "latency": round(ms * 1e6), "latency_upper": round(ms * 1.1e6)}
        made.add_trial(told_trial(point(rng), "trained", top1=top1, objectives=OBJECTIVES, costs=costs))
        if number in MEASURED:
            told = dict(zip(("ms", "low", "high"), MEASURED[number], strict=True))
            made.set_user_attr(f"archsearch:latency:{number}", told)
    return made


def test_a_measured_latency_takes_a_network_off_the_front(study):
    frame = trials_frame(study)
    assert {*LATENCY} <= {*frame.columns}
    assert within(frame, BUDGETS).tolist() == [True, True, False, True]
    assert struck(frame, BUDGETS).tolist() == [False, False, True, False]
    assert front_frame(frame, OBJECTIVES, BUDGETS)["number"].tolist() == [0, 1, 3]
    assert candidates(frame, {}).shape[0] == 4
    assert worst(frame, "latency_upper").tolist() == [1_150_000, 2_200_000, 5_300_000, 3_300_000]
    assert worst(frame, "madds").tolist() == frame["madds"].tolist()


def test_records_hold_predicted_and_measured_and_null_until_then(study):
    first, _, third = front_records(study)
    assert [first[name] for name in LATENCY] == [1.0, 1.1, 1.1, 1.05, 1.15]
    assert [third[name] for name in LATENCY] == [3.0, 3.3, None, None, None]


def test_repeated_trainings_share_what_was_measured(study):
    same = study.trials[0]
    study.add_trial(same)
    frame = trials_frame(study)
    assert frame["latency_ms"].tolist()[-1] == 1.1
    assert len(latency_data(frame, BUDGETS)) == 3


def test_only_what_the_device_in_use_measured_counts(study):
    for number, place in ((0, "aaa"), (1, "bbb"), (2, "aaa")):
        name = f"archsearch:latency:{number}"
        study.set_user_attr(name, study.user_attrs[name] | {"fingerprint": place})
    study.set_user_attr("archsearch:timed-on", "bbb")
    frame = trials_frame(study)
    assert latency_data(frame, BUDGETS)["number"].tolist() == [1]
    assert not struck(frame, BUDGETS).any()


def test_how_far_the_table_was_off(study):
    data = latency_data(trials_frame(study), BUDGETS)
    assert data["number"].tolist() == [0, 1, 2]
    assert data["struck"].tolist() == [False, False, True]
    told = agreement(data)
    assert told["mape"] == pytest.approx(((0.1 / 1.1) + 0 + (0.6 / 5.1)) / 3)
    assert told["tau"] == 1
    assert told["above_expected"] == pytest.approx(2 / 3)
    assert told["above_upper"] == pytest.approx(2 / 3)
    assert all(math.isnan(value) for value in agreement(data.iloc[:0]).values())


def test_the_figure_marks_members_struck_ones_and_the_budget(study):
    figure = latency_plot(latency_data(trials_frame(study), BUDGETS), 5.0)
    assert [trace.name for trace in figure.data] == ["as predicted", "holds the budget", "struck out"]
    assert [list(trace.customdata) for trace in figure.data[1:]] == [[0, 1], [2]]
    assert figure.layout.shapes[0].y0 == 5.0


def test_a_study_without_a_table_has_no_such_columns():
    study = empty_study()
    study.add_trial(told_trial(point(np.random.default_rng(0)), "trained"))
    frame = trials_frame(study)
    assert not {*LATENCY} & {*frame.columns}
    assert latency_data(frame, {}).empty
    assert not struck(frame, {"madds": (None, 3.0)}).any()


def test_what_a_table_of_trained_networks_tells_stays_as_it_is():
    study = empty_study(("top1", "latency_ms"), {"latency_ms": (None, 12.5)})
    costs = {"madds": 1, "latency_ms": 11.5}
    study.add_trial(told_trial(point(np.random.default_rng(0)), "trained", objectives=("top1", "latency_ms"),
                               costs=costs))  # fmt: skip
    (record,) = front_records(study)
    assert record["latency_ms"] == 11.5
    assert "latency_ms_upper" not in record


def test_limits_and_values_are_shown_in_milliseconds():
    assert scaled("latency", 12_345_678) == "12.3 ms"
    assert shown_budget(BUDGETS, "latency_upper") == (None, 5.0)
    assert shown_budget(BUDGETS, "latency") == (None, 5.0)
    assert shown_budget({"madds": (1.0, 2.0)}, "madds") == (1.0, 2.0)
