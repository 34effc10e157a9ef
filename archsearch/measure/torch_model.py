"""A model as the torch modules that are timed: batch norm folded, weights that keep activations alive, inputs drawn."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from archsearch.export.graph import random_weights
from archsearch.measure.model import Model
from archsearch.nn.build import Part
from archsearch.nn.fold import folded

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass
class Threads:
    """torch's number of threads, which the whole process shares: as wanted while any model is held, then as before."""

    wanted: int
    holders: int = 0
    before: int = 0

    def hold(self) -> None:
        """One model more needs them."""
        if self.holders == 0:
            self.before = torch.get_num_threads()
        self.holders += 1
        self.set()

    def set(self) -> None:
        """As wanted, whatever another device has set meanwhile."""
        if torch.get_num_threads() != self.wanted:
            torch.set_num_threads(self.wanted)

    def release(self) -> None:
        """One model less; after the last one the number is that from before the first."""
        self.holders -= 1
        if self.holders == 0:
            torch.set_num_threads(self.before)


def deployed(model: Model, dtype: str, *, device: str = "cpu", layout: torch.memory_format) -> Part:
    """The model's modules in evaluation mode, batch norm folded, with the weights that `export.graph` gives it.

    Torch's own initial weights would make activations vanish behind many depthwise layers, and tiny numbers are slow.
    Built without memory first: torch would draw weights that are thrown away.
    """
    with torch.device("meta"):
        made = folded(Part(list(model.ops), tuple(name for name, _, _ in model.inputs)))
    made = made.to_empty(device=device)
    with torch.no_grad():
        for module in made.modules():
            _fill(module)
    return made.to(dtype=DTYPES[dtype], memory_format=layout).requires_grad_(False)


def _fill(module: nn.Module) -> None:
    """Weights of one layer; a batch norm that could not be folded does nothing."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        shape = tuple(module.weight.shape)
        module.weight.copy_(torch.from_numpy(random_weights(shape, math.prod(shape[1:]))))
        if module.bias is not None:
            module.bias.fill_(0.01)
    elif isinstance(module, nn.BatchNorm2d):
        module.reset_parameters()


def drawn_inputs(
    model: Model, dtype: str, batch: int, *, device: str = "cpu", layout: torch.memory_format
) -> list[Tensor]:
    """Normal numbers, one tensor [batch, channels, side, side] for each input; the same for each call."""
    draw = torch.Generator().manual_seed(0)
    shapes = [(batch, channels, side, side) for _, channels, side in model.inputs]
    drawn = [torch.randn(shape, generator=draw) for shape in shapes]
    return [each.to(device, DTYPES[dtype]).contiguous(memory_format=layout) for each in drawn]
