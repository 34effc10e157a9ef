"""Rows of combinations: both ways are one, and nothing outside the axes of a part changes it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsearch.cost.count import BUILT_IN, metric
from archsearch.errors import SpaceError
from archsearch.spec import grid as grid_file
from archsearch.spec.content import _content
from archsearch.spec.grid import Grid, depends, grid
from archsearch.spec.lower import lower_part, parts
from archsearch.spec.space_file import read_space
from tests.strategies import spaces


@given(st.lists(st.integers(1, 5), max_size=5), st.data())
def test_rows_and_codes_are_each_others_inverse(radix, data):
    axes = tuple(sorted(data.draw(st.sets(st.integers(0, len(radix) - 1)) if radix else st.just(set()))))
    table = Grid(axes, tuple(radix[axis] for axis in axes))
    rows = np.arange(table.count)
    codes = table.codes(rows, len(radix))
    assert table.rows(codes).tolist() == rows.tolist()
    assert table.rows(codes.astype(np.uint8)).dtype == np.int64
    assert [tuple(code) for code in codes[:, axes].tolist()] == list(np.ndindex(*table.sizes))
    assert not codes[:, [axis for axis in range(len(radix)) if axis not in axes]].any()


@given(spaces(), st.integers(0, 2**31))
def test_no_other_axis_changes_what_a_part_costs_or_computes(space, seed):
    rng = np.random.default_rng(seed)
    codes, others = space.sample(5, rng), space.sample(5, rng)
    for place, part in enumerate(parts(space)):
        for sized in (True, False):
            moved = others.copy()
            kept = list(depends(space, part, sized=sized))
            moved[:, kept] = codes[:, kept]
            if sized:
                pair = [lower_part(space.population(each), part) for each in (codes, moved)]
                for name in BUILT_IN:
                    one, two = (np.broadcast_to(metric(name).total(ops), 5).tolist() for ops in pair)
                    assert one == two
            else:
                one, two = ([_content(space, place, code) for code in each.tolist()] for each in (codes, moved))
                assert one == two


def test_what_a_part_computes_depends_on_no_more_than_what_it_costs():
    for name in ("mobilenet_v2", "ssdlite_mobilenet_v2", "ofa_mobilenet_v3"):
        space = read_space(name)
        for part in parts(space):
            assert set(depends(space, part, sized=False)) <= set(depends(space, part, sized=True))


def test_too_many_combinations_are_refused_with_both_numbers(monkeypatch):
    monkeypatch.setattr(grid_file, "ROWS", 10)
    space = read_space("mobilenet_v2_small").restrict("width", (1.0,))
    with pytest.raises(SpaceError, match="one stage has 216 combinations, more than 10"):
        [grid(space, part, sized=True) for part in parts(space)]
