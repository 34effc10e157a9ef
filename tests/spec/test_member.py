"""Membership: a network is in a space exactly when a code computes the same, however it is spelled; else why not."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archsearch.errors import SpaceError, SpecError
from archsearch.spec.arch import Arch, Stage
from archsearch.spec.canon import canonical, key
from archsearch.spec.space_file import parse_space, read_space
from archsearch.spec.text import from_text
from tests.strategies import HEADS, SHIPPED, spaces

SEEDS = st.integers(0, 2**31)
RATIOLESS = ("ds", "id", "cn")  # block types that ignore the ratio
OWN = {"ir": ("linear", "bottleneck"), "er": ("linear", "bottleneck"), "sg": ("linear", "expansion"),
       "uib": ("linear", "bottleneck"), "ds": ("auto", "none"), "cn": ("auto", "none"), "cr": ("auto", "expansion"),
       "id": ("relu6", "none")}  # fmt: skip


def _spelled_out(stage: Stage) -> Stage:
    """The same stage with "auto" replaced by what it means, and another value where a field is ignored."""
    bottleneck, shortcut = OWN[stage.block]
    changes = {"bottleneck": bottleneck} if stage.bottleneck == "auto" else {}
    changes |= {"shortcut": shortcut} if stage.shortcut == "auto" else {}
    changes |= {"expand": 5} if stage.block in RATIOLESS else {}
    return replace(stage, **changes)


def _apart(stage: Stage, first: int) -> list[Stage]:
    """One stage as two, the first of `first` blocks."""
    if not 0 < first < stage.repeats:
        return [stage]
    return [replace(stage, repeats=first), replace(stage, repeats=stage.repeats - first, stride=1)]


def _together(stages: list[Stage]) -> list[Stage]:
    """Neighbouring stages that one stage could be, as that."""
    merged: list[Stage] = []
    for stage in stages:
        if merged and stage == replace(merged[-1], repeats=stage.repeats, stride=1):
            merged[-1] = replace(merged[-1], repeats=merged[-1].repeats + stage.repeats)
        else:
            merged.append(stage)
    return merged


def _is_idle(stage: Stage, c_in: int) -> bool:
    return stage.block == "id" and stage.stride == 1 and stage.width == c_in


def _respelled(arch: Arch, rng: np.random.Generator) -> Arch:
    """The same network told otherwise."""
    stages: list[Stage] = []
    c_in = arch.stem.width
    for stage in arch.stages:
        if rng.random() < 0.3:
            stages.append(Stage(width=c_in, block="id", repeats=int(rng.integers(1, 3)), kernel=7))
        if not _is_idle(stage, c_in) or rng.random() < 0.5:
            told = _spelled_out(stage) if rng.random() < 0.5 else stage
            stages += _apart(told, int(rng.integers(0, stage.repeats + 1)))
        c_in = stage.width
    return replace(arch, stages=tuple(_together(stages) if rng.random() < 0.3 else stages))


@settings(max_examples=80)
@given(spaces(), SEEDS)
def test_a_network_of_a_space_is_found_however_it_is_spelled(space, seed):
    rng = np.random.default_rng(seed)
    arch = space.decode(space.sample(1, rng)[0])
    other = _respelled(arch, rng)
    assert canonical(other) == canonical(arch)
    assert space.contains(other) is None
    assert key(space.decode(space.encode(other))) == key(arch)


@pytest.mark.parametrize("name", SHIPPED)
def test_networks_of_shipped_spaces_are_found_however_they_are_spelled(name):
    space, rng = read_space(name), np.random.default_rng(7)
    for code in space.sample(15, rng):
        arch = space.decode(code)
        assert space.decode(space.encode(arch)) == arch
        assert key(space.decode(space.encode(_respelled(arch, rng)))) == key(arch)


@settings(max_examples=60)
@given(spaces(), spaces(), SEEDS)
def test_a_network_is_in_a_space_exactly_when_one_of_its_codes_is_that_network(space, other, seed):
    assume(space.size <= 400)
    rng = np.random.default_rng(seed)
    half = space
    for axis in space.axes:
        half = half.restrict(axis.name, axis.values[: (len(axis.values) + 1) // 2])
    networks = {canonical(half.decode(code)) for code in next(half.enumerate())}
    archs = [space.decode(code) for code in space.sample(4, rng)] + [
        other.decode(code) for code in other.sample(2, rng)
    ]
    for arch in archs:
        assert (half.contains(arch) is None) == (canonical(arch) in networks)


@pytest.mark.parametrize("head", HEADS, ids=lambda head: f"{head['kind']}-{head['width']}")
def test_networks_with_heads_that_read_earlier_maps_are_found(head):
    table = {"resolution": 64, "classes": head["classes"], "stem": {"stride": 2, "width": 8},
             "head": {name: value for name, value in head.items() if name != "classes"},
             "stage": [{"width": 8, "stride": 2, "op": ["ir_e2", "ds"], "per_block": True, "repeats": [1, 2]},
                       {"width": 8, "stride": 2, "op": ["ir_e1", "er_e2", "id"]},
                       {"width": [8, 16], "stride": 2, "block": ["ir", "ds", "er"], "expand": [1, 2]},
                       {"width": 8, "stride": 2, "expand": [2, 3], "kernel": 1}]}  # fmt: skip
    space, rng = parse_space(table, name="dense"), np.random.default_rng(8)
    for code in space.sample(12, rng):
        arch = space.decode(code)
        assert key(space.decode(space.encode(_respelled(arch, rng)))) == key(arch)
    last = replace(arch.stages[-1], kernel=3)
    assert "kernel is 3, the space has 1" in space.contains(replace(arch, stages=(*arch.stages[:-1], last)))


def _differ(arch: Arch, other: Arch) -> bool:
    """Whether these are two networks; not where the second one has lost the map that its head reads."""
    try:
        return key(other) != key(arch)
    except SpecError:
        return False


OUTSIDE = {"width": 19, "stride": 4, "kernel": 11, "expand": 9, "act": "silu", "repeats": 30, "se": 0.125}


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("field", OUTSIDE)
def test_the_reason_names_the_stage_and_the_field_that_is_outside(name, field):
    space, rng = read_space(name), np.random.default_rng(9)
    for code in space.sample(12, rng):
        arch = space.decode(code)
        number = int(rng.integers(len(arch.stages)))
        stages = list(arch.stages)
        stages[number] = replace(stages[number], **{field: OUTSIDE[field]})
        other = replace(arch, stages=tuple(stages))
        if stages[number].block == "id" or not _differ(arch, other):  # what a block ignores is no difference
            continue
        told = space.contains(other)
        if told is None:  # another choice computes the same
            assert key(space.decode(space.encode(other))) == key(other)
        else:
            assert f"stage {number + 1} {field} is " in told


def test_too_few_blocks_are_told():
    space = read_space("mobilenet_v2")
    arch = space.decode(space.sample(1, np.random.default_rng(1))[0])
    stages = (*arch.stages[:3], replace(arch.stages[3], repeats=1), *arch.stages[4:])
    assert "stage 4 repeats is 1, the space has 3, 4, 5" in space.contains(replace(arch, stages=stages))


def test_blocks_that_a_narrower_depth_leaves_out_are_behind_the_last_one():
    stage = {"width": 8, "repeats": [1, 2, 3], "kernel": [3, 5], "per_block": True}
    space = parse_space({"stage": [stage]}, name="deep")
    deep = space.decode(space.code({axis.name: axis.values[-1] for axis in space.axes}))
    told = space.restrict("stage1.repeats", (1, 2)).contains(deep)
    assert "stage 3 is behind the last one of the space" in told


def test_what_the_spelling_hides_is_not_blamed():
    space = read_space("mobilenet_v2")
    arch = space.decode(np.zeros(len(space.axes), dtype=np.int64))
    stages = [replace(stage, bottleneck="linear", shortcut="bottleneck") for stage in arch.stages]
    assert space.contains(replace(arch, stages=tuple(stages))) is None
    stages[4] = replace(stages[4], kernel=9)
    assert "stage 5 kernel is 9, the space has 3, 5, 7" in space.contains(replace(arch, stages=tuple(stages)))


def test_neighbouring_stages_that_could_be_one_come_back_as_they_were():
    stage = {"width": 8, "repeats": [1, 2, 3], "kernel": [3, 5]}
    space = parse_space({"stem": {"width": 8}, "stage": [stage, stage, stage]}, name="alike")
    for code in next(space.enumerate())[::5]:
        assert space.encode(space.decode(code)).tolist() == code.tolist()


def test_two_blocks_that_compute_what_one_does_are_that_one():
    space = parse_space({"resolution": 8, "classes": 3, "stem": {"width": 8}, "head": {"width": 0},
                         "stage": [{"width": 24, "block": "er", "expand": [2, 3], "kernel": [3, 5]}]},
                        name="fused")  # fmt: skip
    two = from_text("r8 stem_c8 cn_k5_c16 cn_k1_c24_nid head_c0_n3")
    assert space.values(space.encode(two)) == {"stage1.expand": 2, "stage1.kernel": 5}
    told = space.contains(from_text("r8 stem_c8 cn_k7_c16 cn_k1_c24_nid head_c0_n3"))
    assert told is not None
    assert "stage 1" in told


def _proxyless():
    """A space as ProxylessNAS has it: 21 layers with choices of their own, some of which may be left out."""
    ops = [f"ir_k{kernel}_e{expand}" for kernel in (3, 5, 7) for expand in (3, 6)]
    rows = [{"width": 16, "expand": 1}]
    for width, stride in ((24, 2), (40, 2), (80, 2), (96, 1), (192, 2)):
        rows.append({"width": width, "stride": stride, "op": ops})
        rows.append({"width": width, "repeats": 3, "op": ["id", *ops], "per_block": True})
    return parse_space({"width": [0.75, 1.0], "stage": [*rows, {"width": 320, "op": ops}]}, name="proxyless")


def _per_block():
    """Depth and every block's kernel, ratio and start: 20 blocks, more than 10^30 codes."""
    rows = [{"width": width, "stride": 2, "repeats": [2, 3, 4], "block": "uib", "start": [0, 3, 5], "per_block": True,
             "kernel": [0, 3, 5], "expand": [2, 3, 4, 6]} for width in (24, 40, 80, 112, 160)]  # fmt: skip
    return parse_space({"width": [0.75, 1.0], "stage": rows}, name="blocks")


@pytest.mark.parametrize("space", [_proxyless(), _per_block()], ids=["proxyless", "blocks"])
def test_deep_spaces_find_their_networks_and_say_what_is_outside(space):
    rng = np.random.default_rng(10)
    for code in space.sample(4, rng):
        arch = space.decode(code)
        assert space.decode(space.encode(arch)) == arch
        other = _respelled(arch, rng)
        assert key(space.decode(space.encode(other))) == key(arch)
        for kernel, number in ((9, len(arch.stages)), (11, len(arch.stages) // 2)):
            strange = [stage for stage in arch.stages if stage.block != "id"]
            at = min(number, len(strange)) - 1
            strange[at] = replace(strange[at], kernel=kernel)
            told = space.contains(replace(arch, stages=tuple(_spelled_out(stage) for stage in strange)))
            assert f"stage {at + 1} kernel is {kernel}, the space has" in told


def test_a_stage_with_too_many_choices_is_known_by_its_own_spelling():
    stage = {"width": [8, 16, 24], "expand": [1 + index / 100 for index in range(100)],
             "kernel": list(range(1, 201, 2))}  # fmt: skip
    space = parse_space({"stage": [stage]}, name="wide")
    arch = space.decode(space.sample(1, np.random.default_rng(0))[0])
    assert space.decode(space.encode(arch)) == arch
    with pytest.raises(SpaceError, match="too many to compare"):
        space.encode(replace(arch, stages=(replace(arch.stages[0], bottleneck="linear"),)))


def test_a_network_must_have_the_stem_of_one_of_the_widths():
    space = read_space("mobilenet_v2")
    arch = space.decode(np.zeros(len(space.axes), dtype=np.int64))
    assert "stem width is 31, the space has 16, 24, 32, 40, 48" in space.contains(
        replace(arch, stem=replace(arch.stem, width=31))
    )
    assert "stem and head go with different widths" in space.contains(
        replace(arch, head=replace(arch.head, width=1792))
    )
