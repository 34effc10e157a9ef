"""Canonical identity: two spellings of one network have the same key."""

import hashlib
import json
from collections.abc import Iterable

from archsearch.spec.arch import Arch, Stage
from archsearch.spec.lower import INPUT, lower, lower_stage, unroll
from archsearch.spec.ops import Op
from archsearch.spec.trunk import Door


def canonical(arch: Arch) -> str:
    """What is computed, and nothing of how it is written: one JSON row for each op, wired by number.

    Two `Arch`s are the same network exactly when these strings are equal: a stage of 2 repeats or two equal stages,
    a ratio that its block type ignores, an identity that does nothing, "auto" or the word it stands for.
    """
    return json.dumps([arch.resolution, _rows(unroll(lower(arch)))], separators=(",", ":"))


def contents(stage: Stage, door: Door) -> str:
    """What one stage computes of the map at its door, in the same form; "" where it computes nothing."""
    rows = _rows(unroll(lower_stage(stage, door, index=0)))
    return json.dumps(rows, separators=(",", ":")) if rows else ""


def key(arch: Arch) -> str:
    """Twelve hexadecimal digits that name the network (the start of sha256 over its canonical form)."""
    return hashlib.sha256(canonical(arch).encode()).hexdigest()[:12]


def keys(archs: Iterable[Arch]) -> list[str]:
    """`key` of each."""
    return [key(arch) for arch in archs]


def _rows(ops: Iterable[Op]) -> list[list[object]]:
    """One row an op, its inputs by number."""
    number = {INPUT: -1}
    rows = []
    for index, op in enumerate(ops):
        number[op.name] = index
        rows.append([*_content(op), [number[name] for name in op.inputs]])
    return rows


def wired(ops: Iterable[Op]) -> list[str]:
    """The rows of a run of unrolled ops, each as JSON, its inputs by how many rows back they were made.

    What was made before the run counts as its last row, so equal runs have equal rows wherever they stand.
    """
    rows = []
    number = {INPUT: -1}
    for index, op in enumerate(ops):
        number[op.name] = index
        back = [index - number[name] for name in op.inputs]
        rows.append(json.dumps([*_content(op), back], separators=(",", ":")))
    return rows


def _content(op: Op) -> list[object]:
    content = [op.kind, op.c_in, op.c_out, op.kernel, op.stride, op.per_group, op.bias, op.norm, op.act]
    content += [["dilation", op.dilation]] if op.dilation != 1 and op.kernel != 1 else []
    return content + ([["size", op.size_out]] if op.kind == "resize" else [])
