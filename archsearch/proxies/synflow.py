"""The proxy synflow: how much of a signal of ones flows through a network's absolute weights."""

import copy

import torch
from torch import Tensor, nn

from archsearch.proxies.lent import ACTS, NORMS, finite, lent, weights


def synflow(network: nn.Module, images: Tensor, labels: Tensor, seed: int) -> float:
    """Sum over weights of |weight x dR/dweight|, R the sum of the outputs for one image of ones, all weights positive.

    In float64. Batch norm passes everything on unchanged, as in a fresh network in evaluation mode; so do activations:
    nothing is negative, and a ReLU6 would cut the flow off at 6. Of the images the shape alone counts.
    Source: arXiv:2006.05467, section 5.
    """
    copied = copy.deepcopy(network).double()
    for module in copied.modules():
        if isinstance(module, (NORMS, *ACTS)):
            module.forward = _through  # type: ignore[method-assign, assignment]
    with torch.no_grad():
        for weight in copied.parameters():
            weight.abs_()
    with lent(copied), torch.enable_grad():
        known = weights(copied)
        flow = copied(torch.ones_like(images[:1], dtype=torch.float64)).sum()
        slopes = torch.autograd.grad(flow, known)
    return finite("synflow", sum((weight * slope).sum() for weight, slope in zip(known, slopes, strict=True)))


def _through(x: Tensor) -> Tensor:
    """What stands in for batch norm and activations."""
    return x
