"""An expansion (1x1 convolution, batch norm, clamp) whose batch norm takes no pass over the wide map.

What a 1x1 convolution makes has the mean W m and the variances diag(W C W'), with m and C the mean and the covariance
of what it reads: those of the narrow map. So batch norm is known before the convolution and goes into its weights, and
the clamp into oneDNN's last step. On the way back, what batch norm subtracts from the gradient is linear in what the
convolution read, so it costs two products of the narrow map; the wide one is only masked.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from archsearch.nn.fast import loops
from archsearch.nn.fast.maps import fold_of, folded, last, matrix, unfolded
from archsearch.nn.fast.norm import Affine, After

CHUNK = 256  # rows whose products are summed in float32 before they are added up in float64


class Expand(torch.autograd.Function):
    """x, weight, gamma, beta -> clamp(batch norm of (x convolved with weight)); x float32[b, c, h, w], channels last."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, gamma: Tensor, beta: Tensor, after: After) -> Tensor:
        wide = weight.detach().view(weight.shape[0], -1).double()
        sums, products = moments(matrix(x))
        rows = x.numel() // x.shape[1]
        mean = sums / rows
        spread = ((wide @ (products / rows - torch.outer(mean, mean))) * wide).sum(1).clamp_(min=0)
        affine = Affine.of((wide @ mean).numpy(), spread.numpy(), rows, after.norm)
        scaled = (wide * torch.from_numpy(affine.scale)[:, None]).float()
        y = convolved(x, scaled.view(weight.shape), affine.shift, after)
        ctx.save_for_backward(x, weight, y)
        ctx.rest = after, affine, sums, products, scaled
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        x, weight, y = ctx.saved_tensors
        after, affine, sums, products, scaled = ctx.rest
        narrow = matrix(x)
        passed, of_beta = mask(y, after.own(gradient), after)
        wide = weight.detach().view(weight.shape[0], -1).double()
        cross = torch.mm(narrow.t(), passed).t().double()
        of_gamma, slope, add = affine.gradients(of_beta, (cross * wide).sum(1).numpy())
        scale, slope, add = (torch.from_numpy(each) for each in (affine.scale, slope, add))
        dw = scale[:, None] * cross - slope[:, None] * (wide @ products) - torch.outer(add, sums)
        dx = None
        if ctx.needs_input_grad[0]:
            dx = torch.empty_like(x)
            out = matrix(dx)
            torch.addmm(-(add @ wide).float(), narrow, (-(wide.t() * slope) @ wide).float(), out=out)
            out.addmm_(passed, scaled)
        told = (torch.from_numpy(each.astype(np.float32)) for each in (of_gamma, of_beta))
        return dx, dw.float().view(weight.shape), *told, None


def moments(narrow: Tensor) -> tuple[Tensor, Tensor]:
    """Sums float64[c] and sums of products float64[c, c] of the columns of float32[n, c]."""
    whole = narrow.shape[0] // CHUNK * CHUNK
    rest = narrow[whole:].double()
    chunks = narrow[:whole].view(-1, CHUNK, narrow.shape[1])
    products = torch.bmm(chunks.transpose(1, 2), chunks).double().sum(0) + rest.t() @ rest
    return chunks.sum(1).double().sum(0) + rest.sum(0), products


def convolved(x: Tensor, weight: Tensor, shift: Any, after: After) -> Tensor:
    """clamp(x convolved with weight + shift); not a number everywhere if a shift is none, which the clamp would hide."""
    if not np.isfinite(shift).all():
        return x.new_full((x.shape[0], weight.shape[0], *x.shape[2:]), float("nan")).contiguous(
            memory_format=torch.channels_last)  # fmt: skip
    bias = torch.from_numpy(shift.astype(np.float32))
    kind, bounds = ("relu", []) if np.isinf(after.bounds[1]) else ("hardtanh", [float(end) for end in after.bounds])
    y: Tensor = torch.ops.mkldnn._convolution_pointwise(x, weight, bias, [0, 0], [1, 1], [1, 1], 1, kind, bounds, "")
    return last(y)


def mask(y: Tensor, given: Tensor, after: After) -> tuple[Tensor, Any]:
    """Cuts the gradient, in place, to what passes the clamp: float32[n, d] of the same memory, and its sums, float64[d]."""
    fold = fold_of(y)
    flat, back = folded(y, fold), folded(given, fold)
    sums = after.crew.sums(lambda part, sums: loops.masked(flat[part], back[part], after.bounds, sums), flat)
    return matrix(given), unfolded(sums, fold)[0]
