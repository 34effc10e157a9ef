"""Fingerprints: equal exactly where the canonical keys are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsearch.errors import SpaceError
from archsearch.spec.canon import canonical, key
from archsearch.spec.content import content_tables, distinct, fingerprints, first_of_each
from archsearch.spec.space_file import parse_space, read_space
from tests.strategies import HEADS, SHIPPED, spaces


def _same_grouping(prints, keys):
    """Two namings of one list that call the same things equal."""
    pairs = {(*row, name) for row, name in zip(prints.tolist(), keys, strict=True)}
    return len(pairs) == len({pair[:2] for pair in pairs}) == len({pair[2] for pair in pairs})


@settings(max_examples=60)
@given(spaces(), st.integers(0, 2**31))
def test_fingerprints_are_equal_where_the_networks_are(space, seed):
    codes = space.sample(12, np.random.default_rng(seed))
    near = np.repeat(codes, 2, axis=0)  # random codes are seldom the same network, those one axis apart often are
    for row in near:
        if len(row):
            axis = seed % len(row)
            row[axis] = (row[axis] + 1) % space.radix[axis]
    codes = np.concatenate([codes, near])
    assert _same_grouping(fingerprints(space, codes), [canonical(space.decode(code)) for code in codes])


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_spaces_tell_their_networks_apart(name):
    space = read_space(name)
    codes = space.sample(60, np.random.default_rng(2))
    assert _same_grouping(fingerprints(space, codes), [key(space.decode(code)) for code in codes])


def test_nas_bench_macro_has_its_published_number_of_networks():
    space = read_space("nas_bench_macro")
    codes = np.concatenate(list(space.enumerate(1000)))
    left = distinct(space, codes)
    assert len(left) == 3969
    assert len({canonical(space.decode(code)) for code in left[::40]}) == len(left[::40])


@pytest.mark.parametrize("head", HEADS, ids=lambda head: f"{head['kind']}-{head['width']}")
def test_maps_that_the_head_reads_count(head):
    table = {"resolution": [64, 65], "classes": head["classes"], "stem": {"stride": 2, "width": 8},
             "head": {name: value for name, value in head.items() if name != "classes"},
             "stage": [{"width": 8, "stride": 2}, {"width": 8, "stride": 2, "per_block": True, "repeats": [1, 2],
                                                   "op": ["ir_e1", "ds_linear_bskip", "id"]},
                       {"width": [8, 16], "stride": 2, "block": ["ir", "ds", "er"], "expand": [1, 2]},
                       {"width": 8, "stride": 2, "expand": [2, 3], "kernel": 1}]}  # fmt: skip
    space = parse_space(table, name="dense")
    codes = next(space.enumerate())[::3]
    assert _same_grouping(fingerprints(space, codes), [canonical(space.decode(code)) for code in codes])


@settings(max_examples=40)
@given(spaces(), spaces(), st.integers(0, 2**31))
def test_fingerprints_mean_the_same_in_every_space(one, other, seed):
    rng = np.random.default_rng(seed)
    both = [(space, space.sample(6, rng)) for space in (one, other, one.restrict(*_narrow(one)) if one.axes else one)]
    prints = np.concatenate([fingerprints(space, codes) for space, codes in both])
    assert _same_grouping(prints, [canonical(space.decode(code)) for space, codes in both for code in codes])


WIDENING = """
from dataclasses import replace
from archsearch.spec.blocks import depthwise, depthwise_separable
from archsearch.spec.ops import Op

def led(b):
    "Depthwise separable behind one 1x1 convolution of its own."
    yield Op(kind="conv", label="lead", c_in=b.c_in, c_out=b.c_in, size_in=b.size, size_out=b.size,
             per_group=b.c_in, norm=True, act=b.act, times=b.times)
    for op in depthwise_separable(b):
        yield replace(op, inputs=("lead",)) if op.label == "depthwise" else op
"""


def test_the_place_of_a_map_that_the_head_reads_tells_equal_trunks_apart(third_party):
    third_party(WIDENING, {"blocks": {"led": "led"}})
    early = [{"width": 8, "stride": 2}, {"width": 8, "stride": 2, "act": "relu"}, {"width": 8, "op": ["id", "cn_k1"]}]
    table = {"resolution": 64, "classes": 3, "stem": {"stride": 2, "width": 8},
             "head": {"kind": "lraspp", "width": 0, "hidden": 8},
             "stage": [*early, {"width": 8, "stride": 2, "op": ["led", "ds"]}]}  # fmt: skip
    space = parse_space(table, name="led")
    codes = np.array([[0, 0], [1, 1]])  # the same trunk; the head reads what comes before or behind the convolution
    assert (content_tables(space).fingerprints(codes)[0] != content_tables(space).fingerprints(codes)[1]).any()
    assert canonical(space.decode(codes[0])) != canonical(space.decode(codes[1]))
    plain = parse_space(table | {"head": {"width": 0}}, name="plain")
    assert (fingerprints(plain, codes)[0] == fingerprints(plain, codes)[1]).all()
    assert canonical(plain.decode(codes[0])) == canonical(plain.decode(codes[1]))


def _narrow(space):
    return space.axes[0].name, space.axes[0].values[-1:]


@settings(max_examples=40)
@given(spaces(), st.integers(0, 2**31))
def test_a_part_has_number_0_where_it_computes_nothing(space, seed):
    codes = space.sample(8, np.random.default_rng(seed))
    tables = content_tables(space)
    numbers = tables.numbers(codes)
    assert numbers.shape == (8, len(space.stages) + 2)
    assert (numbers[:, [0, -1]] > 0).all()
    alike = {}
    for code, row, (a, b) in zip(codes.tolist(), numbers.tolist(), tables.fingerprints(codes).tolist(), strict=True):
        size = code[space.resolution.axis] if hasattr(space.resolution, "axis") else 0
        assert alike.setdefault((*row, size), (a, b)) == (a, b)


def test_the_first_of_equal_rows_is_kept_in_order():
    prints = np.array([[3, 1], [2, 9], [3, 1], [1, 1], [2, 9], [3, 2]], dtype=np.uint64)
    assert first_of_each(prints).tolist() == [0, 1, 3, 5]


def test_a_stage_with_too_many_combinations_is_refused():
    widths = list(range(8, 8 + 8 * 150, 8))
    stage = {"width": widths, "expand": [1 + index / 100 for index in range(150)], "kernel": list(range(1, 301, 2))}
    with pytest.raises(SpaceError, match="one stage has 3,375,000 combinations"):
        content_tables(parse_space({"stage": [stage]}, name="huge"))
