"""Lowering: wiring, shapes and names of the ops of any network."""

import pytest
from hypothesis import given

from archsearch.errors import PluginError
from archsearch.spec.arch import Arch, Head, Stage, Stem
from archsearch.spec.lower import HEAD, INPUT, STEM, lower, lower_part, parts, unroll
from archsearch.spec.ops import KINDS, Op
from archsearch.spec.presets import mobilenet_v2
from tests.strategies import archs, dense_archs


@given(archs() | dense_archs())
def test_every_input_is_an_earlier_op_of_the_right_shape(arch):
    shapes: dict[str, tuple[int, int]] = {INPUT: (3, arch.resolution)}
    for op in unroll(lower(arch)):
        assert op.kind in KINDS
        assert op.name not in shapes
        first, *others = (shapes[name] for name in op.inputs)
        assert first == (op.c_in, op.size_in), op
        if op.kind == "mul":
            assert others == [(op.c_in, 1)]
        elif op.kind == "cat":
            assert {size for _, size in others} == {op.size_in}
            assert op.c_out == op.c_in + sum(channels for channels, _ in others)
        elif op.kind == "detections":
            assert op.c_out == sum(channels * size * size for channels, size in (first, *others))
        else:
            assert all(other == first for other in others)
        shapes[op.name] = (op.c_out, op.size_out)
    if arch.head.kind == "classifier":
        assert shapes[op.name] == (arch.head.classes, 1)


@given(archs() | dense_archs())
def test_no_op_is_computed_for_nothing(arch):
    ops = unroll(lower(arch))
    used = {name for op in ops for name in op.inputs}
    assert used == {INPUT, *(op.name for op in ops[:-1])}


@given(archs() | dense_archs())
def test_a_convolution_of_odd_kernel_divides_the_size_by_its_stride_rounded_up(arch):
    for op in lower(arch):
        if op.kind == "conv":
            reach = op.dilation * (op.kernel - 1)
            assert not op.times or op.size_out == (op.size_in - reach % 2) // op.stride + (op.size_in % op.stride > 0)


@given(archs())
def test_stages_have_as_many_blocks_as_their_repeats_say(arch):
    ops = lower(arch)
    for number, stage in enumerate(arch.stages):
        if stage.block in ("id", "er", "sg"):  # need not have a projection
            continue
        projections = [op for op in ops if op.stage == number and op.label == "project"]
        assert sum(op.times for op in projections) == stage.repeats
        assert projections[0].stride == 1 or stage.block in ("cn", "uib")
        assert {op.c_out for op in projections} == {stage.width}


@given(archs())
def test_parts_joined_are_the_whole(arch):
    assert parts(arch) == [STEM, *range(len(arch.stages)), HEAD]
    assert [op for part in parts(arch) for op in lower_part(arch, part)] == lower(arch)


def _labels(stage: Stage) -> list[str]:
    """Present ops of the second block of a stage, which keeps its input's shape."""
    arch = Arch(resolution=8, stem=Stem(width=stage.width, stride=1), stages=(stage,), head=Head(width=0))
    return [op.label for op in unroll(lower(arch)) if op.stage == 0]


@pytest.mark.parametrize(
    ("stage", "labels"),
    [
        (Stage(width=8), ["expand", "depthwise", "project", "add"]),
        (Stage(width=8, expand=1), ["depthwise", "project", "add"]),
        (Stage(width=8, shortcut="none"), ["expand", "depthwise", "project"]),
        (Stage(width=8, shortcut="expansion"), ["expand", "depthwise", "expansion add", "project"]),
        (Stage(width=8, block="ds"), ["depthwise", "project"]),
        (Stage(width=8, block="ds", shortcut="bottleneck"), ["depthwise", "project", "add"]),
        (Stage(width=8, block="ds", shortcut="expansion"), ["depthwise", "expansion add", "project"]),
        (Stage(width=8, block="cr"), ["reduce", "conv", "project", "add", "act"]),
        (Stage(width=8, block="cr", act="linear"), ["reduce", "conv", "project", "add"]),
        (Stage(width=8, block="cr", shortcut="bottleneck"), ["reduce", "conv", "narrow add", "project", "act"]),
        (Stage(width=8, block="cr", shortcut="none"), ["reduce", "conv", "project", "act"]),
        (Stage(width=8, block="id"), []),
        (Stage(width=8, block="id", stride=2), ["project"]),
    ],
)
def test_each_block_type_and_shortcut_gives_its_ops(stage, labels):
    assert _labels(stage) == labels


@pytest.mark.parametrize("block", ["ir", "ds", "cr"])
@pytest.mark.parametrize("place", ["bottleneck", "expansion"])
def test_no_shortcut_joins_ends_of_different_shape(block, place):
    stage = Stage(width=16, stride=2, block=block, shortcut=place)
    assert not [op for op in unroll(lower(Arch(resolution=8, stages=(stage,)))) if op.kind == "add"]


@pytest.mark.parametrize(
    ("stage", "acts"),
    [
        (Stage(width=8, act="silu"), ["silu", "silu", "linear"]),
        (Stage(width=8, act="silu", bottleneck="relu6"), ["silu", "silu", "relu6"]),
        (Stage(width=8, act="silu", block="ds"), ["silu", "silu"]),
        (Stage(width=8, act="silu", block="ds", bottleneck="linear"), ["silu", "linear"]),
        (Stage(width=8, act="silu", block="cr"), ["silu", "silu", "linear"]),
        (Stage(width=8, act="silu", block="cr", bottleneck="linear"), ["linear", "linear", "linear"]),
    ],
)
def test_the_bottleneck_switch_changes_the_narrow_layers_alone(stage, acts):
    ops: list[Op] = unroll(lower(Arch(resolution=8, stages=(stage,))))
    assert [op.act for op in ops if op.stage == 0 and op.kind == "conv"] == acts


def test_names_are_those_of_torchvision():
    names = [op.name for op in unroll(lower(mobilenet_v2()))]
    assert names[:3] == ["features.0", "features.1.conv.0", "features.1.conv.1"]
    assert names[-3:] == ["features.18", "features.18.pool", "classifier.1"]
    assert "features.3.conv.2" in names


def test_an_unknown_block_type_is_an_error():
    stage = Stage(width=8)
    object.__setattr__(stage, "block", "irr")
    with pytest.raises(PluginError, match="did you mean 'ir'"):
        lower(Arch(stages=(stage,)))
