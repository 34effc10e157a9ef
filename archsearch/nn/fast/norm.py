"""Batch norm and a clamping activation in two passes over a map each way, instead of torch's five and more."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from archsearch.nn.fast import loops
from archsearch.nn.fast.maps import Crew, Floats, fold_of, folded, last, tiled, unfolded

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class After:
    """What follows a convolution: its batch norm, and the bounds that its activation cuts to.

    owned    whether the gradient that comes back is nobody else's, so that it may be written over
    cut      by the address of what the clamp made: sums of a gradient that is already cut to what passes the clamp
    """

    norm: nn.BatchNorm2d
    bounds: tuple[np.float32, np.float32]
    owned: bool
    crew: Crew
    cut: dict[int, Doubles] = field(default_factory=dict)

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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Passes:
    """Batch norm of one batch, ready for passes over the folded map."""

    after: After
    affine: Affine
    fold: int
    scale: Floats
    shift: Floats

    @classmethod
    def of(cls, x: Tensor, sums: Doubles, after: After) -> "Passes":
        """From the sums and sums of squares of x, float64[2, c]."""
        rows = x.numel() // x.shape[1]
        mean = sums[0] / rows
        affine = Affine.of(mean, np.maximum(sums[1] / rows - mean * mean, 0), rows, after.norm)
        fold = fold_of(x)
        return cls(after=after, affine=affine, fold=fold, scale=tiled(affine.scale, fold),
                   shift=tiled(affine.shift, fold))  # fmt: skip

    def clamped(self, x: Tensor) -> Tensor:
        """clamp(batch norm of x)"""
        y = torch.empty_like(x)
        flat, out, crew, bounds = folded(x, self.fold), folded(y, self.fold), self.after.crew, self.after.bounds
        crew.sums(lambda part, _: loops.clamped(flat[part], self.scale, self.shift, bounds, out[part]), flat)
        return y

    def back_sums(self, x: Tensor, gradient: Tensor) -> Doubles:
        """Of the gradient that passes the clamp, and of that times x: sums float64[2, c]."""
        flat, back, bounds = folded(x, self.fold), folded(gradient, self.fold), self.after.bounds
        sums = self.after.crew.sums(lambda part, sums: loops.back_summed(flat[part], back[part], self.scale, self.shift,
                                                                         bounds, sums), flat)  # fmt: skip
        return unfolded(sums, self.fold)

    def back(self, x: Tensor, gradient: Tensor, slope: Doubles, add: Doubles) -> None:
        """The gradient becomes that of x, in place."""
        flat, back, bounds = folded(x, self.fold), folded(gradient, self.fold), self.after.bounds
        slopes, adds = tiled(slope, self.fold), tiled(add, self.fold)
        self.after.crew.sums(lambda part, _: loops.back_applied(flat[part], back[part], self.scale, self.shift, bounds,
                                                                slopes, adds), flat)  # fmt: skip


def sums_of(x: Tensor, after: After) -> Doubles:
    """Sums and sums of squares of the channels, float64[2, c]."""
    fold = fold_of(x)
    flat = folded(x, fold)
    return unfolded(after.crew.sums(lambda part, sums: loops.summed(flat[part], sums), flat), fold)


def singles(*values: Doubles) -> list[Tensor]:
    """In float32."""
    return [torch.from_numpy(each.astype(np.float32)) for each in values]


class NormClamp(torch.autograd.Function):
    """x, gamma, beta -> clamp(batch norm of x); x float32[b, c, h, w], channels last."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, gamma: Tensor, beta: Tensor, after: After) -> Tensor:
        ctx.save_for_backward(x)
        ctx.passes = Passes.of(x, sums_of(x, after), after)
        made: Tensor = ctx.passes.clamped(x)
        return made

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        passes = ctx.passes
        dx = passes.after.own(gradient)
        sums = passes.back_sums(x, dx)
        of_gamma, slope, add = passes.affine.gradients(*sums)
        passes.back(x, dx, slope, add)
        return dx, *singles(of_gamma, sums[0]), None


@torch.no_grad()
def _track(norm: nn.BatchNorm2d, mean: Doubles, variance: Doubles) -> None:
    """Moves the running mean and variance (unbiased) towards this batch's."""
    if norm.running_mean is None or norm.running_var is None or norm.num_batches_tracked is None:
        return
    norm.num_batches_tracked += 1
    share = norm.momentum if norm.momentum is not None else 1 / int(norm.num_batches_tracked)
    for running, new in ((norm.running_mean.numpy(), mean), (norm.running_var.numpy(), variance)):
        running += share * (new - running)
