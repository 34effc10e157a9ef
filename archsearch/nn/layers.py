"""Primitive ops as torch modules: one small factory a kind."""

from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import Tensor, nn

from archsearch.errors import SpecError
from archsearch.spec.ops import Op

ACTS: dict[str, type[nn.Module]] = {
    "relu6": nn.ReLU6,
    "relu": nn.ReLU,
    "hard_swish": nn.Hardswish,
    "silu": nn.SiLU,
    "hard_sigmoid": nn.Hardsigmoid,
    "sigmoid": nn.Sigmoid,
}


class Add(nn.Module):
    """Sum of two tensors of one shape."""

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return a + b


class Pool(nn.Module):
    """Global average: [b, c, s, s] -> [b, c, 1, 1]."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(dim=(2, 3), keepdim=True)


class Linear(nn.Linear):
    """A linear layer on what pooling leaves: [b, c, 1, 1] or [b, c] -> [b, k]."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flatten(1))


class Mul(nn.Module):
    """Each channel times its gate: [b, c, s, s] and [b, c, 1, 1] -> [b, c, s, s]."""

    def forward(self, x: Tensor, gate: Tensor) -> Tensor:
        return x * gate


class Cat(nn.Module):
    """Maps of one size, their channels in a row."""

    def forward(self, *maps: Tensor) -> Tensor:
        return torch.cat(maps, dim=1)


class Detections(nn.Module):
    """Answers of detection predictors: (classes, boxes) of each map -> [b, anchors, classes + 4].

    maps     class scores [b, anchors x classes, s, s] and boxes [b, anchors x 4, s, s] in turns, finest first
    """

    def forward(self, *maps: Tensor) -> Tensor:
        rows = []
        for scores, boxes in zip(maps[::2], maps[1::2], strict=True):
            anchors = boxes.shape[1] // 4
            both = [each.unflatten(1, (anchors, -1)).permute(0, 3, 4, 1, 2).flatten(1, 3) for each in (scores, boxes)]
            rows.append(torch.cat(both, dim=2))
        return torch.cat(rows, dim=1)


def activation(name: str) -> nn.Module:
    """An activation by name; raises SpecError for an unknown one."""
    if name not in ACTS:
        raise SpecError(f"activation {name!r} has no torch module; choices: {', '.join(ACTS)}")
    return nn.Sigmoid() if name == "sigmoid" else ACTS[name](inplace=True)


LAYERS: dict[str, Callable[[Op], nn.Module]] = {
    "conv": lambda op: nn.Conv2d(
        op.c_in, op.c_out, op.kernel, op.stride, padding=op.kernel // 2 * op.dilation, dilation=op.dilation,
        groups=op.c_in // op.per_group, bias=op.bias),
    "linear": lambda op: Linear(op.c_in, op.c_out),
    "pool": lambda op: Pool(),
    "add": lambda op: Add(),
    "mul": lambda op: Mul(),
    "cat": lambda op: Cat(),
    "resize": lambda op: nn.Upsample(size=(op.size_out, op.size_out), mode="bilinear"),
    "detections": lambda op: Detections(),
}  # fmt: skip


def modules(op: Op) -> list[nn.Module]:
    """The torch modules of one unrolled op, in order: layer, batch norm, activation, as far as it has them."""
    chain = [LAYERS[op.kind](op)] if op.kind in LAYERS else []
    if op.norm:
        chain.append(nn.BatchNorm2d(op.c_out))
    if op.act != "linear":
        chain.append(activation(op.act))
    return chain


def placed(op: Op) -> "OrderedDict[str, nn.Module]":
    """Module path -> module. A flat op's modules follow each other in their block; a nested op's lie in one of its own.

    This is torchvision's naming: `features.2.conv.0.0` is an expansion, `features.2.conv.2` a projection.
    """
    chain = modules(op)
    if op.kind != "conv" and len(chain) == 1:
        return OrderedDict([(op.name, chain[0])])
    if not op.flat:
        return OrderedDict((f"{op.name}.{index}", module) for index, module in enumerate(chain))
    parent, _, slot = op.name.rpartition(".")
    return OrderedDict((f"{parent}.{int(slot) + index}", module) for index, module in enumerate(chain))
