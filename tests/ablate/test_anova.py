"""Analysis of variance against statsmodels by formula, fractions of a design, failures, error rates."""

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.multitest import multipletests

from archsearch.ablate.anova import anova
from archsearch.errors import ArchSearchError

NAN = math.nan


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


@pytest.mark.parametrize("lost", [0, 5])
def test_f_tests_are_statsmodels_type_ii(lost):
    treatments, names = design(2, 3, 2), ["bottleneck", "shortcut", "act"]
    top1 = drawn(0, treatments, [0.01, -0.004, 0.0])
    top1[:, treatments.prod(axis=1) > 0] += 0.01  # the factors work together
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
        assert each.estimable
    assert [each.p_holm for each in found] == pytest.approx(multipletests([each.p for each in found], method="holm")[1])


def test_an_interaction_is_found_and_no_other_is_made_up():
    treatments = design(2, 2, 2)
    top1 = drawn(1, treatments, [0.0, 0.0, 0.0], pairs=12)
    top1[:, treatments[:, 0] * treatments[:, 2] > 0] += 0.02
    found = {each.name: each for each in anova(top1, treatments, ["a", "b", "c"])}
    assert found["a x c"].p_holm < 0.001
    assert found["b"].p_holm > 0.05
    assert found["a x b"].p_holm > 0.05


def test_no_effect_is_found_in_one_run_of_twenty():
    treatments, alarms, repeats = design(2, 2), 0, 200
    for seed in range(repeats):
        top1 = drawn(seed, treatments, [0.0, 0.0], pairs=6, seeds=1)
        alarms += min(each.p_holm for each in anova(top1, treatments, ["a", "b"])) < 0.05
    assert alarms / repeats <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / repeats)


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
    assert found[0].df_error == df_error
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
    assert (exact[0].p, exact[0].eta) == (0.0, 1.0)
    assert math.isnan(exact[1].f)


def test_shapes_that_do_not_go_together_are_told():
    with pytest.raises(ArchSearchError, match="ask for treatments"):
        anova(np.zeros((3, 4, 1)), design(2, 2), ["a"])
