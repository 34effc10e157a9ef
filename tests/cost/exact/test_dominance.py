"""Pairs counted in two dimensions, against comparing each with each."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from archsearch.cost.exact.dominance import dominance
from archsearch.cost.exact.numbers import below, distinct


@given(st.integers(1, 70), st.integers(1, 70), st.integers(1, 12), st.sampled_from([0, 40, 50]), st.integers(0, 2**31))
def test_counts_are_those_of_comparing_each_with_each(n, m, values, heavy, seed):
    rng = np.random.default_rng(seed)
    points, corners = (
        (rng.integers(0, values, size), rng.integers(0, values, size), rng.integers(1, 9, size) << heavy)
        for size in (n, m)
    )
    mine, other = dominance(points, corners)
    under = (points[0][:, None] <= corners[0]) & (points[1][:, None] <= corners[1])
    assert mine.tolist() == (under * corners[2]).sum(axis=1).tolist()
    assert other.tolist() == (under * points[2][:, None]).sum(axis=0).tolist()


@given(st.integers(1, 2**80), st.integers(1, 40), st.integers(0, 2**31))
def test_numbers_stay_below_their_limit_and_distinct_ones_differ(limit, n, seed):
    drawn = below(limit, n, np.random.default_rng(seed))
    assert len(drawn) == n
    assert all(0 <= number < limit for number in drawn.tolist())
    once = distinct(limit, n, np.random.default_rng(seed)).tolist()
    assert len(set(once)) == len(once) == min(n, limit)
    assert all(0 <= number < limit for number in once)


def test_large_numbers_fill_their_range():
    limit = 3 * 2**70
    drawn = np.array([int(number * 6 // limit) for number in below(limit, 3000, np.random.default_rng(0))])
    assert (np.bincount(drawn, minlength=6) > 400).all()
