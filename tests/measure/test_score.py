"""Scores of predictors: errors, ranks, ranks at equal MAdds."""

import numpy as np
import pytest
from scipy.stats import kendalltau

from archsearch.measure.score import band_gain, band_tau, by_cost, pairs, score

RNG = np.random.default_rng(0)
MADDS = RNG.uniform(1e7, 1e9, 60)
MS = MADDS / 1e8 * RNG.lognormal(0, 0.3, 60)


def test_the_truth_scores_perfectly():
    found = score("truth", MS, MS, MADDS)
    assert (found.error, found.tau, found.band_tau, found.within) == (0.0, pytest.approx(1.0), 1.0, (1.0, 1.0, 1.0))


def test_errors_are_relative_to_what_was_measured():
    found = score("high", MS * 1.07, MS, MADDS)
    assert found.error == pytest.approx(0.07)
    assert found.within == (0.0, 1.0, 1.0)
    assert found.worst == pytest.approx(0.07)


def test_in_a_band_of_all_networks_the_tau_is_kendalls():
    told = MS * RNG.lognormal(0, 0.2, 60)
    assert band_tau(told, MS, np.full(60, 1e8)) == pytest.approx(kendalltau(told, MS).statistic)


def test_pairs_lie_within_15_percent_of_madds():
    left, right = pairs(np.array([100.0, 114.0, 116.0, 200.0]))
    assert list(zip(left.tolist(), right.tolist(), strict=True)) == [(0, 1), (1, 2)]


def test_without_such_pairs_nothing_is_known():
    assert np.isnan(band_tau(MS[:2], MS[:2], np.array([1.0, 100.0])))
    assert score("x", MS[:3], MS[:3], np.array([1.0, 100.0, 1e4])).to_dict()["band_tau"] is None


def test_a_better_ranking_is_shown_and_an_equal_one_is_not():
    close = np.repeat(RNG.uniform(1e7, 1e9, 15), 4) * RNG.uniform(1, 1.1, 60)
    truth = close * RNG.lognormal(0, 0.3, 60)
    gain, low, high = band_gain(truth * RNG.lognormal(0, 0.02, 60), close, truth, close)
    assert low > 0.2
    assert low < gain < high
    same, low, high = band_gain(close, close, truth, close)
    assert (same, low, high) == (0.0, 0.0, 0.0)


def test_a_predictor_by_one_cost_finds_a_power_law():
    assert by_cost(MADDS[:20], 3e-6 * MADDS[:20] ** 0.9, MADDS) == pytest.approx(3e-6 * MADDS**0.9)
