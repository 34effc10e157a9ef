"""Batch-norm statistics measured anew for the weights that are judged."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

NORM = nn.modules.batchnorm._BatchNorm


@torch.no_grad()
def recalibrate(
    model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], images: int, context: torch.autocast
) -> None:
    """Replaces running means and variances, in place, by their plain averages over about `images` images.

    Running averages lag behind: after 12 steps they still hold 28 % of their start, and they belong to weights that
    have since been averaged. Only batch norm is in training mode meanwhile; the model is left in eval mode.
    batches   of training images, as they were trained on
    images    at most; whole batches, at least one; 0 leaves everything as it is
    source    arXiv:2105.07576, section 3
    """
    norms = [module for module in model.modules() if isinstance(module, NORM) and module.track_running_stats]
    model.eval()
    if not images or not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain average
        norm.train()
    seen = 0
    for inputs, _ in batches:
        if seen and seen + len(inputs) > images:
            break
        with context:
            model(inputs)
        seen += len(inputs)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    model.eval()
