"""The proxy naswot: how differently a network's activations switch on for different images."""

import torch
from torch import Tensor, nn

from archsearch.proxies.lent import ACTS, finite, lent


def naswot(network: nn.Module, images: Tensor, labels: Tensor, seed: int) -> float:
    """Log-determinant of the kernel N - d, with N units and d the Hamming distance of two images' on-off codes.

    A unit is on where what its activation is given is above 0: of ReLU exactly its pattern, of ReLU6 without its upper
    kink, of hard-swish and SiLU their sign. Gates (sigmoids) switch nothing, and linear bottlenecks have no units.
    raises   TrainingError where two images have one code, or the network has no activation
    Source: arXiv:2006.04647, section 3.
    """
    return finite("naswot", torch.linalg.slogdet(kernel(network, images)).logabsdet)


@torch.no_grad()
def kernel(network: nn.Module, images: Tensor) -> Tensor:
    """Units on which two images agree, float64[b, b]: with codes x of 0 and 1, N - x 1' - 1 x' + 2 x x'."""
    total = torch.zeros(len(images), len(images), dtype=torch.float64, device=images.device)

    def look(_: nn.Module, given: tuple[Tensor, ...]) -> None:
        on = (given[0] > 0).float()
        flat = (on.permute(0, 2, 3, 1) if on.ndim == 4 else on).flatten(1)  # no copy where channels come last
        count = flat.sum(dim=1).double()
        total.add_(2 * (flat @ flat.T).double() - count[:, None] - count + flat.shape[1])

    handles = [module.register_forward_pre_hook(look) for module in network.modules() if isinstance(module, ACTS)]
    try:
        with lent(network):
            network(images)
    finally:
        for handle in handles:
            handle.remove()
    return total
