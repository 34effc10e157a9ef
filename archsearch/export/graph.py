"""Ops as an ONNX model, written directly: for timing thousands of blocks, whose weights mean nothing.

The graph is the one that `torch.onnx` exports of the same network with batch norm folded, apart from how a linear layer
is spelled; `archsearch export` uses torch's exporter, for there the weights matter.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from archsearch.errors import SpecError
from archsearch.spec.ops import Op

OPSET, IR = 18, 10  # opset 18: axes of a reduction are an input; IR version 10: onnxruntime 1.18 and newer
POOL = 1 << 20  # random numbers from which weights are cut: making them anew for each layer took most of the time

Node = Any  # onnx.NodeProto


@dataclass
class Writer:
    """Nodes and weights of one graph while it is written."""

    nodes: list[Node] = field(default_factory=list)
    weights: dict[str, np.ndarray] = field(default_factory=dict)
    batch: int = 1

    def node(self, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """Add one node; the name of what it makes."""
        from onnx import helper

        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def weight(self, name: str, value: np.ndarray) -> str:
        """Add a constant; its name."""
        self.weights[name] = value
        return name


def onnx_bytes(ops: Sequence[Op], inputs: Sequence[tuple[str, int, int]], *, batch: int = 1) -> bytes:
    """An ONNX model of unrolled ops with random weights, batch norm folded, as bytes.

    inputs   name, channels and side [pixels] of each tensor that the ops read and do not make
    raises   SpecError for an op or an activation that has no ONNX form
    """
    from onnx import TensorProto, helper, numpy_helper

    writer = Writer(batch=batch)
    for op in ops:
        if op.kind not in WRITERS:
            raise SpecError(f"ops of kind {op.kind!r} have no ONNX form; there are forms for {', '.join(WRITERS)}")
        WRITERS[op.kind](writer, op)
    constants = [numpy_helper.from_array(value, name) for name, value in writer.weights.items()]
    takes = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, channels, size, size])
             for name, channels, size in inputs]  # fmt: skip
    gives = [helper.make_tensor_value_info(ops[-1].name, TensorProto.FLOAT, _answer_shape(ops[-1], batch))]
    graph = helper.make_graph(writer.nodes, "archsearch", takes, gives, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    return bytes(model.SerializeToString())


def _answer_shape(op: Op, batch: int) -> list[int | None]:
    """The shape of what an op gives; None where the op does not say it."""
    shapes: dict[str, list[int | None]] = {"linear": [batch, op.c_out], "detections": [batch, None, None]}
    return shapes.get(op.kind, [batch, op.c_out, op.size_out, op.size_out])


def random_weights(shape: tuple[int, ...], fan_in: int) -> np.ndarray:
    """Weights of one layer, float32: normal, so scaled that activations keep their size; the same for each call."""
    numbers = _pool()
    size = int(np.prod(shape))
    cut = np.resize(numbers, size) if size > len(numbers) else numbers[:size]
    return np.asarray((cut * np.sqrt(2 / max(fan_in, 1))).reshape(shape), dtype=np.float32)


_numbers: list[np.ndarray] = []


def _pool() -> np.ndarray:
    if not _numbers:
        _numbers.append(np.random.default_rng(0).standard_normal(POOL, dtype=np.float32))
    return _numbers[0]


# one writer a kind of op ------------------------------------------------------------------------------------------


def _conv(w: Writer, op: Op) -> None:
    shape = (op.c_out, op.per_group, op.kernel, op.kernel)
    inputs = [op.inputs[0], w.weight(f"{op.name}.weight", random_weights(shape, op.per_group * op.kernel**2))]
    if op.bias or op.norm:
        inputs.append(w.weight(f"{op.name}.bias", np.full(op.c_out, 0.01, dtype=np.float32)))
    pad = op.kernel // 2 * op.dilation
    w.node("Conv", inputs, _before(op), kernel_shape=[op.kernel] * 2, strides=[op.stride] * 2,
           pads=[pad] * 4, dilations=[op.dilation] * 2, group=op.c_in // op.per_group)  # fmt: skip
    _act(w, op)


def _linear(w: Writer, op: Op) -> None:
    weight = w.weight(f"{op.name}.weight", random_weights((op.c_out, op.c_in), op.c_in))
    bias = w.weight(f"{op.name}.bias", np.zeros(op.c_out, dtype=np.float32))
    flat = w.node("Flatten", [op.inputs[0]], f"{op.name}/flat", axis=1)
    w.node("Gemm", [flat, weight, bias], _before(op), transB=1)
    _act(w, op)


def _pool_op(w: Writer, op: Op) -> None:
    axes = w.weight("axes_2_3", np.array([2, 3], dtype=np.int64))
    w.node("ReduceMean", [op.inputs[0], axes], op.name, keepdims=1)


def _two(kind: str) -> Callable[[Writer, Op], None]:
    def write(w: Writer, op: Op) -> None:
        w.node(kind, op.inputs, _before(op))
        _act(w, op)

    return write


def _cat(w: Writer, op: Op) -> None:
    w.node("Concat", op.inputs, op.name, axis=1)


def _resize(w: Writer, op: Op) -> None:
    sizes = w.weight(f"{op.name}.sizes", np.array([w.batch, op.c_in, op.size_out, op.size_out], dtype=np.int64))
    w.node("Resize", [op.inputs[0], "", "", sizes], op.name, mode="linear",
           coordinate_transformation_mode="half_pixel")  # fmt: skip


def _detections(w: Writer, op: Op) -> None:
    """Classes and boxes of each map as rows: [b, anchors x k, s, s] -> [b, s x s x anchors, k]; joined."""
    rows = [w.node("Concat", [_rows(w, op, scores, boxes, part) for part in (0, 1)], f"{op.name}/{nth}", axis=2)
            for nth, (scores, boxes) in enumerate(zip(op.inputs[::2], op.inputs[1::2], strict=True))]  # fmt: skip
    w.node("Concat", rows, op.name, axis=1)


def _rows(w: Writer, op: Op, scores: str, boxes: str, part: int) -> str:
    source = (scores, boxes)[part]
    anchors = len(w.weights[f"{boxes}.weight"]) // 4
    each = len(w.weights[f"{source}.weight"]) // anchors
    shape = w.node("Shape", [source], f"{source}/shape", start=2, end=4)
    head = w.weight(f"{source}/head", np.array([w.batch, anchors, each], dtype=np.int64))
    five = w.node("Concat", [head, shape], f"{source}/five", axis=0)
    split = w.node("Reshape", [source, five], f"{source}/split")
    turned = w.node("Transpose", [split], f"{source}/turned", perm=[0, 3, 4, 1, 2])
    flat = w.weight(f"{source}/flat", np.array([w.batch, -1, each], dtype=np.int64))
    return w.node("Reshape", [turned, flat], f"{source}/rows")


def _lone_act(w: Writer, op: Op) -> None:
    _act(w, op, source=op.inputs[0])


WRITERS: dict[str, Callable[[Writer, Op], None]] = {
    "conv": _conv, "linear": _linear, "pool": _pool_op, "add": _two("Add"), "mul": _two("Mul"), "cat": _cat,
    "resize": _resize, "detections": _detections, "act": _lone_act,
}  # fmt: skip


def _before(op: Op) -> str:
    """The name of what an op makes before its activation."""
    return op.name if op.act == "linear" else f"{op.name}/linear"


def _act(w: Writer, op: Op, *, source: str | None = None) -> None:
    if op.act == "linear":
        return
    if op.act not in ACTS:
        raise SpecError(f"activation {op.act!r} has no ONNX form; there are forms for {', '.join(ACTS)}")
    for kind, inputs, output, attributes in ACTS[op.act](source or _before(op), op.name):
        w.node(kind, [_constant(w, each) for each in inputs], output, **attributes)


def _constant(w: Writer, word: str) -> str:
    """A number among the inputs of a node becomes a constant of the graph."""
    return w.weight(word, np.array(float(word[1:]), dtype=np.float32)) if word.startswith("=") else word


Steps = Iterator[tuple[str, list[str], str, dict[str, Any]]]


def _one(kind: str, *more: str, **attributes: float) -> Callable[[str, str], Steps]:
    return lambda x, y: iter([(kind, [x, *more], y, attributes)])


def _silu(x: str, y: str) -> Steps:
    yield "Sigmoid", [x], f"{y}/gate", {}
    yield "Mul", [x, f"{y}/gate"], y, {}


ACTS: dict[str, Callable[[str, str], Steps]] = {
    "relu6": _one("Clip", "=0", "=6"),
    "relu": _one("Relu"),
    "hard_swish": _one("HardSwish"),
    "hard_sigmoid": _one("HardSigmoid", alpha=1 / 6),
    "sigmoid": _one("Sigmoid"),
    "silu": _silu,
}
