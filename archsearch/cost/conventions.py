"""Counting conventions of published tables: how their figures follow from our ops.

A published figure names its convention (`spec/zoo/published.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from archsearch.cost.metrics import madds, params
from archsearch.errors import CountError, choices
from archsearch.spec.arch import Arch
from archsearch.spec.lower import lower
from archsearch.spec.ops import Int, Op

SCALES = tuple(Fraction(quarters, 4) for quarters in range(2, 8))  # 0.5 to 1.75, each with the mirror image
SIGMOID = 64  # operations that TensorFlow Lite's converter counts for one


@dataclass(frozen=True, slots=True)
class Convention:
    """What a table counts: a function of a network and its ops, and what it counts in words."""

    count: Callable[[Arch, list[Op]], int]
    about: str


def counted(arch: Arch, metric: str, convention: str, *, ops: list[Op] | None = None) -> int:
    """MAdds or parameters of a network as a published table counts them.

    metric   "madds" or "params"
    ops      what `lower(arch)` gives, where it is known already
    raises   CountError naming the nearest convention
    """
    known = CONVENTIONS[metric]
    if convention not in known:
        raise CountError(f"no convention for {metric} is called {convention!r}; {choices(convention, known)}")
    return known[convention].count(arch, lower(arch) if ops is None else ops)


def _summed(price: Callable[[Op], Int]) -> Callable[[Arch, list[Op]], int]:
    return lambda _, ops: sum(int(price(op) * op.times) for op in ops)


def _convolution(op: Op) -> Int:
    return madds(op) if op.kind == "conv" else 0


def _bias(op: Op) -> Int:
    return madds(op) + op.c_out * op.bias


def _offset(op: Op) -> Int:
    return madds(op) + op.c_out * (op.bias or op.norm)


def _tflite(_: Arch, ops: list[Op]) -> int:
    """Half the operations that TensorFlow Lite's converter counts: batch norm is folded to a bias, pooling is free."""

    def operations(op: Op) -> Int:
        outputs = op.c_out * op.size_out * op.size_out
        gates = SIGMOID * outputs if op.act in ("sigmoid", "hard_sigmoid") else 0
        elementwise = outputs if op.kind in ("conv", "linear", "add", "mul") else 0
        return 2 * madds(op) + elementwise + gates

    return sum(int(operations(op) * op.times) for op in ops) // 2


def _tfprof(_: Arch, ops: list[Op]) -> int:
    """Half the operations that TensorFlow's profiler counts in the forward graph of a training step.

    2 a multiply-add. Batch norm from the batch's own statistics: two means, a squared difference (2), a product; its
    addition is of a kind (AddV2) that earlier versions do not know. Drop connect in front of each shortcut: a
    division and a product. Each weight's first value, drawn at random: a product and a sum.
    Source: tensorflow/python/profiler/internal/flops_registry.py; google/automl, efficientdet/utils.py.
    """

    def operations(op: Op) -> Int:
        outputs = op.c_out * op.size_out * op.size_out
        weights = (params(op) - op.c_out * (2 * op.norm + op.bias)) * (op.kind in ("conv", "linear"))
        return 2 * madds(op) + 5 * outputs * op.norm + 2 * outputs * (op.kind == "add") + 2 * weights

    return sum(int(operations(op) * op.times) for op in ops) // 2


def _atrous(op: Op) -> Int:
    """Dilated convolutions as TensorFlow ran them, and 1 for each number of a resized map.

    A map is padded until the dilation divides its side, then cut into dilation^2 small maps that are convolved without
    dilation (space-to-batch); results that are thrown away afterwards are counted.
    """
    if op.kind == "resize":
        return op.c_out * op.size_out * op.size_out
    if op.kernel == 1 or op.dilation == 1:
        return madds(op)
    reach = (op.kernel - 1) * op.dilation
    side = -(-(op.size_out + reach) // op.dilation) * op.dilation - reach
    return madds(replace(op, size_out=side))


def _atrous_scales(arch: Arch, _: list[Op]) -> int:
    """The sum over images of 6 scales and their mirror images; 513 pixels are 257, 385, ..., 897."""
    archs = (replace(arch, resolution=int((arch.resolution - 1) * scale) + 1) for scale in SCALES)
    return 2 * sum(_summed(_atrous)(arch, lower(arch)) for arch in archs)


def _norm_numbers(numbers: int) -> Callable[[Arch, list[Op]], int]:
    """Parameters where batch norm counts `numbers` a channel."""
    return _summed(lambda op: params(op) + (numbers - 2) * op.c_out * op.norm)


CONVENTIONS: dict[str, dict[str, Convention]] = {
    "madds": {
        "plain": Convention(_summed(madds), "convolutions and linear layers, as here"),
        "conv": Convention(_summed(_convolution), "convolutions only"),
        "biases": Convention(_summed(_bias), "and 1 for each bias"),
        "offsets": Convention(_summed(_offset), "and 1 for each channel with a bias or a batch norm"),
        "tflite": Convention(
            _tflite,
            "half of the operations that TensorFlow Lite's converter counts: 2 a multiply-add, 1 for each output of a "
            "layer, an addition or a multiplication, 64 for a sigmoid",
        ),
        "tfprof": Convention(
            _tfprof,
            "half of the operations that TensorFlow's profiler counted in a training graph, gradients left out: 2 a "
            "multiply-add, 5 for each number behind a batch norm, 2 for each that a shortcut adds, 2 for each weight",
        ),
        "atrous": Convention(
            _summed(_atrous),
            "dilated convolutions on maps padded as TensorFlow does; 1 for each number of a resized map",
        ),
        "atrous_scales": Convention(
            _atrous_scales, "the same, over images of 6 scales (0.5 to 1.75) and their mirror images"
        ),
    },
    "params": {
        "plain": Convention(_summed(params), "with batch norm's gamma and beta, as here"),
        "no_norm": Convention(_norm_numbers(0), "without batch norm"),
        "norm_of_three": Convention(_norm_numbers(3), "with 3 numbers for each channel of a batch norm"),
        "with_statistics": Convention(_norm_numbers(4), "with batch norm's running mean and variance, too"),
    },
}
