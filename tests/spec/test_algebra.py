"""Moves in a space: laws on any space, and the slow way beside the quick one."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archsearch.errors import SpaceError
from archsearch.spec.algebra import (
    code_at,
    code_number,
    crossover,
    from_one_hot,
    mutate,
    neighbours,
    one_hot,
    one_hot_names,
    settled,
    used,
)
from archsearch.spec.canon import canonical
from archsearch.spec.space_file import parse_space, read_space
from tests.strategies import SHIPPED, spaces

SEEDS = st.integers(0, 2**31)
FEW = settings(max_examples=40)


def _same(space, a, b):
    return canonical(space.decode(a)) == canonical(space.decode(b))


def _changed(code, axis, choice):
    other = code.copy()
    other[axis] = choice
    return other


def _matters(space, code, axis):
    """The definition, one network at a time."""
    return any(not _same(space, code, _changed(code, axis, choice)) for choice in range(space.radix[axis]))


@FEW
@given(spaces(), SEEDS)
def test_an_axis_is_used_where_one_of_its_choices_gives_another_network(space, seed):
    codes = space.sample(2, np.random.default_rng(seed))
    told = used(space, codes)
    slow = [[_matters(space, code, axis) for axis in range(len(space.axes))] for code in codes]
    assert told.shape == codes.shape
    assert told.tolist() == slow


def test_what_an_absent_block_would_be_is_unused():
    stage = {"width": 16, "repeats": [1, 2], "kernel": [3, 5], "expand": [1, 2], "block": ["ir", "ds"],
             "per_block": True}  # fmt: skip
    space = parse_space({"stage": [stage]}, name="blocks")
    code = space.code({"stage1.repeats": 1, "stage1.block1.kernel": 3, "stage1.block1.expand": 1,
                       "stage1.block1.block": "ds", "stage1.block2.kernel": 5, "stage1.block2.expand": 2,
                       "stage1.block2.block": "ir"})  # fmt: skip
    idle = [axis.name for axis, matters in zip(space.axes, used(space, code[None])[0], strict=True) if not matters]
    assert idle == ["stage1.block1.expand", "stage1.block2.kernel", "stage1.block2.expand", "stage1.block2.block"]


@FEW
@given(spaces(), SEEDS)
def test_settling_keeps_the_network_and_leaves_nothing_idle_but_the_first_choice(space, seed):
    codes = space.sample(4, np.random.default_rng(seed))
    left, kept = settled(space, codes)
    assert all(_same(space, a, b) for a, b in zip(codes, left, strict=True))
    assert (left[~kept] == 0).all()
    assert (left[kept] == codes[kept]).all()
    assert (kept[:, :1] == used(space, codes)[:, :1]).all()


@FEW
@given(spaces(), SEEDS)
def test_one_hot_rows_come_back_as_the_same_network(space, seed):
    codes = space.sample(4, np.random.default_rng(seed))
    for unused in ("zeros", "column", "none"):
        rows = one_hot(space, codes, unused=unused)
        assert rows.shape == (4, len(one_hot_names(space, unused=unused)))
        back = from_one_hot(space, rows, unused=unused)
        assert back.tolist() == (codes if unused == "none" else settled(space, codes)[0]).tolist()
        full = unused != "zeros"
        marks = rows.sum(axis=1)
        assert (marks == len(space.axes)).all() if full else (marks <= len(space.axes)).all()


def test_one_hot_columns_say_what_is_chosen():
    space = read_space("mobilenet_v2")
    codes = space.sample(3, np.random.default_rng(0))
    for row, code in zip(one_hot(space, codes, unused="none"), codes, strict=True):
        ones = [name for name, value in zip(one_hot_names(space, unused="none"), row, strict=True) if value]
        assert ones == [f"{name}={value}" for name, value in space.values(code).items()]


def test_one_hot_rows_of_another_space_are_refused():
    with pytest.raises(SpaceError, match="has one-hot rows of 24 columns"):
        from_one_hot(read_space("nas_bench_macro"), np.zeros((2, 25), dtype=np.float32))


@FEW
@given(spaces(), SEEDS)
def test_neighbours_are_the_other_networks_one_axis_away(space, seed):
    code = space.sample(1, np.random.default_rng(seed))[0]
    around = neighbours(space, code)
    assert ((around != code).sum(axis=1) == 1).all()
    slow = {canonical(space.decode(_changed(code, axis, choice)))
            for axis in range(len(space.axes)) for choice in range(space.radix[axis])}  # fmt: skip
    found = [canonical(space.decode(other)) for other in around]
    assert len(set(found)) == len(found)
    assert set(found) == slow - {canonical(space.decode(code))}


@FEW
@given(spaces(), SEEDS)
def test_neighbours_in_order_are_the_next_values(space, seed):
    code = space.sample(1, np.random.default_rng(seed))[0]
    near, around = neighbours(space, code, ordered=True), neighbours(space, code)
    networks = {canonical(space.decode(other)) for other in around}
    assert {canonical(space.decode(other)) for other in near} <= networks
    for other in near:
        (axis,) = np.flatnonzero(other != code)
        values = space.axes[axis].values
        if space.axes[axis].numeric:
            low, high = sorted((values[code[axis]], values[other[axis]]))
            assert not any(low < value < high for value in values)


@FEW
@given(spaces(), SEEDS, st.sampled_from([None, 0.0, 0.5, 1.0]))
def test_a_mutation_is_another_network_where_there_is_one(space, seed, rate):
    rng = np.random.default_rng(seed)
    codes = space.sample(5, rng)
    before = codes.copy()
    made = mutate(space, codes, rng, rate=rate)
    assert (codes == before).all()
    assert ((made >= 0) & (made < space.radix)).all()
    for code, other in zip(codes, made, strict=True):
        if len(neighbours(space, code)):
            assert not _same(space, code, other)
            moved = np.flatnonzero(code != other)
            assert rate != 0.0 or len(moved) == 1
    again = np.random.default_rng(seed)
    assert (mutate(space, space.sample(5, again), again, rate=rate) == made).all()


def test_a_mutation_leaves_a_code_alone_only_where_the_space_has_one_network():
    one = parse_space({"stage": [{"width": 8, "block": "ds", "expand": [1, 2]}]}, name="one")
    codes = np.array([[0], [1]])
    assert (mutate(one, codes, np.random.default_rng(0))[:, 0] <= 1).all()
    # Neither axis alone leads anywhere from the identity in a block that is absent; both together do.
    pair = parse_space(
        {"stem": {"width": 8}, "stage": [{"width": 8, "repeats": [1, 2], "op": ["id", "ir_k3"], "per_block": True}]},
        name="pair",
    ).restrict("stage1.block1.op", ("id",))
    code = pair.code({"stage1.repeats": 1, "stage1.block1.op": "id", "stage1.block2.op": "id"})
    assert len(neighbours(pair, code)) == 0
    assert not used(pair, code[None]).any()
    other = mutate(pair, code[None], np.random.default_rng(0))[0]
    assert pair.values(other) == {"stage1.repeats": 2, "stage1.block1.op": "id", "stage1.block2.op": "ir_k3"}


def test_every_axis_that_matters_mutates_as_often():
    space = read_space("mobilenet_v2_small")
    code = space.sample(1, np.random.default_rng(4))
    codes = np.repeat(code, 6000, axis=0)
    moved = (mutate(space, codes, np.random.default_rng(5), rate=0.0) != codes).sum(axis=0)
    free = used(space, code)[0]
    assert moved[~free].sum() == 0
    expected = len(codes) / free.sum()
    assert ((moved[free] - expected) ** 2 / expected).sum() < 75  # chi-square of at most 29 degrees: 1 in 100,000


@FEW
@given(spaces(), SEEDS)
def test_children_have_their_parents_choices_and_both_turn_up(space, seed):
    rng = np.random.default_rng(seed)
    a, b = space.sample(64, rng), space.sample(64, rng)
    child = crossover(space, a, b, rng)
    assert ((child == a) | (child == b)).all()
    differ = a != b
    assume(differ.sum() > 60)
    assert 0.1 < (child == a)[differ].mean() < 0.9
    assert (crossover(space, a, a, rng) == a).all()


def test_parents_of_another_space_are_refused():
    space = read_space("nas_bench_macro")
    with pytest.raises(SpaceError, match=r"must both be \[n, 8\], got \[2, 8\] and \[3, 8\]"):
        crossover(space, np.zeros((2, 8), int), np.zeros((3, 8), int), np.random.default_rng(0))


@given(spaces(), SEEDS)
def test_numbers_and_codes_are_one_and_the_same_order(space, seed):
    place = seed % space.size
    assert code_number(space, code_at(space, place)) == place
    run = next(space.enumerate(5, start=place))
    assert [code_number(space, code) for code in run] == list(range(place, min(place + 5, space.size)))


def test_spaces_beyond_int64_are_enumerated_from_any_number():
    stage = {"width": 8, "kernel": [3, 5, 7], "expand": [1, 2, 3, 4, 5, 6, 7], "repeats": 30, "per_block": True}
    space = parse_space({"resolution": list(range(32, 65)), "stage": [stage]}, name="vast")
    assert space.size == 33 * 21**30 > 2**63
    for place in (0, 2**64 + 12345, space.size - 3):
        codes = next(space.enumerate(10, start=place))
        assert [code_number(space, code) for code in codes] == list(range(place, min(place + 10, space.size)))
        assert (codes < space.radix).all()
    assert sum(map(len, space.enumerate(4, start=space.size - 10))) == 10
    assert list(space.enumerate(4, start=space.size)) == []
    with pytest.raises(SpaceError, match="not -1"):
        code_at(space, -1)


@pytest.mark.parametrize("name", SHIPPED)
def test_moves_stay_in_shipped_spaces(name):
    space, rng = read_space(name), np.random.default_rng(6)
    codes = space.sample(50, rng)
    made = mutate(space, codes, rng)
    assert ((made >= 0) & (made < space.radix)).all()
    assert not any(_same(space, a, b) for a, b in zip(codes[:8], made[:8], strict=True))
    assert settled(space, settled(space, codes)[0])[0].tolist() == settled(space, codes)[0].tolist()
