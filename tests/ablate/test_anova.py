"""Analysis of variance against statsmodels and hand-made t tests, fractions of a design, failures, error rates."""

import gc
import math
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import AnovaRM, anova_lm
from statsmodels.stats.multitest import multipletests

from archsearch.ablate.anova import anova
from archsearch.ablate.contrasts import contrast
from archsearch.errors import ArchSearchError

NAN = math.nan


@pytest.fixture(autouse=True, scope="module")
def _nothing_old_is_collected():
    """statsmodels' multipletests calls for garbage collection each time: 50 ms with all those modules loaded."""
    gc.freeze()
    yield
    gc.unfreeze()


def design(*levels):
    return np.array([*product(*(range(n) for n in levels))])


def drawn(seed, treatments, effects, pairs=8, seeds=2, noise=0.01):
    rng = np.random.default_rng(seed)
    means = rng.normal(0.6, 0.05, size=(pairs, 1, 1)) + (treatments @ np.array(effects))[None, :, None]
    return means + rng.normal(0, noise, size=(pairs, len(treatments), seeds))


def by_formula(top1, treatments, names):
    """Type II by statsmodels' formulas: term -> (F, df, p), and the error's degrees of freedom."""
    frame = pd.DataFrame(
        [{"top1": np.nanmean(top1[p, t]), "pair": p, **{f"f{i}": int(level) for i, level in enumerate(row)}}
         for p in range(top1.shape[0]) for t, row in enumerate(treatments) if not np.isnan(top1[p, t]).all()]
    )  # fmt: skip
    parts = " + ".join(f"C(f{i})" for i in range(len(names)))
    table = anova_lm(ols(f"top1 ~ C(pair) + ({parts})**2", frame).fit(), typ=2)
    found = {}
    for key, row in table.iterrows():
        places = [int(part.strip()[3:-1]) for part in key.split(":") if part.startswith("C(f")]
        if places:
            found[" x ".join(names[i] for i in places)] = (row["F"], row["df"], row["PR(>F)"], row["sum_sq"])
    return found, table.loc["Residual", "df"], table.loc["Residual", "sum_sq"]


NAMES = ["bottleneck", "shortcut", "act"]


def together(seed, treatments, **sizes):
    """Accuracies to which the factors add together as well."""
    top1 = drawn(seed, treatments, [0.01, -0.004, 0.0], **sizes)
    top1[:, treatments.prod(axis=1) > 0] += 0.01
    return top1


def test_with_all_treatments_f_tests_are_statsmodels_repeated_measures():
    treatments = design(2, 3, 2)
    top1 = together(0, treatments)
    frame = pd.DataFrame(
        [{"top1": top1[p, t].mean(), "pair": p, **dict(zip(NAMES, row, strict=True))}
         for p in range(len(top1)) for t, row in enumerate(treatments)]
    )  # fmt: skip
    table = AnovaRM(frame, "top1", "pair", within=NAMES).fit().anova_table
    found = anova(top1, treatments, NAMES)
    assert len(found) == 6
    for each in found:
        row = table.loc[each.name.replace(" x ", ":")]
        assert each.f == pytest.approx(row["F Value"], rel=1e-6)
        assert (each.df, each.df_error) == (row["Num DF"], row["Den DF"])
        cut = each.epsilon
        assert each.p == pytest.approx(stats.f.sf(row["F Value"], cut * row["Num DF"], cut * row["Den DF"]), rel=1e-5)
        assert each.eta == pytest.approx(each.f * each.df / (each.f * each.df + each.df_error))
        assert (each.error, each.estimable) == ("own", True)
        assert cut == pytest.approx(1) if each.df == 1 else 1 / each.df <= cut < 1
    assert [each.p_holm for each in found] == pytest.approx(multipletests([each.p for each in found], method="holm")[1])


def test_terms_of_two_levels_are_t_tests_of_the_pairs():
    treatments = design(2, 2)
    top1 = together(1, treatments[:, [0, 1, 1]])[:, :, :1]
    means = top1[:, :, 0]
    found = {each.name: each.p for each in anova(top1, treatments, ["a", "b"])}
    assert found["a"] == pytest.approx(stats.ttest_1samp(contrast(top1, treatments, 0, 1), 0).pvalue)
    assert found["b"] == pytest.approx(stats.ttest_1samp(contrast(top1, treatments, 1, 1), 0).pvalue)
    gaps = means[:, 3] - means[:, 2] - means[:, 1] + means[:, 0]
    assert found["a x b"] == pytest.approx(stats.ttest_1samp(gaps, 0).pvalue)


def test_epsilon_is_greenhouse_and_geissers_by_the_double_centred_covariance():
    treatments = design(4, 2)
    top1 = drawn(2, treatments, [0.0, 0.0], pairs=9)
    top1[:, treatments[:, 0] == 3] += np.random.default_rng(3).normal(0, 0.05, size=(9, 1, 1))
    cov = np.cov(top1.mean(axis=2).reshape(9, 4, 2).mean(axis=2), rowvar=False)  # of the first factor's levels
    centred = cov - cov.mean(axis=0) - cov.mean(axis=1)[:, None] + cov.mean()
    expected = np.trace(centred) ** 2 / (3 * (centred**2).sum())
    assert anova(top1, treatments, ["a", "b"])[0].epsilon == pytest.approx(expected)
    assert expected < 0.5


def test_half_of_the_pairs_with_all_treatments_are_taken_alone():
    treatments = design(2, 3, 2)
    top1 = together(0, treatments)
    top1[:4, 1] = NAN
    assert anova(top1, treatments, NAMES) == anova(top1[4:], treatments, NAMES)


@pytest.mark.parametrize("lost", [5, 6])
def test_where_more_pairs_lack_treatments_f_tests_are_statsmodels_type_ii(lost):
    treatments, names = design(2, 3, 2), NAMES
    top1 = together(0, treatments)
    for place in range(lost):
        top1[place, place + 2] = NAN
        top1[place, place, 0] = NAN  # one of its seeds
    found = anova(top1, treatments, names)
    expected, df_error, error = by_formula(top1, treatments, names)
    assert [each.name for each in found] == [
        "bottleneck", "shortcut", "act", "bottleneck x shortcut", "bottleneck x act", "shortcut x act"
    ]  # fmt: skip
    for each in found:
        f, df, p, squares = expected[each.name]
        assert (each.f, each.df, each.df_error) == (pytest.approx(f, rel=1e-6), df, df_error)
        assert each.p == pytest.approx(p, rel=1e-5)
        assert each.eta == pytest.approx(squares / (squares + error), rel=1e-6)
        assert (each.error, each.estimable) == ("pooled", True)
        assert math.isnan(each.epsilon)
    assert [each.p_holm for each in found] == pytest.approx(multipletests([each.p for each in found], method="holm")[1])


def test_an_interaction_is_found_and_no_other_is_made_up():
    treatments = design(2, 2, 2)
    top1 = drawn(1, treatments, [0.0, 0.0, 0.0], pairs=12)
    top1[:, treatments[:, 0] * treatments[:, 2] > 0] += 0.02
    found = {each.name: each for each in anova(top1, treatments, ["a", "b", "c"])}
    assert found["a x c"].p_holm < 0.001
    assert found["b"].p_holm > 0.05
    assert found["a x b"].p_holm > 0.05


@pytest.mark.parametrize("pairs", [6, 7])
def test_no_effect_is_found_in_one_run_of_twenty(pairs):
    treatments, alarms, repeats = design(2, 2), 0, 1_000
    for seed in range(repeats):
        top1 = drawn(seed, treatments, [0.0, 0.0], pairs=pairs, seeds=1)
        if pairs == 7:
            top1[:4, 3] = NAN  # so the error is pooled
        alarms += min(each.p_holm for each in anova(top1, treatments, ["a", "b"])) < 0.05
    assert alarms / repeats <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / repeats)


@pytest.mark.parametrize(("levels", "pairs"), [((2, 2), 5), ((2, 2), 20), ((3, 3), 5), ((3, 3), 20)])
def test_effects_that_vary_from_pair_to_pair_but_are_none_on_average_raise_no_alarm(levels, pairs):
    treatments, repeats, rng = design(*levels), 1_000, np.random.default_rng(0)
    last = treatments == np.array(levels) - 1
    alarms = dict.fromkeys(["a", "b", "a x b"], 0)
    for _ in range(repeats):
        slopes = rng.normal(0, [0.01, 0.03, 0.02], size=(pairs, 3))  # of a, b, and of both together
        top1 = 0.6 + slopes @ np.array([*last.T, last.all(axis=1)], dtype=float)
        top1 += rng.normal(0, 0.003, size=top1.shape)
        for each in anova(top1[:, :, None], treatments, ["a", "b"]):
            alarms[each.name] += each.p < 0.05
    assert max(alarms.values()) / repeats <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / repeats)


def test_more_seeds_are_no_more_networks():
    treatments = design(2, 2)
    once = drawn(2, treatments, [0.01, 0.0], seeds=1)
    few, many = (anova(np.repeat(once, n, axis=2), treatments, ["a", "b"]) for n in (1, 5))
    assert [(each.df_error, each.p) for each in many] == [(each.df_error, pytest.approx(each.p)) for each in few]


def test_a_half_fraction_tells_which_terms_cannot_be_told_apart():
    treatments = design(2, 2, 2)
    whole = drawn(3, treatments, [0.02, 0.0, 0.0], pairs=10)
    half = treatments.sum(axis=1) % 2 == 0  # each factor is mixed up with the other two's interaction
    top1 = np.where(half[None, :, None], whole, NAN)
    found = {each.name: each for each in anova(top1, treatments, ["a", "b", "c"])}
    assert {name for name, each in found.items() if each.estimable} == {"a", "b", "c"}
    assert found["a"].p_holm < 0.001
    alone, _, _ = by_formula(top1[:, half], treatments[half][:, :2], ["a", "b"])
    assert found["b x c"].df == 1
    assert all(math.isnan(getattr(found["b x c"], name)) for name in ("f", "p", "p_holm", "eta"))
    assert found["a"].f == pytest.approx(alone["a"][0])  # there a x b stands for c
    assert found["c"].f == pytest.approx(alone["a x b"][0])


def test_other_halves_in_other_pairs_tell_all_terms_apart():
    treatments = design(2, 2, 2)
    top1 = drawn(4, treatments, [0.02, 0.0, 0.0], pairs=10)
    odd = treatments.sum(axis=1) % 2
    top1[np.arange(10)[:, None] % 2 != odd] = NAN
    found = anova(top1, treatments, ["a", "b", "c"])
    expected, df_error, _ = by_formula(top1, treatments, ["a", "b", "c"])
    assert all(each.estimable for each in found)
    assert {(each.df_error, each.error) for each in found} == {(df_error, "pooled")}
    assert [each.f for each in found] == pytest.approx([expected[each.name][0] for each in found])


def test_interactions_that_are_mixed_up_with_each_other_are_all_told():
    treatments = design(2, 2, 2, 2)
    top1 = drawn(5, treatments, [0.01, 0.0, 0.0, 0.01], pairs=6)
    top1[:, treatments.sum(axis=1) % 2 == 1] = NAN
    found = anova(top1, treatments, list("abcd"))
    assert [each.estimable for each in found] == [True] * 4 + [False] * 6
    assert all(each.p < 0.001 for each in (found[0], found[3]))


def test_a_factor_that_was_never_varied_is_told():
    treatments = design(2, 2)
    top1 = drawn(6, treatments, [0.01, 0.0])
    top1[:, treatments[:, 1] == 1] = NAN
    found = anova(top1, treatments, ["a", "b"])
    assert [each.estimable for each in found] == [True, False, False]
    assert not math.isnan(found[0].p)


def test_without_an_error_or_any_result_there_is_no_test():
    treatments = design(2, 2)
    one = anova(drawn(7, treatments, [0.01, 0.0], pairs=1), treatments, ["a", "b"])
    assert all(each.df_error == 0 and math.isnan(each.f) for each in one)
    none = anova(np.full((3, 4, 2), NAN), treatments, ["a", "b"])
    assert not any(each.estimable for each in none)
    equal = anova(np.full((3, 4, 2), 0.5), treatments, ["a", "b"])
    assert all(each.estimable and math.isnan(each.f) for each in equal)
    exact = anova(np.broadcast_to((0.5 + treatments[:, 0] / 8)[None, :, None], (3, 4, 1)), treatments, ["a", "b"])
    assert exact[0].f == math.inf
    assert (exact[0].p, exact[0].eta) == (2 * 0.5**3, 1.0)  # three pairs alike: no more than a sign test
    assert math.isnan(exact[1].f)


def test_shapes_that_do_not_go_together_are_told():
    with pytest.raises(ArchSearchError, match="ask for treatments"):
        anova(np.zeros((3, 4, 1)), design(2, 2), ["a"])
