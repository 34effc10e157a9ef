"""Budget ladders: read, refused, and the best network within each rung."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsearch.cost.budget import Limit
from archsearch.cost.extremes import extremes
from archsearch.cost.ladder import best_within, check_ladder, read_limits
from archsearch.errors import BudgetError
from archsearch.spec.space_file import read_space

SPACE = read_space("nas_bench_macro")
ROWS = st.lists(st.tuples(st.integers(1, 6), st.sampled_from([0.1, 0.5, 0.5, 0.9, math.nan])), max_size=12)


@given(ROWS, st.sets(st.integers(0, 7), max_size=5))
def test_the_best_within_a_rung_is_the_best_of_those_that_fit(rows, rungs):
    cost, top1 = ([row[column] for row in rows] for column in (0, 1))
    rungs = sorted(rungs)
    for rung, row in zip(rungs, best_within(rungs, cost, top1), strict=True):
        inside = [i for i in range(len(rows)) if cost[i] <= rung and top1[i] == top1[i]]
        assert row == min(inside, key=lambda i: (-top1[i], cost[i], i), default=-1)


@given(st.permutations(["20M", "60%", "30M", "45000000"]))
def test_the_order_of_rungs_is_free_and_the_largest_is_the_hard_limit(words):
    budget, ladder = read_limits({"params": "2M", "madds": ",".join(words)}, SPACE)
    largest = float(int(0.6 * extremes(SPACE, "madds").high))
    assert ladder.metric == "madds"
    assert ladder.rungs == tuple(sorted([20e6, 30e6, 45e6, largest]))
    assert budget.limits["madds"] == Limit(high=largest)
    assert budget.limits["params"] == Limit(high=2e6)


def test_limits_without_a_comma_are_no_ladder():
    assert read_limits({"madds": "20M..60M"}, SPACE)[1] is None
    assert read_limits({}, SPACE)[1] is None


@pytest.mark.parametrize(("texts", "told"), [
    ({"madds": "30M,20M,30M"}, "two rungs at 30M"),
    ({"madds": "50%,52830464"}, "two rungs at 52.8M"),
    ({"madds": "20M,30M..40M"}, "'30M..40M' on madds is a range"),
    ({"madds": "20M,"}, "budget '' for madds cannot be read"),
    ({"madds": "20M,x"}, "budget 'x' for madds cannot be read"),
    ({"madds": "20M,30M", "params": "1M,2M"}, "madds and params are both ladders"),
])  # fmt: skip
def test_a_ladder_that_cannot_be_is_refused(texts, told):
    with pytest.raises(BudgetError, match=told):
        read_limits(texts, SPACE)


def test_a_rung_that_no_network_meets_is_refused_with_the_nearest():
    budget, ladder = read_limits({"madds": "1M,60M"}, SPACE)
    least = extremes(SPACE, "madds").low
    with pytest.raises(BudgetError, match=f"at most 1M; the nearest possible is {least:,}"):
        check_ladder(SPACE, budget, ladder)
    check_ladder(SPACE, *read_limits({"madds": f"{least},60M"}, SPACE))


def test_nothing_is_best_of_nothing():
    assert best_within([1.0, 2.0], np.zeros(0), np.zeros(0)).tolist() == [-1, -1]
