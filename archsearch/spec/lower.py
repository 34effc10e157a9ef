"""Lowering: a network, or n networks at once, becomes one flat list of ops.

`lower` serves both; `unroll` writes one network out op by op, wired and named, for models, drawings and keys.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from typing import Any, Protocol

from archsearch import plugins
from archsearch.spec.blocks import Block
from archsearch.spec.ops import Int, Op

STEM, HEAD = -1, -2  # `Op.stage` of what lies outside the stages
INPUT = "input"  # name of the image in an unrolled network

BlockType = Callable[[Block], Iterator[Op]]


class Net(Protocol):
    """What `lower` reads: an `Arch`, or a `Population` with arrays in its fields (see `space.py`)."""

    @property
    def resolution(self) -> Any: ...
    @property
    def stem(self) -> Any: ...
    @property
    def stages(self) -> Any: ...
    @property
    def head(self) -> Any: ...


def lower(net: Net) -> list[Op]:
    """The ops of one network (ints) or of n at once (int64[n]); equal blocks are one entry with `times`.

    A stage gives at most two entries a block type: its first block, and the others (`repeats` - 1 times).
    raises   PluginError for an unknown block type
    """
    return [op for part in parts(net) for op in lower_part(net, part)]


def parts(net: Net) -> list[int]:
    """What a network consists of, in order: the stem, the stages by number, the head."""
    return [STEM, *range(len(net.stages)), HEAD]


def lower_part(net: Net, part: int) -> list[Op]:
    """The ops of one part of a network (or of n networks at once): `STEM`, a stage's number or `HEAD`."""
    if part == STEM:
        return [stem_op(net.stem, net.resolution)]
    last = len(net.stages) if part == HEAD else part
    size = (net.resolution + net.stem.stride - 1) // net.stem.stride
    for stage in net.stages[:last]:
        size = (size + stage.stride - 1) // stage.stride
    channels = net.stages[last - 1].width if last else net.stem.width
    if part == HEAD:
        return list(head_ops(net.head, channels, size))
    return lower_stage(net.stages[part], channels, size, index=part)


def stem_op(stem: Any, resolution: Int) -> Op:
    """The first convolution: 3 channels at `resolution` pixels to the stem's width."""
    return Op(kind="conv", label="stem", c_in=3, c_out=stem.width, size_in=resolution,
              size_out=(resolution + stem.stride - 1) // stem.stride, kernel=stem.kernel, stride=stem.stride,
              per_group=3, norm=True, act=stem.act, stage=STEM, group=STEM)  # fmt: skip


def lower_stage(stage: Any, c_in: Int, size: Int, *, index: int) -> list[Op]:
    """The ops of one stage whose input has `c_in` channels at `size` pixels.

    stage.block is a name, or for n networks a mapping name -> 0/1 mask int64[n].
    """
    kinds = stage.block if isinstance(stage.block, Mapping) else {stage.block: 1}
    ops: list[Op] = []
    for nth, (name, mask) in enumerate(kinds.items()):
        make: BlockType = plugins.load("blocks", name)
        rest_size = (size + stage.stride - 1) // stage.stride
        shapes = (
            (c_in, size, stage.stride, mask),
            (stage.width, rest_size, 1, mask * (stage.repeats - 1)),
        )
        for part, (channels, side, stride, times) in enumerate(shapes):
            if isinstance(times, int) and times == 0:
                continue
            block = Block(c_in=channels, c_out=stage.width, size=side, stride=stride, kernel=stage.kernel,
                          expand=stage.expand, act=stage.act, bottleneck=stage.bottleneck,
                          shortcut=stage.shortcut, times=times)  # fmt: skip
            group = (index * 64 + nth) * 2 + part
            ops += [replace(op, stage=index, group=group) for op in make(block)]
    return ops


def head_ops(head: Any, c_in: Int, size: Int) -> Iterator[Op]:
    """An optional 1x1 convolution (`head.width` 0 = none), global average pooling, the linear classifier."""
    has = (head.width != 0) * 1
    width = head.width + c_in * (1 - has)
    yield Op(kind="conv", label="last", c_in=c_in, c_out=width, size_in=size, size_out=size, per_group=c_in,
             norm=True, act=head.act, times=has, stage=HEAD, group=HEAD)  # fmt: skip
    yield Op(kind="pool", label="pool", c_in=width, c_out=width, size_in=size, size_out=1, kernel=size, stride=size,
             inputs=("last",), stage=HEAD, group=HEAD)  # fmt: skip
    yield Op(kind="linear", label="classifier", c_in=width, c_out=head.classes, size_in=1, size_out=1,
             per_group=width, bias=True, inputs=("pool",), stage=HEAD, group=HEAD)  # fmt: skip


def unroll(ops: Iterable[Op]) -> list[Op]:
    """One network written out: every op once, absent ones gone, inputs wired, names as torchvision's MobileNetV2.

    ops      of one network (ints only), as `lower` gives them
    returns  ops with `times` 1, `name` the module's path ("features.3.conv.1"), `inputs` names of earlier ops
    """
    flat: list[Op] = []
    feature = 0
    source = INPUT
    for group, members in groupby(ops, key=lambda op: op.group):
        block = list(members)
        for _ in range(max(int(op.times) for op in block)):
            placed = _place(block, f"features.{feature}", source, is_block=group >= 0)
            if placed:
                flat += placed
                source = placed[-1].name
                feature += 1
    return flat


def _place(block: list[Op], prefix: str, source: str, *, is_block: bool) -> list[Op]:
    """One copy of a block: present ops named below `prefix` and wired to `source`."""
    producer = {"": source}
    placed: list[Op] = []
    slot = 0
    for op in block:
        inputs = tuple(producer[label] for label in op.inputs)
        if not op.times:
            producer[op.label] = inputs[0]
            continue
        name = f"{prefix}.conv.{slot}" if is_block else prefix
        if op.kind not in ("conv", "act"):
            name = "classifier.1" if op.kind == "linear" else f"{prefix}.{op.label.replace(' ', '_')}"
        elif is_block:
            slot += _slots(op)
        placed.append(replace(op, name=name, inputs=inputs, times=1))
        producer[op.label] = name
    return placed


def _slots(op: Op) -> int:
    """Places that an op takes in its block's sequence: one when nested; convolution, norm and activation when flat."""
    return 1 + bool(op.norm) + (op.act != "linear") if op.flat else 1
