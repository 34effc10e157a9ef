"""The metrics: what one op costs, and how prices add up.

Every price function takes one `Op` whose fields are ints or int64[n], and returns the same kind.
"""

from collections.abc import Callable
from dataclasses import dataclass

from archsearch.errors import CountError
from archsearch.spec.ops import Int, Op

BYTES = 4  # of one element: float32
WEIGHTED, FREE = ("conv", "linear"), ("pool", "add", "act", "mul", "cat", "resize", "detections")  # kinds of ops


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A cost: `price` of one op; a network's is their sum, or for `peak` their maximum."""

    name: str
    unit: str
    price: Callable[[Op], Int]
    about: str
    peak: bool = False

    def total(self, ops: list[Op]) -> Int:
        """The cost of a whole network (int) or of n at once (int64[n]), from `lower` or `unroll`.

        raises   CountError for an op whose kind has no price
        """
        total: Int = 0
        for op in ops:
            if self.peak:
                total = _larger(total, self.price(op) * (op.times > 0))
            else:
                total = total + self.price(op) * op.times
        return total


def _larger(a: Int, b: Int) -> Int:
    """The larger of two, element by element where either is an array."""
    if isinstance(a, int) and isinstance(b, int):
        return max(a, b)
    import numpy as np

    return np.maximum(a, b)


def _has_weights(op: Op) -> bool:
    """Whether an op is a convolution or a linear layer; the other known kinds are free where only those count.

    raises   CountError for a kind that nobody has priced
    """
    if op.kind in WEIGHTED:
        return True
    if op.kind not in FREE:
        raise CountError(f"ops of kind {op.kind!r} have no price")
    return False


def madds(op: Op) -> Int:
    """Multiply-adds [MAdd] of convolutions and linear layers; bias, norm, activations, pooling, additions are free.

    Source: arXiv:1801.04381, section 3.1. fvcore's `conv` and `linear` entries are the same number.
    """
    if not _has_weights(op):
        return 0
    return op.kernel * op.kernel * op.per_group * op.c_out * op.size_out * op.size_out


def params(op: Op) -> Int:
    """Trainable numbers: weights, biases, batch-norm gamma and beta; `sum(p.numel())` of the torch model."""
    if not _has_weights(op):
        return 0
    return op.c_out * (op.kernel * op.kernel * op.per_group + op.bias + 2 * op.norm)


def activations(op: Op) -> Int:
    """Elements in the outputs of convolution and linear layers (arXiv:2003.13678, section 3.1; fvcore's count)."""
    if not _has_weights(op):
        return 0
    return op.c_out * op.size_out * op.size_out


def peak_memory(op: Op) -> Int:
    """Bytes of all tensors that are live while the op runs, as float32: inputs, output, and shortcuts that wait.

    Batch norm and activations are fused into their convolution; a lone activation works in place.
    Source: arXiv:1801.04381, section 5.1, equation 4 (without the t-way split of inner tensors).
    """
    _has_weights(op)  # knows the kind
    taken = op.c_in * op.size_in * op.size_in + op.held
    if op.kind == "act":
        return BYTES * taken
    return BYTES * (taken + op.c_out * op.size_out * op.size_out)


def weight_bytes(op: Op) -> Int:
    """Bytes of the parameters as float32."""
    return BYTES * params(op)


MADDS = Metric(name="madds", unit="MAdd", price=madds, about="multiply-adds of convolutions and linear layers")
PARAMS = Metric(name="params", unit="", price=params, about="parameters, with batch norm's gamma and beta")
ACTIVATIONS = Metric(name="activations", unit="", price=activations, about="elements in layers' outputs")
PEAK_MEMORY = Metric(name="peak_memory", unit="B", price=peak_memory, about="most live tensors, float32", peak=True)
WEIGHT_BYTES = Metric(name="weight_bytes", unit="B", price=weight_bytes, about="bytes of the parameters, float32")
