"""Other counters, each asked as its own documentation says, and its answer put into our convention."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from archsearch.cost.count import count
from archsearch.errors import CountError
from archsearch.spec.arch import Arch
from archsearch.spec.lower import lower

Counter = Callable[[Arch, Any, Any], dict[str, int]]  # (network, its torch module, an image) -> madds, maybe params


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Another counter: `count` answers in our convention, `convention` says how its own differs."""

    name: str
    count: Counter
    convention: str
    extra: str = ""  # the extra of this package that installs it, where it is optional


def _fvcore(arch: Arch, model: Any, image: Any) -> dict[str, int]:
    from archsearch.nn.trace import by_fvcore

    counted = by_fvcore(model, image)
    return {name: counted[name] for name in ("madds", "params")}


def _flop_counter(arch: Arch, model: Any, image: Any) -> dict[str, int]:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(image)
    return {"madds": counter.get_total_flops() // 2}


def _torchinfo(arch: Arch, model: Any, image: Any) -> dict[str, int]:
    from torchinfo import summary

    said = summary(model, input_data=image, verbose=0, device="cpu")
    return {"madds": said.total_mult_adds - norms_and_biases(arch), "params": said.total_params}


def norms_and_biases(arch: Arch) -> int:
    """What torchinfo adds to MAdds: batch norm's numbers once each, biases of convolutions once for each pixel."""
    return sum(op.times * op.c_out * (2 * op.norm + op.bias * op.size_out**2) for op in lower(arch))


PEERS = (
    Peer(name="fvcore", count=_fvcore, convention="equal: its conv and linear entries"),
    Peer(name="torch flop_counter", count=_flop_counter, convention="2 FLOPs a multiply-add; no parameters"),
    Peer(name="torchinfo", count=_torchinfo, extra="bench",
         convention="adds batch norm's numbers and the biases to multiply-adds"),
)  # fmt: skip


def seconds(peer: Peer, networks: Sequence[tuple[Arch, Any, Any]]) -> list[float] | None:
    """Seconds that a peer takes for each network (architecture, module in evaluation mode, image), checked.

    The first network is counted once before, unmeasured, for a peer's imports.
    returns  None where the peer is not installed
    raises   CountError where it disagrees with our counter
    """
    try:
        peer.count(*networks[0])
    except ImportError:
        return None
    taken = []
    for arch, model, image in networks:
        began = time.perf_counter()
        said = peer.count(arch, model, image)
        taken.append(time.perf_counter() - began)
        agree(peer.name, said, count(arch, ("madds", "params")))
    return taken


def agree(name: str, said: dict[str, int], ours: dict[str, int]) -> None:
    """Raise CountError where a peer's answer is not ours."""
    wanted = {metric: ours[metric] for metric in said}
    if said != wanted:
        raise CountError(f"{name} disagrees: {said} against {wanted}")
