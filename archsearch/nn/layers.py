"""Primitive ops as torch modules: one small factory a kind."""

from collections import OrderedDict

from torch import Tensor, nn

from archsearch.errors import SpecError
from archsearch.spec.ops import Op

ACTS: dict[str, type[nn.Module]] = {
    "relu6": nn.ReLU6,
    "relu": nn.ReLU,
    "hard_swish": nn.Hardswish,
    "silu": nn.SiLU,
}


class Add(nn.Module):
    """Sum of two tensors of one shape."""

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return a + b


class Pool(nn.Module):
    """Global average: [b, c, s, s] -> [b, c]."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(dim=(2, 3))


def activation(name: str) -> nn.Module:
    """An activation by name; raises SpecError for an unknown one."""
    if name not in ACTS:
        raise SpecError(f"activation {name!r} has no torch module; choices: {', '.join(ACTS)}")
    return ACTS[name](inplace=True)


def modules(op: Op) -> list[nn.Module]:
    """The torch modules of one unrolled op, in order: layer, batch norm, activation, as far as it has them."""
    chain: list[nn.Module] = []
    if op.kind == "conv":
        chain.append(
            nn.Conv2d(op.c_in, op.c_out, op.kernel, op.stride, padding=op.kernel // 2,
                      groups=op.c_in // op.per_group, bias=op.bias)
        )  # fmt: skip
    elif op.kind != "act":
        chain.append({"linear": lambda: nn.Linear(op.c_in, op.c_out), "pool": Pool, "add": Add}[op.kind]())
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
