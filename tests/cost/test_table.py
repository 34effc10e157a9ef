"""Three ways to the same costs (one by one, many at once, tables), and the extremes of a space."""

from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsearch.cost import extremes as extremes_file
from archsearch.cost.count import BUILT_IN, count, count_codes
from archsearch.cost.extremes import extremes
from archsearch.cost.table import cost_table
from archsearch.errors import PluginError, SpaceError
from archsearch.spec import grid as grid_file
from archsearch.spec.space_file import parse_space, read_space
from tests.strategies import SHIPPED, space_tables


def _spaces():
    return space_tables().map(lambda plain: parse_space(plain, name="generated"))


def _agree(space, codes) -> None:
    many, table = count_codes(space, codes), cost_table(space, BUILT_IN).count(codes)
    one = [count(space.decode(code)) for code in codes]
    for name in BUILT_IN:
        want = [costs[name] for costs in one]
        assert many[name].tolist() == want
        assert table[name].tolist() == want
        assert many[name].dtype == table[name].dtype == np.int64


@pytest.mark.parametrize("name", SHIPPED)
def test_one_many_and_table_agree_in_shipped_spaces(name):
    space = read_space(name)
    ends = np.stack([np.zeros_like(space.radix), space.radix - 1])
    _agree(space, np.concatenate([ends, space.sample(60, np.random.default_rng(0))]))


@pytest.mark.parametrize("name", SHIPPED)
def test_many_and_table_agree_across_chunks(name):
    space = read_space(name)
    codes = space.sample(20_000, np.random.default_rng(1))
    many, table = count_codes(space, codes), cost_table(space, BUILT_IN).count(codes)
    assert all((many[each] == table[each]).all() for each in BUILT_IN)


@given(_spaces(), st.integers(0, 2**31))
def test_one_many_and_table_agree_in_any_space(space, seed):
    _agree(space, space.sample(6, np.random.default_rng(seed)))


@given(_spaces(), st.data())
def test_a_narrowed_space_counts_the_same(space, data):
    if not space.axes:
        return
    axis = data.draw(st.sampled_from(space.axes))
    small = space.restrict(axis.name, axis.values[-1:])
    _agree(small, small.sample(3, np.random.default_rng(0)))


def test_no_codes_have_no_costs():
    space = read_space("nas_bench_macro")
    none = np.empty((0, 8), dtype=np.int64)
    assert [len(count_codes(space, none)["madds"]), len(cost_table(space, ("madds",)).count(none)["madds"])] == [0, 0]


@settings(max_examples=25)
@given(_spaces())
def test_extremes_are_those_of_looking_at_every_network(space):
    if space.size > 5000:
        return
    costs = [count_codes(space, codes) for codes in space.enumerate()]
    for name in BUILT_IN:
        values = np.fromiter(chain.from_iterable(part[name] for part in costs), dtype=np.int64)
        ends = extremes(space, name)
        assert (ends.low, ends.high, ends.exact) == (values.min(), values.max(), True)


@pytest.mark.parametrize("name", SHIPPED)
def test_extremes_of_shipped_spaces_are_exact_and_hold_for_samples(name):
    space = read_space(name)
    costs = count_codes(space, space.sample(5000, np.random.default_rng(2)))
    for each in BUILT_IN:
        ends = extremes(space, each)
        assert ends.exact
        assert ends.low <= costs[each].min()
        assert ends.high >= costs[each].max()
        assert count_codes(space, space.sample(1, np.random.default_rng(0)))[each].dtype == np.int64


def test_where_combinations_are_too_many_the_extremes_are_searched_and_say_so(monkeypatch):
    space = read_space("mobilenet_v2_small")
    exact = {name: extremes(space, name) for name in BUILT_IN}
    monkeypatch.setattr(extremes_file, "COMBINATIONS", 1)
    for name, ends in exact.items():
        searched = extremes(space, name)
        assert not searched.exact
        assert (searched.low, searched.high) == (ends.low, ends.high)


def test_a_stage_with_too_many_combinations_is_refused_with_its_number(monkeypatch):
    monkeypatch.setattr(grid_file, "ROWS", 10)
    with pytest.raises(SpaceError, match="one stage has 216 combinations, more than 10"):
        cost_table(read_space("mobilenet_v2_small").restrict("width", (1.0,)), ("params",))


def test_an_unknown_metric_has_no_table():
    with pytest.raises(PluginError, match="did you mean 'params'"):
        cost_table(read_space("nas_bench_macro"), ("parms",))
