"""What a run can show: against statsmodels, by simulation, and the split of the variance."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from archsearch.ablate import power as pw
from archsearch.ablate.design import own_design
from archsearch.ablate.document import document
from archsearch.ablate.factor import read_factor
from archsearch.ablate.outcome import Outcome

NAN = math.nan


@pytest.mark.parametrize("pairs", [3, 5, 12, 30, 500])
def test_the_smallest_effect_is_statsmodels(pairs):
    expected = TTestPower().solve_power(nobs=pairs, alpha=0.05, power=0.8, alternative="two-sided")
    assert pw.smallest_effect(pairs, 0.02) == pytest.approx(0.02 * expected, rel=1e-6)
    assert pw.power(-0.02 * expected, pairs, 0.02) == pytest.approx(0.8, rel=1e-6)


@pytest.mark.parametrize("pairs", [2, 3, 4, 12, 1_000, 10**6])
def test_power_is_a_number_that_rises_with_the_effect(pairs):
    sizes = np.geomspace(0.01, 64, 100) / math.sqrt(pairs / 2)
    found = np.array([pw.power(each, pairs, 1.0) for each in sizes])
    assert (np.diff(found) >= -1e-9).all()
    assert found[0] == pytest.approx(0.05, abs=0.01)
    theirs = np.array([TTestPower().power(each, pairs, 0.05) for each in sizes])
    known = ~np.isnan(theirs)
    assert known.sum() > 50
    assert found[known] == pytest.approx(theirs[known], abs=1e-5)


@pytest.mark.parametrize("pairs", [2, 4, 12])
def test_such_an_effect_is_found_in_four_runs_of_five(pairs):
    effect = pw.smallest_effect(pairs, 1.0)
    draws = np.random.default_rng(pairs).normal(effect, 1.0, size=(4_000, pairs))
    assert (stats.ttest_1samp(draws, 0.0, axis=1).pvalue < 0.05).mean() == pytest.approx(0.8, abs=0.02)


def test_what_cannot_be_known_is_nan():
    assert math.isnan(pw.smallest_effect(1, 0.02))
    assert math.isnan(pw.smallest_effect(9, 0.0))
    assert math.isnan(pw.smallest_effect(9, NAN))
    found = pw.smallest(np.array([[0.1]]))
    assert all(math.isnan(each) for each in (found.now, found.twice_pairs, found.twice_seeds))
    assert math.isnan(pw.smallest(np.full((3, 2), NAN)).now)


@pytest.mark.parametrize("size", [0.05, 0.3, 1.0, 4.0, 100.0])
def test_pairs_needed_are_the_fewest_that_show_the_effect(size):
    pairs = pw.pairs_needed(size * 0.02, 0.02)
    assert pw.smallest_effect(pairs, 0.02) <= size * 0.02
    assert pairs == 2 or pw.smallest_effect(pairs - 1, 0.02) > size * 0.02
    assert pairs == pw.pairs_needed(-size * 0.02, 0.02)


def test_a_stricter_test_shows_less():
    values = np.random.default_rng(2).normal(size=(12, 2))
    found = pw.smallest(values, alpha=0.05 / 3)
    expected = TTestPower().solve_power(nobs=12, alpha=0.05 / 3, power=0.8, alternative="two-sided")
    assert found.now == pytest.approx(values.mean(axis=1).std(ddof=1) * expected, rel=1e-5)
    assert found.now > pw.smallest(values).now
    assert pw.pairs_needed(0.5, 1.0, alpha=0.05 / 3) > pw.pairs_needed(0.5, 1.0)


def test_no_number_of_pairs_shows_nothing():
    assert pw.pairs_needed(0.0, 0.02) is None
    assert pw.pairs_needed(0.01, 0.0) is None
    assert pw.pairs_needed(0.01, NAN) is None
    assert pw.pairs_needed(1e-9, 0.02) is None


def drawn(rng, pairs, seeds, between, within, repeats=1):
    means = rng.normal(0, between, size=(repeats, pairs, 1))
    return means + rng.normal(0, within, size=(repeats, pairs, seeds))


def test_the_split_is_unbiased_whatever_failed():
    rng = np.random.default_rng(0)
    values = drawn(rng, 20, 3, between=0.03, within=0.02, repeats=1_500)
    values[:, :6, 2] = NAN  # six pairs have two seeds, five of the others one, one has none
    values[:, 6:11, 1:] = NAN
    values[:, 11] = NAN
    found = [pw.split(each) for each in values]
    assert np.mean([each.within for each in found]) == pytest.approx(0.02**2, rel=0.03)
    assert np.mean([each.between for each in found]) == pytest.approx(0.03**2, rel=0.03)
    assert found[0].seeds == pytest.approx(19 / (6 / 2 + 5 + 8 / 3))


def test_the_variance_between_pairs_is_never_negative():
    values = drawn(np.random.default_rng(1), 6, 2, between=0.0, within=0.02, repeats=200)
    found = [pw.split(each).between for each in values]
    assert min(found) == 0.0
    assert max(found) > 0.0


def test_the_split_of_balanced_pairs_by_hand():
    found = pw.split(np.array([[0.0, 2.0], [4.0, 6.0]]))
    assert (found.within, found.between, found.seeds) == pytest.approx((2.0, 8.0 - 1.0, 2.0))
    assert found.noise == pytest.approx(math.sqrt(2))
    assert found.variance(4) == pytest.approx(7.5)


def test_one_seed_tells_nothing_of_seeds():
    values = np.array([[0.1], [0.2], [0.4]])
    assert math.isnan(pw.split(values).noise)
    found = pw.smallest(values)
    assert found.now == pytest.approx(pw.smallest_effect(3, values.std(ddof=1)))
    assert found.twice_pairs < found.now
    assert math.isnan(found.twice_seeds)


def test_more_seeds_help_as_far_as_seeds_are_what_varies():
    rng = np.random.default_rng(3)
    pairs_vary = pw.smallest(drawn(rng, 40, 2, between=0.05, within=0.005)[0])
    seeds_vary = pw.smallest(drawn(rng, 40, 2, between=0.0, within=0.05)[0])
    assert pairs_vary.twice_seeds == pytest.approx(pairs_vary.now, rel=0.02)
    assert seeds_vary.twice_seeds == pytest.approx(seeds_vary.now / math.sqrt(2), rel=0.2)
    assert seeds_vary.twice_seeds <= seeds_vary.now


def told(effects, pairs=16):
    """The comparisons of a document, of as many levels of a factor as there are effects (in standard deviations)."""
    values = np.random.default_rng(4).normal(size=(pairs, len(effects)))
    values = 0.01 * ((values - values.mean(axis=0)) / values.std(axis=0, ddof=1) + effects)
    top1 = np.column_stack([np.full(pairs, 0.5), 0.5 + values])[:, :, None]
    design = own_design([read_factor(f"expand={','.join(str(n + 1) for n in range(len(effects) + 1))}")], match="none")
    made = Outcome(numbers=tuple(range(pairs)), top1=top1, treatments=design.treatments,
                   madds=np.full(top1.shape[:2], 1e6), width=np.full(pairs, np.nan), failed=())  # fmt: skip
    return document(made, design, seed=0)["comparisons"]


def test_a_document_says_how_many_pairs_would_show_what_is_not_shown():
    (clear,), (unclear,), (none,) = told([2.0]), told([0.3]), told([0.0])
    assert (clear["shown"], clear["needed"]) == (True, None)
    assert (unclear["shown"], unclear["needed"]) == (False, pw.pairs_needed(0.3, 1.0))
    expected = TTestPower().solve_power(effect_size=0.3, alpha=0.05, power=0.8, alternative="two-sided")
    assert unclear["needed"] == math.ceil(expected)
    assert (none["shown"], none["needed"]) == (False, None)


def test_with_several_comparisons_a_document_reckons_with_holms_strictest_level():
    found = told([0.3] * 6)
    assert [each["needed"] for each in found] == [pw.pairs_needed(0.3, 1.0, alpha=0.05 / 6)] * 6
    least = pw.smallest_effect(16, 0.01, alpha=0.05 / 6)
    assert [each["smallest"]["now"] for each in found] == pytest.approx([least] * 6)


def test_more_pairs_than_there_are_would_be_needed():
    for effect in (0.4, 0.5, 0.6, 0.7, 0.8, 0.9):
        for each in told([effect, effect, 0.0]):
            assert each["shown"] or each["needed"] is None or each["needed"] > each["pairs"]
