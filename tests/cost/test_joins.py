"""Joined tables and shared words change nothing: parts of any axes and values, with any amount of joining."""

from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsearch.cost import joins
from archsearch.cost.count import metric
from archsearch.cost.table import Part, cost_table
from archsearch.spec.grid import Grid
from archsearch.spec.space_file import read_space

NAMES = ("madds", "params", "peak_memory", "activations")
VALUES = (1, 255, 2**16, 2**31, 2**40, 2**57)


@st.composite
def some_parts(draw):
    """Choices of each axis, and parts whose costs are arbitrary: small, huge, negative, all zero."""
    radix = draw(st.lists(st.sampled_from((1, 2, 3, 7, 17, 300)), min_size=1, max_size=6))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    parts = []
    for _ in range(draw(st.integers(1, 6))):
        axes = tuple(sorted(draw(st.sets(st.sampled_from(range(len(radix))), max_size=2))))
        sizes = [radix[axis] for axis in axes]
        costs = {}
        for name in NAMES:
            most = draw(st.sampled_from(VALUES))
            costs[name] = rng.integers(draw(st.sampled_from((0, 0, 0, -most))), most, size=prod(sizes))
        parts.append(Part(Grid(axes, tuple(sizes)), costs))
    return radix, parts


def by_parts(parts, codes):
    """The plain way: one row number and one gather for each part."""
    totals = {}
    for name in NAMES:
        values = [part.costs[name][part.rows(codes)] for part in parts]
        totals[name] = np.max(values, axis=0) if metric(name).peak else np.sum(values, axis=0)
    return totals


@given(some_parts(), st.sampled_from((0, 1, 50, 1000, 2**20)), st.integers(0, 2**31))
def test_any_plan_gives_what_the_parts_give(made, rows, seed):
    radix, parts = made
    codes = np.random.default_rng(seed).integers(0, radix, size=(30, len(radix)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(joins, "ROWS", rows)
        plan = joins.plan(parts, NAMES)
    got, want = plan.count(codes), by_parts(parts, codes)
    assert list(got) == list(NAMES)
    for name in NAMES:
        assert got[name].tolist() == want[name].tolist()


@given(some_parts())
def test_metrics_share_a_word_only_while_their_greatest_totals_fit(made):
    _, parts = made
    found = joins.words(parts, NAMES)
    assert sorted(name for word in found for name in word.names) == sorted(NAMES)
    for word in found:
        most = {name: sum(int(part.costs[name].max()) for part in parts) for name in word.names}
        if len(word.names) > 1:
            assert not any(metric(name).peak for name in word.names)
            assert min(int(part.costs[name].min()) for part in parts for name in word.names) >= 0
            assert sum(value.bit_length() for value in most.values()) <= 63
            starts = [*word.shifts, 63]
            assert all(most[n] < 1 << (b - a) for n, a, b in zip(word.names, starts, starts[1:], strict=False))


@given(some_parts(), st.sampled_from((0, 50, 1000)))
def test_each_part_is_in_one_group_that_has_its_axes_and_no_join_is_too_large(made, rows):
    radix, parts = made
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(joins, "ROWS", rows)
        groups = joins.grouped(parts, dict(enumerate(radix)))
    assert sorted(id(part) for members in groups.values() for part in members) == sorted(map(id, parts))
    for axes, members in groups.items():
        assert set(axes) == {axis for part in members for axis in part.axes}
        alone = max(prod(radix[axis] for axis in part.axes) for part in members)
        assert prod(radix[axis] for axis in axes) <= max(rows, alone)


def test_the_default_space_needs_six_gathers_of_one_word_and_its_public_parts_stay_as_they_are():
    table = cost_table(read_space("mobilenet_v2"), ("madds", "params"))
    plan = joins.plan(table.parts, table.names)
    assert [word.names for word in plan.words] == [("madds", "params")]
    assert len(plan.joined) == 6
    assert len(table.parts) == 9
    assert len(set(plan.steps)) == len(plan.steps)


@pytest.mark.parametrize(("bits", "shared"), [(31, True), (32, False)])
def test_a_word_is_filled_to_its_last_bit_and_no_further(bits, shared):
    most = {"madds": 2**32 - 1, "params": 2**bits - 1}
    part = Part(Grid((0,), (2,)), {name: np.array([0, value]) for name, value in most.items()})
    plan = joins.plan([part], tuple(most))
    assert len(plan.words) == (1 if shared else 2)
    got = plan.count(np.array([[0], [1]]))
    assert {name: total.tolist() for name, total in got.items()} == {name: [0, value] for name, value in most.items()}
