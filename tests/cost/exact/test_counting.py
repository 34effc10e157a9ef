"""Exact counting against looking at every network, and uniform draws."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from archsearch.cost.budget import Budget, Limit
from archsearch.cost.count import BOUND, BUILT_IN, bind
from archsearch.cost.exact import counting, distribution, meeting
from archsearch.cost.exact.coarse import near
from archsearch.cost.exact.counting import fitting
from archsearch.cost.latency import metrics_of
from archsearch.cost.table import cost_table
from archsearch.errors import TooMany
from archsearch.spec.space_file import parse_space, read_space
from tests.latency_tables import fake_table, small_space
from tests.strategies import space_tables

WIDTHS = {
    "about": "widths that the next stage sees, and axes that all stages share",
    "width": [0.5, 1.0], "resolution": [32, 48], "classes": 10, "every_stage": {"act": ["relu6", "silu"]},
    "stage": [{"width": [8, 16, 24], "stride": 1 + i % 2, "kernel": [3, 5]} for i in range(4)],
}  # fmt: skip
BUDGETS = [
    {"madds": (0, 0.4)}, {"params": (0.3, 0.6)}, {"madds": (0.5, 1)}, {"peak_memory": (0, 0.5)},
    {"peak_memory": (0.4, 0.9)}, {"madds": (0, 0.6), "params": (0, 0.6)},
    {"madds": (0.2, 0.6), "activations": (0.3, 0.9)},
    {"params": (0.3, 0.7), "weight_bytes": (0, 0.6), "peak_memory": (0.3, 0.95)},
    {"madds": (0.1, 0.9), "params": (0, 0.7), "peak_memory": (0.2, 0.8)}, {},
]  # fmt: skip


@pytest.fixture
def unbound():
    yield
    BOUND.clear()


def test_a_latency_table_that_is_bound_anew_is_counted_anew(unbound):
    space, budget, counts = small_space(), Budget(limits={"latency_upper": Limit(high=300_000.0)}), []
    for share in (1.0, 0.7, 1.0):
        bind(*metrics_of(fake_table(share=share)))
        counts.append((fitting(space, budget).count, near(space, budget).count))
    assert counts[0] == counts[2]
    assert counts[1][0] > counts[0][0]
    assert counts[1][1] > counts[0][1]


def budget_of(space, shares):
    """Limits at quantiles of the costs."""
    costs = cost_table(space, BUILT_IN).count(everything(space))
    return Budget(limits={
        name: Limit(low=float(np.quantile(costs[name], low)) if low else 0,
                    high=float(np.quantile(costs[name], high)) if high < 1 else math.inf)
        for name, (low, high) in shares.items()
    })  # fmt: skip


def everything(space):
    return np.concatenate(list(space.enumerate()))


def looked_at(space, budget):
    """The codes that fit, by counting each."""
    codes = everything(space)
    return codes[np.broadcast_to(budget.fits(cost_table(space, BUILT_IN).count(codes)), (len(codes),))]


def agree(space, budget):
    want, found = looked_at(space, budget), fitting(space, budget)
    assert found.count == len(want)
    if len(want):
        assert found.marginals == {
            axis.name: np.bincount(want[:, place], minlength=len(axis.values)).tolist()
            for place, axis in enumerate(space.axes)
        }
    numbered = found.codes(np.arange(found.count))
    assert Counter(map(tuple, numbered.tolist())) == Counter(map(tuple, want.tolist()))


@pytest.mark.parametrize("shares", BUDGETS, ids=str)
def test_counts_marginals_and_numbers_are_those_of_looking_at_every_network(shares):
    space = read_space("nas_bench_macro")
    agree(space, budget_of(space, shares))


@pytest.mark.parametrize("shares", BUDGETS[6:9], ids=str)
def test_so_are_those_of_a_space_whose_axes_all_stages_share(shares):
    space = read_space("linear_vs_relu")
    agree(space, budget_of(space, shares))


@pytest.mark.parametrize("shares", BUDGETS, ids=str)
def test_axes_that_tie_neighbours_together_are_summed_over(shares):
    space = parse_space(WIDTHS, name="widths")
    agree(space, budget_of(space, shares))


@settings(max_examples=60, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(space_tables(), st.data())
def test_any_space_under_any_budget_is_counted_exactly(plain, data):
    space = parse_space(plain, name="generated")
    assume(space.size <= 3000)
    costs = cost_table(space, BUILT_IN).count(space.sample(30, np.random.default_rng(0)))
    limits = {}
    for name in data.draw(st.lists(st.sampled_from(BUILT_IN), max_size=3, unique=True)):
        low, high = sorted(data.draw(st.lists(st.sampled_from(costs[name].tolist()), min_size=2, max_size=2)))
        limits[name] = Limit(
            low=data.draw(st.sampled_from([0, low])), high=data.draw(st.sampled_from([high, math.inf]))
        )
    try:
        agree(space, Budget(limits=limits))
    except TooMany:
        assert len({"madds", "params", "activations", "weight_bytes"} & limits.keys()) > 2


@pytest.mark.parametrize("shares", [{"madds": (0.2, 0.7)}, {"madds": (0, 0.6), "params": (0.1, 0.8)}])
def test_python_ints_take_over_where_int64_would_overflow(monkeypatch, shares):
    for module in (distribution, counting, meeting):
        monkeypatch.setattr(module, "SAFE", 100 if len(shares) == 1 else 10**6)
    space = parse_space(WIDTHS, name="overflow")
    agree(space, budget_of(space, shares))


def test_more_networks_than_int64_holds_are_counted_and_drawn():
    stage = {"width": 16, "kernel": [3, 5, 7], "expand": [1, 2, 3, 4, 6]}
    space = parse_space({"about": "many", "stage": [stage] * 18, "resolution": [32, 64]}, name="many")
    assert space.size == 2 * 15**18 > 2**70
    free = fitting(space, Budget())
    assert free.count == space.size
    assert all(sum(each) == space.size for each in free.marginals.values())
    middle = int(np.median(cost_table(space, ("madds",)).count(space.sample(1000, np.random.default_rng(0)))["madds"]))
    low, high = (fitting(space, Budget(limits={"madds": limit})) for limit in (
        Limit(high=middle), Limit(low=middle + 1)))  # fmt: skip
    assert low.count + high.count == space.size
    drawn = low.sample(50, np.random.default_rng(1))
    assert len(np.unique(drawn, axis=0)) == 50
    assert (cost_table(space, ("madds",)).count(drawn)["madds"] <= middle).all()


def test_the_large_shipped_space_splits_into_what_fits_and_what_does_not():
    space = read_space("mobilenet_v2")
    below, above = (fitting(space, Budget(limits={"madds": limit})).count for limit in (
        Limit(high=300e6), Limit(low=300e6 + 1)))  # fmt: skip
    assert below + above == space.size
    share = (
        cost_table(space, ("madds",)).count(space.sample(200_000, np.random.default_rng(0)))["madds"] <= 3e8
    ).mean()
    assert below / space.size == pytest.approx(share, abs=0.002)


def test_what_is_too_much_says_so_each_time(monkeypatch):
    space = read_space("mobilenet_v2_small")
    costs = cost_table(space, BUILT_IN).count(space.sample(1000, np.random.default_rng(0)))
    three = {name: Limit(high=float(np.median(costs[name]))) for name in ("madds", "params", "activations")}
    for _ in range(2):
        with pytest.raises(TooMany, match="more than two sums"):
            fitting(space, Budget(limits=three))
    monkeypatch.setattr(distribution, "ENTRIES", 100)
    with pytest.raises(TooMany, match="different costs at once"):
        fitting(space, Budget(limits={"madds": Limit(high=2e7)}))


def test_halves_are_made_once_for_the_count_the_marginals_and_the_draws():
    space, budget = read_space("mobilenet_v2_small"), Budget(limits={"madds": Limit(low=2e7, high=4e7)})
    found = counting.unsettled(space, budget)
    found.settle(counting.silent)
    before = found.purse.spent, found.work
    assert sum(found.marginals["width"]) == found.count
    found.sample(100, np.random.default_rng(0))
    assert (found.purse.spent, found.work) == before
    assert min(before) > 0


def test_what_the_first_cases_took_tells_that_all_are_too_much():
    space, budget = read_space("mobilenet_v2"), Budget(limits={"madds": Limit(high=1e8)})
    whole, part = (counting.unsettled(space, budget) for _ in range(2))
    whole.settle(counting.silent)
    part.most = whole.work // 4
    for _ in range(2):
        with pytest.raises(TooMany, match="cases took"):
            part.settle(counting.silent)
    assert part.work < part.most
    assert len(part.totals) < len(whole.totals) / 2


def test_an_effort_is_spent_on_counts_until_too_little_is_left():
    space, effort = read_space("mobilenet_v2_small"), counting.Effort(left=2_000_000)
    budget = Budget(limits={"madds": Limit(low=2e7, high=4e7)})
    wanted = fitting(space, budget).count
    left = effort.left
    while effort.left > left // 2:
        assert effort.fitting(space, budget).count == wanted
    assert 0 <= effort.left < left
    effort.left = 1000
    with pytest.raises(TooMany):
        effort.fitting(space, budget)
    assert effort.left < 1000


# uniform draws -------------------------------------------------------------------------------------------------------


def chi_square_p(drawn, count):
    """Probability of a chi-square this large, cells being the codes (Wilson-Hilferty's normal approximation)."""
    seen = np.array([*Counter(map(tuple, drawn.tolist())).values()])
    expected = len(drawn) / count
    statistic = ((seen - expected) ** 2).sum() / expected + (count - len(seen)) * expected
    free = count - 1
    score = ((statistic / free) ** (1 / 3) - 1 + 2 / (9 * free)) / math.sqrt(2 / (9 * free))
    return 0.5 * math.erfc(score / math.sqrt(2))


@pytest.mark.parametrize("shares", [BUDGETS[0], BUDGETS[5], BUDGETS[8]], ids=str)
def test_draws_are_uniform_over_the_codes_that_fit(shares):
    space = read_space("nas_bench_macro")
    found = fitting(space, budget_of(space, shares))
    drawn = found.sample(20 * found.count, np.random.default_rng(7), replace=True)
    assert chi_square_p(drawn, found.count) > 1e-3


def test_the_same_check_finds_a_biased_sampler():
    space = read_space("nas_bench_macro")
    found = fitting(space, budget_of(space, BUDGETS[0]))
    fair = found.sample(20 * found.count, np.random.default_rng(7), replace=True)
    often = fair[fair[:, 0] == 0]
    assert chi_square_p(np.concatenate([fair, often[: len(often) // 2]]), found.count) < 1e-3


def test_draws_without_replacement_are_distinct_and_end_with_all():
    space = read_space("nas_bench_macro")
    found = fitting(space, budget_of(space, {"madds": (0, 0.02)}))
    few, all_ = (found.sample(n, np.random.default_rng(0)) for n in (found.count // 3, 10 * found.count))
    assert len(np.unique(few, axis=0)) == found.count // 3
    assert len(np.unique(all_, axis=0)) == len(all_) == found.count
    assert (few == found.sample(found.count // 3, np.random.default_rng(0))).all()
