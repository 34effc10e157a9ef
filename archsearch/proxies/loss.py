"""Proxies from one step's gradients of the loss: grad_norm, snip, fisher."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from archsearch.proxies.lent import LAYERS, finite, lent, weights


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The gradients of the mean cross-entropy of one batch; lists in the order of the layers."""

    weights: list[Tensor]
    of_weights: list[Tensor]  # gradient of each weight
    maps: list[Tensor]  # what each layer gives, [b, c, ...]
    of_maps: list[Tensor]


def step(network: nn.Module, images: Tensor, labels: Tensor, *, maps: bool) -> Step:
    """One batch forward and backward, which several proxies can share.

    images   float32[b, 3, s, s]; labels int64[b]
    maps     whether gradients of the layers' outputs are wanted
    """
    seen: list[Tensor] = []
    layers = [module for module in network.modules() if isinstance(module, LAYERS)] if maps else []
    handles = [module.register_forward_hook(lambda _, __, out: seen.append(out)) for module in layers]
    try:
        with lent(network), torch.enable_grad():
            known = weights(network)
            loss = functional.cross_entropy(network(images), labels)
            found = torch.autograd.grad(loss, [*known, *seen])
    finally:
        for handle in handles:
            handle.remove()
    count = len(known)
    return Step(weights=[each.detach() for each in known], of_weights=list(found[:count]),
                maps=[each.detach() for each in seen], of_maps=list(found[count:]))  # fmt: skip


def grad_norm(network: nn.Module, images: Tensor, labels: Tensor, seed: int) -> float:
    """Sum over layers of the Euclidean norm of the loss's gradient.

    Source: arXiv:2101.08134, section 3.
    """
    return norm_of(step(network, images, labels, maps=False))


def snip(network: nn.Module, images: Tensor, labels: Tensor, seed: int) -> float:
    """Sum over weights of |weight x gradient|: how much the loss would change without each of them.

    Source: arXiv:1810.02340, equation 5, summed as in arXiv:2101.08134, section 3.
    """
    return snip_of(step(network, images, labels, maps=False))


def fisher(network: nn.Module, images: Tensor, labels: Tensor, seed: int) -> float:
    """Sum over layers and channels of (activation x gradient)^2 / 2, averaged over the images.

    Activation x gradient is summed over each map first; gradients are those of the batch's mean loss.
    Source: arXiv:1801.05787, equation 5; arXiv:1906.02724, section 3.2; summed as in arXiv:2101.08134.
    """
    return fisher_of(step(network, images, labels, maps=True))


def norm_of(made: Step) -> float:
    """grad_norm of a step."""
    return finite("grad_norm", sum(each.double().norm() for each in made.of_weights))


def snip_of(made: Step) -> float:
    """snip of a step."""
    pairs = zip(made.weights, made.of_weights, strict=True)
    return finite("snip", sum((weight * slope).abs().sum(dtype=torch.float64) for weight, slope in pairs))


def fisher_of(made: Step) -> float:
    """fisher of a step with maps."""
    total = 0.0
    for out, slope in zip(made.maps, made.of_maps, strict=True):
        by_channel = (out * slope).flatten(2).sum(dim=2) if out.ndim > 2 else out * slope
        total += float((by_channel.double() ** 2).mean(dim=0).sum()) / 2
    return finite("fisher", total)


OF_STEP: dict[str, Callable[[Step], float]] = {"grad_norm": norm_of, "snip": snip_of, "fisher": fisher_of}
