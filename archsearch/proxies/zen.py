"""The proxy zen: how much a network's features move when its input does, whatever batch norm does to their scale."""

import copy

import torch
from torch import Tensor, nn

from archsearch.nn.layers import Add, Pool
from archsearch.proxies.lent import LAYERS, NORMS, finite, lent, stream

STEP = 0.01  # of the input, in its own standard deviations


def zen(network: nn.Module, images: Tensor, labels: Tensor, seed: int) -> float:
    """log of the mean change of the features before the last pooling, plus the log of each norm's standard deviation.

    Weights and inputs are standard normal (of the images the shape alone counts), the input moves by 0.01 of another
    such draw. Shortcuts are left out, as in the paper; squeeze-and-excitation stays.
    Source: arXiv:2102.01063, section 3.3 and algorithm 1.
    """
    copied, draws = copy.deepcopy(network), stream(images.device, seed)
    with torch.no_grad():
        for module in copied.modules():
            if isinstance(module, LAYERS):
                module.weight.normal_(generator=draws)
            elif isinstance(module, NORMS) and module.affine:
                module.weight.fill_(1.0)
                module.bias.zero_()
    first, other = (torch.empty_like(images).normal_(generator=draws) for _ in range(2))
    with torch.no_grad(), lent(copied):
        scales: list[Tensor] = []
        _prepare(copied, scales)
        here = _features(copied, first)
        count = len(scales)
        there = _features(copied, first + STEP * other)
    moved = (here - there).abs().flatten(1).sum(dim=1, dtype=torch.float64).mean()
    return finite("zen", moved.log() + sum(each.double().log() for each in scales[:count]))


def _prepare(network: nn.Module, scales: list[Tensor]) -> None:
    """Hooks: what each batch norm divides by is noted, and an addition passes on its first input, the branch."""
    for module in network.modules():
        if isinstance(module, NORMS):
            module.register_forward_pre_hook(
                lambda _, given: scales.append(given[0].var(dim=(0, 2, 3), correction=0).mean().sqrt())
            )
        elif isinstance(module, Add):
            module.register_forward_hook(lambda _, given, __: given[0])


def _features(network: nn.Module, images: Tensor) -> Tensor:
    """What the last global pooling is given; the output where there is none."""
    pools = [module for module in network.modules() if isinstance(module, Pool)]
    seen: list[Tensor] = []
    handles = [pool.register_forward_pre_hook(lambda _, given: seen.append(given[0])) for pool in pools[-1:]]
    try:
        out = network(images)
    finally:
        for handle in handles:
            handle.remove()
    return seen[0] if seen else out
