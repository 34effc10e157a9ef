"""Spaces written as TOML: read back, they are the same; narrowed, they are a part of what they were."""

import tomllib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsearch.errors import SpaceError
from archsearch.spec.arch import Arch
from archsearch.spec.space_file import parse_space, read_space
from archsearch.spec.space_text import changed, restrict_all, to_toml
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
    narrow = restrict_all(space, keep)
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
    narrow = restrict_all(space.with_classes(7), {"stage2.kernel": (5,), "width": (0.5, 1.0)})
    text = to_toml(narrow, comment="one\ntwo")
    assert text.startswith("# one\n# two\n")
    assert again(narrow).head.classes == 7
    assert again(space).size == space.size == read_space("mobilenet_v2_small").size


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
