"""Narrower spaces: the networks that have the kept values, and no others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsearch.errors import SpaceError
from archsearch.spec.narrow import carried, fixes, restricted
from archsearch.spec.space_file import parse_space, read_space
from tests.strategies import spaces


@given(spaces(), st.data())
def test_several_axes_narrowed_at_once_keep_the_codes_that_have_the_values(space, data):
    keep = {axis.name: data.draw(st.lists(st.sampled_from(axis.values), min_size=1, unique=True))
            for axis in space.axes if data.draw(st.booleans())}  # fmt: skip
    small = restricted(space, keep)
    assert [axis.name for axis in small.axes] == [axis.name for axis in space.axes]
    for axis, before in zip(small.axes, space.axes, strict=True):
        assert axis.values == tuple(value for value in before.values if value in keep.get(axis.name, before.values))
    codes = small.sample(4, np.random.default_rng(0))
    back = carried(codes, small, space)
    for code, whole in zip(codes, back, strict=True):
        assert space.decode(whole) == small.decode(code)
        assert small.values(code) == space.values(whole)
    assert carried(back, space, small).tolist() == codes.tolist()


@given(spaces())
def test_a_fixed_axis_stays_as_an_axis_of_one_value(space):
    for axis in space.axes:
        one = restricted(space, {axis.name: axis.values[-1]})
        assert one.size * len(axis.values) == space.size
        assert all(one.values(code)[axis.name] == axis.values[-1] for code in one.sample(2, np.random.default_rng(0)))
        assert restricted(one, {axis.name: axis.values[-1]}).size == one.size


def test_values_are_read_as_numbers_or_as_text():
    space = read_space("mobilenet_v2")
    for keep in ({"width": 1.0}, {"width": 1}, {"width": "1"}, {"width": ["1.0"]}, {"width": ("1.00",)}):
        assert next(axis.values for axis in restricted(space, keep).axes if axis.name == "width") == (1.0,)
    macro = restricted(read_space("nas_bench_macro"), fixes(["stage2.op=id, ir_k5_e6"]))
    assert macro.size == 2 * 3**7


def test_the_command_lines_form_is_read():
    assert fixes(["stage3.kernel=3,5", " width = 1.0 "]) == {"stage3.kernel": ["3", "5"], "width": ["1.0"]}
    space = restricted(read_space("mobilenet_v2"), fixes(["stage3.kernel=3,5", "width=1.0"]))
    assert space.size == read_space("mobilenet_v2").size // 6 // 3 * 2


def test_a_pattern_narrows_every_axis_that_it_meets():
    space = restricted(read_space("mobilenet_v2"), fixes(["*.kernel=3", "stage?.block=ir", "stage7.repeats=1"]))
    assert space.size == 6 * 5 * (3 * 3) ** 5 * 3
    kernels = {axis.values for axis in space.axes if axis.name.endswith("kernel")}
    assert kernels == {(3,)}


def test_a_depth_that_blocks_share_can_be_fixed():
    stage = {"width": 8, "repeats": [1, 2, 3], "kernel": [3, 5], "per_block": True}
    space = restricted(parse_space({"stage": [stage]}, name="deep"), {"stage1.repeats": "2"})
    for code in space.sample(5, np.random.default_rng(0)):
        arch = space.decode(code)
        assert len(arch.stages) == 2
        assert space.decode(space.encode(arch)) == arch


@pytest.mark.parametrize(("texts", "told"), [
    (["stage3.kernel"], "write AXIS=VALUE"),
    (["=3"], "write AXIS=VALUE"),
    (["width="], "write AXIS=VALUE"),
    (["width=1.0,"], "write AXIS=VALUE"),
    (["width=1.0", "width=0.5"], "'width' is given twice"),
    (["stage3.kernle=3"], "did you mean 'stage3.kernel'"),
    (["stage3.kernel=4"], "stage3.kernel = 4 is no choice; it has 3, 5, 7"),
    (["width=wide"], "width = wide is no choice"),
    (["*.width=1.0"], "has no axis"),
    (["*.kernel=3", "stage3.kernel=5"], "both narrow stage3.kernel"),
])  # fmt: skip
def test_what_cannot_be_narrowed_is_told(texts, told):
    with pytest.raises(SpaceError) as caught:
        restricted(read_space("mobilenet_v2"), fixes(texts))
    assert told in str(caught.value)


def test_codes_are_carried_by_value_or_not_at_all():
    whole = read_space("mobilenet_v2")
    small = restricted(whole, {"width": [1.0, 1.4], "resolution": 224})
    codes = np.zeros((1, len(whole.axes)), dtype=np.int64)
    assert whole.values(carried(codes, small, whole)[0])["width"] == 1.0
    with pytest.raises(SpaceError, match=r"width = 0.35 is none of \(1.0, 1.4\)"):
        carried(codes, whole, small)
    with pytest.raises(SpaceError, match="have different axes"):
        carried(codes, whole, read_space("nas_bench_macro"))
