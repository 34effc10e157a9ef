"""An expansion (1x1 convolution, batch norm, clamp) whose batch norm takes no pass over the wide map.

What a 1x1 convolution makes has the mean W m and the variances diag(W C W'), with m and C the mean and the covariance
of what it reads: those of the narrow map. So batch norm is known before the convolution and goes into its weights, and
the clamp into oneDNN's last step. On the way back, what batch norm subtracts from the gradient is linear in what the
convolution read, so it costs two products of the narrow map; the wide one is only masked, unless a depthwise
convolution behind it has done so already.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from archsearch.nn.fast import loops
from archsearch.nn.fast.maps import fold_of, folded, last, matrix, unfolded
from archsearch.nn.fast.norm import Affine, After, Doubles, singles

CHUNK = 256  # rows whose products are summed in float32 before they are added up in float64


class Expand(torch.autograd.Function):
    """x, weight, gamma, beta -> clamp(batch norm of (x convolved with weight)); x channels last."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, gamma: Tensor, beta: Tensor, after: After) -> Tensor:
        single = weight.detach().view(weight.shape[0], -1).numpy()
        wide = single.astype(np.float64)
        sums, products = moments(matrix(x))
        rows = x.numel() // x.shape[1]
        mean = sums / rows
        spread = np.einsum("dc,dc->d", times(wide, products / rows - np.outer(mean, mean)), wide)
        affine = Affine.of(times(wide, mean), np.maximum(spread, 0), rows, after.norm)
        scaled = torch.from_numpy(single * affine.scale.astype(np.float32)[:, None])
        y = convolved(x, scaled.view(weight.shape), affine.shift, after)
        ctx.save_for_backward(x, weight, y)
        ctx.rest = after, affine, sums, products, scaled
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        x, weight, y = ctx.saved_tensors
        after, affine, sums, products, scaled = ctx.rest
        narrow, single = matrix(x), weight.detach().view(weight.shape[0], -1).numpy()
        of_beta = after.cut.pop(y.data_ptr(), None)
        if of_beta is None:
            passed, of_beta = mask(y, after.own(gradient), after)
        else:
            passed = matrix(last(gradient))
        cross = torch.mm(narrow.t(), passed).t().numpy()
        of_gamma, slope, add = affine.gradients(of_beta, np.einsum("dc,dc->d", cross, single, dtype=np.float64))
        sloped = single * slope.astype(np.float32)[:, None]
        dw = affine.scale[:, None] * cross - times(sloped, products.astype(np.float32)) - np.outer(add, sums)
        dx = None
        if ctx.needs_input_grad[0]:
            dx = torch.empty_like(x)
            less = torch.from_numpy(times(single.T, -add.astype(np.float32)))
            torch.addmm(less, narrow, torch.from_numpy(times(sloped.T, single)), alpha=-1, out=matrix(dx))
            matrix(dx).addmm_(passed, scaled)
        of_weight, *others = singles(dw, of_gamma, of_beta)
        return dx, of_weight.view(weight.shape), *others, None


def times(a: Any, b: Any) -> Any:
    """A product of small matrices by torch, on its threads: NumPy's come on top of them."""
    return (torch.from_numpy(a) @ torch.from_numpy(b)).numpy()


def moments(narrow: Tensor) -> tuple[Doubles, Doubles]:
    """Sums float64[c] and sums of products float64[c, c] of the columns of float32[n, c]."""
    whole = narrow.shape[0] // CHUNK * CHUNK
    chunks = narrow[:whole].view(-1, CHUNK, narrow.shape[1])
    products = torch.bmm(chunks.transpose(1, 2), chunks).sum(0, dtype=torch.float64).numpy()
    sums = chunks.sum(1).sum(0, dtype=torch.float64).numpy()
    if whole < narrow.shape[0]:
        rest = narrow[whole:].numpy().astype(np.float64)
        return sums + rest.sum(0), products + rest.T @ rest
    return sums, products


def convolved(x: Tensor, weight: Tensor, shift: Any, after: After) -> Tensor:
    """clamp(x convolved with weight + shift); NaN everywhere if a shift is, which the clamp would hide."""
    if not np.isfinite(shift).all():
        return x.new_full((x.shape[0], weight.shape[0], *x.shape[2:]), float("nan")).contiguous(
            memory_format=torch.channels_last)  # fmt: skip
    bias = torch.from_numpy(shift.astype(np.float32))
    kind, bounds = ("relu", []) if np.isinf(after.bounds[1]) else ("hardtanh", [float(end) for end in after.bounds])
    y: Tensor = torch.ops.mkldnn._convolution_pointwise(x, weight, bias, [0, 0], [1, 1], [1, 1], 1, kind, bounds, "")
    return last(y)


def mask(y: Tensor, given: Tensor, after: After) -> tuple[Tensor, Any]:
    """Cuts the gradient, in place, to what passes the clamp; as float32[n, d], and its sums, float64[d]."""
    fold = fold_of(y)
    flat, back = folded(y, fold), folded(given, fold)
    sums = after.crew.sums(lambda part, sums: loops.masked(flat[part], back[part], after.bounds, sums), flat)
    return matrix(given), unfolded(sums, fold)[0]
