"""Intervals that cover what they promise, tests against scipy and statsmodels, groups, words.

What the 95 % interval covers of 1,000 repeats is asserted where theory promises it (normal values, and heavy tails);
for skewed ones (a shifted exponential, a mild lognormal) any interval from the sample alone falls short for few
values, and only a floor is asserted: Student's falls short by as much.
"""

import gc
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.multitest import multipletests
from statsmodels.tools import add_constant

from archsearch.ablate import groups
from archsearch.ablate import statistics as st
from archsearch.ablate.intervals import gap_interval, mean_interval, proportion
from archsearch.errors import ArchSearchError

NAN = math.nan
REPEATS, RESAMPLES = 1_000, 999
DIFFERENCES = some.lists(some.integers(-9, 9).map(lambda k: k / 500), min_size=2, max_size=25).map(np.array)


@pytest.fixture(autouse=True, scope="module")
def _nothing_old_is_collected():
    """statsmodels' multipletests calls for garbage collection each time: 50 ms with all those modules loaded."""
    gc.freeze()
    yield
    gc.unfreeze()


def rng(seed=0):
    return np.random.default_rng(seed)


# coverage -----------------------------------------------------------------------------------------------------------

DRAWS = {
    "normal": lambda rng, size: rng.normal(size=size),
    "t5": lambda rng, size: rng.standard_t(5, size=size),
    "exponential": lambda rng, size: rng.exponential(size=size) - 1,
    "lognormal": lambda rng, size: np.exp(0.5 * rng.normal(size=size)) - np.exp(0.125),
}


def covered(name, n, effect=0.012, spread=0.02):
    made = rng(n)
    values = effect + spread * DRAWS[name](made, (REPEATS, n))
    low, high = mean_interval(values, made, resamples=RESAMPLES)
    return float(((low <= effect) & (effect <= high)).mean())


@pytest.mark.parametrize(
    ("name", "n", "least"),
    [("normal", 5, 0.93), ("normal", 8, 0.93), ("normal", 12, 0.93), ("normal", 30, 0.93),
     ("t5", 5, 0.93), ("t5", 8, 0.92), ("t5", 12, 0.93), ("t5", 30, 0.93),
     ("lognormal", 5, 0.90), ("lognormal", 8, 0.90), ("lognormal", 12, 0.90), ("lognormal", 30, 0.91),
     ("exponential", 5, 0.84), ("exponential", 8, 0.86), ("exponential", 12, 0.88), ("exponential", 30, 0.91)],
)  # fmt: skip
def test_the_interval_covers_the_true_effect_as_often_as_it_promises(name, n, least):
    assert least <= covered(name, n) <= 0.97


def test_without_the_widening_it_would_not():
    values = rng(8).normal(size=(REPEATS, 8))
    found = stats.bootstrap((values,), np.mean, axis=-1, n_resamples=RESAMPLES, method="percentile", rng=rng())
    plain = found.confidence_interval
    assert ((plain.low <= 0) & (plain.high >= 0)).mean() < 0.92


def test_many_values_need_no_widening():
    values = rng(1).normal(size=3_000)
    low, high = mean_interval(values, rng())
    assert (low, high) == pytest.approx(stats.t.interval(0.95, 2_999, values.mean(), stats.sem(values)), rel=0.1)


@pytest.mark.parametrize("comparisons", [1, 3])
def test_no_effect_is_called_shown_in_at_most_one_run_of_twenty(comparisons):
    made, alarms, repeats = rng(5), 0, 2_000
    values = made.normal(size=(repeats, comparisons, 12)) / 50
    low, high = mean_interval(values, made, resamples=RESAMPLES)  # of all at once: those of `st.effect`, see below
    for row, ends in zip(values, np.stack([low, high], axis=2), strict=True):
        p = [st.t_test(each) for each in row]
        adjusted = st.holm(p) if comparisons > 1 else [None]
        found = [effect(low=a, high=b) for a, b in ends]
        alarms += any(st.shown(each, p) for each, p in zip(found, adjusted, strict=True))
    assert alarms / repeats <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / repeats)


def test_an_effect_has_the_interval_of_one_row_of_many():
    values = rng(2).normal(size=(3, 20)).round(12)
    low, high = mean_interval(values[1], rng(4))
    found = st.effect(values[1], rng(4))
    assert (found.low, found.high) == (low, high)


# one effect ---------------------------------------------------------------------------------------------------------


@given(differences=DIFFERENCES)
def test_tests_are_scipys(differences):
    found = st.effect(differences, rng(), resamples=200)
    assert found.pairs == len(differences)
    assert found.mean == pytest.approx(differences.mean(), abs=1e-12)
    assert found.wins + found.ties + found.losses == found.pairs
    assert found.wins == (differences > 0).sum()
    if np.ptp(differences) > 0:
        assert found.sd == pytest.approx(differences.std(ddof=1))
        assert found.p == pytest.approx(stats.ttest_1samp(differences, 0).pvalue)
        assert found.wilcoxon == pytest.approx(stats.wilcoxon(differences).pvalue)
        if found.pairs >= 3:
            assert found.low <= found.mean + 1e-12
            assert found.high >= found.mean - 1e-12


@given(wins=some.integers(0, 30), ties=some.integers(0, 20), losses=some.integers(0, 30))
def test_a_win_rate_lies_in_its_interval_and_a_half_outside_where_the_binomial_test_rejects(wins, ties, losses):
    rate, low, high = st.win_rate(wins, ties, losses)
    if wins + ties + losses == 0:
        assert math.isnan(rate)
        return
    assert rate == pytest.approx((wins + ties / 2) / (wins + ties + losses))
    assert 0 <= low <= rate + 1e-12
    assert rate - 1e-12 <= high <= 1
    p = stats.binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
    assert (low > 0.5 or high < 0.5) == (p < 0.05)


def test_without_ties_the_interval_of_the_win_rate_is_clopper_and_pearsons():
    exact = stats.binomtest(27, 30).proportion_ci(method="exact")
    assert st.win_rate(27, 0, 3)[1:] == pytest.approx((exact.low, exact.high))
    assert proportion(0, 0) == (0.0, 1.0)
    with pytest.raises(ArchSearchError, match="between 0 and the 2 tries"):
        proportion(3, 2)


def test_nothing_one_pair_and_equal_differences_are_told_without_warnings():
    nothing = st.effect(np.array([NAN]), rng())
    assert nothing.pairs == nothing.wins == 0
    assert all(math.isnan(each) for each in (nothing.mean, nothing.low, nothing.sd, nothing.p, nothing.win_rate))
    one = st.effect(np.array([0.3, NAN]), rng())
    assert (one.pairs, one.mean, one.p, one.wilcoxon, one.wins, one.win_rate) == (1, 0.3, 1.0, 1.0, 1, 1.0)
    assert math.isnan(one.low)
    assert math.isnan(one.sd)
    same = st.effect(np.full(10, 0.01), rng())
    assert (same.low, same.high, same.sd) == (pytest.approx(0.01), pytest.approx(0.01), 0.0)
    assert same.p == pytest.approx(2 * 0.5**10)
    assert st.shown(same)
    few = st.effect(np.full(3, 0.01), rng())
    assert math.isnan(few.low)
    assert few.p == 0.25
    assert not st.shown(few)
    ties = st.effect(np.zeros(9), rng())
    assert (ties.mean, ties.low, ties.high, ties.p, ties.wilcoxon, ties.ties, ties.win_rate) == (0, 0, 0, 1, 1, 9, 0.5)
    assert not st.shown(ties)


def test_round_off_is_no_difference():
    found = st.effect(np.array([0.7 - 0.6 - 0.1, 0.3 - 0.2 - 0.1, 0.0]), rng())
    assert found.ties == 3


def test_holm_is_statsmodels_and_leaves_out_what_is_not_known():
    p = [0.01, 0.04, NAN, 0.03]
    expected = multipletests([0.01, 0.04, 0.03], method="holm")[1]
    adjusted = st.holm(p)
    assert [adjusted[i] for i in (0, 1, 3)] == pytest.approx(expected)
    assert math.isnan(adjusted[2])
    assert st.holm([]) == []
    assert math.isnan(st.holm([NAN])[0])


# pairing ------------------------------------------------------------------------------------------------------------


def test_pairing_narrows_the_interval_where_networks_differ_more_than_levels():
    networks = rng(1).normal(0.6, 0.1, size=20)
    level = networks - 0.01 + rng(2).normal(0, 0.005, size=20)
    found = st.effect(level - networks, rng())
    low, high = st.unpaired(networks, level, rng())
    assert low < found.low < found.high < high
    assert (high - low) / (found.high - found.low) > 10


@pytest.mark.parametrize("sizes", [(12, 12), (9, 30), (5, 6)])
def test_the_unpaired_interval_covers_a_difference_of_means(sizes):
    made, held, repeats = rng(7), 0, 400
    for _ in range(repeats):
        first, second = made.normal(0.5, 0.1, sizes[0]), made.normal(0.6, 0.03, sizes[1])
        low, high = gap_interval(first, second, made, resamples=RESAMPLES)
        held += low <= 0.1 <= high
    assert 0.92 <= held / repeats <= 0.98


def test_there_is_no_unpaired_interval_of_too_few_or_equal_values():
    assert np.isnan(st.unpaired(np.array([0.5, NAN]), np.array([0.4, 0.5]), rng())).all()
    assert np.isnan(st.unpaired(np.full(9, 0.5), np.full(9, 0.6), rng())).all()


# groups -------------------------------------------------------------------------------------------------------------


def test_bands_are_thirds_by_cost_and_each_has_its_own_effect():
    madds = np.array([9.0, 1, 5, 2, 8, 4, 3, 7, 6]) * 1e6
    differences = np.where(madds < 3.5e6, -0.1, 0.1) + rng().normal(0, 0.001, 9)
    low, middle, high = groups.bands(differences, madds, rng())
    assert [each.name for each in (low, middle, high)] == ["1M to 3M MAdds", "4M to 6M MAdds", "7M to 9M MAdds"]
    assert [each.pairs for each in (low, middle, high)] == [3, 3, 3]
    assert low.high < 0 < high.low
    assert low.mean == pytest.approx(differences[madds < 3.5e6].mean())


def test_pairs_of_equal_cost_stay_together_and_small_groups_have_no_interval():
    found = groups.bands(np.array([0.1, 0.2, 0.3, 0.5]), np.array([1e6, 1e6, 1e6, 2e6]), rng())
    assert [(each.name, each.pairs) for each in found] == [("1M MAdds", 3), ("2M MAdds", 1)]
    assert not math.isnan(found[0].low)
    assert math.isnan(found[1].low)
    assert groups.bands(np.ones(4), np.full(4, 1e6), rng()) == []
    assert groups.bands(np.array([NAN, 1.0]), np.array([1e6, NAN]), rng()) == []


def test_widths_are_told_if_there_are_several():
    found = groups.widths(np.array([0.1, 0.3, 0.2, NAN]), np.array([1.0, 1.0, 0.5, 0.75]), rng())
    assert [(each.name, each.pairs, each.mean) for each in found] == [
        ("width 0.5", 1, 0.2), ("width 1", 2, pytest.approx(0.2))
    ]  # fmt: skip
    assert groups.widths(np.ones(3), np.ones(3), rng()) == []


def test_the_trend_is_the_slope_per_doubling_with_robust_errors():
    madds = rng(1).uniform(1e6, 64e6, 40)
    y = 0.01 * np.log2(madds) + rng(2).normal(0, 0.01, 40) * np.log2(madds / 5e5)
    fit = OLS(y, add_constant(np.log2(madds))).fit(cov_type="HC3", use_t=True)
    found = groups.trend(np.append(y, NAN), np.append(madds, 1e6))
    assert found.slope == pytest.approx(fit.params[1])
    assert found.p == pytest.approx(fit.pvalues[1])
    assert (found.low, found.high) == pytest.approx(tuple(fit.conf_int()[1]))


def test_there_is_no_trend_of_few_pairs_equal_costs_or_a_single_pair_far_out():
    assert groups.trend(np.arange(4.0), np.arange(1.0, 5.0)) is None
    assert groups.trend(np.arange(9.0), np.full(9, 1e6)) is None
    assert groups.trend(np.arange(6.0), np.array([1, 1, 1, 2, 2, 2.0])) is None
    assert groups.trend(np.zeros(6), np.arange(1.0, 7.0)) is None


# words --------------------------------------------------------------------------------------------------------------


def effect(**changes):
    plain = {"pairs": 30, "mean": -0.012, "low": -0.017, "high": -0.00713, "sd": 0.01, "p": 0.001, "wilcoxon": 0.001,
             "wins": 3, "ties": 0, "losses": 27, "win_rate": 0.1, "win_low": 0.02, "win_high": 0.3}  # fmt: skip
    return st.Effect(**{**plain, **changes})


def test_the_verdict_in_words():
    assert st.sentence("linear", "relu6", effect(), shown=True, seeds=3) == (
        "relu6 minus linear: -1.20 points [-1.70, -0.71], lower in 27 of 30 pairs: shown"
    )
    unclear = effect(mean=0.00204, low=-0.003, high=0.007, wins=16, losses=14)
    assert st.sentence("linear", "relu6", unclear, shown=False, seeds=3, smallest=0.0072) == (
        "relu6 minus linear: +0.20 points [-0.30, +0.70], higher in 16 of 30 pairs: "
        "not shown (30 pairs and 3 seeds show 0.72 points or more)"
    )
    one = effect(pairs=1, mean=0.0, low=NAN, high=NAN, wins=0, ties=1, losses=0)
    assert st.sentence("a", "b", one, shown=False, seeds=1) == (
        "b minus a: +0.00 points no interval, higher in 0 of 1 pair: not shown"
    )
    assert st.sentence("a", "b", effect(pairs=0), shown=False, seeds=1) == "b minus a: no pair has both"


def test_several_comparisons_need_holms_p_as_well():
    assert st.shown(effect())
    assert st.shown(effect(), 0.049)
    assert not st.shown(effect(), 0.051)
    assert not st.shown(effect(high=0.001), 0.001)
