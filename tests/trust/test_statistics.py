"""Rank correlations against SciPy and by hand, intervals that cover, bands, the ceiling of noise, regret."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy.stats import kendalltau

from archsearch.trust import statistics as st

RNG = np.random.default_rng(0)
COLUMN = some.lists(some.integers(0, 6), min_size=3, max_size=25)


def once(n):
    return np.ones((1, n))


def tau(x, y, among=None):
    x, y = np.asarray(x, float), np.asarray(y, float)
    return float(st.taus(x, y, once(len(x)), among)[0])


@given(values=COLUMN, seed=some.integers(0, 1000))
def test_tau_is_scipys_tau_b_with_ties(values, seed):
    other = np.random.default_rng(seed).integers(0, 5, len(values))
    expected = kendalltau(values, other).statistic
    assert tau(values, other) == pytest.approx(expected, nan_ok=True)


def test_tau_by_hand():
    assert tau([1, 2, 3, 4], [1, 2, 4, 3]) == pytest.approx((5 - 1) / 6)
    assert tau([1, 1, 2], [1, 2, 3]) == pytest.approx(2 / math.sqrt(2 * 3))  # one pair tied in the first alone


def test_values_that_are_all_equal_have_no_tau():
    found = st.taus(np.ones(6), np.arange(6.0), st.resamples(6, RNG))
    assert np.isnan(found).all()
    told = st.interval(found)
    assert [math.isnan(each) for each in (told.value, told.low, told.high)] == [True] * 3


def test_networks_without_a_value_are_left_out():
    values, truth = np.array([3.0, np.nan, 1, 2, 9]), np.array([0.3, 0.9, 0.1, 0.2, np.nan])
    assert tau(values, truth) == 1.0


def test_a_resample_counts_a_network_as_often_as_it_is_drawn_and_never_pairs_it_with_itself():
    x, y = RNG.normal(size=9), RNG.normal(size=9)
    counts = st.resamples(9, RNG)[1:6]
    for row, found in zip(counts, st.taus(x, y, counts), strict=True):
        drawn = np.repeat(np.arange(9), row.astype(int))
        assert found == pytest.approx(kendalltau(x[drawn], y[drawn]).statistic)  # a network with itself is tied in both


def test_the_interval_covers_the_true_tau():
    rho, hits, widths = 0.7, 0, []
    true = 2 / math.pi * math.asin(rho)  # of the bivariate normal
    rng = np.random.default_rng(3)
    for _ in range(300):
        x = rng.normal(size=40)
        y = rho * x + math.sqrt(1 - rho**2) * rng.normal(size=40)
        told = st.interval(st.taus(x, y, st.resamples(40, rng)))
        hits += told.low <= true <= told.high
        widths.append(told.high - told.low)
    assert 0.90 <= hits / 300 <= 0.985  # 95 % is the aim; 300 repeats have a standard error of 1.3 %
    assert 0.15 < np.mean(widths) < 0.45


def test_paired_differences_are_narrower_than_unpaired_ones():
    truth = RNG.normal(size=60)
    first = truth + 0.5 * RNG.normal(size=60)
    second = first + 0.2 * RNG.normal(size=60)
    counts, others = st.resamples(60, RNG), st.resamples(60, RNG)
    paired = st.interval(st.taus(first, truth, counts) - st.taus(second, truth, counts))
    apart = st.interval(st.taus(first, truth, counts) - st.taus(second, truth, others))
    assert paired.high - paired.low < 0.7 * (apart.high - apart.low)


def test_the_share_of_resamples_that_are_ahead():
    assert st.ahead(np.array([9.0, 1, 2, 2, np.nan]), np.array([0.0, 0, 2, 3, 0])) == pytest.approx(0.5)


def test_bands_hold_the_pairs_of_nearly_equal_cost():
    madds = np.array([100.0, 114, 116, 300])
    close = st.near(madds)
    pairs = [(i, j) for i, j in combinations(range(4), 2) if close[i, j]]
    assert pairs == [(0, 1), (1, 2)]
    assert st.pairs_of(close) == 2
    assert tau([1, 2, 3, 0], [1, 2, 1, 9], close) == 0.0  # one pair right, one wrong; the dear network is in none


def test_the_order_by_cost_says_nothing_within_tight_bands():
    madds = np.repeat([1e6, 2e6, 4e6], 40) * np.exp(RNG.uniform(0, 0.01, 120))
    truth = np.log(madds) + 0.05 * RNG.normal(size=120)
    assert tau(madds, truth) > 0.6
    assert abs(tau(madds, truth, st.near(madds))) < 0.15


@pytest.mark.parametrize(("n", "best"), [(4, 4), (8, 5), (24, 6), (60, 15), (91, 10), (100, 10), (200, 20)])
def test_how_many_are_the_best(n, best):
    assert st.top_size(n) == best
    assert st.pairs_of(st.top(RNG.normal(size=n))) == best * (best - 1) // 2


def test_the_best_are_the_best():
    truth = np.arange(8.0)
    assert np.flatnonzero(st.top(truth).any(axis=0)).tolist() == [3, 4, 5, 6, 7]


# seeds and noise


def test_each_seed_is_left_out_once():
    top1 = np.array([[0.1, 0.2, 0.3], [0.4, np.nan, 0.6]])
    (first, rest), (second, others), _ = st.left_out(top1)
    assert first.tolist() == [0.1, 0.4]
    assert rest == pytest.approx([0.25, 0.6])
    assert np.isnan(second[1])
    assert others == pytest.approx([0.2, 0.5])
    assert st.left_out(top1[:, :1]) == []
    assert np.isnan(st.seed_taus(top1[:, :1], once(2))).all()


def test_one_more_seed_is_the_mean_over_the_seeds_left_out():
    top1 = RNG.normal(size=(30, 3)) * 0.1 + np.linspace(0, 0.3, 30)[:, None]
    by_hand = [kendalltau(top1[:, s], np.delete(top1, s, axis=1).mean(axis=1)).statistic for s in range(3)]
    assert st.seed_taus(top1, once(30))[0] == pytest.approx(np.mean(by_hand))


def test_noise_is_pooled_over_the_networks():
    assert st.noise(np.array([[0.1, 0.3], [0.5, 0.5], [0.2, np.nan]])) == pytest.approx(math.sqrt(0.02 / 2))
    assert math.isnan(st.noise(np.ones((4, 1))))


def test_the_ceiling_is_what_the_true_order_reaches():
    rng = np.random.default_rng(1)
    found, reached = [], []
    for _ in range(12):
        true = rng.normal(0.8, 0.02, 60)
        top1 = true[:, None] + rng.normal(0, 0.012, (60, 2))
        found.append(st.ceiling(top1, np.ones(60), rng)[0])
        reached.append(tau(true, top1.mean(axis=1)))
    assert np.mean(found) == pytest.approx(np.mean(reached), abs=0.03)
    assert 0.6 < np.mean(found) < 0.9


def test_the_ceiling_at_its_ends():
    still = np.repeat(RNG.normal(size=(20, 1)), 2, axis=1)
    assert st.ceiling(still, np.ones(20), RNG) == (1.0, 1.0, 1.0)
    assert st.ceiling(np.tile([[0.4, 0.6]], (20, 1)), np.ones(20), RNG) == (0.0, 0.0, 0.0)
    assert np.isnan(st.ceiling(still[:, :1], np.ones(20), RNG)).all()


# regret


def test_the_truth_itself_regrets_nothing_and_no_choice_regrets_more_than_all():
    for _ in range(20):
        truth, madds = RNG.uniform(size=15), RNG.uniform(1, 10, size=15)
        assert st.front_regret(truth, truth, madds) == pytest.approx(0, abs=1e-12)
        assert -1e-12 <= st.front_regret(RNG.normal(size=15), truth, madds) <= 1.0
        assert st.best_regret(truth, truth) == 0.0


def test_regret_by_hand():
    madds, truth = np.array([1.0, 2, 4]), np.array([0.5, 0.7, 0.9])
    up, right = np.log([2.0, 1.1]), math.log(4.4)
    best = 0.2 * (right - math.log(2)) + 0.2 * up[1]
    assert st.front_regret(np.array([3.0, 2, 1]), truth, madds) == pytest.approx(1.0)  # it takes the worst alone
    assert st.front_regret(np.array([1.0, 1, 2]), truth, madds) == pytest.approx(1 - 0.4 * up[1] / best)
    assert st.best_regret(np.array([3.0, 3, 1]), truth) == pytest.approx(0.9 - 0.6)
    assert st.best_regret(np.array([np.nan, 2.0, 1]), truth) == pytest.approx(0.2)


def test_no_more_networks_are_picked_than_the_true_front_has():
    madds = np.arange(1.0, 11)
    assert st.chosen(madds, madds, 3).tolist() == [0, 4, 9]  # by cost alone every network is on the front
    assert st.chosen(np.full(10, np.nan), madds, 3).tolist() == []
    truth = np.where(madds == 1, 0.5, 0.4)
    assert math.isfinite(st.front_regret(madds, truth, madds))


def test_equal_accuracies_cover_nothing():
    assert math.isnan(st.front_regret(np.arange(4.0), np.ones(4), np.arange(1.0, 5)))
