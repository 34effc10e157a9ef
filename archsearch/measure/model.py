"""What is timed: a whole network, or one block of it with the tensors that it reads."""

from collections.abc import Sequence
from dataclasses import dataclass

from archsearch.errors import SpecError
from archsearch.spec.arch import Arch
from archsearch.spec.copies import describe
from archsearch.spec.lower import lower, unroll
from archsearch.spec.ops import Op


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Unrolled ops, and what they read: (name, channels, side in pixels) of each tensor that none of them makes."""

    name: str  # an architecture's text form, or the description of a block
    ops: tuple[Op, ...]
    inputs: tuple[tuple[str, int, int], ...]

    @property
    def madds(self) -> int:
        """Multiply-adds of one inference."""
        from archsearch.cost.metrics import MADDS

        return int(MADDS.total(list(self.ops)))


def whole(arch: Arch, name: str) -> Model:
    """A whole network as a model."""
    return model_of(unroll(lower(arch)), name)


def model_of(ops: Sequence[Op], name: str) -> Model:
    """Unrolled ops as a model; raises SpecError where a tensor from outside has no known shape."""
    made = {op.name for op in ops}
    outside = dict.fromkeys(source for op in ops for source in op.inputs if source not in made)
    return Model(name=name, ops=tuple(ops), inputs=tuple((source, *_shape(ops, source)) for source in outside))


def _shape(ops: Sequence[Op], source: str) -> tuple[int, int]:
    """Channels and side of a tensor from outside, told by an op that reads it first."""
    for op in ops:
        if op.inputs[0] == source:
            return int(op.c_in), int(op.size_in)
    raise SpecError(f"nothing says what shape the tensor {source!r} has")


def block(ops: Sequence[Op]) -> Model:
    """One block of a network, named by its description."""
    return model_of(ops, describe(ops))
