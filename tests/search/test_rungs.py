"""Decisions at rungs, as arrays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsearch.errors import RunError
from archsearch.pareto import front
from archsearch.search.rungs import AUTO_ETA, Rule, bars, layers, next_up, order, read_rungs, spread


@st.composite
def rungs_full(draw):
    """Accuracies and costs of n networks at a rung."""
    n = draw(st.integers(1, 25))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    return rng.integers(0, 8, n) / 10, rng.integers(1, 6, (n, draw(st.integers(0, 2)))).astype(float)


@given(rungs_full(), st.integers(2, 5))
@settings(max_examples=60, deadline=None)
def test_never_more_than_its_share_goes_on(case, eta):
    top1, costs = case
    rule = Rule(rungs=(1, 2), eta=eta)
    went = np.zeros(len(top1), dtype=bool)
    while (row := next_up(top1, costs, went=went, waits=~went, rule=rule)) is not None:
        assert not went[row]
        went[row] = True
    assert went.sum() == len(top1) // eta


@given(rungs_full())
@settings(max_examples=60, deadline=None)
def test_the_order_goes_rank_by_rank_and_names_each_once(case):
    top1, costs = case
    values = np.column_stack([-top1, costs])
    ranks = layers(values)
    ordered = order(top1, costs)
    assert sorted(ordered) == list(range(len(top1)))
    assert (np.diff(ranks[ordered]) >= 0).all()
    assert (ranks == 0).tolist() == front(values).tolist()


def test_without_costs_the_order_is_that_of_accuracy():
    assert order(np.array([0.3, 0.9, 0.5]), np.zeros((3, 0))).tolist() == [1, 2, 0]


def test_a_dominated_network_waits_for_those_that_beat_it():
    top1, costs = np.array([0.9, 0.5, 0.4]), np.array([[10.0], [1.0], [2.0]])
    assert order(top1, costs).tolist() == [0, 1, 2]
    everything = np.ones(3, dtype=bool)
    assert next_up(top1, costs, went=~everything, waits=everything, rule=Rule(rungs=(1, 2), eta=3)) == 0
    asha = Rule(rungs=(1, 2), eta=3, by_cost=False)
    stopped = np.array([False, True, True])  # the first one was stopped: its place goes to the next
    assert next_up(top1, costs, went=~everything, waits=stopped, rule=asha) == 1


def test_the_epsilon_net_keeps_the_spread():
    points = np.array([[0.0, 1.0], [0.05, 0.95], [0.1, 0.9], [1.0, 0.0], [0.5, 0.5]])
    top1 = np.array([0.9, 0.89, 0.88, 0.1, 0.5])
    assert spread(points, top1).tolist()[:3] == [0, 3, 4]


def test_worth_orders_a_rank_and_never_passes_it():
    top1, costs = np.array([0.9, 0.5, 0.4, 0.7]), np.array([[10.0], [1.0], [2.0], [5.0]])
    assert order(top1, costs, np.array([0.0, 1.0, 9.0, 2.0])).tolist() == [3, 1, 0, 2]
    assert order(top1, costs, np.zeros(4)).tolist() == order(top1, costs).tolist()


def test_nobody_goes_on_while_the_share_is_used_up_or_nobody_waits():
    top1, costs = np.array([0.1, 0.2, 0.3]), np.ones((3, 1))
    one, none = np.array([True, False, False]), np.zeros(3, dtype=bool)
    rule = Rule(rungs=(1, 2), eta=3)
    assert next_up(top1, costs, went=one, waits=~one, rule=rule) is None
    assert next_up(top1, costs, went=none, waits=none, rule=rule) is None


def test_bars_are_the_best_of_no_greater_cost():
    final = np.array([0.5, np.nan, 0.9, np.nan])
    costs = np.array([[1.0], [2.0], [3.0], [0.5]])
    assert bars(final, costs).tolist() == [-np.inf, 0.5, 0.5, -np.inf]


@pytest.mark.parametrize(("text", "whole", "eta", "rungs"), [
    ("3", 9, 3, (1, 3, 9)), ("2", 60, 6, (10, 60)), ("1,3", 9, 3, (1, 3, 9)), ("1, 3, 9", 9, 2, (1, 3, 9)),
    ("auto", 60, 6, (7, 60)), ("auto", 4, 6, (1, 4)), ("auto", 1, 6, (1,)), ("1", 5, 3, (5,)),
])  # fmt: skip
def test_rungs_as_they_are_written(text, whole, eta, rungs):
    assert read_rungs(text, whole, eta) == rungs


def test_left_to_us_each_of_two_rungs_takes_the_same_epochs():
    first, whole = read_rungs("auto", 9, AUTO_ETA)
    assert AUTO_ETA * first == whole  # arXiv:1603.06560: rungs and shares rise by one factor


@pytest.mark.parametrize("text", ["", "x", "0", "3,1", "1,1,9", "4", "2,12", "1.5", "-1", "1,,9"])
def test_rungs_that_cannot_be_are_one_line(text):
    with pytest.raises(RunError) as told:
        read_rungs(text, 9, 3)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("wrong", [{"rungs": ()}, {"rungs": (3, 3)}, {"rungs": (1,), "eta": 0},
                                   {"rungs": (1,), "doubt": 1.0}])  # fmt: skip
def test_a_rule_that_cannot_be_is_refused(wrong):
    with pytest.raises(RunError):
        Rule(**wrong)
