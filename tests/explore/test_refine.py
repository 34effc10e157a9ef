"""Refinement: finds a planted range, keeps all where nothing matters, takes cost into account, refuses guesses."""

import tomllib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsearch.cost.table import cost_table
from archsearch.errors import RunError
from archsearch.explore.refine import JUDGED, at_equal_cost, dependence, needed, refine, win_shares
from archsearch.spec.algebra import settled
from archsearch.spec.content import distinct
from archsearch.spec.space_file import parse_space, read_space

SPACE = read_space("mobilenet_v2_small")
NAMES = [axis.name for axis in SPACE.axes]


def drawn(n, seed=0, space=SPACE):
    """Random codes with their MAdds as costs float[n, 1]."""
    codes = space.sample(n, np.random.default_rng(seed))
    return codes, cost_table(space, ("madds",)).count(codes)["madds"].astype(float)[:, None]


def noise(n, seed=0):
    return np.random.default_rng(1000 + seed).normal(0, 0.01, n)


def left(told):
    """Axis name -> values that stay, of the axes that lost some."""
    return {each.axis.name: each.keep for each in told if each.dropped}


@given(scores=st.lists(st.integers(0, 4), min_size=2, max_size=7), share=st.sampled_from((0.15, 0.25, 0.4, 0.55)))
def test_win_shares_are_those_of_all_resamples(scores, share):
    values, n = np.array(scores, dtype=float), len(scores)
    m = max(1, round(share * n))
    assert m < 5
    best = values[np.indices((n,) * m).reshape(m, -1)].min(axis=0)
    tied = values == best[:, None]  # bool[n**m, n]
    wins = (tied / tied.sum(axis=1, keepdims=True)).mean(axis=0)
    assert win_shares(values, share) == pytest.approx(wins)


BLOCKS = """
resolution = 32
width = 1.0
[[stage]]
width = 8
repeats = [1, 2, 3, 4]
per_block = true
kernel = [3, 5, 7]
"""
PER_BLOCK = parse_space(tomllib.loads(BLOCKS), name="blocks")
REPEATS, LAST = (
    [axis.name for axis in PER_BLOCK.axes].index(name) for name in ("stage1.repeats", "stage1.block4.kernel")
)


@pytest.mark.parametrize("seed", range(3))
def test_the_kernel_of_an_absent_block_says_nothing(seed):
    codes = distinct(PER_BLOCK, PER_BLOCK.sample(2000, np.random.default_rng(seed)))
    codes, _ = settled(PER_BLOCK, codes)  # absent blocks all have kernel 3, as samplers that know of them write it
    errors = 0.1 * codes[:, REPEATS] + noise(len(codes), seed)  # shallow networks are better, and have kernel 3
    told = {each.axis.name: each for each in refine(PER_BLOCK, codes, errors, np.zeros((len(codes), 0)))}
    assert dependence(codes[:, LAST], errors) < 1e-3
    assert left(told.values()).keys() == {"stage1.repeats"}
    deep = codes[codes[:, REPEATS] == 3]
    assert told["stage1.block4.kernel"].tried == tuple(np.bincount(deep[:, LAST], minlength=3))


@pytest.mark.parametrize("seed", range(3))
def test_what_matters_in_some_networks_is_found_there(seed):
    codes = PER_BLOCK.sample(700, np.random.default_rng(seed))
    there = codes[:, REPEATS] == 3
    errors = 0.06 * (there & (codes[:, LAST] == 0)) + noise(700, seed)
    errors -= 0.1 * (codes[:, REPEATS] == 0)  # the winners of all networks have no fourth block
    told = left(refine(PER_BLOCK, codes, errors, np.zeros((700, 0))))
    assert told == {"stage1.repeats": (1,), "stage1.block4.kernel": (5, 7)}


def test_an_axis_that_matters_in_few_networks_stays():
    codes = PER_BLOCK.sample(400, np.random.default_rng(0))
    many, few = codes[codes[:, REPEATS] < 3], codes[codes[:, REPEATS] == 3][:59]
    codes = np.concatenate([many, few])
    errors = 1.0 * ((codes[:, REPEATS] == 3) & (codes[:, LAST] == 1)) + noise(len(codes))
    told = {each.axis.name: each for each in refine(PER_BLOCK, codes, errors, np.zeros((len(codes), 0)))}
    assert told["stage1.block4.kernel"].dropped == ()
    assert told["stage1.block4.kernel"].why == "it matters in 59 networks only; 60 are needed to judge"
    without = {each.axis.name: each for each in refine(PER_BLOCK, many, noise(len(many)), np.zeros((len(many), 0)))}
    assert sum(without["stage1.block4.kernel"].wins) == 0


def test_nothing_is_narrowed_where_nothing_matters():
    alarms = sum(bool(left(refine(SPACE, codes, noise(200, seed), costs)))
                 for seed in range(60) for codes, costs in [drawn(200, seed)])  # fmt: skip
    assert alarms / 60 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 60)


def test_errors_that_only_cost_explains_narrow_nothing():
    codes, costs = drawn(400)
    errors = 0.9 - 0.1 * np.log10(costs[:, 0]) + noise(400)
    assert left(refine(SPACE, codes, errors, costs)) == {}
    plain = left(refine(SPACE, codes, errors, costs[:, :0]))
    assert max(plain["resolution"]) == 64  # without regard to cost, the largest win
    assert min(plain["resolution"]) > 24


@pytest.mark.parametrize("seed", range(5))
def test_planted_ranges_are_found_and_the_rest_stays(seed):
    codes, costs = drawn(400, seed)
    kernel, expand, block = (NAMES.index(name) for name in ("stage4.kernel", "stage5.expand", "stage6.block"))
    planted = 0.06 * (codes[:, kernel] == 0) + 0.06 * (codes[:, expand] == 2) + 0.06 * (codes[:, block] == 1)
    errors = 0.9 - 0.1 * np.log10(costs[:, 0]) + planted + noise(400, seed)
    told = left(refine(SPACE, codes, errors, costs))
    assert told == {"stage4.kernel": (5, 7), "stage5.expand": (3, 4), "stage6.block": ("ir",)}


def test_an_ordered_axis_keeps_an_interval_of_values_in_whatever_order_it_lists_them():
    text = "resolution = [32, 8, 24, 16, 40]\nwidth = 1.0\n[[stage]]\nwidth = 8\nkernel = [3, 5]\n"
    space = parse_space(tomllib.loads(text), name="odd")
    codes, costs = drawn(300, space=space)
    sizes = np.array(space.axes[0].values)[codes[:, 0]]
    told = {each.axis.name: each for each in refine(space, codes, np.abs(sizes - 20) / 100 + noise(300), costs[:, :0])}
    assert sorted(told["resolution"].keep) == [16, 24]
    assert told["resolution"].keep == (24, 16)
    assert sum(told["resolution"].wins) == pytest.approx(1)
    assert told["stage1.kernel"].dropped == ()


def test_a_choice_that_was_hardly_tried_is_not_dropped():
    codes, costs = drawn(400)
    block, act = NAMES.index("stage6.block"), NAMES.index("resolution")
    codes[JUDGED - 1 :, block] = np.minimum(codes[JUDGED - 1 :, block], 0)
    codes[: JUDGED - 1, block] = 1
    codes[codes[:, act] == 3, act] = 2
    errors = 0.1 * (codes[:, block] == 1) + 0.05 * (codes[:, act] == 0) + noise(400)
    told = {each.axis.name: each for each in refine(SPACE, codes, errors, costs[:, :0])}
    assert told["stage6.block"].dropped == ()
    assert told["stage6.block"].why == "too few of each to judge"
    assert told["resolution"].keep == (32, 48, 64)  # 64 was never tried, and lies beside good ones


def test_too_few_networks_are_refused_with_both_numbers():
    codes, costs = drawn(needed(0.95, 0.25) - 1)
    with pytest.raises(RunError, match="needs 60 trained networks, there are 59"):
        refine(SPACE, codes, noise(59), costs)


def test_equal_cost_means_that_costs_explain_nothing_more():
    rng = np.random.default_rng(0)
    costs = np.exp(rng.normal(size=(200, 2)) + 12)
    score = at_equal_cost(rng.normal(size=200) - np.log(costs[:, 0]) ** 2, costs)
    for column in np.log(costs).T:
        assert abs(np.corrcoef(column, score)[0, 1]) < 1e-6
    same = np.full((200, 1), 7.0)
    assert np.ptp(at_equal_cost(score, same) - score) < 1e-9


def test_an_axis_without_two_judged_choices_says_nothing():
    assert dependence(np.zeros(30, dtype=np.int64), np.arange(30.0)) == 1.0
    assert dependence(np.arange(30) % 2, np.ones(30)) == 1.0
    assert dependence(np.arange(30) % 2, np.arange(30) % 2 + 0.0) < 1e-3
