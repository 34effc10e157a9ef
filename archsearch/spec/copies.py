"""The blocks of networks, one copy of each: what a latency table is keyed by.

Stem and head are blocks, too. A block's description is readable and tells everything that its latency depends on:
`56x56x24 | conv1 144 relu6 | dw3 s2 144 relu6 | conv1 32` is an inverted residual that shrinks the map.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsearch.spec.lower import unroll
from archsearch.spec.ops import Op

IRRELEVANT = ("label", "held", "inputs", "flat", "stage", "group", "name", "kind", "bias", "norm", "times", "dilation")
COLUMNS = tuple(field.name for field in fields(Op) if field.name not in IRRELEVANT)  # may differ between networks


@dataclass(frozen=True, slots=True)
class Copies:
    """One block of n networks: the different ones among them, which network has which, and how often.

    blocks   unrolled ops of each different one; an empty one is absent
    which    int64[n], or a scalar where all n have the same
    times    copies in each network: an int, or int64[n]
    """

    blocks: tuple[tuple[Op, ...], ...]
    which: NDArray[np.int64]
    times: Any


def copies(ops: Sequence[Op]) -> Iterator[Copies]:
    """The blocks of one network or of n at once, as `lower` gives their ops (a whole network's, or a part's)."""
    for _, members in groupby(ops, key=lambda op: op.group):
        block = list(members)
        times: Any = block[0].times
        for op in block[1:]:
            times = np.maximum(times, op.times)
        rows, which = _different(block)
        yield Copies(tuple(tuple(one_copy(_at(block, row))) for row in rows), which, times)


def standing(ops: Sequence[Op]) -> list[tuple[tuple[Op, ...], int]]:
    """The blocks that one network (ints only) has: unrolled ops of one copy, and how often it stands there."""
    return [(each.blocks[0], int(each.times)) for each in copies(ops) if each.blocks[0]]


def one_copy(block: Sequence[Op]) -> list[Op]:
    """The unrolled ops of one copy of one network's block; [] where it is absent."""
    outside = {name for op in block for name in op.inputs if name[:1] == "@"}
    return unroll([replace(op, times=min(int(op.times), 1)) for op in block], outside=outside)


def _different(block: Sequence[Op]) -> tuple[list[int], NDArray[np.int64]]:
    """Rows (networks) in which the block differs, the first of each, and which of them every network has."""
    columns = [(op.times > 0) * 1 for op in block]
    columns += [value for op in block for name in COLUMNS if np.ndim(value := getattr(op, name))]
    coded = [np.unique(column, return_inverse=True)[1] for column in columns if np.ndim(column)]
    if not coded:
        return [0], np.zeros((), dtype=np.int64)
    number = np.zeros(len(coded[0]), dtype=np.int64)
    for column in coded:
        number = np.unique(number * (int(column.max()) + 1) + column, return_inverse=True)[1].astype(np.int64)
    return np.unique(number, return_index=True)[1].tolist(), number


def _at(block: Sequence[Op], row: int) -> list[Op]:
    """The block of one network out of n."""
    return [replace(op, **{f.name: _scalar(getattr(op, f.name), row) for f in fields(Op)}) for op in block]


def _scalar(value: Any, row: int) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    one = value[row] if value.ndim else value[()]
    return one.item() if isinstance(one, np.generic) else one


# descriptions -------------------------------------------------------------------------------------------------------


def describe(ops: Sequence[Op]) -> str:
    """A block in words: its input map (side x side x channels), then its ops, each with what it makes.

    Batch norm is folded, so it is not told; an op that does not read what the one before it made says what it reads,
    by number (0 = the block's input, n = op n).
    """
    number: dict[str, str] = {}
    words = []
    for place, op in enumerate(ops):
        for source in op.inputs:
            number.setdefault(source, "0" if not place and source == op.inputs[0] else f"tap{op.size_in}x{op.c_in}")
        sources = [number[source] for source in op.inputs]
        plain = sources == [str(place)]
        words.append(_word(op) + ("" if plain else f" ({','.join(sources)})"))
        number[op.name] = str(place + 1)
    first = ops[0]
    return " | ".join([f"{first.size_in}x{first.size_in}x{first.c_in}", *words])


def _word(op: Op) -> str:
    if op.kind == "conv":
        word = f"{_conv(op)} {op.c_out}"
    elif op.kind == "resize":
        word = f"resize {op.size_out}"
    else:
        word = f"linear {op.c_out}" if op.kind == "linear" else op.kind
    return word if op.act == "linear" else f"{word} {op.act}"


def _conv(op: Op) -> str:
    depthwise = op.per_group == 1 and op.c_in == op.c_out and op.c_in > 1
    groups = "" if depthwise or op.per_group == op.c_in else f" g{op.c_in // op.per_group}"
    stride = f" s{op.stride}" if op.stride != 1 else ""
    dilation = f" d{op.dilation}" if op.dilation != 1 else ""
    return f"{'dw' if depthwise else 'conv'}{op.kernel}{stride}{dilation}{groups}"
