"""A network lent to a proxy: it comes back with the weights, statistics, modes and gradients that it had."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from archsearch.errors import TrainingError

LAYERS = (nn.Conv2d, nn.Linear)  # whose weights proxies look at
NORMS = nn.modules.batchnorm._BatchNorm
ACTS = (nn.ReLU, nn.ReLU6, nn.Hardswish, nn.SiLU)  # that switch on and off; gates (sigmoids) are smooth factors


@contextmanager
def lent(network: nn.Module) -> Iterator[nn.Module]:
    """The network in training mode without dropout, nothing in place; all of it is undone at the end.

    Batch norm uses the batch's own statistics, as in the first step of a training; what it adds to its running ones is
    taken back. Hooks set meanwhile are the caller's to remove.
    """
    modes = [(module, module.training) for module in network.modules()]
    inplace = [module for module in network.modules() if getattr(module, "inplace", False)]
    wanted = [(weight, weight.requires_grad) for weight in network.parameters()]
    kept = [(buffer, buffer.clone()) for buffer in network.buffers()]
    network.train()
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.training = False
    try:
        _set(inplace, False)
        for weight, _ in wanted:
            weight.requires_grad_(True)
        yield network
    finally:
        _set(inplace, True)
        for module, training in modes:
            module.training = training
        for weight, asked in wanted:
            weight.requires_grad_(asked)
        with torch.no_grad():
            for buffer, value in kept:
                buffer.copy_(value)


def _set(modules: list[nn.Module], inplace: bool) -> None:
    for module in modules:
        setattr(module, "inplace", inplace)  # noqa: B010 - a module's attributes are not known to be flags


def weights(network: nn.Module) -> list[Tensor]:
    """The weights of convolutions and linear layers, biases and norms left out."""
    return [module.weight for module in network.modules() if isinstance(module, LAYERS)]


def stream(device: torch.device, seed: int) -> torch.Generator:
    """Random numbers on a device, from a seed."""
    return torch.Generator(device).manual_seed(seed)


def finite(name: str, value: float | Tensor) -> float:
    """The score as a float.

    raises   TrainingError (reason "nan") where it is not finite
    """
    score = float(value.detach()) if isinstance(value, Tensor) else value
    if not math.isfinite(score):
        raise TrainingError(f"proxy {name} gives {score}: it says nothing of this network on this batch", reason="nan")
    return score
