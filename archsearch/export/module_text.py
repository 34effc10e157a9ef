"""Torch modules of a network as Python text: the expression that makes one, the expression that calls it."""

from collections.abc import Callable
from typing import Any

from torch import nn

from archsearch.errors import ExportError
from archsearch.nn import layers

CALLS: dict[type[nn.Module], Callable[..., str]] = {  # of the module, its attribute, the expressions of its inputs
    nn.Conv2d: lambda conv, name, x: f"self.{name}({x})",
    nn.BatchNorm2d: lambda norm, name, x: f"self.{name}({x})",
    layers.Linear: lambda linear, name, x: f"self.{name}({x}.flatten(1))",
    layers.Pool: lambda pool, name, x: f"{x}.mean(dim=(2, 3), keepdim=True)",
    layers.Add: lambda add, name, *xs: " + ".join(xs),
    layers.Mul: lambda mul, name, *xs: " * ".join(xs),
    layers.Cat: lambda cat, name, *xs: f"torch.cat(({', '.join(xs)}), dim=1)",
    layers.Detections: lambda detections, name, *xs: f"detections({', '.join(xs)})",
    nn.Upsample: lambda resize, name, x: f'F.interpolate({x}, size={resize.size}, mode="{resize.mode}")',
    nn.Dropout: lambda dropout, name, x: x,  # the file is for inference
    nn.ReLU6: lambda act, name, x: f"F.relu6({x})",
    nn.ReLU: lambda act, name, x: f"F.relu({x})",
    nn.Hardswish: lambda act, name, x: f"F.hardswish({x})",
    nn.SiLU: lambda act, name, x: f"F.silu({x})",
    nn.Hardsigmoid: lambda act, name, x: f"F.hardsigmoid({x})",
    nn.Sigmoid: lambda act, name, x: f"torch.sigmoid({x})",
}

MAKERS: dict[type[nn.Module], Callable[[Any], str]] = {  # modules with weights
    nn.Conv2d: lambda conv: f"nn.Conv2d({_conv(conv)})",
    nn.BatchNorm2d: lambda norm: f"nn.BatchNorm2d({norm.num_features})",
    layers.Linear: lambda linear: f"nn.Linear({linear.in_features}, {linear.out_features})",
}

DETECTIONS = '''
def detections(*maps: Tensor) -> Tensor:
    """Class scores and boxes of each map, [b, anchors x n, s, s] in turns -> [b, all anchors, classes + 4]."""
    rows = []
    for scores, boxes in zip(maps[::2], maps[1::2], strict=True):
        anchors = boxes.shape[1] // 4
        both = [each.unflatten(1, (anchors, -1)).permute(0, 3, 4, 1, 2).flatten(1, 3) for each in (scores, boxes)]
        rows.append(torch.cat(both, dim=2))
    return torch.cat(rows, dim=1)

'''


def call(module: nn.Module, name: str, *inputs: str) -> str:
    """The expression that runs a module which is the attribute `name`; raises ExportError for an unknown kind."""
    if type(module) not in CALLS:
        raise ExportError(f"a module {type(module).__name__} cannot be written as Python; "
                          "add it to CALLS in export/module_text.py")  # fmt: skip
    return CALLS[type(module)](module, name, *inputs)


def _conv(conv: nn.Conv2d) -> str:
    """The arguments of a convolution, defaults left out; kernel, stride and dilation are the same both ways."""
    said = {"stride": conv.stride[0], "padding": conv.padding[0], "dilation": conv.dilation[0], "groups": conv.groups}
    usual = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
    given = [f"{name}={value}" for name, value in said.items() if value != usual[name]]
    given += [] if conv.bias is not None else ["bias=False"]
    return ", ".join([str(conv.in_channels), str(conv.out_channels), str(conv.kernel_size[0]), *given])
