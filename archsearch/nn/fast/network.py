"""A network trained the fast way: the same modules, parameters and state, other passes over memory."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from archsearch.nn.build import Network
from archsearch.nn.fast import depthwise
from archsearch.nn.fast.depthwise import Depthwise, Site
from archsearch.nn.fast.expand import Expand
from archsearch.nn.fast.maps import Crew, last
from archsearch.nn.fast.norm import After, NormClamp
from archsearch.nn.fast.pointwise import Pointwise
from archsearch.spec.lower import INPUT

BOUNDS = {nn.ReLU6: (0.0, 6.0), nn.ReLU: (0.0, np.inf)}  # activations that are a clamp
LEAST = 2**17  # numbers in a map; on fewer, Python takes longer than the fast form saves
NARROW = 2  # an expansion makes at least so many channels of each that it reads; else its second moments cost too much


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One op: its modules in order, what it reads and writes, what is not needed after it."""

    modules: tuple[nn.Module, ...]
    after: After | None  # where batch norm and activation have a fast form
    expands: bool
    site: Site | None  # of a depthwise convolution that has a fast form
    least: int  # numbers in the op's map for the fast form to pay
    inputs: tuple[str, ...]
    name: str
    done: tuple[str, ...]

    def __call__(self, reads: list[Tensor]) -> Tensor:
        first, *rest = self.modules
        if self.after is None or self._made(reads[0]) < self.least:
            value: Tensor = first(*reads)
            for module in rest:
                value = module(value)
            return value
        norm, x = self.after.norm, reads[0]
        if self.expands:
            made: Tensor = Expand.apply(last(x), first.weight, norm.weight, norm.bias, self.after)
        elif self.site is not None and x.shape[3] >= depthwise.LEAST:
            made = Depthwise.apply(last(x), first.weight, norm.weight, norm.bias, self.site)
        else:
            y = Pointwise.apply(last(x), first.weight) if _pointwise(first) else last(first(x))
            made = NormClamp.apply(y, norm.weight, norm.bias, self.after)
        return made

    def _made(self, x: Tensor) -> int:
        """Numbers in what the convolution makes, about: as if it kept the side."""
        conv = self.modules[0]
        assert isinstance(conv, nn.Conv2d)
        return x.numel() // x.shape[1] * conv.out_channels // (conv.stride[0] * conv.stride[1])


class FastNetwork:
    """Calls a network in training mode the fast way; parameters, state and result are those of the network.

    network  on the CPU, float32, in channels-last order, every batch norm in training mode
    threads  that share the passes over a map; None: as many as torch has
    least    numbers in a map below which its op runs through its modules
    Forward and backward differ from torch's own by rounding: sums are taken in another order, over blocks and then in
    float64. What has no fast form (other activations, gates) runs through its modules.
    """

    def __init__(self, network: Network, *, threads: int | None = None, least: int = LEAST) -> None:
        self.network = network
        crew = Crew(threads or torch.get_num_threads())
        readers = Counter(name for _, inputs, _, _ in network._steps for name in inputs)
        convolved = {inputs[0] for chain, inputs, _, _ in network._steps if isinstance(getattr(*chain[0]), nn.Conv2d)}
        self._links: list[Link] = []
        expansions: dict[str, After] = {}
        for chain, inputs, name, done in network._steps:
            modules = tuple(getattr(*place) for place in chain)
            owned = readers[name] == 1 and name in convolved  # a convolution's gradient is made afresh
            after = _after(modules, owned, crew)
            expands = after is not None and _expands(modules)
            if expands and after is not None and readers[name] == 1:
                expansions[name] = after
            site = _site(modules, after, expansions.get(inputs[0]))
            self._links.append(Link(modules=modules, after=after, expands=expands, site=site, least=least,
                                    inputs=inputs, name=name, done=done))  # fmt: skip

    def __call__(self, images: Tensor) -> Tensor:
        """float32[b, 3, r, r] -> what the network's head gives."""
        live = {INPUT: images}
        for link in self._links:
            made = link([live[name] for name in link.inputs])
            for name in link.done:
                del live[name]
            live[link.name] = made
        return made


def _after(modules: tuple[nn.Module, ...], owned: bool, crew: Crew) -> After | None:
    """Batch norm and activation of a convolution, where they have a fast form."""
    conv, norm, act = (*modules, None, None)[:3]
    if len(modules) > 3 or not isinstance(conv, nn.Conv2d) or not isinstance(norm, nn.BatchNorm2d):
        return None
    if not norm.affine or (act is not None and type(act) not in BOUNDS):
        return None
    low, high = BOUNDS[type(act)] if act is not None else (-np.inf, np.inf)
    return After(norm=norm, bounds=(np.float32(low), np.float32(high)), owned=owned, crew=crew)


def _site(modules: tuple[nn.Module, ...], after: After | None, before: After | None) -> Site | None:
    """Of a depthwise convolution that has a fast form."""
    if after is None or not depthwise.fits(modules[0]):
        return None
    conv = modules[0]
    assert isinstance(conv, nn.Conv2d)
    return Site(stride=int(conv.stride[0]), after=after, before=before)


def _pointwise(conv: nn.Module) -> bool:
    """Whether it is a product of two matrices."""
    plain = isinstance(conv, nn.Conv2d) and conv.kernel_size == conv.stride == (1, 1) and conv.padding == (0, 0)
    return plain and conv.groups == 1 and conv.bias is None


def _expands(modules: tuple[nn.Module, ...]) -> bool:
    """Whether it is a 1x1 convolution that widens, with a clamp behind it."""
    conv = modules[0]
    return len(modules) == 3 and _pointwise(conv) and conv.out_channels >= NARROW * conv.in_channels
