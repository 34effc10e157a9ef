"""The optimiser, and which parameters decay."""

import torch
from torch import nn

from archsearch.train.recipe import Recipe

NORMS = (nn.modules.batchnorm._BatchNorm, nn.GroupNorm, nn.LayerNorm)


def decay_groups(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Parameters that decay, and those that do not: norm layers, by module type, and every bias.

    Decay on batch norm's scale only changes the learning rate of the layer before it (arXiv:1706.05350).
    returns  (decayed, free), together each trainable parameter once, in the model's order
    """
    decayed, free, seen = [], [], set()
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if parameter in seen or not parameter.requires_grad:
                continue
            seen.add(parameter)
            (free if isinstance(module, NORMS) or name == "bias" else decayed).append(parameter)
    return decayed, free


def sgd(model: nn.Module, recipe: Recipe) -> torch.optim.SGD:
    """SGD as the recipe says; the learning rate is set before each step."""
    decayed, free = decay_groups(model)
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": free, "weight_decay": 0.0}]
    return torch.optim.SGD(
        [group for group in groups if group["params"]],
        lr=0.0,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        fused=True,
    )


def set_lr(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """The learning rate of the next step, in every group."""
    for group in optimizer.param_groups:
        group["lr"] = lr
