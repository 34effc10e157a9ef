"""Two metrics: a sum and a peak."""

from archsearch.cost.metrics import PEAK_MEMORY, Metric, madds
from archsearch.spec.ops import Int, Op


def depthwise_madds(op: Op) -> Int:
    """Multiply-adds of depthwise layers alone."""
    return madds(op) * (op.per_group == 1) * (op.c_in > 1) if op.kind == "conv" else 0


def peak_int8(op: Op) -> Int:
    """The live tensors of one op at one byte an element."""
    return PEAK_MEMORY.price(op) // 4


DEPTHWISE_MADDS = Metric(
    name="depthwise_madds", unit="", price=depthwise_madds, about="multiply-adds of depthwise layers"
)
PEAK_INT8 = Metric(name="peak_int8", unit="B", price=peak_int8, about="largest live tensors at 8 bits", peak=True)
