"""A network from its ops: whatever `lower` says is built and run, so counter and model cannot disagree."""

import torch
from torch import Tensor, nn

from archsearch.nn.layers import placed
from archsearch.spec.arch import Arch
from archsearch.spec.lower import INPUT, lower, unroll
from archsearch.spec.ops import Op

Place = tuple[nn.Module, str]  # a container and a name in it: whoever replaces a module there is heard
Step = tuple[
    list[Place], tuple[str, ...], str, tuple[str, ...]
]  # modules, inputs, output, inputs used for the last time


class Network(nn.Module):
    """An `Arch` as a torch module: float32[b, 3, r, r] -> float32[b, classes], or what its head gives.

    Segmentation: [b, classes, r, r]. Detection: [b, anchors, classes + 4].

    The plain MobileNetV2 has torchvision's parameter names, so its state dicts load with `strict=True`.
    Runs its unrolled ops in order and lets go of a tensor after its last use.
    """

    def __init__(self, ops: list[Op], *, dropout: float = 0.0) -> None:
        super().__init__()
        self._steps: list[Step] = []
        last_use = {name: index for index, op in enumerate(ops) for name in op.inputs}
        for index, op in enumerate(ops):
            chain = [_attach(self, path, module) for path, module in placed(op).items()]
            if op.label == "classifier":
                chain.insert(0, _attach(self, op.name.rpartition(".")[0] + ".0", nn.Dropout(dropout)))
            done = tuple(sorted({name for name in op.inputs if last_use[name] == index}))
            self._steps.append((chain, op.inputs, op.name, done))
        self._output = ops[-1].name
        self.apply(initialise)

    def forward(self, x: Tensor) -> Tensor:
        return self._run({INPUT: x})

    def _run(self, live: dict[str, Tensor]) -> Tensor:
        """What the last op makes of tensors by name; empties `live`."""
        for (first, *rest), inputs, name, done in self._steps:
            value = getattr(*first)(*(live[source] for source in inputs))
            for place in rest:
                value = getattr(*place)(value)
            for source in done:
                del live[source]
            live[name] = value
        return live[self._output]

    def chains(self) -> list[list[nn.Module]]:
        """The modules of each unrolled op, in order: layer, batch norm, activation, as far as it has them."""
        return [[getattr(*place) for place in chain] for chain, *_ in self._steps]


class Part(Network):
    """Some of a network's ops as a module that takes one tensor for each name in `sources`, in that order."""

    def __init__(self, ops: list[Op], sources: tuple[str, ...]) -> None:
        super().__init__(ops)
        self._sources = sources

    def forward(self, *tensors: Tensor) -> Tensor:
        return self._run(dict(zip(self._sources, tensors, strict=True)))


def build(arch: Arch, *, dropout: float = 0.0) -> Network:
    """The torch module of a network, freshly initialised from torch's global generator.

    Initial weights: Kaiming normal (fan out) for convolutions, normal(0, 0.01) for the classifier, as torchvision's.
    dropout  probability in front of the classifier
    """
    return Network(unroll(lower(arch)), dropout=dropout)


def _attach(root: nn.Module, path: str, module: nn.Module) -> Place:
    """Put a module at a dotted path, making plain containers on the way; where it is found again."""
    *parents, leaf = path.split(".")
    for name in parents:
        if name not in root._modules:
            root.add_module(name, nn.Module())
        root = root.get_submodule(name)
    root.add_module(leaf, module)
    return root, leaf


def initialise(module: nn.Module) -> None:
    """First weights of one layer, in place, as `build` tells."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, 0, 0.01)
        nn.init.zeros_(module.bias)


def example_input(arch: Arch, batch: int = 1) -> Tensor:
    """A zero image batch float32[batch, 3, r, r]."""
    return torch.zeros(batch, 3, arch.resolution, arch.resolution)
