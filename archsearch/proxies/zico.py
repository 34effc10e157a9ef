"""The proxy zico: how large gradients are against how much they differ from batch to batch."""

import torch
from torch import Tensor, nn

from archsearch.errors import TrainingError
from archsearch.proxies.lent import finite
from archsearch.proxies.loss import step

BATCHES = 2  # that the images are cut into, as in the paper's code


def zico(network: nn.Module, images: Tensor, labels: Tensor, seed: int) -> float:
    """Sum over layers of the log of the sum over weights of mean |gradient| / standard deviation of |gradient|.

    Mean and deviation are over the halves of the images.
    raises   TrainingError for fewer than 4 images
    Source: arXiv:2301.11300, equation 5; layers and two batches as in its code.
    """
    if len(images) < 2 * BATCHES:
        raise TrainingError(f"proxy zico needs {2 * BATCHES} images at least, got {len(images)}", reason="nan")
    parts = zip(images.chunk(BATCHES), labels.chunk(BATCHES), strict=True)
    return zico_of([step(network, *part, maps=False).of_weights for part in parts])


def zico_of(slopes: list[list[Tensor]]) -> float:
    """zico of the weights' gradients of several batches; weights whose gradient never changes are left out."""
    total = 0.0
    for layer in zip(*slopes, strict=True):
        sizes = torch.stack(layer).abs()
        spread = sizes.std(dim=0, correction=0)
        moving = spread > 0
        ratio = (sizes.mean(dim=0)[moving] / spread[moving]).sum(dtype=torch.float64)
        total += float(ratio.log()) if ratio > 0 else 0.0
    return finite("zico", total)
