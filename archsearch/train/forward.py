"""How a network is called in a training step: as it is, compiled, or with fewer passes over memory."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from archsearch.nn.build import Network
from archsearch.train.recipe import Recipe

SIDE = 8  # sides of progressive images are multiples of it [pixels]
GROWTH = 0.75  # share of the epochs in which they grow


def forward_of(model: nn.Module, recipe: Recipe, device: str) -> Callable[[Tensor], Tensor]:
    """The model, or what takes its place in training steps: the same parameters, state and, up to rounding, results."""
    if recipe.compile:
        compiled: Callable[[Tensor], Tensor] = torch.compile(model)
        return compiled
    if isinstance(model, Network) and fused(recipe, device):
        from archsearch.nn.fast.network import FastNetwork

        return FastNetwork(model)
    return model


def fused(recipe: Recipe, device: str) -> bool:
    """Whether this recipe's steps take the fast way here: float32 on a CPU, channels last, Numba installed."""
    fits = recipe.fused and recipe.channels_last and recipe.amp != "bfloat16" and torch.device(device).type == "cpu"
    return fits and torch.backends.mkldnn.is_available() and _has_numba()


def _has_numba() -> bool:
    try:
        import archsearch.nn.fast.loops  # noqa: F401
    except ImportError:
        return False
    return True


def side_at(epoch: int, recipe: Recipe, size: int) -> int:
    """The side of the training images in an epoch (from 0) [pixels]: from a share of the full one up to it.

    Grows linearly over the first three quarters of the epochs, in steps of 8 pixels; `recipe.progressive` 1 is off.
    Source: arXiv:2104.00298, section 4 (without its change of regularisation).
    """
    grown = min(1.0, epoch / (GROWTH * recipe.epochs))
    side = size * (recipe.progressive + (1 - recipe.progressive) * grown)
    return min(size, max(SIDE, SIDE * round(side / SIDE))) if side < size else size


def shrunk(images: Tensor, side: int) -> Tensor:
    """Images float32[b, 3, r, r] at another side, averaged as they shrink; themselves where it is theirs already."""
    if images.shape[-1] == side:
        return images
    smaller = functional.interpolate(images, size=(side, side), mode="bilinear", antialias=True)
    return smaller.contiguous(memory_format=torch.channels_last) if _is_last(images) else smaller


def _is_last(images: Tensor) -> bool:
    return images.is_contiguous(memory_format=torch.channels_last)
