"""Where each layer of a network stands, which channels it reads and makes, and the names of its tensors."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from archsearch.nn.layers import placed
from archsearch.spec.arch import Arch
from archsearch.spec.lower import INPUT, lower, unroll
from archsearch.spec.ops import Op

Channels = str  # a name for a set of channels that several layers share: all sides of a shortcut have one


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A layer's place in any network of a family: two networks' layers of one place do the same work."""

    level: int  # the stage from 0; -1 stem, -2 head
    block: int  # in its stage, from 0
    kind: str  # block type, or head type
    label: str  # expand, depthwise, project, ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A layer with tensors."""

    name: str  # the module's path
    tensors: dict[str, str]  # "Conv2d.weight", "BatchNorm2d.bias", ... -> its key in a state dict
    reads: Channels
    makes: Channels
    alone: bool  # depthwise: each channel by itself
    shortcut: bool  # whether a shortcut goes around its whole block


def layers(arch: Arch, *, merged: bool = False) -> dict[Place, Layer]:
    """The layers of a network that have tensors, by their places.

    merged   stages that only go on at the width of the one before count as a part of it
    """
    ops = unroll(lower(arch))
    level, blocks, tied = _levels(arch, merged), _blocks(ops), _tied(ops)
    joined = {_block(op) for op in ops if op.label == "add" and op.stage >= 0}
    first: dict[int, int] = {}  # level -> number of its first block
    for number, stage in blocks.values():
        first.setdefault(level[stage], number)
    found: dict[Place, Layer] = {}
    makes: dict[str, Channels] = {INPUT: INPUT}
    for op in ops:
        reads = makes[op.inputs[0]]
        tie = tied.get(op.name)
        makes[op.name] = makes[tie] if tie in makes else op.name if _is_new(op) else reads
        tensors = _tensors(op)
        if tensors:
            place = Place(level=op.stage, block=0, kind=arch.head.kind, label=op.label)
            if op.stage >= 0:
                at, kind = level[op.stage], arch.stages[op.stage].block
                place = Place(level=at, block=blocks[_block(op)][0] - first[at], kind=kind, label=op.label)
            found[place] = Layer(name=op.name, tensors=tensors, reads=reads, makes=makes[op.name], alone=_is_alone(op),
                                 shortcut=op.stage >= 0 and _block(op) in joined)  # fmt: skip
    return found


def _is_alone(op: Op) -> bool:
    """Whether each channel is worked on by itself: depthwise."""
    return bool(op.kind == "conv" and op.per_group == 1 and op.c_in == op.c_out)


def _is_new(op: Op) -> bool:
    """Whether an op makes channels that are none of those it reads."""
    return op.kind in ("conv", "linear", "cat", "detections") and not _is_alone(op)


def _tied(ops: list[Op]) -> dict[str, str]:
    """Op -> an earlier op with the same channels: what a shortcut or a gate meets."""
    tied: dict[str, str] = {}
    for op in reversed(ops):
        if op.kind == "add":
            tied[op.inputs[0]] = op.inputs[1]
        elif op.name in tied and not _is_new(op):
            tied[op.inputs[0]] = tied[op.name]
        if op.kind == "mul":
            tied[op.inputs[1]] = op.inputs[0]
    return tied


def _levels(arch: Arch, merged: bool) -> list[int]:
    """The level of each stage."""
    found: list[int] = []
    for stage, before in zip(arch.stages, [None, *arch.stages], strict=False):
        goes_on = merged and before is not None and stage.stride == 1 and stage.width == before.width
        found.append(found[-1] + (not goes_on) if found else 0)
    return found


def _blocks(ops: list[Op]) -> dict[str, tuple[int, int]]:
    """Prefix of a block's modules -> its number among all blocks, its stage."""
    inside = dict.fromkeys((_block(op), op.stage) for op in ops if op.stage >= 0)
    return {prefix: (number, stage) for number, (prefix, stage) in enumerate(inside)}


def _block(op: Op) -> str:
    """What the names of all modules of a block begin with."""
    return ".".join(op.name.split(".")[:2])


def _tensors(op: Op) -> dict[str, str]:
    return {f"{kind}.{tensor}": f"{path}.{tensor}" for path, kind, tensor in _named(op)}


def _named(op: Op) -> Iterator[tuple[str, str, str]]:
    with torch.device("meta"):
        for path, module in placed(op).items():
            for tensor in module.state_dict():
                yield path, type(module).__name__, tensor
