"""Axis importance and hypervolume: the data behind the figures."""

import numpy as np
import optuna
import pytest

from archsearch.report.figures import (
    ENOUGH_TRIALS,
    hypervolume_data,
    hypervolume_plot,
    importance_data,
    importance_plot,
    reference_point,
    top_share,
)
from archsearch.report.frame import trials_frame


def _decided_by(make, axis, n=60):
    """A study in which one axis alone decides the accuracy."""
    study, rng = make.empty(), np.random.default_rng(1)
    for _ in range(n):
        params = make.point(rng)
        top1 = 0.5 + 0.1 * make.axes[axis].index(params[axis])
        study.add_trial(make.trial(params, "trained", top1=top1))
    return study


@pytest.mark.parametrize("axis", ["stage3.kernel", "resolution"])
def test_the_axis_that_decides_is_the_most_important(make, axis):
    data = importance_data(_decided_by(make, axis), ["top1"])
    assert data.loc[data["importance"].idxmax(), "axis"] == axis
    first, second = data["importance"].nlargest(2)
    assert first > 2 * second


def test_importances_add_up_to_one_for_each_objective(study):
    data = importance_data(study, ["top1", "madds"])
    assert data.groupby("objective")["importance"].sum().to_dict() == pytest.approx({"top1": 1, "madds": 1})


def test_over_budget_networks_do_not_count_as_bad_ones(make):
    study = _decided_by(make, "stage3.kernel", 30)
    before = importance_data(study, ["top1"])
    for seed in range(30):
        study.add_trial(make.trial(make.point(100 + seed), "over_budget"))
    assert importance_data(study, ["top1"]).equals(before)


def test_importances_are_computed_without_a_word(study, caplog):
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.INFO)
    optuna.logging.enable_propagation()
    try:
        importance_data(study, ["top1", "madds"])
        assert optuna.logging.get_verbosity() == optuna.logging.INFO
    finally:
        optuna.logging.disable_propagation()
        optuna.logging.set_verbosity(before)
    assert caplog.messages == []


def test_too_few_trials_give_no_importance(make):
    study = make.empty()
    for seed in range(ENOUGH_TRIALS - 1):
        study.add_trial(make.trial(make.point(seed), "trained", top1=0.1 * seed))
    assert importance_data(study, ["top1", "madds"]).empty


def test_trials_that_are_all_equal_give_no_importance(make):
    study = make.empty()
    for seed in range(20):
        study.add_trial(make.trial(make.point(seed), "trained", top1=0.5))
    assert importance_data(study, ["top1"]).empty


def test_the_best_share_holds_five_trials_or_a_tenth():
    assert [round(top_share(n) * n) for n in (10, 20, 50, 200)] == [5, 5, 5, 20]


def test_importance_is_drawn_most_important_on_top(study):
    data = importance_data(study, ["top1", "madds"])
    figure = importance_plot(data, most=4)
    first = data[data["objective"] == "top1"].set_index("axis")["importance"]
    assert figure.data[0].y[0] == first.idxmax()
    assert len(figure.data) == 2
    assert len(figure.data[0].y) == 4
    assert figure.layout.yaxis.autorange == "reversed"


def test_hypervolume_never_falls_and_counts_trained_networks_only(study):
    frame = trials_frame(study)
    data = hypervolume_data(frame, ["top1", "madds"], {"madds": (None, 8e6)})
    assert len(data) == (frame["status"] == "trained").sum()
    assert data["hypervolume"].is_monotonic_increasing
    assert data["hypervolume"].between(0, 1).all()


def test_hypervolume_of_two_networks_is_the_mean_best_accuracy_over_budgets(make):
    study = make.empty()
    for seed, (cost, top1) in enumerate([(200, 0.5), (600, 0.8)]):
        study.add_trial(make.trial(make.point(seed), "trained", top1=top1, costs={"madds": cost}))
    data = hypervolume_data(trials_frame(study), ["top1", "madds"], {"madds": (None, 1000)})
    assert data["hypervolume"].tolist() == pytest.approx([0.5 * 0.8, 0.5 * 0.4 + 0.8 * 0.4])


def test_without_a_budget_the_dearest_network_is_the_reference(study):
    frame = trials_frame(study)
    dearest = frame.loc[frame["status"] == "trained", "madds"].max()
    assert reference_point(frame, ["top1", "madds"], {}) == {"top1": 0.0, "madds": dearest}


def test_hypervolume_takes_three_objectives(make):
    objectives = ["top1", "madds", "params"]
    data = hypervolume_data(trials_frame(make.filled(30, objectives=objectives)), objectives, {})
    assert data["hypervolume"].iloc[-1] > data["hypervolume"].iloc[0]


def test_no_trial_gives_an_empty_history(make):
    assert hypervolume_data(trials_frame(make.empty()), ["top1", "madds"], {}).empty


def test_the_history_is_drawn_as_it_is(study):
    data = hypervolume_data(trials_frame(study), ["top1", "madds"], {"madds": (None, 8e6)})
    assert list(hypervolume_plot(data).data[0].y) == data["hypervolume"].tolist()
