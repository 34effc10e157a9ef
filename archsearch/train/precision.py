"""How numbers are kept while training: bfloat16 where it pays, and channels last."""

import torch
from torch import nn

from archsearch.train.recipe import Recipe


def autocast(recipe: Recipe, device: str) -> torch.autocast:
    """The context of a forward pass: bfloat16 or nothing.

    "auto" is bfloat16 on CUDA devices that have it and float32 elsewhere: on CPUs bfloat16 was no faster once the
    allocator kept its blocks (`tuning`).
    """
    kind = torch.device(device).type
    bfloat16 = recipe.amp == "bfloat16" or (recipe.amp == "auto" and kind == "cuda" and torch.cuda.is_bf16_supported())
    return torch.autocast(kind, dtype=torch.bfloat16, enabled=bfloat16)


def place(model: nn.Module, recipe: Recipe, device: str) -> nn.Module:
    """Moves a model, in place, to where and how it is trained."""
    order = torch.channels_last if recipe.channels_last else torch.contiguous_format
    return model.to(device=device, memory_format=order)
