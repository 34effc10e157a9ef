"""A table: each network once, found under every code that it has, costs exact."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsearch.errors import DataError
from archsearch.evaluate.table import Table
from archsearch.evaluate.table_merge import averaged, merged
from archsearch.pareto import front
from archsearch.spec.content import fingerprints, first_of_each
from archsearch.spec.fields import Axis
from archsearch.spec.space_file import read_space
from tests.strategies import plain_tables


def shuffled_rows(table: Table, seed: int) -> Table:
    """The same rows in another order, before they are merged."""
    order = np.random.default_rng(seed).permutation(len(table))
    return Table(name="other", axes=table.axes, codes=table.codes[order], top1=table.top1[order],
                 costs={name: cost[order] for name, cost in table.costs.items()})  # fmt: skip


@given(table=plain_tables(), seed=st.integers(0, 99))
def test_the_order_of_rows_makes_no_difference(table, seed):
    assert merged(shuffled_rows(table, seed)).fingerprint == table.fingerprint


@given(table=plain_tables(), seed=st.integers(0, 99))
def test_rows_that_stand_twice_make_no_difference(table, seed):
    again = shuffled_rows(table, seed)
    costs = {name: np.concatenate([table.costs[name], again.costs[name]]) for name in table.costs}
    doubled = Table(name="twice", axes=table.axes, codes=np.concatenate([table.codes, again.codes]),
                    top1=np.concatenate([table.top1, again.top1]), costs=costs)  # fmt: skip
    assert merged(doubled).fingerprint == table.fingerprint


@given(table=plain_tables())
def test_a_code_finds_its_row_and_only_that(table):
    every = np.stack([each.ravel() for each in np.indices([len(axis.values) for axis in table.axes])], axis=1)
    known = {tuple(code): row for row, code in enumerate(table.codes.tolist())}
    assert table.rows(every).tolist() == [known.get(tuple(code), -1) for code in every.tolist()]
    assert len(np.unique(table.names)) == len(table)


@given(table=plain_tables())
def test_any_change_of_what_it_holds_changes_the_fingerprint(table):
    one = table.top1.copy()
    one[0, 0] += 1e-6
    cost = {**table.costs, "ms": table.costs["ms"] * 2}
    axes = (Axis("other", table.axes[0].values), *table.axes[1:])
    others = [replace(table, top1=one), replace(table, costs=cost), replace(table, axes=axes)]
    assert len({table.fingerprint, *(other.fingerprint for other in others)}) == 4
    assert replace(table, name="else").fingerprint == table.fingerprint


@given(table=plain_tables(), seed=st.integers(0, 10**9))
def test_every_seed_names_an_accuracy_that_is_known(table, seed):
    for row in range(len(table)):
        columns = {table.column(row, seed + step) for step in range(int(table.seeds[row]))}
        assert columns == set(np.flatnonzero(~np.isnan(table.top1[row])))


def test_the_noise_is_the_scatter_within_networks():
    rng = np.random.default_rng(0)
    top1 = rng.uniform(0.2, 0.8, size=(4000, 1)) + 0.01 * rng.standard_normal((4000, 3))
    codes = np.arange(4000)[:, None]
    table = Table(name="noisy", axes=(Axis("a", tuple(range(4000))),), codes=codes, top1=top1, costs={})
    assert abs(table.noise - 0.01) < 0.0003  # four standard errors: 0.01 / sqrt(2 * 8000) each
    assert replace(table, top1=top1[:, :1]).noise == 0


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 1) | st.just(float("nan"))), min_size=1, max_size=20))
def test_a_mean_over_groups_is_that_of_what_is_known(pairs):
    pairs = sorted(pairs, key=lambda pair: pair[0])
    labels = np.unique([group for group, _ in pairs], return_inverse=True)[1]
    values = np.array([value for _, value in pairs])
    got = averaged(values, labels)
    for group in range(labels.max() + 1):
        known = values[(labels == group) & ~np.isnan(values)]
        assert np.isnan(got[group]) if not len(known) else abs(got[group] - known.mean()) < 1e-12
        if len(set(known)) == 1:
            assert got[group] == known[0]


def test_rows_of_one_code_that_differ_are_named_or_averaged():
    axis = Axis("a", (0, 1))
    rows = Table(
        name="t", axes=(axis,), codes=np.array([[1], [0], [1]]), top1=np.array([[0.5], [0.6], [0.7]]), costs={}
    )
    with pytest.raises(DataError, match="rows 1 and 3 are the same code with different top1"):
        merged(rows)
    assert merged(rows, average=True).top1.tolist() == [[0.6], [0.6]]


def test_codes_of_one_network_are_one_row_and_their_accuracies_are_averaged():
    space = read_space("nas_bench_macro")
    codes = np.array([[0, 0, 0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0, 0, 0], [0, 0, 0, 2, 0, 0, 0, 0]])
    table = merged(
        Table(name="t", axes=space.axes, codes=codes, top1=np.array([[0.5], [0.7], [0.6]]), costs={}, space=space)
    )
    assert len(table) == 2
    assert table.rows(codes).tolist() == [0, 0, 1]
    assert table.top1[:, 0].tolist() == [0.6, 0.6]
    assert table.rows(np.array([[0, 0, 0, 0, 2, 0, 0, 0]])).tolist() == [1]  # a code that was not in the file


@pytest.mark.parametrize("name", ["activations", "peak_memory"])
def test_costs_that_the_table_has_not_are_counted_in_its_space(name, layouts):
    from archsearch.cost.count import count_codes
    from archsearch.evaluate.table_file import read_table

    table = read_table(layouts["csv"][0])
    assert name not in table.costs
    assert (table.cost(name) == count_codes(table.space, table.codes, (name,))[name]).all()
    with pytest.raises(DataError, match="has no cost 'param': did you mean 'params'"):
        table.cost("param")


def test_shapes_that_do_not_go_together_are_refused():
    axis = Axis("a", (0, 1))
    with pytest.raises(DataError, match="top1 has 1 rows, the codes have 2"):
        Table(name="t", axes=(axis,), codes=np.array([[0], [1]]), top1=np.zeros((1, 1)), costs={})
    with pytest.raises(DataError, match="has no rows"):
        Table(name="t", axes=(axis,), codes=np.zeros((0, 1), dtype=np.int64), top1=np.zeros((0, 1)), costs={})


def test_nas_bench_macro_has_3969_networks_of_6561_codes(macro):
    assert len(macro) == 3969 == len(first_of_each(fingerprints(macro.space, macro.spellings)))
    assert len(macro.spellings) == 6561
    assert macro.space.name == "nas_bench_macro"


def test_its_true_front_has_35_networks(macro):
    assert front(np.stack([-macro.mean, macro.cost("madds")], axis=1)).sum() == 35
    assert abs(macro.mean.max() - 0.9313) < 5e-5


def test_its_madds_and_parameters_are_the_counted_ones_on_every_row(macro, tables):
    import pandas

    from archsearch.cost.table import cost_table

    rows = pandas.read_csv(tables / "nas_bench_macro.csv", dtype={"arch": str})
    codes = np.array([list(map(int, code)) for code in rows["arch"]])
    counts = cost_table(macro.space, ("madds", "params")).count(codes)
    assert (counts["madds"] == rows["macs"]).all()
    assert (counts["params"] == rows["params"]).all()
    assert (macro.cost("params")[macro.rows(codes)] == rows["params"]).all()
    assert np.allclose(macro.mean[macro.rows(codes)] * 100, rows["mean_acc"], atol=6e-5)
