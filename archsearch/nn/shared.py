"""One set of weights for every network of a space: a sub-network takes slices of it.

Slices as in arXiv:1908.09791 (the first channels, the middle of a kernel) and arXiv:1903.05134; weights of its own for
each choice as in arXiv:1904.00420.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from archsearch.nn.build import Network
from archsearch.nn.layers import placed
from archsearch.nn.roles import Size, members, sizes
from archsearch.spec.arch import Arch
from archsearch.spec.fields import Codes
from archsearch.spec.lower import lower, unroll
from archsearch.spec.ops import Op
from archsearch.spec.space import SearchSpace

KEPT = 64  # sub-networks whose modules are kept


@dataclass(frozen=True, slots=True)
class Piece:
    """Where a parameter of a sub-network comes from: its path there, the shared tensor, its own shape."""

    path: str
    shared: nn.Parameter
    shape: tuple[int, ...]

    def cut(self) -> Tensor:
        """The slice, a differentiable view: first channels, middle of the kernel."""
        tensor: Tensor = self.shared
        for axis, (whole, part) in enumerate(zip(tensor.shape, self.shape, strict=True)):
            if whole != part:
                tensor = tensor.narrow(axis, 0 if axis < 2 else (whole - part) // 2, part)
        return tensor


class SharedWeights(nn.Module):
    """The weights of all networks of a space.

    share    "slices" of one tensor, or "choices": weights of its own for each (kernel, ratio) of a block
    raises   RecipeError for another word
    """

    def __init__(self, space: SearchSpace, *, share: str = "slices") -> None:
        super().__init__()
        self.space, self.share = space, share
        self.roles = nn.ModuleDict({role: _holder(size) for role, size in sizes(space, share).items()})
        self._kept: dict[bytes, tuple[Network, list[Piece]]] = {}

    def forward(self, code: Codes, images: Tensor) -> Tensor:
        """What the sub-network of one code answers, batch norm by the statistics of these images.

        images   float32[b, 3, r, r] at the sub-network's own resolution
        returns  float32[b, classes]; gradients reach the shared tensors
        """
        network, pieces = self._sub(code)
        answer: Tensor = torch.func.functional_call(network, {piece.path: piece.cut() for piece in pieces}, images)
        return answer

    def inherit(self, arch: Arch) -> dict[str, Tensor]:
        """The state dict of the stand-alone network: copies of its slices, batch-norm statistics as at the start.

        raises   SpaceError where the network is not in the space
        """
        code = self.space.encode(arch)
        state = {}
        for piece, path in zip(self._pieces(code), self._paths(arch), strict=True):
            state[path] = piece.cut().detach().clone(memory_format=torch.contiguous_format)
        return state

    def network(self, arch: Arch, *, dropout: float = 0.0) -> Network:
        """The stand-alone network with the inherited weights; its batch-norm statistics are to be measured."""
        state = self.inherit(arch)
        with torch.device("meta"):
            made = Network(unroll(lower(arch)), dropout=dropout)
        made = made.to_empty(device=next(iter(state.values())).device)
        for module in made.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()
        made.load_state_dict(state, strict=False)
        return made

    def pieces(self, code: Codes) -> list[Piece]:
        """Where every parameter of the sub-network of one code comes from."""
        return self._sub(code)[1]

    def _sub(self, code: Codes) -> tuple[Network, list[Piece]]:
        """Modules without memory of their own, and where their parameters come from; some are kept."""
        key = code.tobytes()
        if key not in self._kept:
            while len(self._kept) >= KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = (_hollow([op for op, _ in members(self.space, code, self.share)]), self._pieces(code))
        return self._kept[key]

    def _pieces(self, code: Codes) -> list[Piece]:
        found = []
        for op, role in members(self.space, code, self.share):
            if not role:
                continue
            holder = self.roles[role]
            for path, module in _tensors(op):
                source = holder.norm if isinstance(module, nn.BatchNorm2d) else holder.layer
                for name, parameter in module.named_parameters():
                    found.append(Piece(f"{path}.{name}", getattr(source, name), tuple(parameter.shape)))
        return found

    def _paths(self, arch: Arch) -> list[str]:
        """The parameters of a network by their paths, in the order of its ops."""
        ops = unroll(lower(arch))
        return [f"{path}.{name}" for op in ops for path, module in _tensors(op) for name, _ in
                module.named_parameters()]  # fmt: skip


def _tensors(op: Op) -> list[tuple[str, nn.Module]]:
    """The modules of an op by path, without memory."""
    with torch.device("meta"):
        return list(placed(op).items())


def _hollow(ops: list[Op]) -> Network:
    """A network without memory: parameters come with each call, batch norm keeps no statistics."""
    with torch.device("meta"):
        network = Network(ops)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.track_running_stats = False
            module.running_mean = module.running_var = module.num_batches_tracked = None
    return network.train()


class _Holder(nn.Module):
    """The shared tensors of one role, as modules, so that initialisation and weight decay know what they are."""

    layer: nn.Module | None
    norm: nn.Module | None


def _holder(size: Size) -> _Holder:
    """Fresh tensors: Kaiming normal (fan out) for convolutions, normal(0, 0.01) for linear layers, as `build` has."""
    holder = _Holder()
    holder.layer = holder.norm = None
    if size.kind == "conv":
        holder.layer = nn.Conv2d(size.c_in, size.c_out, size.kernel, bias=size.bias)
        nn.init.kaiming_normal_(holder.layer.weight, mode="fan_out")
    elif size.kind == "linear":
        holder.layer = nn.Linear(size.c_in, size.c_out)
        nn.init.normal_(holder.layer.weight, 0, 0.01)
    if holder.layer is not None and holder.layer.bias is not None:
        nn.init.zeros_(holder.layer.bias)
    if size.norm:
        holder.norm = nn.BatchNorm2d(size.c_out, track_running_stats=False)
    return holder
