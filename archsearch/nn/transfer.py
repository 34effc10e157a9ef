"""First weights of a network from a trained one of its family, cut or padded where their shapes differ.

What is only enlarged computes what the source computed: wider layers, larger ratios, larger kernels and further blocks
behind a shortcut change nothing at first, and learn from the first step on. Source: Net2Net, arXiv:1511.05641, with new
channels drawn at random; the last batch norm of a further block begins at 0, arXiv:1706.02677, section 5.1.
Where channels are cut, those stay that the next layers read with the largest weights: arXiv:1908.09791, section 3.3.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from archsearch.nn.places import Channels, Layer, Place, layers
from archsearch.spec.arch import Arch

State = Mapping[str, Tensor]
BUFFERS = ("running_mean", "running_var", "num_batches_tracked")
COUNTED = ("exact", "cut", "padded", "repeated", "fresh", "inside")
SILENCED = ("BatchNorm2d.weight", "BatchNorm2d.bias")  # of a further block's last layer: it adds nothing yet


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Weights:
    """A network and its state dict."""

    arch: Arch
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How many parameters came over and in what way; the five numbers add up to all parameters."""

    exact: int  # of layers with the same shape
    cut: int  # of larger layers
    padded: int  # of smaller layers
    repeated: int  # of blocks that the source has not: from the last one of the stage
    fresh: int  # drawn at random: new channels, and layers without a counterpart
    inside: int  # layers of stages that have a counterpart
    left: tuple[str, ...]  # paths of the layers without one

    @property
    def line(self) -> str:
        """The report in one line."""
        counts = {"as they are": self.exact, "cut": self.cut, "padded": self.padded, "repeated": self.repeated}
        total = sum(counts.values()) + self.fresh
        told = ", ".join(f"{count:,} {how}" for how, count in counts.items() if count)
        more = f" and {len(self.left) - 3} more" if len(self.left) > 3 else ""
        left = f" ({', '.join(self.left[:3])}{more} without a counterpart)" if self.left else ""
        return f"{total - self.fresh:,} of {total:,} parameters come over: {told or 'none'}; {self.fresh:,} fresh{left}"


def fitted(source: Weights, fresh: Weights) -> tuple[dict[str, Tensor], Report]:
    """A state dict of the network `fresh`, with the source's weights wherever it has a counterpart.

    Layers are matched by place: stage, block in the stage, block type, role. The classifier comes over where both have
    as many classes. Equal networks give equal tensors.
    fresh    the network and its freshly initialised state, which fills the rest; neither state is changed
    """
    merged = len(source.arch.stages) != len(fresh.arch.stages)  # then a stage may be split into several of one width
    there, here = layers(source.arch, merged=merged), layers(fresh.arch, merged=merged)
    scores = _scores(there, source.state)
    last = _last_blocks(there)
    state = {name: tensor.clone() for name, tensor in fresh.state.items()}
    counts: Counter[str] = Counter()
    left = []
    for place, layer in here.items():
        further = place.block > last.get(place.level, place.block)
        origin = there.get(replace(place, block=min(place.block, last.get(place.level, 0))))
        if place.label == "classifier" and source.arch.head.classes != fresh.arch.head.classes:
            origin = None
        if origin is None:
            left.append(layer.name)
            counts["fresh"] += sum(_parameters(name, state[name]) for name in layer.tensors.values())
            continue
        came = _fill(state, layer, source.state, origin=origin, scores=scores)
        if further:
            came = Counter(repeated=came.total() - came["fresh"], fresh=came["fresh"])
            if layer.shortcut and place.label == "project":
                for name in (layer.tensors[role] for role in SILENCED if role in layer.tensors):
                    state[name].zero_()
        counts += came + Counter(inside=place.level >= 0)
    return state, Report(**{name: counts[name] for name in COUNTED}, left=tuple(left))


def _last_blocks(found: Mapping[Place, Layer]) -> dict[int, int]:
    """Level -> number of its last block."""
    last: dict[int, int] = {}
    for place in found:
        last[place.level] = max(last.get(place.level, 0), place.block)
    return last


def _scores(found: Mapping[Place, Layer], state: State) -> dict[Channels, Tensor]:
    """How strongly the layers behind them read each set of channels: sums of absolute weights."""
    scores: dict[Channels, Tensor] = {}
    for layer in found.values():
        for name in layer.tensors.values():
            weight = state[name].detach()
            if weight.ndim > 1 and not layer.alone:
                read = weight.double().abs().transpose(0, 1).flatten(1).sum(dim=1)
                scores[layer.reads] = scores[layer.reads] + read if layer.reads in scores else read
    return scores


def _fill(
    state: dict[str, Tensor], layer: Layer, source: State, *, origin: Layer, scores: Mapping[Channels, Tensor]
) -> Counter[str]:  # fmt: skip
    """Put a layer's counterpart into the state, in place; the parameters that came over, by how they did."""
    counts: Counter[str] = Counter()
    for role, name in layer.tensors.items():
        old, value = state[name], source.get(origin.tensors.get(role, ""))
        if value is None or value.ndim != old.ndim:
            counts["fresh"] += _parameters(name, old)
            continue
        part = value.detach()
        for axis, channels in enumerate((origin.makes, origin.reads)[: 1 if layer.alone else 2]):
            if axis < part.ndim:
                part = part.index_select(axis, _kept(scores.get(channels), part.shape[axis], old.shape[axis]))
        if part.ndim == 4:
            part = _kernel(part, old.shape[-1])
        state[name] = _padded(part, old)
        how = "exact" if value.shape == old.shape else "padded" if value.numel() <= part.numel() else "cut"
        taken = min(value.numel(), part.numel())
        counts[how] += taken * (_parameters(name, old) > 0)
        counts["fresh"] += _parameters(name, old) - taken * (_parameters(name, old) > 0)
    return counts


def _kept(score: Tensor | None, there: int, wanted: int) -> Tensor:
    """Which of a layer's channels stay, in order: all, or those that are read with the largest weights."""
    if wanted >= there or score is None:
        return torch.arange(min(there, wanted))
    return score.topk(wanted).indices.sort().values


def _kernel(weight: Tensor, side: int) -> Tensor:
    """The middle of a kernel, or the kernel in the middle of zeros; both sides odd."""
    more = (side - weight.shape[-1]) // 2
    return functional.pad(weight, (more, more, more, more))


def _padded(part: Tensor, fresh: Tensor) -> Tensor:
    """A tensor of the fresh one's shape that begins with the part; what the part's own outputs read beyond it is 0."""
    made = fresh.clone()
    if part.ndim > 1:
        made[: part.shape[0]] = 0
    made[tuple(slice(0, side) for side in part.shape)] = part.to(made.dtype)
    return made


def _parameters(name: str, tensor: Tensor) -> int:
    """How many parameters a tensor of a state dict holds; statistics are none."""
    return 0 if name.endswith(BUFFERS) else tensor.numel()
