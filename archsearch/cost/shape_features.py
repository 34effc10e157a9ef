"""Numbers that describe a block by its operations alone: the columns on which latency is regressed.

Work (MAdds), traffic (elements read and written), weights and ops are summed three times: over all ops, over a family
(depthwise convolutions) and over a class of it (depthwise, 5 x 5). What no measured block contained is so still priced,
by its family or by all ops.
"""

from collections.abc import Sequence
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from archsearch.errors import CountError
from archsearch.spec.ops import KINDS, Op

Floats = NDArray[np.float64]

CLASSES = ("pointwise", "pointwise of one pixel", "depthwise 3", "depthwise 5", "depthwise 7", "dense", "grouped",
           "linear", "pool", "elementwise")  # fmt: skip
FAMILIES = {"all": CLASSES, "convolution": CLASSES[:8], "depthwise": CLASSES[2:5], "matrix": (*CLASSES[:2], "linear")}
SUMS = ("madds", "inputs", "outputs", "weights", "ops")
COLUMNS = tuple(f"{of}: {what}" for of in (*FAMILIES, *CLASSES) for what in SUMS)
BASIC = ("all: madds", "all: weights", "all: ops", "convolution: outputs", "depthwise: madds")
RANK = np.array([0 if each in BASIC else 1 + (each.split(":")[0] in CLASSES) for each in COLUMNS])  # how special
SHAPE = tuple(nth for nth, each in enumerate(COLUMNS)  # columns that tell blocks apart, without their sums
              if each in ("depthwise 5: ops", "depthwise 7: ops") or each.split(":")[0] == "depthwise"
              or (each.split(":")[0] in CLASSES and "depthwise" not in each))  # fmt: skip
_FIELDS = attrgetter("kind", "c_in", "c_out", "size_in", "size_out", "kernel", "per_group", "times")
_CODE = {kind: float(code) for code, kind in enumerate(KINDS)}


def features(blocks: Sequence[Sequence[Op]]) -> Floats:
    """Each block as a row of sums, in the order of `COLUMNS`.

    blocks   ops of one network each (ints), as `unroll` or `lower` gives them; an op counts `times` times
    returns  float[n, columns], never negative
    raises   CountError for an op of an unknown kind
    """
    rows = [_FIELDS(op) for ops in blocks for op in ops]
    if unknown := {row[0] for row in rows} - _CODE.keys():
        raise CountError(f"ops of kind {min(unknown)!r} have no price")
    numbers = np.array([(_CODE[row[0]], *row[1:]) for row in rows], dtype=np.float64).reshape(-1, 8)
    owner = np.repeat(np.arange(len(blocks)), [len(ops) for ops in blocks])
    sums = np.zeros((len(blocks), len(CLASSES), len(SUMS)))
    np.add.at(sums, (owner, _classes(numbers)), _amounts(numbers))
    groups = [sums[:, [CLASSES.index(name) for name in names]].sum(axis=1) for names in FAMILIES.values()]
    return np.concatenate([*groups, sums.reshape(len(blocks), len(CLASSES) * len(SUMS))], axis=1)


def _amounts(numbers: Floats) -> Floats:
    """MAdds, elements read, elements written, weights and the op itself, of each op: float[ops, 5]."""
    kind, c_in, c_out, size_in, size_out, kernel, per_group, times = numbers.T
    weighs = kind <= _CODE["linear"]
    weights = weighs * kernel**2 * per_group * c_out
    inputs = c_in * size_in**2 * np.where((kind == _CODE["add"]) | (kind == _CODE["cat"]), 2, 1)
    columns = [weights * size_out**2, inputs, c_out * size_out**2, weights, np.ones(len(kind))]
    amounts: Floats = np.stack(columns, axis=1) * times[:, None]
    return amounts


def _classes(numbers: Floats) -> NDArray[np.int64]:
    """The number of each op's class in `CLASSES`: int[ops]."""
    kind, c_in, c_out, _, size_out, kernel, per_group, _ = numbers.T
    conv, depthwise = kind == _CODE["conv"], (per_group == 1) & (c_in > 1)
    found = [
        conv & depthwise & (kernel > 5), conv & depthwise & (kernel > 3), conv & depthwise,
        conv & (per_group < c_in), conv & (kernel > 1), conv & (size_out == 1), conv,
        kind == _CODE["linear"], kind == _CODE["pool"],
    ]  # fmt: skip
    names = ("depthwise 7", "depthwise 5", "depthwise 3", "grouped", "dense", "pointwise of one pixel", "pointwise",
             "linear", "pool")  # fmt: skip
    return np.select(found, [CLASSES.index(name) for name in names], CLASSES.index("elementwise"))
