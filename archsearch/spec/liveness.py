"""What has to wait in memory while an op runs: tensors that were made before and are read again later."""

from collections.abc import Mapping, Sequence

from archsearch.errors import SpecError
from archsearch.spec.ops import Int, Op

Standing = dict[str, Int]  # label of a tensor -> 1 where it is meant, else 0 (an int, or int64[n])


def held(
    ops: Sequence[Op], elements: Int, *, kept: Standing | None = None, others: Mapping[str, Int] | None = None
) -> list[Int]:
    """Elements of the tensors that wait while each op of one block runs, the op's first input not among them.

    A tensor waits from the op that makes it to the last op that reads it. An absent op's label stands for its first
    input, so for n networks at once one label may be one tensor here and another there.
    elements  of the block's input, whose label is ""
    kept      the tensor that is read again behind the block, and so waits to the block's end
    others    further tensors that were made before the block: label -> elements
    raises    SpecError for an op that reads what is not made before it
    """
    sizes: dict[str, Int] = {"": elements, **(others or {})}
    stands: dict[str, Standing] = {label: {label: 1} for label in sizes}
    for op in ops:
        for label in op.inputs:
            if label not in stands:
                raise SpecError(f"op {op.label!r} reads {label!r}, which nothing before it makes")
        sizes[op.label] = op.c_out * op.size_out * op.size_out
        stands[op.label] = _stands(op, stands[op.inputs[0]])
    waiting: Standing = dict(kept or {})
    found: list[Int] = []
    for op in reversed(ops):
        del sizes[op.label]  # from here on back it is not yet made
        for label in op.inputs:
            for tensor, mask in stands[label].items():
                waiting[tensor] = _either(waiting.get(tensor, 0), mask * _present(op))
        first = stands[op.inputs[0]]
        others_now = (
            (sizes[tensor], mask, first.get(tensor, 0)) for tensor, mask in waiting.items() if tensor in sizes
        )
        found.append(sum(size * mask * (1 - own) for size, mask, own in others_now))
    return found[::-1]


def _stands(op: Op, source: Standing) -> Standing:
    """What an op's label stands for: its own tensor where it is present, its first input's where it is not."""
    there = _present(op)
    if isinstance(there, int):
        return {op.label: 1} if there else source
    return {op.label: there, **{tensor: mask * (1 - there) for tensor, mask in source.items()}}


def _present(op: Op) -> Int:
    return (op.times > 0) * 1


def _either(a: Int, b: Int) -> Int:
    return a + b - a * b
