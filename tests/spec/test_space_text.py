"""Spaces written as TOML: read back, they are the same; narrowed, they are a part of what they were."""

import tomllib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsearch.errors import SpaceError
from archsearch.spec.arch import Arch
from archsearch.spec.narrow import restricted
from archsearch.spec.space_file import parse_space, read_space
from archsearch.spec.space_text import changed, to_toml
from tests.strategies import SHIPPED, space_tables


def again(space):
    """The space written and read."""
    return parse_space(tomllib.loads(to_toml(space)), name=space.name)


def networks(space, n=20):
    """Named choices -> network, of n random codes."""
    codes = space.sample(n, np.random.default_rng(0))
    return [(space.values(code), space.decode(code)) for code in codes]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_space_is_read_back_as_it_was(name):
    space = read_space(name)
    read = again(space)
    assert (read.axes, read.about, read.stem, read.head) == (space.axes, space.about, space.stem, space.head)
    assert read.stages == space.stages
    assert networks(read) == networks(space)


@given(space_tables())
def test_any_space_is_read_back_as_it_was(table):
    space = parse_space(table, name="generated")
    read = again(space)
    assert (read.axes, read.width, read.resolution, read.stages) == (
        space.axes, space.width, space.resolution, space.stages,
    )  # fmt: skip
    assert networks(read) == networks(space)


@given(table=space_tables(), data=st.data())
def test_a_narrowed_space_is_read_back_with_the_choices_that_are_left(table, data):
    space = parse_space(table, name="generated")
    keep = {
        axis.name: tuple(data.draw(st.lists(st.sampled_from(axis.values), min_size=1, unique=True)))
        for axis in space.axes
    }
    narrow = restricted(space, keep)
    read = again(narrow)
    assert read.size == narrow.size
    assert {axis.name: axis.values for axis in read.axes} == {
        axis.name: axis.values for axis in narrow.axes if len(axis.values) > 1
    }
    for values, arch in networks(narrow):
        assert arch == read.decode(read.code(values))
        assert isinstance(arch, Arch)
        space.encode(arch)
    assert {a.name for a, _ in changed(space, narrow)} == {
        axis.name for axis in space.axes if len(keep[axis.name]) < len(axis.values)
    }


def test_the_number_of_classes_goes_along_and_the_original_is_untouched():
    space = read_space("mobilenet_v2_small")
    narrow = restricted(space.with_classes(7), {"stage2.kernel": (5,), "width": (0.5, 1.0)})
    text = to_toml(narrow, comment="one\ntwo")
    assert text.startswith("# one\n# two\n")
    assert again(narrow).head.classes == 7
    assert again(space).size == space.size == read_space("mobilenet_v2_small").size


PER_BLOCK = """
resolution = 16
[every_stage]
act = ["relu", "relu6"]
[[stage]]
width = 8
repeats = [2, 3]
kernel = [3, 5]
op = ["ir_e3", "ds", "ir_e6"]
per_block = true
block2 = {kernel = [7]}
[[stage]]
width = [16, 24]
repeats = 2
stride = 2
expand = [3, 6]
per_block = ["expand"]
kernel = [3, 5]
"""


def test_blocks_keep_choices_of_their_own():
    space = parse_space(tomllib.loads(PER_BLOCK), name="blocks")
    assert [axis.name for axis in space.axes][:5] == [
        "act", "stage1.repeats", "stage1.block1.kernel", "stage1.block1.op", "stage1.block2.op",
    ]  # fmt: skip
    assert all(arch.stages[1].kernel == 7 for _, arch in networks(space) if len(arch.stages) > 1)
    assert again(space).axes == space.axes
    assert networks(again(space)) == networks(space)


@given(data=st.data())
def test_narrowed_blocks_are_read_back(data):
    space = parse_space(tomllib.loads(PER_BLOCK), name="blocks")
    keep = {
        axis.name: tuple(data.draw(st.lists(st.sampled_from(axis.values), min_size=1, unique=True)))
        for axis in space.axes
    }
    narrow = restricted(space, keep)
    read = again(narrow)
    left = {axis.name: axis.values for axis in read.axes}
    for axis in narrow.axes:
        absent = axis.name.startswith("stage1.block3") and keep["stage1.repeats"] == (2,)
        assert left.get(axis.name, ()) == (axis.values if len(axis.values) > 1 and not absent else ())
    for values, arch in networks(narrow):
        assert arch == read.decode(read.code(values))
        space.encode(arch)


@pytest.mark.parametrize(("line", "told"), [
    ("block1 = {kernel = [3]}", "needs per_block"),
    ("per_block = true\nblock4 = {kernel = [3]}", "block4 is no block: the stage has at most 2"),
    ("per_block = true\nblock1 = {kernle = [3]}", "did you mean 'kernel'"),
    ("per_block = true\nblock1 = 3", "must be a table"),
])  # fmt: skip
def test_blocks_that_cannot_be_are_told(line, told):
    text = f"resolution = 8\n[[stage]]\nwidth = 8\nrepeats = 2\nkernel = [3, 5]\n{line}\n"
    with pytest.raises(SpaceError, match=told):
        parse_space(tomllib.loads(text), name="wrong")


def test_strings_and_keys_of_every_kind_survive():
    text = 'about = "a \\"quoted\\" \\u007f line"\nwidth = 0.5\nresolution = 8\n[[stage]]\nwidth = 8\n'
    space = parse_space(tomllib.loads(text), name="odd")
    assert again(space).about == space.about == 'a "quoted" \x7f line'


def test_a_space_without_a_file_and_an_axis_without_a_place_are_told():
    space = read_space("mobilenet_v2_small")
    with pytest.raises(SpaceError, match="read from no file"):
        to_toml(replace(space, source=None))
    with pytest.raises(SpaceError, match="'stage1.kernel' has no place"):
        to_toml(replace(space, source={"stage": [{"width": 8}], "width": [1.0, 2.0], "resolution": [8, 9]}))
