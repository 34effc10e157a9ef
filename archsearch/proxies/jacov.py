"""The proxy jacov: how differently a network's outputs hang on different images."""

import torch
from torch import Tensor, nn

from archsearch.proxies.lent import finite, lent

SMALL = 1e-5  # keeps the logarithm of an eigenvalue finite


def jacov(network: nn.Module, images: Tensor, labels: Tensor, seed: int) -> float:
    """Minus the sum of log(v + k) + 1 / (v + k) over the eigenvalues v of the correlations between images' Jacobians.

    Images whose gradients are not correlated score high.
    Source: arXiv:2006.04647v1, section 3, with k = 1e-5.
    """
    values = torch.linalg.eigvalsh(correlations(jacobian(network, images))).clamp(min=0) + SMALL
    return finite("jacov", -(values.log() + 1 / values).sum())


def jacobian(network: nn.Module, images: Tensor) -> Tensor:
    """Gradient of the sum of all outputs with respect to each image, float32[b, pixels]."""
    with lent(network), torch.enable_grad():
        pixels = images.detach().clone().requires_grad_(True)
        (found,) = torch.autograd.grad(network(pixels).sum(), pixels)
    return found.flatten(1)


def correlations(rows: Tensor) -> Tensor:
    """Pearson correlations of rows float[b, p]: float64[b, b]; a constant row makes them NaN."""
    return torch.corrcoef(rows.double())
