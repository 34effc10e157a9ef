"""Canonical rows of blocks and stages: what they compute, whatever stands around them and however large the image is.

The rows of a network are those of its parts, one behind the other. Two networks of one resolution are the same exactly
when all rows are equal, wherever one stage ends and the next begins. Kept in a cache, for spaces repeat their blocks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from dataclasses import replace as changed
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from archsearch.spec.arch import Arch, Head, Stage, Stem, head_at, stem_at
from archsearch.spec.canon import wired
from archsearch.spec.lower import unroll
from archsearch.spec.trunk import Door, block_ops, blocks, doors

SIZE = 64  # of every map [pixels]: where resolution and rows are equal, the true sizes are equal too
OF_STAGE = ("repeats", "stride")  # the fields of a stage that its blocks do not read
OF_BLOCK = tuple(field.name for field in fields(Stage) if field.name not in OF_STAGE)
Row = str


@dataclass(frozen=True, slots=True)
class Placed:
    """One block of a network: where it stands, and its rows."""

    stage: int  # from 1
    nth: int  # in its stage, from 0
    block: Stage  # of repeats 1 and its own stride
    c_in: int
    start: int  # rows before it
    rows: tuple[Row, ...]


def ends(stem: Stem, head: Head, multiplier: float) -> tuple[Stem, Head]:
    """Stem and head under a width multiplier, as `SearchSpace.decode` has them."""
    return stem_at(stem, multiplier), head_at(head, multiplier)


def stage_rows(stage: Any, door: Door) -> tuple[Row, ...]:
    """The rows of a stage: of its first block, then of the others; none where it has no repeats."""
    if not stage.repeats:
        return ()
    first, rest = first_block(stage, door), ()
    if stage.repeats > 1:
        rest = first_block(stage, rest_door(stage, door)) * (stage.repeats - 1)
    return tuple(row for _, row in (*first, *rest))


def first_block(stage: Any, door: Door) -> tuple[tuple[str, Row], ...]:
    """(label, row) of each op of the first block of a stage that is there."""
    return _block(tuple(getattr(stage, name) for name in OF_BLOCK), changed(door, size=SIZE))


def rest_door(stage: Any, door: Door) -> Door:
    """What the blocks behind the first one of a stage find."""
    return changed(door, c_in=stage.width, stride=1, dilation=door.rest_dilation)


def placed(arch: Arch) -> list[Placed]:
    """The trunk of a network block by block."""
    found: list[Placed] = []
    start = 0
    for number, (stage, door) in enumerate(zip(arch.stages, doors(arch), strict=False), start=1):
        for nth in range(stage.repeats):
            here = rest_door(stage, door) if nth else door
            rows = tuple(row for _, row in first_block(stage, here))
            block = changed(stage, repeats=1, stride=1 if nth else stage.stride)
            found.append(Placed(number, nth, block, int(here.c_in), start, rows))
            start += len(rows)
    return found


@lru_cache(maxsize=1 << 16)
def _block(values: Sequence[Any], door: Door) -> tuple[tuple[str, Row], ...]:
    stage = SimpleNamespace(**dict(zip(OF_BLOCK, values, strict=True)), repeats=1)
    ops = unroll(block_ops(stage.block, blocks(stage, door, 1)[0]))
    return tuple(zip((op.label for op in ops), wired(ops), strict=True))
