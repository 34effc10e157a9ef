"""First designs are spread over cost and far apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsearch.evaluate.table import Table
from archsearch.evaluate.table_domain import TableDomain
from archsearch.spec.fields import Axis
from archsearch.surrogate.design import ALONE, FIRST, LOOK, farthest, first, place, size
from tests.strategies import plain_tables


@st.composite
def pools(draw):
    """1 to 30 networks of a made-up table, costs of none to two metrics."""
    minimize = draw(st.sampled_from([(), ("madds",), ("ms", "madds")]))
    return TableDomain(table=draw(plain_tables()), minimize=minimize).everything()


@given(pools(), st.integers(1, 8), st.integers(0, 1000))
def test_a_design_is_of_different_networks_with_the_cheapest_and_the_dearest(pool, n, seed):
    chosen = first(pool, n, np.random.default_rng(seed))
    assert len(chosen) == len(set(chosen)) <= n
    where = place(pool)
    assert where[chosen[0]] == where.min()
    if n > 1:
        assert where[chosen].max() == where.max()
    assert chosen == first(pool, n, np.random.default_rng(seed))


@given(pools() | st.just(None), st.integers(3, 8), st.integers(0, 1000))
def test_every_stratum_of_cost_that_holds_a_network_has_one_in_the_design(pool, n, seed):
    pool = TableDomain(table=grid(6, seed), minimize=("madds",)).everything() if pool is None else pool
    where = place(pool)
    chosen = first(pool, n, np.random.default_rng(seed))
    edges = np.linspace(where.min(), where.max(), n + 1)
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        if ((where >= low) & (where <= high)).any():
            assert ((where[chosen] >= low) & (where[chosen] <= high)).any()


@given(pools(), st.data())
def test_the_farthest_has_no_other_farther_away(pool, data):
    rows = st.lists(st.integers(0, len(pool) - 1), min_size=1, max_size=6)
    drawn, chosen = data.draw(rows), data.draw(rows)

    def apart(row):
        return min(int((pool.slots[row] != pool.slots[other]).sum()) for other in chosen)

    assert apart(farthest(pool, np.array(drawn), chosen)) == max(apart(row) for row in drawn)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_pool_smaller_than_the_design_is_enough(n):
    table = TableDomain(table=grid(), minimize=("madds",))
    pool = table.everything().take(np.arange(n))
    chosen = first(pool, FIRST, np.random.default_rng(0))
    assert {0, n - 1} <= set(chosen) <= set(range(n))


def test_of_a_stratum_that_is_looked_at_whole_the_one_that_differs_most_is_taken():
    pool = TableDomain(table=grid(), minimize=("madds",)).everything()
    assert len(pool) <= LOOK
    cheapest, dearest, third = first(pool, 3, np.random.default_rng(0))
    where = place(pool)
    low, high = np.quantile([where.min(), where.max()], [1 / 3, 2 / 3])
    apart = (pool.slots[:, None] != pool.slots[[cheapest, dearest]]).sum(axis=2).min(axis=1)
    assert apart[third] == apart[(where >= low) & (where <= high)].max()


def grid(choices=3, seed=None):
    """The networks of three axes; their costs rise with their number, or stand anywhere."""
    codes = np.stack([each.ravel() for each in np.indices((choices,) * 3)], axis=1)
    axes = tuple(Axis(name, tuple(range(choices))) for name in "abc")
    costs = np.geomspace(1e6, 3e8, len(codes))
    if seed is not None:
        np.random.default_rng(seed).shuffle(costs)
    return Table(name="grid", axes=axes, codes=codes, top1=np.full((len(codes), 1), 0.5), costs={"madds": costs})


def test_a_design_is_smaller_where_accuracy_is_all_that_counts_and_place_says_what_cost_is():
    with_costs = TableDomain(table=grid(), minimize=("madds",)).everything()
    alone = TableDomain(table=grid(), minimize=()).everything()
    assert (size(with_costs), size(alone)) == (FIRST, ALONE)
    assert place(with_costs) == pytest.approx(np.log(with_costs.costs[:, 0]))
    assert place(alone) == pytest.approx(alone.traits[:, 0])


def test_places_are_logarithms_of_cost_in_any_unit_and_a_cost_of_nothing_lies_at_the_cheapest():
    costs = np.array([0.0, 0.001, 0.01, 0.1])
    found = []
    for unit in (1.0, 1e9):
        table = Table(name="t", axes=(Axis("a", (1, 2, 3, 4)),), codes=np.arange(4)[:, None], top1=np.full((4, 1), 0.5),
                      costs={"ms": costs * unit})  # fmt: skip
        where = place(TableDomain(table=table, minimize=("ms",)).everything())
        found.append(where - where[0])
    assert found[0] == pytest.approx([0, 0, np.log(10), np.log(100)])
    assert found[1] == pytest.approx(found[0])
