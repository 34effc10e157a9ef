"""Networks in which nothing is 0 or 1 by chance: random weights, and batch-norm statistics that do something."""

import torch
from torch import nn


def shaken(model: nn.Module, seed: int = 0) -> nn.Module:
    """The same model in evaluation mode, all of it random; its activations neither vanish nor explode."""
    draw = torch.Generator().manual_seed(seed)

    def uniform(tensor: torch.Tensor, low: float, high: float) -> None:
        tensor.copy_(low + (high - low) * torch.rand(tensor.shape, generator=draw))

    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                bound = (3 / module.weight[0].numel()) ** 0.5
                uniform(module.weight, -bound, bound)
                if module.bias is not None:
                    uniform(module.bias, -0.5, 0.5)
            elif isinstance(module, nn.BatchNorm2d):
                uniform(module.running_mean, -0.5, 0.5)
                uniform(module.running_var, 0.2, 2)
                uniform(module.weight, 0.5, 2)
                uniform(module.bias, -1, 1)
    return model.eval()


def images(size: int, batch: int = 2, seed: int = 1) -> torch.Tensor:
    """Random images float32[batch, 3, size, size]."""
    return torch.randn(batch, 3, size, size, generator=torch.Generator().manual_seed(seed))
