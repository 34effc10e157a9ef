"""Cross-validation of a surrogate: folds, rank correlations, coverage, noise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from archsearch.surrogate.domain import Networks
from archsearch.surrogate.validate import at_equal, coverage, crossed, folds, kendall, noise_sd, spearman


def networks(codes):
    """Networks whose name is their code."""
    codes = np.asarray(codes, dtype=np.int64).reshape(len(codes), -1)
    names = np.ascontiguousarray(codes).view(np.dtype((np.void, 8 * codes.shape[1]))).reshape(len(codes))
    zeros = np.zeros((len(codes), 1))
    return Networks(codes=codes, slots=codes, costs=zeros, traits=zeros, names=names)


class Memory:
    """A surrogate that knows what it has seen, and else the mean."""

    noise = 0.24

    def __init__(self, seen, top1, error):
        self.known = dict(zip(seen, top1, strict=True))
        self.mean = float(np.mean(top1))

    def predict(self, asked):
        mean = np.array([self.known.get(name, self.mean) for name in asked])
        return mean, np.full(len(asked), 0.1)


def test_nobody_predicts_a_network_that_it_has_seen_even_where_it_was_measured_twice():
    rng = np.random.default_rng(0)
    seen = networks(rng.integers(0, 15, (40, 1)))
    top1 = seen.codes[:, 0] / 15 + 1
    mean, sd, spread = crossed(seen, top1, np.zeros(40), learn=Memory, rng=rng)
    assert Memory(seen, top1, None).predict(seen)[0] == pytest.approx(top1)
    assert not np.isclose(mean, top1).any()
    assert sd == pytest.approx(np.full(40, 0.1))
    assert spread == pytest.approx(np.full(40, 0.26))


@given(st.integers(2, 60), st.integers(0, 99))
def test_folds_are_of_equal_size_and_all_are_used(n, seed):
    found = folds(networks(np.arange(n)).names, np.random.default_rng(seed))
    sizes = np.bincount(found)
    assert len(sizes) == min(10, n)
    assert sizes.max() - sizes.min() <= 1


def test_one_network_cannot_be_cross_validated():
    with pytest.raises(ValueError, match="two different networks"):
        folds(networks([[1], [1]]).names, np.random.default_rng(0))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=12))
def test_rank_correlations_are_scipys(pairs):
    x, y = np.array(pairs, dtype=float).T
    ours = kendall(x, y, rng=np.random.default_rng(0)).value, spearman(x, y, rng=np.random.default_rng(0)).value
    if len(set(x)) == 1 or len(set(y)) == 1:
        assert np.isnan(ours).all()
    else:
        assert ours == pytest.approx((stats.kendalltau(x, y).statistic, stats.spearmanr(x, y).statistic))


@pytest.mark.parametrize("measure", [kendall, spearman])
def test_the_interval_holds_the_truth_about_as_often_as_it_says(measure):
    held = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=60)
        y = x + rng.normal(size=60)  # correlation 0.707
        told = measure(x, y, rng=rng)
        truth = 2 / np.pi * np.arcsin(0.5**0.5) if measure is kendall else 6 / np.pi * np.arcsin(0.5**0.5 / 2)
        held += told.low <= truth <= told.high
    assert 51 <= held <= 60


def test_of_many_pairs_some_are_drawn():
    rng = np.random.default_rng(0)
    x = rng.normal(size=5000)
    assert kendall(x, x + rng.normal(size=5000), rng=rng).value == pytest.approx(0.5, abs=0.05)


@given(st.integers(0, 99))
def test_what_cost_says_is_taken_out_and_the_rest_stays(seed):
    rng = np.random.default_rng(seed)
    cost = np.exp(rng.uniform(5, 20, 60))
    logs, own = np.log(cost), rng.normal(size=60)
    curve = 3 - logs + 0.2 * logs**2 - 0.01 * logs**3
    assert at_equal(curve, cost) == pytest.approx(np.zeros(60), abs=1e-6)
    assert at_equal(curve + own, cost) == pytest.approx(at_equal(own, cost), abs=1e-6)
    assert np.corrcoef(at_equal(own, cost), logs)[0, 1] == pytest.approx(0, abs=1e-6)


def test_networks_of_one_cost_lose_their_mean_alone():
    assert at_equal(np.array([1.0, 3.0]), np.array([5.0, 5.0])).tolist() == [-1, 1]
    assert at_equal(np.array([1.0, 3.0]), np.array([0.0, 5.0])).tolist() == [0, 0]


def test_coverage_is_the_level_where_the_spread_is_right_and_below_it_where_it_is_too_small():
    miss = np.random.default_rng(0).normal(0, 0.02, 4000)
    right = coverage(miss, np.full(4000, 0.02))
    assert list(right.values()) == pytest.approx(list(right), abs=0.02)
    assert coverage(miss, np.full(4000, 0.01))[0.95] < 0.75
    assert set(coverage(miss, np.full(4000, 1.0)).values()) == {1.0}


@given(st.floats(0.001, 0.1), st.integers(0, 99))
def test_noise_is_found_in_repetitions_and_in_what_the_predictions_miss(noise, seed):
    rng = np.random.default_rng(seed)
    truth, sd = rng.uniform(0, 1, 150), rng.uniform(0, noise, 150)
    top1 = truth + rng.normal(0, noise, 150)
    miss = top1 - truth + rng.normal(0, 1, 150) * sd
    alone, twice = networks(np.arange(150)).names, networks(np.arange(150) // 2).names
    assert noise_sd(alone, top1, miss=miss, sd=sd) == pytest.approx(noise, rel=0.35)
    pairs = np.repeat(truth[:75], 2) + rng.normal(0, noise, 150)
    assert noise_sd(twice, pairs, miss=100 * miss, sd=sd) == pytest.approx(noise, rel=0.35)


def test_exact_predictions_leave_no_noise():
    names = networks(np.arange(5)).names
    assert noise_sd(names, np.ones(5), miss=np.zeros(5), sd=np.zeros(5)) < 1e-9
    assert noise_sd(names, np.ones(5), miss=np.full(5, 0.01), sd=np.full(5, 0.1)) == 0
