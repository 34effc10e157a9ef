"""Gathered costs are those of the formula and of the parts added up, whatever the codes' type, layout and number."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsearch.cost import gather
from archsearch.cost.count import BUILT_IN, count_codes
from archsearch.cost.table import cost_table
from archsearch.errors import SpaceError
from archsearch.spec.space_file import parse_space, read_space
from tests.strategies import SHIPPED, space_tables

KINDS = ("i1", "u1", "<i2", ">u2", "<i4", "<u4", "<i8", ">i8", "<u8")
LAYOUTS = {
    "rows": np.ascontiguousarray,
    "columns": np.asfortranarray,
    "every other": lambda codes: np.repeat(np.repeat(codes, 2, axis=0), 2, axis=1)[::2, ::2],
    "backwards": lambda codes: np.ascontiguousarray(codes[::-1, ::-1])[::-1, ::-1],
}
BLOCKS = ["id", "ir_k3_e3", "ir_k3_e6", "ir_k5_e3", "ir_k5_e6", "ir_k7_e3", "ir_k7_e6"]


def per_block():
    """A stand-in for a space whose 20 blocks each have an axis of their own: 30 * 7^20 codes."""
    widths = (24, 40, 80, 112, 192)
    plain = {
        "width": [0.35, 0.5, 0.75, 1.0, 1.3, 1.4],
        "resolution": [96, 128, 160, 192, 224],
        "stage": [
            {"width": width, "stride": 2 if first else 1, "op": BLOCKS}
            for width in widths
            for first in (True, False, False, False)
        ],
    }
    return parse_space(plain, name="per_block")


def equal(left, right) -> bool:
    return left.keys() == right.keys() and all(np.array_equal(left[name], right[name]) for name in left)


@given(space_tables(), st.sampled_from(KINDS), st.sampled_from(sorted(LAYOUTS)), st.integers(0, 40))
def test_any_integer_type_and_layout_counts_the_same_in_any_space(plain, kind, layout, n):
    space = parse_space(plain, name="generated")
    codes = space.sample(n, np.random.default_rng(n))
    other = LAYOUTS[layout](codes.astype(kind))
    before = other.copy()
    got = cost_table(space, BUILT_IN).count(other)
    assert equal(got, count_codes(space, codes))
    assert all(total.dtype == np.int64 for total in got.values())
    assert (other == before).all()


@pytest.mark.parametrize("space", [*map(read_space, SHIPPED), per_block()], ids=lambda space: space.name)
def test_compact_codes_count_as_the_formula_across_chunks(space, monkeypatch):
    monkeypatch.setattr(gather, "CHUNK", 999)
    codes = space.sample_compact(5000, np.random.default_rng(0))
    got = cost_table(space, BUILT_IN).count(codes)
    assert equal(got, count_codes(space, codes))
    assert equal(got, cost_table(space, BUILT_IN).count(codes.astype(np.int64)))


@given(st.permutations(BUILT_IN), st.integers(0, len(BUILT_IN)))
def test_metrics_come_in_the_order_asked_for(names, n):
    space = read_space("nas_bench_macro")
    codes = space.sample(50, np.random.default_rng(0))
    assert list(cost_table(space, names[:n]).count(codes)) == names[:n]
    assert equal(cost_table(space, names[:n]).count(codes), count_codes(space, codes, names[:n]))


@pytest.mark.parametrize("kind", KINDS)
def test_a_code_that_is_no_choice_is_refused_in_any_type(kind):
    space = read_space("mobilenet_v2")
    table, info = cost_table(space, ("madds",)), np.iinfo(kind)
    for axis, choices in enumerate(space.radix.tolist()):
        for wrong in {-1, choices, 127, 256, 256 + choices - 1, info.min, info.max}:
            if not info.min <= wrong <= info.max or 0 <= wrong < choices:
                continue
            codes = space.sample(3, np.random.default_rng(0)).astype(kind)
            codes[1, axis] = wrong
            with pytest.raises(SpaceError, match=f"axis {axis} run from 0 to {choices - 1}, got {wrong} "):
                table.count(codes)
            with pytest.raises(SpaceError, match=f"axis {axis} "):
                table.count(np.asfortranarray(codes))


def test_codes_of_too_few_axes_are_refused_and_further_columns_are_not_looked_at():
    space = read_space("nas_bench_macro")
    table, codes = cost_table(space, BUILT_IN), space.sample(9, np.random.default_rng(0))
    assert equal(table.count(np.hstack([codes, np.full((9, 2), -7)])), table.count(codes))
    for wrong in (codes[:, :7], codes[0]):
        with pytest.raises(SpaceError, match=r"must be \[n, 8\]"):
            table.count(wrong)


def test_an_axis_of_more_than_256_choices_counts_the_same():
    plain = {"resolution": list(range(1, 301)), "stage": [{"width": 8, "kernel": [3, 5]}, {"width": [8, 16]}]}
    space = parse_space(plain, name="wide")
    whole = np.concatenate(list(space.enumerate()))
    for codes in (whole, whole.astype(np.uint16, order="F"), space.sample_compact(500, np.random.default_rng(0))):
        assert equal(cost_table(space, BUILT_IN).count(codes), count_codes(space, codes))


@pytest.mark.parametrize("order", ["C", "F"])
def test_counting_takes_little_memory_beside_its_totals(order):
    space, n = read_space("mobilenet_v2"), 1_000_000
    codes = np.array(space.sample_compact(n, np.random.default_rng(0)), order=order)
    table = cost_table(space, ("madds", "params", "peak_memory"))
    tracemalloc.start()
    try:
        totals = table.count(codes)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < sum(total.nbytes for total in totals.values()) + 12 * 2**20
