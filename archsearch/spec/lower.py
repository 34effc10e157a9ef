"""Lowering: a network, or n networks at once, becomes one flat list of ops.

`lower` serves both; `unroll` writes one network out op by op, wired and named, for models, drawings and keys.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from archsearch.errors import SpecError
from archsearch.spec.blocks import shrunk
from archsearch.spec.heads import Ends
from archsearch.spec.liveness import held
from archsearch.spec.ops import Int, Op
from archsearch.spec.trunk import Door, Net, Tapped, block_ops, blocks, doors, find_tap, head_type, kinds, tap_standing

STEM, HEAD = -1, -2  # `Op.stage` of what lies outside the stages
INPUT = "input"  # name of the image in an unrolled network
IN_SEQUENCE = ("conv", "act")  # kinds of ops that have a place in their block's sequence of modules


def lower(net: Net) -> list[Op]:
    """The ops of one network (ints) or of n at once (int64[n]); equal blocks are one entry with `times`.

    A stage gives at most two entries a block type: its first block, and the others (`repeats` - 1 times).
    raises   PluginError for an unknown block or head type, SpecError for a head that the network cannot carry
    """
    entrances = doors(net)
    tapped = find_tap(net, entrances)
    return [op for part in parts(net) for op in _part(net, part, entrances, tapped)]


def parts(net: Net) -> list[int]:
    """What a network consists of, in order: the stem, the stages by number, the head."""
    return [STEM, *range(len(net.stages)), HEAD]


def lower_part(net: Net, part: int) -> list[Op]:
    """The ops of one part of a network (or of n networks at once): `STEM`, a stage's number or `HEAD`."""
    entrances = doors(net)
    return _part(net, part, entrances, find_tap(net, entrances))


def _part(net: Net, part: int, entrances: Sequence[Door], tapped: Tapped | None) -> list[Op]:
    if part == STEM:
        return [stem_op(net.stem, net.resolution)]
    if part == HEAD:
        return head_ops(net, entrances[-1], tapped)
    inside = tapped if tapped is not None and tapped.stage == part else None
    ops = lower_stage(net.stages[part], entrances[part], index=part, tapped=inside)
    if tapped is None or part <= tapped.stage:
        return ops
    return [replace(op, held=op.held + tapped.elements) for op in ops]  # the tapped map waits for the head


def check_classifies(net: Net) -> None:
    """Images with labels can train networks that answer with one number a class.

    raises   SpecError for another head
    """
    last = lower_part(net, HEAD)[-1]
    if last.kind != "linear" or last.c_out != net.head.classes:
        raise SpecError(f"images with labels train classifiers, and head {net.head.kind} makes something else")


def stem_op(stem: Any, resolution: Int) -> Op:
    """The first convolution: 3 channels at `resolution` pixels to the stem's width."""
    return Op(kind="conv", label="stem", c_in=3, c_out=stem.width, size_in=resolution,
              size_out=shrunk(resolution, stem.stride), kernel=stem.kernel, stride=stem.stride,
              per_group=3, norm=True, act=stem.act, stage=STEM, group=STEM)  # fmt: skip


def lower_stage(stage: Any, door: Door, *, index: int, tapped: Tapped | None = None) -> list[Op]:
    """The ops of one stage.

    stage.block is a name, or for n networks a mapping name -> 0/1 mask int64[n]; stage.repeats may be 0 there (absent).
    tapped   the map of this stage's first block that the head reads
    """
    ops: list[Op] = []
    for nth, (name, mask) in enumerate(kinds(stage).items()):
        for rest, block in enumerate(blocks(stage, door, mask)):
            if isinstance(block.times, int) and block.times == 0:
                continue
            made = block_ops(name, block)
            kept = tap_standing(made, door, wide=tapped.wide) if tapped is not None and not rest else None
            more = tapped.elements if tapped is not None and rest else 0
            waiting = held(made, block.c_in * block.size * block.size, kept=kept)
            group = _group(index, nth, rest)
            ops += [replace(op, stage=index, group=group, held=n + more) for op, n in zip(made, waiting, strict=True)]
    return ops


def _group(index: int, nth: int, rest: int) -> int:
    """Number of the ops of one block: of a stage, its nth block type, its first block (0) or the others (1)."""
    return (index * 64 + nth) * 2 + rest


def head_ops(net: Net, door: Door, tapped: Tapped | None) -> list[Op]:
    """The ops of the head, which finds the trunk's last map at its door."""
    ends = Ends(head=net.head, c_in=door.c_in, size=door.size, resolution=net.resolution)
    source = ""
    if tapped is not None:
        ends = replace(ends, tap_c=tapped.c, tap_size=tapped.size)
        source = f"@{_group(tapped.stage, 0, 0)}:{tapped.label}"
    made = list(head_type(net).make(ends))
    others = {"tap": tapped.elements} if tapped is not None else {}
    waiting = held(made, door.c_in * door.size * door.size, others=others)
    return [
        replace(op, stage=HEAD, group=HEAD, held=n, inputs=tuple(source if i == "tap" else i for i in op.inputs))
        for op, n in zip(made, waiting, strict=True)
    ]


def unroll(ops: Iterable[Op], *, outside: Iterable[str] = ()) -> list[Op]:
    """One network written out: every op once, absent ones gone, inputs wired, names as torchvision's MobileNetV2.

    ops      of one network (ints only), as `lower` gives them
    outside  "@group:label" tensors that none of these ops make, where they are a part of a network; they keep that name
    returns  ops with `times` 1, `name` the module's path ("features.3.conv.1"), `inputs` names of earlier ops
    """
    flat: list[Op] = []
    feature = 0
    source = INPUT
    far: dict[str, str] = {name: name for name in outside}  # "@group:label" -> name of the op that makes that tensor
    for group, members in groupby(ops, key=lambda op: op.group):
        block = list(members)
        for _ in range(max(int(op.times) for op in block)):
            producer = {**far, "": source}
            placed = _place(block, f"features.{feature}", producer, is_block=group >= 0)
            far |= {f"@{group}:{label}": name for label, name in producer.items() if label[:1] != "@"}
            if placed:
                flat += placed
                source = placed[-1].name
                feature += 1
    return flat


def _place(block: list[Op], prefix: str, producer: dict[str, str], *, is_block: bool) -> list[Op]:
    """One copy of a block: present ops named below `prefix`, wired by `producer` (label -> name), which it fills in."""
    placed: list[Op] = []
    slot = 0
    for op in block:
        inputs = tuple(producer[label] for label in op.inputs)
        if not op.times:
            producer[op.label] = inputs[0]
            continue
        name = _name(op, prefix, slot, is_block=is_block)
        slot += _slots(op) if is_block and op.kind in IN_SEQUENCE else 0
        placed.append(replace(op, name=name, inputs=inputs, times=1))
        producer[op.label] = name
    return placed


def _name(op: Op, prefix: str, slot: int, *, is_block: bool) -> str:
    """The module's path: torchvision's where MobileNetV2 has such a module."""
    label = op.label.replace(" ", "_")
    if is_block:
        return f"{prefix}.conv.{slot}" if op.kind in IN_SEQUENCE else f"{prefix}.{label}"
    if op.stage == STEM or op.label == "last":
        return prefix
    if op.kind == "linear":
        return "classifier.1" if op.label == "classifier" else f"classifier.{label}"
    return f"{prefix}.{label}" if op.label == "pool" else f"head.{label}"


def _slots(op: Op) -> int:
    """Places that an op takes in its block's sequence: one when nested; convolution, norm and activation when flat."""
    return 1 + bool(op.norm) + (op.act != "linear") if op.flat else 1
