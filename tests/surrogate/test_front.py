"""What to believe of a front: probabilities, groups, and what is handed over."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsearch.surrogate.front import apart, groups, handed_over, independent, moments, p_front, plausible

SMALL = st.integers(0, 4)  # few values, so that ties are common


@st.composite
def samples(draw):
    """Samples of accuracies, costs and what fits, with ties everywhere."""
    n, draws, metrics = draw(st.integers(0, 7)), draw(st.integers(1, 4)), draw(st.integers(0, 2))

    def numbers(*shape):
        size = int(np.prod(shape))
        return np.array(draw(st.lists(SMALL, min_size=size, max_size=size)), dtype=float).reshape(shape)

    return numbers(draws, n), numbers(n, metrics), numbers(n) > 0


def beaten(accuracies, costs, i, j):
    """Whether j beats i."""
    no_worse = accuracies[j] >= accuracies[i] and (costs[j] <= costs[i]).all()
    return no_worse and (accuracies[j] > accuracies[i] or (costs[j] < costs[i]).any())


@given(samples())
def test_the_probability_is_the_share_of_samples_in_which_nobody_beats_it(told):
    draws, costs, fits = told
    n = len(fits)
    counted = [
        np.mean([fits[i] and not any(fits[j] and beaten(row, costs, i, j) for j in range(n)) for row in draws])
        for i in range(n)
    ]
    assert p_front(draws, costs, fits) == pytest.approx(counted)


@given(samples())
def test_what_is_not_plausible_is_on_no_front_and_changes_nobody_elses_chances(told):
    draws, costs, fits = told
    kept = plausible(draws.min(axis=0), draws.max(axis=0), costs, fits)
    whole = p_front(draws, costs, fits)
    assert (whole[~kept] == 0).all()
    assert p_front(draws[:, kept], costs[kept], fits[kept]) == pytest.approx(whole[kept])


@given(samples())
def test_what_is_handed_over_is_unbeaten_cheapest_first_and_beats_or_equals_all_the_rest(told):
    draws, costs, fits = told
    mean = draws[0]
    rows = handed_over(mean, costs, fits)
    assert fits[rows].all()
    assert len(np.unique(np.column_stack([mean, costs])[rows], axis=0)) == len(rows)
    for i in np.flatnonzero(fits):
        assert any(beaten(mean, costs, i, j) or (mean[i] == mean[j] and (costs[i] == costs[j]).all()) for j in rows)
        assert i not in rows or not any(beaten(mean, costs, i, j) for j in np.flatnonzero(fits))
    assert [tuple(row) for row in costs[rows]] == sorted(tuple(row) for row in costs[rows])


@given(samples())
def test_a_network_that_nobody_beats_in_any_sample_is_certainly_on_the_front(told):
    draws, costs, fits = told
    for i in handed_over(draws[0], costs, fits):
        assert p_front(draws[:1], costs, fits)[i] == 1


def test_one_objective_hands_over_the_best_alone():
    mean, none = np.array([0.5, 0.9, 0.7, 0.95]), np.zeros((4, 0))
    assert handed_over(mean, none, np.array([True, True, True, False])).tolist() == [1]
    assert p_front(np.stack([mean, mean[::-1]]), none, np.ones(4, dtype=bool)).tolist() == [0.5, 0, 0, 0.5]


def test_a_lucky_measurement_is_not_handed_over():
    costs, fits = np.array([[1.0], [2.0], [3.0]]), np.ones(3, dtype=bool)
    assert handed_over(np.array([0.9, 0.89, 0.95]), costs, fits).tolist() == [0, 2]


@given(st.integers(0, 1000))
def test_no_two_of_a_group_are_told_apart_and_groups_follow_the_means(seed):
    rng = np.random.default_rng(seed)
    draws = rng.normal(rng.uniform(0, 4, 8), rng.uniform(0.1, 1, 8), (200, 8))
    found = groups(draws)
    assert not any(apart(draws[:, i], draws[:, j]) for i in range(8) for j in range(i) if found[i] == found[j])
    assert (np.diff(found[np.argsort(draws.mean(axis=0))]) >= 0).all()
    assert set(found) == set(range(1, max(found) + 1))
    for number in range(1, max(found)):  # a next group is opened only by somebody who is different
        opens = min(np.flatnonzero(found == number + 1), key=lambda i: draws[:, i].mean())
        assert any(apart(draws[:, opens], draws[:, j]) for j in np.flatnonzero(found == number))


def test_a_chain_is_cut_where_its_ends_differ():
    means = np.linspace(0, 6, 13)
    draws = np.random.default_rng(0).normal(means, 1, (4000, 13))
    found = groups(draws)
    assert not any(apart(draws[:, i], draws[:, i + 1]) for i in range(12))
    assert 2 <= max(found) < 13


def test_errors_that_networks_share_do_not_hide_a_difference():
    rng = np.random.default_rng(1)
    shared, own = rng.normal(0, 1, (2000, 1)), rng.normal(0, 0.1, (2000, 2))
    together = np.array([0.0, 0.5]) + shared + own
    assert len(set(groups(together))) == 2
    alone = np.column_stack([together[:, 0], rng.permutation(together[:, 1])])  # the same spreads, nothing shared
    assert len(set(groups(alone))) == 1


def test_measurements_alone_spread_by_their_errors_and_no_error_is_exact():
    top1, error = np.array([0.5, 0.8, 0.9]), np.array([0.01, 0.0, np.nan])
    draws = independent(top1, error, 20_000, np.random.default_rng(0))
    assert draws.mean(axis=0) == pytest.approx(top1, abs=0.001)
    assert draws.std(axis=0) == pytest.approx([0.01, 0, 0], abs=0.001)
    assert abs(np.corrcoef(draws[:, 0], draws[:, 1] + np.arange(20_000))[0, 1]) < 0.03


def test_moments_are_those_of_the_lognormal():
    mean, sd = np.array([0.5, 2.0, 3.0]), np.array([0.0, 0.3, 1.0])
    middle, spread = moments(mean, sd, lambda x: 1 - np.exp(-x))
    expected = np.exp(-mean + sd**2 / 2)
    assert middle == pytest.approx(1 - expected, rel=1e-4)
    assert spread == pytest.approx(expected * np.sqrt(np.expm1(sd**2)), rel=2e-2)


def test_nothing_is_nothing():
    none = np.zeros((5, 0))
    assert p_front(none, np.zeros((0, 1)), np.zeros(0, dtype=bool)).shape == (0,)
    assert groups(none).shape == (0,)
    assert handed_over(np.zeros(0), np.zeros((0, 2)), np.zeros(0, dtype=bool)).shape == (0,)
