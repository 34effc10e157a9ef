"""Design spaces: codes and networks, one and many, in and out."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsearch.errors import SpaceError
from archsearch.spec.canon import key
from archsearch.spec.lower import lower
from archsearch.spec.presets import mobilenet_v2
from archsearch.spec.space_file import read_space
from tests.strategies import SHIPPED, spaces

TRUNK = 2 * 27**5 * 18  # MobileNetV2's with its kernels, ratios and repeats open
SIZES = {"linear_vs_relu": 10 * 6 * 2**5 * 2**6, "mobilenet_v2": 30 * TRUNK * 3**6,
         "mobilenet_v2_small": 20 * TRUNK * 2**6, "nas_bench_macro": 3**8, "mobilenet_v1": 20 * 6 * 18**2 * 42 * 18,
         "mnasnet": 20 * 288**5 * 96, "proxyless": 6**6 * 7**15, "ofa_mobilenet_v3": 50 * (3 * 9**4) ** 5,
         "mobilenext": 8 * 3 * 9**2 * 27**5, "mobilenet_v4": 12 * (24 * 3 * 36**5) ** 2,
         "ssdlite_mobilenet_v2": 25 * TRUNK, "deeplabv3_mobilenet_v2": 25 * TRUNK}  # fmt: skip


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_spaces_have_the_size_that_their_lists_multiply_to(name):
    space = read_space(name)
    assert space.size == SIZES[name] == math.prod(len(axis.values) for axis in space.axes)
    assert len({axis.name for axis in space.axes}) == len(space.axes)


@pytest.mark.parametrize("name", SHIPPED)
def test_encoding_a_decoded_code_gives_the_same_network(name):
    space = read_space(name)
    for code in space.sample(60, np.random.default_rng(1)):
        arch = space.decode(code)
        assert key(space.decode(space.encode(arch))) == key(arch)  # stages may split 4 + 4 or 5 + 3
        assert space.code(space.values(code)).tolist() == code.tolist()


@given(spaces(), st.integers(0, 2**31))
def test_encoding_works_in_any_space(space, seed):
    for code in space.sample(3, np.random.default_rng(seed)):
        arch = space.decode(code)
        assert space.decode(space.encode(arch)) == arch


@given(spaces(), st.integers(0, 2**31))
def test_lowering_many_is_lowering_one_by_one(space, seed):
    codes = space.sample(5, np.random.default_rng(seed))
    many = lower(space.population(codes))
    for row, code in enumerate(codes):
        one = _present(lower(space.decode(code)))
        taken = _present(_row(op, row) for op in many)
        assert [_shape(op) for op in taken] == [_shape(op) for op in one]


def _present(ops):
    """The ops that are there; where one reads an absent op, it reads that one's first input."""
    group, stands, present = None, {}, []
    for op in ops:
        if op.group != group:
            group, stands = op.group, {}
        inputs = tuple(stands.get(label, label) for label in op.inputs)
        stands[op.label] = op.label if op.times else inputs[0]
        present += [replace(op, group=0, inputs=inputs)] if op.times else []
    return present


def _row(op, row):
    """The op of one network of many."""
    fields = {name: getattr(op, name) for name in op.__dataclass_fields__}
    return replace(op, **{name: value[row] for name, value in fields.items() if isinstance(value, np.ndarray)})


def _shape(op):
    """All that costs anything; activations of many are never looked at."""
    numbers = ("c_in", "c_out", "size_in", "size_out", "kernel", "stride", "per_group", "held", "times")
    where = min(op.stage, 0)  # stem, stages, head: stages behind an absent one have other numbers in the network
    return [op.kind, op.label, op.bias, op.norm, op.inputs, where, *(int(getattr(op, name)) for name in numbers)]


@settings(max_examples=20)
@given(spaces())
def test_enumerating_gives_every_code_once(space):
    if space.size > 3000:
        return
    codes = np.concatenate(list(space.enumerate(chunk=7)))
    assert codes.shape == (space.size, len(space.axes))
    assert len({tuple(code) for code in codes.tolist()}) == space.size
    assert (codes >= 0).all()
    assert (codes < space.radix).all()


def test_sampling_is_uniform_over_each_axis_and_repeatable():
    space = read_space("mobilenet_v2_small")
    codes = space.sample(20_000, np.random.default_rng(3))
    assert (codes == space.sample(20_000, np.random.default_rng(3))).all()
    for axis, choices in enumerate(space.radix):
        seen = np.bincount(codes[:, axis], minlength=choices)
        expected = len(codes) / choices
        assert ((seen - expected) ** 2 / expected).sum() < 30  # chi-square of at most 4 degrees: 1 in 200,000


@given(spaces(), st.data())
def test_narrowing_an_axis_keeps_the_networks_that_have_its_values(space, data):
    if not space.axes:
        return
    axis = data.draw(st.sampled_from(space.axes))
    keep = tuple(data.draw(st.lists(st.sampled_from(axis.values), min_size=1, unique=True)))
    small = space.restrict(axis.name, keep)
    assert small.size == space.size // len(axis.values) * len(keep)
    assert [each.name for each in small.axes] == [each.name for each in space.axes]
    for code in small.sample(3, np.random.default_rng(0)):
        assert small.values(code)[axis.name] in keep
        assert small.decode(code) == space.decode(space.code(small.values(code)))


def test_narrowing_keeps_the_order_of_the_axis():
    space = read_space("mobilenet_v2_small").restrict("resolution", (48, 24))
    assert next(axis.values for axis in space.axes if axis.name == "resolution") == (24, 48)


def test_narrowing_says_what_cannot_be_narrowed():
    space = read_space("mobilenet_v2_small")
    with pytest.raises(SpaceError, match="did you mean 'resolution'"):
        space.restrict("resolutoin", (24,))
    with pytest.raises(SpaceError, match="no value left of"):
        space.restrict("resolution", (25,))


def test_other_classes_leave_all_else():
    space = read_space("mobilenet_v2_small").with_classes(7)
    code = np.zeros(len(space.axes), dtype=np.int64)
    assert space.decode(code).head.classes == 7
    assert space.decode(code).stages == read_space("mobilenet_v2_small").decode(code).stages


def test_the_published_network_lies_in_its_space():
    space = read_space("mobilenet_v2")
    assert space.decode(space.encode(mobilenet_v2())) == mobilenet_v2()
    assert space.values(space.encode(mobilenet_v2(1.4, 224)))["width"] == 1.4


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"resolution": 200}, "resolution is 200, the space has 96, 128"),
        ({"stages": mobilenet_v2().stages[:6]}, "it lacks stage7 of the space"),
        ({"stages": (*mobilenet_v2().stages, *mobilenet_v2().stages)}, "stage 8 is behind the last one of the space"),
        ({"stem": replace(mobilenet_v2().stem, act="silu")}, "stem act is 'silu'"),
        ({"head": replace(mobilenet_v2().head, classes=10)}, "classes is 10, the space has 1000"),
        ({"head": replace(mobilenet_v2().head, width=1000)}, "head width is 1000, the space has 1280"),
        ({"stages": (replace(mobilenet_v2().stages[0], kernel=7), *mobilenet_v2().stages[1:])}, "stage 1 kernel is 7"),
        (
            {"stages": (*mobilenet_v2().stages[:6], replace(mobilenet_v2().stages[6], width=328))},
            "stage 7 width is 328",
        ),
    ],
)
def test_what_is_not_in_the_space_is_told_with_the_reason(change, told):
    with pytest.raises(SpaceError) as caught:
        read_space("mobilenet_v2").encode(replace(mobilenet_v2(), **change))
    assert told in str(caught.value)


def test_choices_made_together_must_go_together():
    space = read_space("nas_bench_macro")
    arch = space.decode(np.ones(8, dtype=np.int64))
    mixed = replace(arch.stages[1], kernel=5)  # k3 e3 and k5 e6 are there, k5 e3 is not
    with pytest.raises(SpaceError, match="stage 2 .* does not go with its other fields"):
        space.encode(replace(arch, stages=(arch.stages[0], mixed, *arch.stages[2:])))


def test_named_values_must_be_choices():
    space = read_space("mobilenet_v2_small")
    values = space.values(np.zeros(len(space.axes), dtype=np.int64))
    with pytest.raises(SpaceError, match="resolution = 25 is none of"):
        space.code(values | {"resolution": 25})
    with pytest.raises(SpaceError, match="axis 'resolution' has no value"):
        space.code({name: value for name, value in values.items() if name != "resolution"})
