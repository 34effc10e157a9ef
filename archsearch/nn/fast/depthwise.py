"""A 3x3 depthwise convolution, batch norm and clamp as one, so that each image is done while it is in the caches."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from archsearch.nn.fast import sweep
from archsearch.nn.fast.maps import Floats, last
from archsearch.nn.fast.norm import After, Doubles, Passes, singles
from archsearch.nn.fast.rows import SIDE, TAPS
from archsearch.nn.fast.vectors import LANES

LEAST = 8  # pixels of a row from which the sweeps pay
PAST = 2**20  # floats of a map that will not be in the caches when it is read again


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Site:
    """Where a depthwise convolution stands.

    after   its batch norm and clamp
    before  those of the expansion in front, where nobody else reads what that makes
    """

    stride: int
    after: After
    before: After | None

    def shape(self, x: Tensor, written: Tensor) -> tuple[int, ...]:
        """What a sweep is told of sizes, behind the range of images."""
        channels, height, width = x.shape[1:]
        past = channels % LANES == 0 and written.numel() >= PAST and written.data_ptr() % (4 * LANES) == 0
        return height, width, channels, self.stride, int(past)


class Depthwise(torch.autograd.Function):
    """x, weight, gamma, beta -> clamp(batch norm of (x convolved with weight)); x channels last."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, gamma: Tensor, beta: Tensor, site: Site) -> Tensor:
        y, sums = convolved(x, weight, site)
        ctx.save_for_backward(x, weight, y)
        ctx.rest = site, Passes.of(y, sums, site.after)
        made: Tensor = ctx.rest[1].clamped(y)
        return made

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        x, weight, y = ctx.saved_tensors
        site, passes = ctx.rest
        given = last(gradient)
        sums = passes.back_sums(y, given)
        of_gamma, slope, add = passes.affine.gradients(*sums)
        low, high = site.after.bounds
        ends = np.full_like(add, low), np.full_like(add, high)
        rows = np.stack([passes.affine.scale, passes.affine.shift, slope, add, *ends])
        dx, totals = swept_back((x, y, given), rows, weight, site)
        if site.before is not None and ctx.needs_input_grad[0]:
            site.before.cut[x.data_ptr()] = totals[TAPS]
        of_weight = totals[TAPS - 1 :: -1].T.reshape(weight.shape)
        return dx, *singles(of_weight, of_gamma, sums[0]), None


def fits(conv: nn.Module) -> bool:
    """Whether the sweeps know the convolution."""
    if not isinstance(conv, nn.Conv2d) or conv.bias is not None or conv.stride not in ((1, 1), (2, 2)):
        return False
    around = conv.kernel_size == (SIDE, SIDE) and conv.padding == conv.dilation == (1, 1)
    alone = conv.groups == conv.in_channels == conv.out_channels >= LANES
    return around and alone and conv.padding_mode == "zeros"


def flat(map_: Tensor) -> Floats:
    """float32[b, c, h, w], channels last, as float32[b * h * w * c] of the same memory."""
    found: Floats = map_.detach().permute(0, 2, 3, 1).reshape(-1).numpy()
    return found


def taps(weight: Tensor) -> Floats:
    """float32[c, 1, 3, 3] as float32[9, c]."""
    found: Floats = weight.detach().view(-1, TAPS).t().numpy()
    return found


def convolved(x: Tensor, weight: Tensor, site: Site) -> tuple[Tensor, Doubles]:
    """The convolution, and its channels' sums and sums of squares, float64[2, c]."""
    channels, height, width = x.shape[1:]
    sides = ((side - 1) // site.stride + 1 for side in (height, width))
    y = torch.empty((len(x), channels, *sides), memory_format=torch.channels_last)
    shape, maps, fixed = site.shape(x, y), (flat(x), flat(y)), sweep.blocked(taps(weight))

    def loop(first: int, end: int, sums: Doubles) -> None:
        sweep.convolve((first, end, *shape), maps, fixed, sweep.room(width, channels, 2), sums)

    return y, site.after.crew.shared(loop, (2, channels), count=len(x), step=1, size=x.numel())


def swept_back(maps: tuple[Tensor, ...], affine: Doubles, weight: Tensor, site: Site) -> tuple[Tensor, Doubles]:
    """The gradient of x; those of the weights in reverse order and its own sums, float64[10, c].

    maps    x, the convolution's result, the gradient behind batch norm and clamp
    affine  float64[6, c]: scale, shift, slope, add, low, high
    """
    x = maps[0]
    dx = torch.empty_like(x)
    channels, width = x.shape[1], x.shape[3]
    bounds = (-np.inf, np.inf) if site.before is None else site.before.bounds
    fixed = sweep.blocked(affine), sweep.blocked(taps(weight)[::-1]), np.repeat(np.float32(bounds), LANES)
    shape, flats = site.shape(x, dx), tuple(flat(each) for each in (*maps, dx))

    def loop(first: int, end: int, sums: Doubles) -> None:
        space = sweep.room(width, channels, TAPS + 1)
        sweep.convolve_back((first, end, *shape), flats, fixed, space, sums)

    totals = site.after.crew.shared(loop, (TAPS + 1, channels), count=len(x), step=1, size=x.numel())
    return dx, totals
