"""Factors: read, checked against a space, set in networks."""

import tomllib

import numpy as np
import pytest

from archsearch.ablate.design import DESIGNS
from archsearch.ablate.factor import check_factors, read_factor, treated, value_of
from archsearch.errors import RunError, SpaceError, SpecError
from archsearch.spec.space_file import parse_space, read_space

SPACE = parse_space(tomllib.loads("""
width = [0.5, 1.0]
resolution = 24
[[stage]]
width = 16
expand = 1
[[stage]]
width = 24
stride = 2
expand = [2, 4]
repeats = [1, 2]
"""), name="small")  # fmt: skip
FIRST = np.zeros(len(SPACE.axes), dtype=np.int64)


def test_a_factor_is_read_with_its_base_first_and_numbers_as_numbers():
    made = read_factor(" expand = 6, 3.5,2.0")
    assert made.name == "expand"
    assert [level.name for level in made.levels] == ["6", "3.5", "2.0"]
    assert [level.sets for level in made.levels] == [{"expand": 6}, {"expand": 3.5}, {"expand": 2}]
    assert isinstance(value_of("2.0"), int)


@pytest.mark.parametrize(("text", "told"), [
    ("bottleneck", "cannot be read"), ("=a,b", "cannot be read"), ("bottleneck=a,", "cannot be read"),
    ("bottleneck=linear", "2 to 12 levels, it has 1"), ("expand=6,6.0", "has a level twice"),
])  # fmt: skip
def test_what_is_no_factor_is_told(text, told):
    with pytest.raises(RunError, match=told):
        read_factor(text)


def test_a_field_is_set_where_the_space_lets_it_vary_else_everywhere():
    assert [stage.expand for stage in treated(SPACE, FIRST, {"expand": 3}).stages] == [1, 3]
    assert [stage.bottleneck for stage in treated(SPACE, FIRST, {"bottleneck": "relu6"}).stages] == ["relu6", "relu6"]


def test_an_axis_and_a_field_of_the_head_are_set():
    arch = treated(SPACE, FIRST, {"width": 1.0, "stage2.repeats": 2, "head.width": 64, "stem.act": "relu"})
    assert [(stage.width, stage.repeats) for stage in arch.stages] == [(16, 1), (24, 2)]
    assert (arch.head.width, arch.stem.act) == (64, "relu")


def test_nothing_else_changes():
    space = read_space("linear_vs_relu")
    for code in space.sample(20, np.random.default_rng(0)):
        plain, changed = (treated(space, code, {"bottleneck": value}) for value in ("linear", "relu6"))
        told, other = plain.to_dict(), changed.to_dict()
        for stage in (*told["stages"], *other["stages"]):
            stage.pop("bottleneck")
        assert told == other


@pytest.mark.parametrize(("factor", "error", "told"), [
    ("bottlenek=linear,relu6", SpaceError, "no axis or field 'bottlenek'; did you mean 'bottleneck'"),
    ("resolution=24,32", SpaceError, "has one resolution only"),
    ("head.size=1,2", SpaceError, "no axis or field 'head.size'"),
])  # fmt: skip
def test_a_field_that_is_not_there_is_told(factor, error, told):
    with pytest.raises(error, match=told):
        check_factors(SPACE, [read_factor(factor)])


def test_two_factors_may_not_set_one_field():
    with pytest.raises(RunError, match="expand is set by one factor twice"):
        check_factors(SPACE, [read_factor("expand=2,4"), read_factor("expand=2,3")])


@pytest.mark.parametrize(("sets", "error", "told"), [
    ({"width": 0.7}, SpaceError, "width = 0.7 is none of 0.5, 1.0"),
    ({"kernel": 4}, SpecError, "kernel must be odd"),
    ({"bottleneck": "tanh"}, SpecError, "bottleneck 'tanh' is unknown"),
])  # fmt: skip
def test_a_level_that_cannot_be_is_told(sets, error, told):
    with pytest.raises(error, match=told):
        treated(SPACE, FIRST, sets)


def test_a_factor_says_in_one_line_what_its_levels_set():
    assert read_factor("expand=6,3.0").text == "expand=6,3.0"
    assert DESIGNS["linear-vs-relu"].factors[0].text == "bottleneck=linear,relu6"
    assert DESIGNS["v1-vs-v2"].factors[0].text == ("block=inverted residual (block=ir),depthwise separable (block=ds)")
