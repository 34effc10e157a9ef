"""Counting conventions of published tables: how their figures follow from our ops.

Each is a function of an `Arch` and gives an int. A table's rows name one for MAdds and one for parameters.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from archsearch.cost.count import count
from archsearch.cost.metrics import madds, params
from archsearch.errors import CountError, choices
from archsearch.spec.arch import Arch
from archsearch.spec.lower import lower
from archsearch.spec.ops import Op

SCALES = tuple(Fraction(quarters, 4) for quarters in range(2, 8))  # 0.5 to 1.75, each with the mirror image
SIGMOID = 64  # operations that TensorFlow Lite's converter counts for one


@dataclass(frozen=True, slots=True)
class Convention:
    """What a table counts: `count` an `Arch`, and one sentence for the documents."""

    count: Callable[[Arch], int]
    about: str


def counted(arch: Arch, metric: str, convention: str) -> int:
    """MAdds or parameters of a network as a published table counts them.

    metric   "madds" or "params"
    raises   CountError naming the nearest convention
    """
    known = CONVENTIONS[metric]
    if convention not in known:
        raise CountError(f"no convention for {metric} is called {convention!r}; {choices(convention, known)}")
    return known[convention].count(arch)


def _plain(metric: str) -> Callable[[Arch], int]:
    return lambda arch: count(arch, (metric,))[metric]


def _total(arch: Arch, price: Callable[[Op], int]) -> int:
    return sum(price(op) * op.times for op in lower(arch))


def _with_weights(op: Op) -> bool:
    return bool(params(op))


def _convolutions(arch: Arch) -> int:
    return _total(arch, lambda op: madds(op) if op.kind == "conv" else 0)


def _biases(arch: Arch) -> int:
    return _total(arch, lambda op: madds(op) + op.c_out * op.bias)


def _offsets(arch: Arch) -> int:
    return _total(arch, lambda op: madds(op) + op.c_out * (op.bias or op.norm))


def _tflite(arch: Arch) -> int:
    """Half the operations that TensorFlow Lite's converter counts: batch norm is folded to a bias, pooling is free."""

    def operations(op: Op) -> int:
        outputs = op.c_out * op.size_out * op.size_out
        gates = SIGMOID * outputs if op.act in ("sigmoid", "hard_sigmoid") else 0
        elementwise = outputs if _with_weights(op) or op.kind in ("add", "mul") else 0
        return 2 * madds(op) + elementwise + gates

    return _total(arch, operations) // 2


def _atrous(arch: Arch) -> int:
    """Dilated convolutions as TensorFlow ran them, and 1 for each number of a resized map.

    A map is padded until the dilation divides its side, then cut into dilation^2 small maps that are convolved without
    dilation (space-to-batch); results that are thrown away afterwards are counted.
    """

    def price(op: Op) -> int:
        if op.kind == "resize":
            return op.c_out * op.size_out * op.size_out
        if op.kernel == 1 or op.dilation == 1:
            return madds(op)
        reach = (op.kernel - 1) * op.dilation
        side = -(-(op.size_out + reach) // op.dilation) * op.dilation - reach
        return madds(replace(op, size_out=side))

    return _total(arch, price)


def _atrous_scales(arch: Arch) -> int:
    """The sum over images of 6 scales and their mirror images; 513 pixels are 257, 385, ..., 897."""
    sides = (int((arch.resolution - 1) * scale) + 1 for scale in SCALES)
    return 2 * sum(_atrous(replace(arch, resolution=side)) for side in sides)


def _norm_numbers(numbers: int) -> Callable[[Arch], int]:
    """Parameters where batch norm counts `numbers` a channel."""
    return lambda arch: _total(arch, lambda op: params(op) + (numbers - 2) * op.c_out * op.norm)


CONVENTIONS: dict[str, dict[str, Convention]] = {
    "madds": {
        "plain": Convention(_plain("madds"), "convolutions and linear layers, as here"),
        "conv": Convention(_convolutions, "convolutions only"),
        "biases": Convention(_biases, "and 1 for each bias"),
        "offsets": Convention(_offsets, "and 1 for each channel with a bias or a batch norm"),
        "tflite": Convention(
            _tflite,
            "half of the operations that TensorFlow Lite's converter counts: 2 a multiply-add, 1 for each output of a "
            "layer, an addition or a multiplication, 64 for a sigmoid",
        ),
        "atrous": Convention(
            _atrous, "dilated convolutions on maps padded as TensorFlow does; 1 for each number of a resized map"
        ),
        "atrous_scales": Convention(
            _atrous_scales, "the same, over images of 6 scales (0.5 to 1.75) and their mirror images"
        ),
    },
    "params": {
        "plain": Convention(_plain("params"), "with batch norm's gamma and beta, as here"),
        "no_norm": Convention(_norm_numbers(0), "without batch norm"),
        "norm_of_three": Convention(_norm_numbers(3), "with 3 numbers for each channel of a batch norm"),
        "with_statistics": Convention(_norm_numbers(4), "with batch norm's running mean and variance, too"),
    },
}
