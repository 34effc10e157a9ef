"""Counting with rounded costs, against looking at every network."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from archsearch.cost import estimate as estimate_file
from archsearch.cost import feasible
from archsearch.cost.budget import Budget, Limit
from archsearch.cost.count import BUILT_IN
from archsearch.cost.estimate import estimate
from archsearch.cost.exact import coarse
from archsearch.cost.exact.coarse import Near, near
from archsearch.cost.exact.counting import fitting, planned
from archsearch.cost.exact.limits import make_tables
from archsearch.cost.feasible import drawn
from archsearch.cost.table import cost_table
from archsearch.errors import TooMany
from archsearch.spec.space_file import parse_space, read_space
from tests.cost.exact.test_counting import WIDTHS, budget_of, chi_square_p, looked_at
from tests.strategies import space_tables

SUMS = ("madds", "params", "activations")
BUDGETS = [
    {"madds": (0, 0.4)}, {"params": (0.3, 0.6)}, {"madds": (0.5, 1)}, {"madds": (0.5, 0.53)},
    {"madds": (0, 0.6), "params": (0.2, 0.6)}, {"madds": (0.3, 0.4), "params": (0, 0.7), "peak_memory": (0.2, 0.8)},
    {"params": (0.3, 0.7), "weight_bytes": (0, 0.6), "peak_memory": (0.3, 0.95)},
]  # fmt: skip
MACRO = read_space("nas_bench_macro")


def rough(space, budget, units, *, inner=False):
    """The count with these units."""
    tables = make_tables(cost_table(space, tuple(budget.limits) or ("madds",)), budget, space.radix)
    found = planned(space, replace(tables, units=tuple(units[: len(tables.ranges)]), inner=inner))
    found.settle(lambda done, total, text: None)
    return found


def numbered(found):
    """Its codes, each once."""
    codes = [tuple(each) for each in found.codes(np.arange(found.count)).tolist()]
    assert len(set(codes)) == len(codes) == found.count
    return set(codes)


def near_of(space, budget, parts=12):
    """What is near with units of which `parts` make the range of the sum over the whole space."""
    tables = make_tables(cost_table(space, tuple(budget.limits)), budget, space.radix)
    spans = [sum(int(np.ptp(part.sums[nth])) for part in tables.parts) for nth in range(len(tables.ranges))]
    return Near(space, budget, rough(space, budget, [max(1, span // parts) for span in spans]))


def contained(space, budget, units):
    want = {tuple(each) for each in looked_at(space, budget).tolist()}
    outer, inner = (numbered(rough(space, budget, units, inner=inner)) for inner in (False, True))
    assert inner <= want <= outer
    return len(inner), len(want), len(outer)


@pytest.mark.parametrize("shares", BUDGETS, ids=str)
@pytest.mark.parametrize("plain", [None, WIDTHS], ids=["macro", "widths"])
def test_rounded_outwards_holds_all_that_fit_and_rounded_inwards_nothing_else(shares, plain):
    space = parse_space(plain, name="widths") if plain else MACRO
    budget = budget_of(space, shares)
    for part in (3e-3, 3e-2):
        units = [max(1, int(part * min(each.high, 1e12))) for name, each in budget.limits.items() if name in SUMS]
        contained(space, budget, units)
    inner, want, outer = contained(space, budget, [1, 1])
    assert inner == want == outer


@settings(max_examples=50, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(space_tables(), st.data())
def test_so_for_any_space_budget_and_unit(plain, data):
    space = parse_space(plain, name="generated")
    assume(space.size <= 2000)
    costs = cost_table(space, BUILT_IN).count(space.sample(30, np.random.default_rng(0)))
    limits = {}
    for name in data.draw(st.lists(st.sampled_from(("madds", "params", "peak_memory")), max_size=3, unique=True)):
        low, high = sorted(data.draw(st.lists(st.sampled_from(costs[name].tolist()), min_size=2, max_size=2)))
        limits[name] = Limit(low=data.draw(st.sampled_from([0, low])), high=high)
    units = [data.draw(st.sampled_from([1, 7, 1000, 12_345, 10**6])) for _ in range(2)]
    contained(space, Budget(limits=limits), units)


@pytest.mark.parametrize("shares", BUDGETS, ids=str)
def test_draws_that_fit_are_uniform_over_all_that_fit(shares):
    budget = budget_of(MACRO, shares)
    found, count = near_of(MACRO, budget), len(looked_at(MACRO, budget))
    codes = found.look(20 * found.count, np.random.default_rng(5))
    assert 0 < len(codes) < 20 * found.count  # some were let through that do not fit
    assert chi_square_p(codes, count) > 1e-3


def test_the_same_check_finds_what_rounding_alone_would_draw():
    budget = budget_of(MACRO, BUDGETS[0])
    inner = rough(MACRO, budget, [200_000], inner=True)
    assert 0 < inner.count < len(looked_at(MACRO, budget))
    codes = inner.sample(20 * inner.count, np.random.default_rng(5), replace=True)
    assert chi_square_p(codes, len(looked_at(MACRO, budget))) < 1e-3


@pytest.mark.parametrize("shares", BUDGETS, ids=str)
def test_chosen_units_lie_between_the_exact_count_and_the_work_allowed(monkeypatch, shares):
    monkeypatch.setattr(coarse, "WORK", 3000)
    monkeypatch.setattr(coarse, "PROBE", 200)
    space = MACRO.with_classes(17)  # a fresh space: nothing of it is kept
    budget = budget_of(space, shares)
    found, want = near(space, budget), looked_at(space, budget)
    assert near(space, budget) is found
    assert found.outer.work <= 3000
    assert found.least <= len(want) <= found.count
    assert Counter(map(tuple, found.all().tolist())) == Counter(map(tuple, want.tolist()))


def test_a_third_sum_is_only_looked_at():
    space = MACRO.with_classes(18)
    budget = budget_of(space, {"madds": (0.1, 0.5), "params": (0, 0.7), "activations": (0.2, 0.6)})
    with pytest.raises(TooMany):
        fitting(space, budget)
    found, want = near(space, budget), looked_at(space, budget)
    assert len(found.left) == 1
    assert found.least == 0
    assert Counter(map(tuple, found.all().tolist())) == Counter(map(tuple, want.tolist()))


def test_what_is_too_much_even_so_is_none(monkeypatch):
    monkeypatch.setattr(coarse, "WORK", 1)
    space = MACRO.with_classes(19)
    assert near(space, budget_of(space, BUDGETS[0])) is None


# draws and estimates --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shares", [BUDGETS[3], BUDGETS[5]], ids=str)
def test_drawn_codes_are_distinct_and_each_fitting_one_comes_equally_often(monkeypatch, shares):
    monkeypatch.setattr(feasible, "WHOLE", 0)
    monkeypatch.setattr(feasible, "DRAW", 64)
    budget = budget_of(MACRO, shares)
    found, want = near_of(MACRO, budget, 40), {tuple(each) for each in looked_at(MACRO, budget).tolist()}
    rng, n = np.random.default_rng(2), len(want) // 4
    rounds = [drawn(found, n, rng) for _ in range(60)]
    for codes in rounds:
        assert len(np.unique(codes, axis=0)) == len(codes) == n
    seen = Counter(map(tuple, np.concatenate(rounds).tolist()))
    assert seen.keys() <= want
    share = n / len(want)
    counts = np.array([seen[each] for each in want])
    score = ((counts - 60 * share) ** 2).mean() / (60 * share * (1 - share))  # 1 for equal chances
    assert abs(score - 1) < 5 * np.sqrt(2 / len(want))


def test_more_than_fit_means_all(monkeypatch):
    monkeypatch.setattr(feasible, "ROUGH", 40_000)
    budget = budget_of(MACRO, BUDGETS[3])
    found, want = near_of(MACRO, budget, 40), looked_at(MACRO, budget)
    for whole in (0, 10**6):  # by drawing, and by looking at each
        monkeypatch.setattr(feasible, "WHOLE", whole)
        assert len(drawn(found, 10**4, np.random.default_rng(0))) == len(want)


def test_the_interval_holds_the_exact_count_nineteen_times_in_twenty(monkeypatch):
    for name, value in {"WHOLE": 0, "PILOT": 64, "FEWEST": 400, "WANTED": 200, "COMMON": 1.1, "DRAWN": 10}.items():
        monkeypatch.setattr(estimate_file, name, value)
    held, runs = 0, 40
    for shares in BUDGETS[:5]:
        budget = budget_of(MACRO, shares)
        found, want = near_of(MACRO, budget), looked_at(MACRO, budget)
        monkeypatch.setattr(estimate_file, "near", lambda space, budget, tell, found=found: found)
        for seed in range(runs):
            got = estimate(MACRO, budget, np.random.default_rng(seed), lambda done, total, text: None)
            assert found.least <= got.interval[0] <= got.fits <= got.interval[1] <= found.count
            held += got.interval[0] <= len(want) <= got.interval[1]
        ruled_out = [got.ruled_out[axis.name] for axis in MACRO.axes]
        assert not any(gone[choice] for code in want for gone, choice in zip(ruled_out, code, strict=True))
    assert 0.91 <= held / (5 * runs) <= 0.99


@pytest.mark.parametrize("limits", [
    {"madds": Limit(low=1e9, high=1.03e9)}, {"madds": Limit(high=7e6)},
    {"madds": Limit(low=2e8, high=2.01e8), "params": Limit(high=2.5e6)},
    {"madds": Limit(low=2e8, high=2.1e8), "peak_memory": Limit(high=2e6)},
], ids=str)  # fmt: skip
def test_rare_networks_of_a_large_space_are_estimated_as_they_are_counted(monkeypatch, limits):
    monkeypatch.setattr(estimate_file, "WHOLE", 0)
    space, budget = read_space("mobilenet_v2"), Budget(limits=limits)
    exact = fitting(space, budget)
    assert exact.count < 0.01 * space.size
    got = estimate(space, budget, np.random.default_rng(0), lambda done, total, text: None)
    assert got.interval[0] <= exact.count <= got.interval[1]
    assert got.interval[1] < 1.2 * got.interval[0]
    for place, axis in enumerate(space.axes):
        shares = np.bincount(got.codes[:, place], minlength=len(axis.values)) / len(got.codes)
        want = np.array(exact.marginals[axis.name]) / exact.count
        assert np.abs(shares - want).max() < 5 * np.sqrt(0.25 / len(got.codes))
        assert not any(gone and share for gone, share in zip(got.ruled_out[axis.name], want, strict=True))


def test_where_rounded_costs_leave_few_each_is_looked_at_and_the_estimate_is_exact():
    space, budget = read_space("mobilenet_v2"), Budget(limits={"madds": Limit(high=4_700_000)})
    exact = fitting(space, budget)
    assert 0 < near(space, budget).count <= estimate_file.WHOLE
    got = estimate(space, budget, np.random.default_rng(0), lambda done, total, text: None)
    assert (got.fits, got.interval) == (exact.count, None)
    assert {name: [not each for each in mine] for name, mine in exact.marginals.items()} == {
        name: list(gone) for name, gone in got.ruled_out.items()
    }
