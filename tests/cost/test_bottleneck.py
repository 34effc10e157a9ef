"""Memory between blocks."""

from hypothesis import given

from archsearch.cost.bottleneck import bottleneck_memory
from archsearch.spec.lower import HEAD, lower, unroll
from tests.strategies import archs


@given(arch=archs())
def test_it_is_the_largest_output_of_a_written_out_block(arch):
    ops = unroll(lower(arch))
    between: dict[int, int] = {}
    for op, after in zip(ops, [*ops[1:], None], strict=True):
        ends = after is None or after.name.split(".")[:2] != op.name.split(".")[:2]
        if (op.stage >= 0 and ends) or (op.stage == HEAD and op.kind == "pool"):
            between[op.size_out] = max(between.get(op.size_out, 0), op.c_out)
    assert {side: channels for side, (channels, _) in bottleneck_memory(arch).items()} == between
    assert list(bottleneck_memory(arch)) == sorted(bottleneck_memory(arch), reverse=True)
    assert all(size == 4 * channels * side**2 for side, (channels, size) in bottleneck_memory(arch, 4).items())
