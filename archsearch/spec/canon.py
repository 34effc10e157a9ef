"""Canonical identity: two spellings of one network have the same key."""

import hashlib
import json
from collections.abc import Iterable

from archsearch.spec.arch import Arch
from archsearch.spec.lower import INPUT, lower, unroll
from archsearch.spec.ops import Op


def canonical(arch: Arch) -> str:
    """What is computed, and nothing of how it is written: one JSON row for each op, wired by number.

    Two `Arch`s are the same network exactly when these strings are equal: a stage of 2 repeats or two equal stages,
    a ratio that its block type ignores, an identity that does nothing, "auto" or the word it stands for.
    """
    number = {INPUT: -1}
    rows = []
    for index, op in enumerate(unroll(lower(arch))):
        number[op.name] = index
        rows.append([*_content(op), [number[name] for name in op.inputs]])
    return json.dumps([arch.resolution, rows], separators=(",", ":"))


def key(arch: Arch) -> str:
    """Twelve hexadecimal digits that name the network (the start of sha256 over its canonical form)."""
    return hashlib.sha256(canonical(arch).encode()).hexdigest()[:12]


def keys(archs: Iterable[Arch]) -> list[str]:
    """`key` of each."""
    return [key(arch) for arch in archs]


def _content(op: Op) -> list[object]:
    return [op.kind, op.c_in, op.c_out, op.kernel, op.stride, op.per_group, op.bias, op.norm, op.act]
