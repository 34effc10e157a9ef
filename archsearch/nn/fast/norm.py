"""Batch norm and a clamping activation in two passes over a map each way, instead of torch's five and more."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from archsearch.nn.fast import loops
from archsearch.nn.fast.maps import Crew, fold_of, folded, last, tiled, unfolded

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class After:
    """What follows a convolution: its batch norm, and the bounds that its activation cuts to.

    owned    whether the gradient that comes back is nobody else's, so that it may be written over
    """

    norm: nn.BatchNorm2d
    bounds: tuple[np.float32, np.float32]
    owned: bool
    crew: Crew

    def own(self, gradient: Tensor) -> Tensor:
        """The gradient in channels-last order, to be written over."""
        mine = last(gradient)
        return mine if self.owned or mine is not gradient else mine.clone()


@dataclass(frozen=True, slots=True, kw_only=True)
class Affine:
    """Batch norm of one batch as one scale and one shift a channel, and what its gradient needs; all float64[c].

    Source: arXiv:1502.03167, algorithm 1.
    """

    mean: Doubles
    inverse: Doubles  # 1 / standard deviation
    scale: Doubles
    shift: Doubles
    rows: int

    @classmethod
    def of(cls, mean: Doubles, variance: Doubles, rows: int, norm: nn.BatchNorm2d) -> "Affine":
        """For values of this mean and (biased) variance; the norm's running statistics move as torch's do."""
        inverse = 1 / np.sqrt(variance + norm.eps)
        scale = norm.weight.detach().numpy() * inverse
        shift = norm.bias.detach().numpy() - mean * scale
        _track(norm, mean, variance * (rows / max(rows - 1, 1)))
        return cls(mean=mean, inverse=inverse, scale=scale, shift=shift, rows=rows)

    def gradients(self, of_shift: Doubles, of_products: Doubles) -> tuple[Doubles, Doubles, Doubles]:
        """From sums of the result's gradient d, and of d * x: gradient of gamma; slope and add.

        That of x is scale * d - slope * x - add; that of beta is `of_shift`.
        """
        of_gamma = (of_products - self.mean * of_shift) * self.inverse
        slope = self.scale * self.inverse * of_gamma / self.rows
        return of_gamma, slope, self.scale * of_shift / self.rows - slope * self.mean


class NormClamp(torch.autograd.Function):
    """x, gamma, beta -> clamp(batch norm of x); x float32[b, c, h, w], channels last."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, gamma: Tensor, beta: Tensor, after: After) -> Tensor:
        fold = fold_of(x)
        flat = folded(x, fold)
        rows = x.numel() // x.shape[1]
        sums = unfolded(after.crew.sums(lambda part, sums: loops.summed(flat[part], sums), flat), fold)
        mean = sums[0] / rows
        affine = Affine.of(mean, np.maximum(sums[1] / rows - mean * mean, 0), rows, after.norm)
        y = torch.empty_like(x)
        out, scale, shift = folded(y, fold), tiled(affine.scale, fold), tiled(affine.shift, fold)
        after.crew.sums(lambda part, _: loops.clamped(flat[part], scale, shift, after.bounds, out[part]), flat)
        ctx.save_for_backward(x)
        ctx.rest = after, affine, fold, scale, shift
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        after, affine, fold, scale, shift = ctx.rest
        bounds, crew = after.bounds, after.crew
        dx = after.own(gradient)
        flat, back = folded(x, fold), folded(dx, fold)
        sums = unfolded(crew.sums(lambda part, sums: loops.back_summed(flat[part], back[part], scale, shift, bounds,
                                                                       sums), flat), fold)  # fmt: skip
        of_gamma, slope, add = affine.gradients(*sums)
        slopes, adds = tiled(slope, fold), tiled(add, fold)
        crew.sums(lambda part, _: loops.back_applied(flat[part], back[part], scale, shift, bounds, slopes, adds),
                  flat)  # fmt: skip
        return dx, *(torch.from_numpy(each.astype(np.float32)) for each in (of_gamma, sums[0])), None


@torch.no_grad()
def _track(norm: nn.BatchNorm2d, mean: Doubles, variance: Doubles) -> None:
    """Moves the running mean and variance (unbiased) towards this batch's."""
    if norm.running_mean is None or norm.running_var is None or norm.num_batches_tracked is None:
        return
    norm.num_batches_tracked += 1
    share = norm.momentum if norm.momentum is not None else 1 / int(norm.num_batches_tracked)
    for running, new in ((norm.running_mean.numpy(), mean), (norm.running_var.numpy(), variance)):
        running += share * (new - running)
