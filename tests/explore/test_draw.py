"""Draws: distinct networks inside the budget, the same for the same seed, evenly spread where costs are matched."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from archsearch.cost.budget import Budget, Limit, parse_limit
from archsearch.cost.count import count
from archsearch.cost.table import cost_table
from archsearch.errors import BudgetError
from archsearch.explore.draw import common_band, draw, draw_matched, level
from archsearch.spec.canon import key
from archsearch.spec.space_file import read_space

SMALL, RELU, MACRO = (read_space(name) for name in ("mobilenet_v2_small", "linear_vs_relu", "nas_bench_macro"))
BAND = Budget(limits={"madds": Limit(low=30_000_000, high=40_000_000)})


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("space", [SMALL, MACRO], ids=lambda space: space.name)
def test_a_draw_holds_distinct_networks_of_the_space_that_fit(space):
    drawn = draw(space, BAND, 40, rng())
    assert len({each.key for each in drawn}) == len(drawn) == 40
    for each in drawn:
        assert each.madds == count(each.arch, ["madds"])["madds"]
        assert 30_000_000 <= each.madds <= 40_000_000
        assert key(each.arch) == each.key
        space.encode(each.arch)


@pytest.mark.parametrize("space", [SMALL, MACRO], ids=lambda space: space.name)
def test_a_shorter_draw_is_the_beginning_of_a_longer_one(space):
    long = draw(space, BAND, 60, rng(5))
    assert draw(space, BAND, 20, rng(5)) == long[:20]
    assert draw(space, BAND, 20, rng(6)) != long[:20]


def test_a_space_that_is_used_up_gives_all_that_it_holds():
    tight = Budget(limits={"madds": Limit(high=18_000_000)})
    codes = np.concatenate(list(MACRO.enumerate()))
    fits = tight.fits(cost_table(MACRO, ("madds",)).count(codes))
    fitting = {key(MACRO.decode(code)) for code in codes[fits]}
    assert len(fitting) < fits.sum()
    assert {each.key for each in draw(MACRO, tight, 10_000, rng())} == fitting


def test_draws_are_uniform_over_the_codes_that_fit():
    options = np.zeros(3)
    for seed in range(4):
        for each in draw(SMALL, BAND, 100, rng(seed)):
            options[(3, 5, 7).index(each.arch.stages[3].kernel)] += 1
    codes = SMALL.sample(60_000, rng(99))
    fits = BAND.fits(cost_table(SMALL, ("madds",)).count(codes))
    axis = [each.name for each in SMALL.axes].index("stage4.kernel")
    shares = np.bincount(codes[fits, axis]) / fits.sum()
    assert stats.chisquare(options, shares * options.sum()).pvalue > 0.001


def test_matched_draws_have_the_same_costs():
    wide = Budget(limits={"madds": Limit(low=15_000_000, high=60_000_000)})
    plain = [draw(space, wide, 100, rng(i)) for i, space in enumerate((SMALL, MACRO))]
    matched = draw_matched((SMALL, MACRO), wide, 100, [rng(0), rng(1)])
    gap = [abs(np.log(np.median([e.madds for e in a]) / np.median([e.madds for e in b])))
           for a, b in (plain, matched)]  # fmt: skip
    assert gap[1] < 0.05 < gap[0]
    for drawn in matched:
        assert len({each.key for each in drawn}) == len(drawn) > 80
        assert all(15_000_000 <= each.madds <= 60_000_000 for each in drawn)


def test_spaces_without_a_common_cost_are_told():
    with pytest.raises(BudgetError, match=r"no narrow band of MAdds.*nas_bench_macro .*mobilenet_v2_small "):
        common_band([MACRO, tiny()], 100, rng())
    with pytest.raises(BudgetError, match="no MAdds in common"):
        draw_matched([MACRO, tiny()], Budget(), 10, [rng(0), rng(1)])


def tiny():
    """The cheap end of the small space alone."""
    return SMALL.restrict("width", (0.25,)).restrict("resolution", (24,))


@pytest.mark.parametrize("spaces", [(SMALL, RELU), (SMALL, MACRO), (RELU, MACRO), (SMALL, RELU, MACRO)], ids=len)
def test_the_common_band_is_one_that_every_space_fills(spaces):
    text = common_band(spaces, 50, rng())
    limit = parse_limit(text, "madds", lambda: 0)
    assert limit.high / limit.low < 1.4
    for space in spaces:
        assert len(draw(space, Budget(limits={"madds": limit}), 50, rng())) == 50


@given(capacity=st.lists(st.integers(0, 9), min_size=1, max_size=6).map(np.array), n=st.integers(0, 40))
def test_levelling_takes_all_that_is_wanted_or_there_and_no_slice_is_favoured(capacity, n):
    taken = level(capacity, n)
    assert taken.sum() == min(n, capacity.sum())
    assert (taken <= capacity).all()
    for i, j in np.ndindex(len(taken), len(taken)):
        assert taken[i] <= taken[j] + 1 or taken[j] == capacity[j]
