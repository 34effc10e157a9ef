"""Medians with intervals, and series that settle."""

import numpy as np
import pytest
from scipy.stats import bootstrap

from archsearch.measure.stats import half_width, low_quartile, median_interval, settled


def test_the_interval_of_a_median_is_scipys_percentile_bootstrap_within_its_own_noise():
    values = np.random.default_rng(1).lognormal(0, 0.2, 60)
    ours = median_interval(values)
    theirs = bootstrap((values,), np.median, method="percentile", rng=np.random.default_rng(0)).confidence_interval
    assert ours == pytest.approx((theirs.low, theirs.high), rel=0.02)


def test_the_interval_holds_the_median_of_the_distribution_in_about_19_of_20_samples():
    rng = np.random.default_rng(2)
    inside = [low <= 0 <= high for low, high in (median_interval(rng.standard_normal(25), s) for s in range(400))]
    assert 0.90 <= np.mean(inside) <= 0.99


def test_one_value_says_nothing_of_its_interval():
    assert median_interval([3.0]) == (-np.inf, np.inf)
    assert half_width([3.0]) == float("inf")


def test_equal_values_have_an_interval_of_no_width():
    assert half_width([2.0] * 7) == 0.0


def test_a_falling_series_has_not_settled_and_a_level_one_has():
    assert not settled([10 / (n + 1) for n in range(10)])
    assert settled([10.0, 7, 5, 4, 3, *[2.0] * 10])
    assert not settled([1.0] * 9)


def test_the_low_quartile_forgets_what_disturbed_a_run():
    assert low_quartile([1.0, 1.0, 1.0, 50.0]) == 1.0
