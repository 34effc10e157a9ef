"""The running average of a model's weights: what is evaluated and kept."""

import copy

import torch
from torch import nn


def decay_at(step: int, decay: float) -> float:
    """The decay after step `step` (from 0): small at first, so that short trainings forget their start too.

    min(decay, (1 + step) / (10 + step)): an average over about the last tenth of the steps until `decay` takes over.
    """
    return min(decay, (1 + step) / (10 + step))


class Ema:
    """A shadow of a model: floating-point parameters and buffers averaged, the others copied."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay = decay
        pairs = list(zip(_tensors(self.model), _tensors(model), strict=True))
        self._averaged = [pair for pair in pairs if pair[0].is_floating_point()]
        self._copied = [pair for pair in pairs if not pair[0].is_floating_point()]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Takes in the weights after step `step` (from 0)."""
        shadows, weights = zip(*self._averaged, strict=True)
        torch._foreach_lerp_(list(shadows), list(weights), 1 - decay_at(step, self.decay))
        for shadow, value in self._copied:
            shadow.copy_(value)


def _tensors(model: nn.Module) -> list[torch.Tensor]:
    return [*model.parameters(), *model.buffers()]
