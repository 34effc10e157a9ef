"""Distribution functions, bands and tests: against brute force, scipy by hand, and their promised error rates."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from archsearch.explore.statistics import at, compare, edf, half_width, holm, median_interval, verdicts

SAMPLES = st.lists(st.integers(0, 30).map(lambda k: k / 30), min_size=2, max_size=25).map(np.array)


@given(values=SAMPLES, x=st.floats(-0.5, 1.5))
def test_a_distribution_function_is_the_share_at_or_below(values, x):
    curve = edf(values, 0.95)
    assert at(curve, np.array([x]))[0] == pytest.approx(np.mean(values <= x))
    eps = half_width(len(values), 0.95)
    assert at(curve, np.array([x]), "low")[0] == pytest.approx(max(0, np.mean(values <= x) - eps))
    assert at(curve, np.array([x]), "high")[0] == pytest.approx(min(1, np.mean(values <= x) + eps))


def test_the_band_has_massarts_constant():
    assert half_width(100, 0.95) == pytest.approx(np.sqrt(np.log(40) / 200))
    assert half_width(1, 0.99) == 1.0


@pytest.mark.parametrize("n", [5, 40])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_band_holds_the_whole_true_function_as_often_as_it_promises(n, confidence):
    rng, repeats, held = np.random.default_rng(n), 2000, 0
    for _ in range(repeats):
        curve = edf(rng.uniform(size=n), confidence)  # the true function is x itself
        before = np.concatenate([[0.0], curve.low[:-1]]), np.concatenate([[half_width(n, confidence)], curve.high[:-1]])
        held += bool((curve.low <= curve.x).all() and (curve.x <= before[1]).all() and (curve.x <= curve.high).all())
    assert held / repeats >= confidence - 3 * np.sqrt(confidence * (1 - confidence) / repeats)


@given(first=SAMPLES, second=SAMPLES)
def test_the_tests_are_scipys(first, second):
    told = compare(first, second, np.random.default_rng(0), confidence=0.95)
    mw = stats.mannwhitneyu(first, second, alternative="two-sided")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ks = stats.ks_2samp(first, second)
    mw_p = 1.0 if np.isnan(mw.pvalue) else mw.pvalue  # all values equal
    assert (told.ks, told.ks_p, told.mann_whitney_p) == pytest.approx((ks.statistic, ks.pvalue, mw_p))
    pairs = [(a > b) + 0.5 * (a == b) for a in first for b in second]
    assert told.better == pytest.approx(np.mean(pairs))
    assert told.median == pytest.approx(np.median(second) - np.median(first))
    assert told.low <= told.high


def test_no_difference_is_called_shown_more_often_than_promised():
    rng, repeats, alarms, covered = np.random.default_rng(3), 300, 0, 0
    for _ in range(repeats):
        samples = rng.normal(size=(3, 30))
        pairs = [compare(samples[0], each, rng, confidence=0.95) for each in samples[1:]]
        alarms += any(each["shown"] for each in verdicts(pairs, 0.95))
        covered += pairs[0].low <= 0 <= pairs[0].high
    noise = 3 * np.sqrt(0.05 * 0.95 / repeats)
    assert alarms / repeats <= 0.05 + noise
    assert covered / repeats >= 0.95 - noise


def test_a_clear_difference_is_shown_and_its_direction_is_right():
    rng = np.random.default_rng(1)
    first, second = rng.normal(0.40, 0.02, 100), rng.normal(0.37, 0.02, 100)
    told = compare(first, second, rng, confidence=0.95)
    assert verdicts([told], 0.95)[0]["shown"]
    assert told.low < told.median < told.high < 0
    assert told.better > 0.7


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_rejects_what_stepping_down_by_hand_rejects(p_values):
    for level in (0.01, 0.05, 0.3):
        rejected, order = set(), sorted(range(len(p_values)), key=p_values.__getitem__)
        for rank, index in enumerate(order):
            if p_values[index] * (len(p_values) - rank) > level:
                break
            rejected.add(index)
        assert {i for i, p in enumerate(holm(p_values)) if p <= level} == rejected


@pytest.mark.parametrize("n", [2, 7, 30])
def test_the_interval_is_that_of_resamples_drawn_one_by_one(n):
    rng = np.random.default_rng(n)
    first, second = rng.normal(size=n), rng.normal(size=n) + 1
    told = median_interval(first, second, rng, confidence=0.9)
    gaps = [np.median(rng.choice(second, n)) - np.median(rng.choice(first, n)) for _ in range(8000)]
    for end, tail in zip(told, (0.05, 0.95), strict=True):  # the end is that quantile, but for the noise of both draws
        below, up_to = np.mean(np.array(gaps) < end - 1e-9), np.mean(np.array(gaps) <= end + 1e-9)
        assert below - 0.015 <= tail <= up_to + 0.015
