"""The baselines that every proxy must beat: params, madds, depth; of a built network, and counted unbuilt."""

from torch import Tensor, nn

from archsearch.cost.count import count
from archsearch.nn.trace import by_hooks
from archsearch.proxies.lent import ACTS
from archsearch.spec.arch import Arch
from archsearch.spec.lower import lower

COUNTED = ("params", "madds", "depth")
SMOOTH = ("linear", "sigmoid", "hard_sigmoid")  # activations of ops that switch nothing on or off


def params(network: nn.Module, images: Tensor, labels: Tensor, seed: int) -> float:
    """How many parameters."""
    return float(sum(weight.numel() for weight in network.parameters()))


def madds(network: nn.Module, images: Tensor, labels: Tensor, seed: int) -> float:
    """How many multiply-adds for one image."""
    return float(by_hooks(network, images[:1])["madds"])


def depth(network: nn.Module, images: Tensor, labels: Tensor, seed: int) -> float:
    """How many layers with an activation behind them; gates and linear bottlenecks are none."""
    return float(sum(isinstance(module, ACTS) for module in network.modules()))


def counted(name: str, arch: Arch) -> float:
    """One of COUNTED of a network that nobody has built."""
    if name != "depth":
        return float(count(arch, (name,))[name])
    return float(sum(op.times for op in lower(arch) if op.act not in SMOOTH))
