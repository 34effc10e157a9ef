"""Health checks: each speaks where it should, is silent on the opposite, and says its figure."""

import math

import numpy as np
import pytest

from archsearch.spec.fields import Axis
from archsearch.surrogate.domain import IDLE
from archsearch.surrogate.health import (
    at_the_edge,
    few_trials,
    idle_budget,
    many_failed,
    no_better_than_cost,
    noisy_front,
    overconfident,
)
from archsearch.surrogate.validate import Rank, at_equal, coverage, kendall

RNG = np.random.default_rng(0)


def test_too_few_trials_are_told_with_how_many_are_needed():
    told = few_trials(20, 8)
    assert told.figure == 20
    assert "20 networks" in told.text
    assert "about 26" in told.text
    assert "more --trials" in told.text
    assert few_trials(26, 8) is None


def test_one_network_is_no_plural_and_where_all_were_tried_no_more_are_asked_for():
    told = few_trials(1, 2, every=True)
    assert told.text.startswith("1 network was trained;")
    assert "Every network that fits has been tried" in told.text
    assert "--trials" not in told.text


def test_many_failed_trainings_are_told_but_not_one_or_two():
    told = many_failed(10, 5)
    assert told.figure == pytest.approx(1 / 3)
    assert "5 of 15" in told.text
    assert many_failed(10, 2) is None
    assert many_failed(96, 4) is None
    assert many_failed(0, 0) is None


def test_noise_above_the_fronts_steps_is_told_and_below_is_not():
    front = np.array([0.80, 0.804, 0.901, 0.808])
    told = noisy_front(front, 0.01)
    assert told.figure == pytest.approx(2.5)
    assert "uncertain by 1 points" in told.text
    assert "0.4 points" in told.text
    assert noisy_front(front, 0.003) is None
    assert noisy_front(front[:2], 0.1) is None
    assert noisy_front(np.array([0.8, 0.8, 0.8]), 0.01).figure == math.inf
    assert noisy_front(np.array([0.8, 0.8, 0.8]), 0.0) is None


def test_a_surrogate_must_know_more_than_madds():
    rng = np.random.default_rng(3)
    madds = np.exp(rng.uniform(12, 18, 80))
    skill = rng.normal(0, 0.05, 80)
    top1 = np.log(madds) / 20 + skill

    def told(predicted):
        return no_better_than_cost(kendall(at_equal(predicted, madds), at_equal(top1, madds), rng=rng))

    assert told(np.log(madds) / 20 + 0.5 * skill + rng.normal(0, 0.01, 80)) is None
    by_cost = told(np.log(madds) / 20 + rng.normal(0, 0.001, 80))  # its plain tau is 0.7, and says nothing
    assert abs(by_cost.figure) < 0.25
    assert "Kendall's tau" in by_cost.text
    assert told(np.log(madds) / 20 - skill).figure < -0.9


def test_without_any_order_nothing_is_said_of_the_surrogate():
    assert no_better_than_cost(Rank(value=math.nan, low=math.nan, high=math.nan)) is None


def test_intervals_that_are_too_narrow_are_told_and_right_or_wide_ones_are_not():
    miss = RNG.normal(size=200)
    told = overconfident(coverage(miss, np.full(200, 0.5)), 200)
    assert told.figure < 0.8
    assert "95 % intervals" in told.text
    assert overconfident(coverage(miss, np.full(200, 1.0)), 200) is None
    assert overconfident(coverage(miss, np.full(200, 9.0)), 200) is None
    assert overconfident(coverage(miss[:10], np.full(10, 0.5)), 10) is None
    assert overconfident({}, 0) is None


def test_a_budget_that_nobody_feels_is_told_and_one_that_somebody_feels_is_not():
    costs = {"madds": np.array([1e6, 5e6]), "peak_memory": np.array([100.0, 200.0])}
    told = idle_budget(costs, {"madds": (None, 10e6), "peak_memory": (None, 300.0)})
    assert told.figure == pytest.approx(1 / 3)
    assert "33 %" in told.text
    assert "peak memory" in told.text
    assert idle_budget(costs, {"madds": (None, 10e6), "peak_memory": (None, 210.0)}) is None
    assert idle_budget(costs, {"madds": (1e6, 10e6)}) is None
    assert idle_budget(costs, {}) is None
    assert idle_budget(costs, {"madds": (None, None)}) is None
    assert idle_budget({"madds": np.array([])}, {"madds": (None, 1e6)}) is None


def test_a_front_at_the_end_of_an_axis_is_told_with_its_value():
    axes = (Axis("width", (0.5, 0.75, 1.0)), Axis("kernel", (3, 5)), Axis("op", ("a", "b", "c")), Axis("k", (7, 3, 5)))
    slots = np.array([[2, 0, 0, i % 3] for i in range(9)] + [[1, 0, 0, 0]])
    told = at_the_edge(axes, slots)
    assert told.figure == 0.9
    assert "width = 1.0 (9 of 10)" in told.text
    assert "kernel" not in told.text  # of two choices one must be the end
    assert "op = " not in told.text
    assert "k = " not in told.text
    inside = slots.copy()
    inside[:3, 0] = 1
    assert at_the_edge(axes, inside) is None


def test_of_many_axes_chosen_blindly_hardly_any_is_said_to_end_too_early():
    axes = tuple(Axis(f"axis{i}", (1, 2, 3)) for i in range(30))
    told = [at_the_edge(axes, np.random.default_rng(seed).integers(3, size=(8, 30))) for seed in range(60)]
    assert sum(each is not None for each in told) <= 6


def test_the_end_of_an_unsorted_axis_is_its_least_and_greatest_value():
    axis = (Axis("k", (7, 3, 5)),)
    assert "k = 7" in at_the_edge(axis, np.zeros((5, 1), dtype=np.int64)).text
    assert "k = 3" in at_the_edge(axis, np.ones((5, 1), dtype=np.int64)).text
    assert at_the_edge(axis, np.full((5, 1), 2)) is None


def test_networks_in_which_an_axis_makes_no_difference_do_not_count():
    axis = (Axis("k", (3, 5, 7)),)
    idle = np.array([[2], [2], [IDLE], [IDLE], [IDLE]])
    assert at_the_edge(axis, idle) is None
    assert "(5 of 5)" in at_the_edge(axis, np.vstack([idle, np.full((3, 1), 2)])).text
    assert at_the_edge(axis, np.full((5, 1), IDLE)) is None
    assert at_the_edge((), np.zeros((5, 0), dtype=np.int64)) is None
