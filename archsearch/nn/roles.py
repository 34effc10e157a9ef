"""What each op of a sub-network is to the whole space, and how large the tensors are that all its networks share.

A role is a place in the space: a part (stem, a stage of the template, head), the nth copy of a block in it, the block
type, the op's label. Two networks that have an op of one role take its weights from one tensor.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsearch.errors import RecipeError, choices
from archsearch.spec.arch import Arch, Stage
from archsearch.spec.fields import Codes, take
from archsearch.spec.grid import grid
from archsearch.spec.lower import HEAD, STEM, lower, lower_part, unroll
from archsearch.spec.ops import Op
from archsearch.spec.space import SearchSpace
from archsearch.spec.trunk import kinds

SHARES = ("slices", "choices")
CHOICE = ("kernel", "expand", "start")  # fields whose choices have weights of their own under "choices"
PLACES = {STEM: "stem", HEAD: "head"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """The largest tensors that an op of one role has in any network of a space."""

    kind: str  # "conv", "linear", or "norm" where there is a batch norm alone
    c_out: int
    c_in: int  # that one output channel sees
    kernel: int
    bias: bool
    norm: bool

    def joined(self, other: "Size") -> "Size":
        """Large enough for both."""
        return Size(
            kind=self.kind,
            c_out=max(self.c_out, other.c_out),
            c_in=max(self.c_in, other.c_in),
            kernel=max(self.kernel, other.kernel),
            bias=self.bias or other.bias,
            norm=self.norm or other.norm,
        )


def sizes(space: SearchSpace, share: str) -> dict[str, Size]:
    """Role -> size, of every role that some network of the space has.

    Found part by part from the choices of the axes that matter there, never network by network.
    share    "slices": every choice is a slice of one tensor; "choices": each (kernel, ratio) has tensors of its own
    raises   RecipeError for another word, SpaceError where one stage has too many combinations
    """
    if share not in SHARES:
        raise RecipeError(f"share {share!r} is unknown: {choices(share, SHARES)}")
    found: dict[str, Size] = {}
    for part in (STEM, *range(len(space.stages)), HEAD):
        for role, size in _part(space, part, share):
            found[role] = found[role].joined(size) if role in found else size
    return found


def _part(space: SearchSpace, part: int, share: str) -> Iterator[tuple[str, Size]]:
    """Roles and sizes of one part, over every combination of the axes on which it depends."""
    table = grid(space, part, sized=False)
    nets = space.population(table.codes(np.arange(table.count), len(space.axes)))
    stage = nets.stages[part] if part >= 0 else None
    for op in lower_part(nets, part):
        if not has_weights(op):
            continue
        block, rest = (list(kinds(stage))[op.group // 2 % 64], op.group % 2) if stage is not None else ("", 0)
        columns = [_column(value, table.count) for value in (op.c_out, _seen(op), op.kernel, op.times)]
        for choice, there in _choices(stage, share, table.count):
            c_out, c_in, kernel, times = (column[there] for column in columns)
            if not times.any():
                continue
            c_out, c_in, kernel = (column[times > 0].max() for column in (c_out, c_in, kernel))
            size = Size(kind=_kind(op), c_out=int(c_out), c_in=int(c_in), kernel=int(kernel), bias=op.bias or
                        op.kind == "linear", norm=bool(op.norm))  # fmt: skip
            for copy in range(rest, rest + int(times.max())):
                yield _name(part, copy, block, op.label, choice), size


def members(space: SearchSpace, code: Codes, share: str) -> list[tuple[Op, str]]:
    """The unrolled ops of one network, each with its role; "" where it has no weights."""
    arch = space.decode(code)
    pick = [int(choice) for choice in code]
    present = [number for number, stage in enumerate(space.stages) if take(stage.fields["repeats"], pick)]
    seen: Counter[tuple[int, str]] = Counter()
    found = []
    for op in unroll(lower(arch)):
        copy = op.group % 2 + seen[op.group, op.label] if op.stage >= 0 else 0
        seen[op.group, op.label] += 1
        found.append((op, _role(op, copy, arch, present, share) if has_weights(op) else ""))
    return found


def _role(op: Op, copy: int, arch: Arch, present: list[int], share: str) -> str:
    if op.stage < 0:
        return _name(op.stage, 0, "", op.label, "")
    stage = arch.stages[op.stage]
    choice = _choice([getattr(stage, field) for field in CHOICE]) if share == "choices" else ""
    return _name(present[op.stage], copy, stage.block, op.label, choice)


def has_weights(op: Op) -> bool:
    """Whether an op has parameters at all."""
    return op.kind in ("conv", "linear") or bool(op.norm)


def _kind(op: Op) -> str:
    return op.kind if op.kind in ("conv", "linear") else "norm"


def _seen(op: Op) -> Any:
    """Input channels that one output channel sees."""
    return op.c_in if op.kind == "linear" else op.per_group


def _choices(stage: Stage | Any, share: str, n: int) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Each choice of a block that has weights of its own, and in which of the n networks it is made."""
    if stage is None or share == "slices":
        yield "", np.ones(n, dtype=bool)
        return
    table = np.stack([_column(getattr(stage, field), n) for field in CHOICE], axis=1)
    for row in np.unique(table, axis=0):
        yield _choice(row), (table == row).all(axis=1)


def _choice(values: Any) -> str:
    """Like `k5 e2,5 s0`: a module's name must not have a dot."""
    return " ".join(f"{field[0]}{float(value):g}" for field, value in zip(CHOICE, values, strict=True)).replace(
        ".", ","
    )


def _column(value: Any, n: int) -> NDArray[Any]:
    return np.broadcast_to(np.asarray(value), (n,))


def _name(part: int, copy: int, block: str, label: str, choice: str) -> str:
    words = [PLACES[part], label] if part < 0 else [f"stage{part + 1}", str(copy + 1), block, label, choice]
    return " ".join(word for word in words if word)
