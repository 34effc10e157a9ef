"""The trunk of a network: what each stage finds at its door, and the earlier feature map that its head may read."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from archsearch import plugins
from archsearch.errors import SpecError
from archsearch.spec.blocks import Block, shrunk
from archsearch.spec.heads import HeadType
from archsearch.spec.liveness import Standing
from archsearch.spec.ops import Int, Op

BlockType = Callable[[Block], Iterator[Op]]


class Net(Protocol):
    """What the lowering reads: an `Arch`, or a `Population` with arrays in its fields (see `space.py`)."""

    @property
    def resolution(self) -> Any: ...
    @property
    def stem(self) -> Any: ...
    @property
    def stages(self) -> Any: ...
    @property
    def head(self) -> Any: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What a stage finds: the map at its input, and the stride and dilations that are left to it."""

    c_in: Int
    size: Int
    stride: Int = 1
    dilation: int = 1  # of its first block
    rest_dilation: int = 1  # of the others


@dataclass(frozen=True, slots=True, kw_only=True)
class Tapped:
    """The earlier map that the head reads, in the first block of a stage: `wide` = behind its expansion."""

    stage: int
    wide: bool
    label: str  # of one network's map, inside that block
    c: Int
    size: Int

    @property
    def elements(self) -> Int:
        """Numbers in the map."""
        return self.c * self.size * self.size


def doors(net: Net) -> list[Door]:
    """What each stage finds at its input, and, last, what the head finds.

    Where the head asks for an output stride, stages that would shrink the map below it keep its size: their blocks are
    dilated instead, the first one by what held before it (arXiv:1606.00915, section 3.1, as in TF-slim).
    raises   SpecError where that stride meets stages whose strides are an axis
    """
    most = net.head.output_stride
    c_in, size, dilation, at = net.stem.width, shrunk(net.resolution, net.stem.stride), 1, net.stem.stride
    found = []
    for stage in net.stages:
        if most and not isinstance(stage.stride, int):
            raise SpecError("a head with an output_stride needs stages of fixed strides")
        full = bool(most) and at >= most
        stride, rest = (1, dilation * stage.stride) if full else (stage.stride, dilation)
        found.append(Door(c_in=c_in, size=size, stride=stride, dilation=dilation, rest_dilation=rest))
        c_in, size, dilation, at = stage.width, shrunk(size, stride), rest, at * stride
    return [*found, Door(c_in=c_in, size=size)]


def head_type(net: Net) -> HeadType:
    """The head type of a network; raises PluginError for an unknown one."""
    found: HeadType = plugins.load("heads", net.head.kind)
    return found


def kinds(stage: Any) -> Mapping[str, Int]:
    """Block name -> 1 where a stage has it: one name, or a mask int64[n] for each."""
    return stage.block if isinstance(stage.block, Mapping) else {stage.block: 1}


def blocks(stage: Any, door: Door, mask: Int) -> tuple[Block, Block]:
    """The first block of a stage, and the one that stands for all others (`repeats` - 1 times).

    stage.repeats may be 0 (absent), for n networks at once.
    """
    common = {name: getattr(stage, name) for name in ("kernel", "expand", "act", "bottleneck", "shortcut", "start",
                                                      "se", "se_of", "se_gate")}  # fmt: skip
    there = mask * (stage.repeats > 0)
    first = Block(c_in=door.c_in, c_out=stage.width, size=door.size, stride=door.stride, dilation=door.dilation,
                  times=there, **common)  # fmt: skip
    rest = Block(c_in=stage.width, c_out=stage.width, size=first.size_out, stride=1, dilation=door.rest_dilation,
                 times=there * (stage.repeats - 1), **common)  # fmt: skip
    return first, rest


def block_ops(name: str, block: Block) -> list[Op]:
    """The ops of one block; raises PluginError for an unknown block type."""
    make: BlockType = plugins.load("blocks", name)
    return list(make(block))


def find_tap(net: Net, entrances: Sequence[Door]) -> Tapped | None:
    """The earlier map that a network's head reads; None where it reads the last one only.

    raises   SpecError where the network has no such map
    """
    tap = head_type(net).tap
    if tap is None:
        return None
    number = tap.stage(net.stem.stride, [stage.stride for stage in net.stages])
    stage, door = net.stages[number], entrances[number]
    channels: Any = 0
    label = ""
    for name, mask in kinds(stage).items():
        ops = block_ops(name, blocks(stage, door, mask)[0])
        where = tap_standing(ops, door, wide=tap.wide)
        wide = where.get("expand", 0)
        if "expand" in where:
            label = "expand" if isinstance(wide, int) and wide else label
            c_wide = next(op.c_out for op in ops if op.label == "expand")
            more: Any = mask * (c_wide - door.c_in) * wide
            channels = channels + more
    return Tapped(stage=number, wide=tap.wide, label=label, c=door.c_in + channels, size=door.size)


def tap_standing(ops: Sequence[Op], door: Door, *, wide: bool) -> Standing:
    """Which tensor of the first block is tapped: its expansion where that has the input's size, else its input."""
    expansions = [op for op in ops if op.label == "expand" and op.kind == "conv"]
    if not wide or not expansions:
        return {"": 1}
    expand = expansions[0]
    there = (expand.times > 0) * 1 * (expand.size_out == door.size)
    return {"expand": there, "": 1 - there}
