"""Formats that keep the network as it is: its state dict, and its spec as JSON."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from archsearch.export.base import Answers, Exporter, Parcel
from archsearch.nn.build import Network, build
from archsearch.spec.arch import Arch


def write_state_dict(parcel: Parcel, folder: Path) -> dict[str, Any]:
    """model.pt: name -> tensor, batch norm not folded; of the plain MobileNetV2 torchvision's names."""
    torch.save({name: tensor.detach().clone() for name, tensor in parcel.model.state_dict().items()},
               folder / "model.pt")  # fmt: skip
    return {}


def read_state_dict(parcel: Parcel, folder: Path) -> Answers:
    return loaded(parcel.arch, torch.load(folder / "model.pt", weights_only=True))


def write_json(parcel: Parcel, folder: Path) -> dict[str, Any]:
    """model.json: the spec, which every command takes as ARCH. No weights."""
    (folder / "model.json").write_text(parcel.arch.to_json() + "\n", encoding="utf-8")
    return {}


def read_json(parcel: Parcel, folder: Path) -> Answers:
    """The network that the file says, with the parcel's weights."""
    return loaded(Arch.from_json((folder / "model.json").read_text(encoding="utf-8")), parcel.model.state_dict())


def loaded(arch: Arch, weights: dict[str, Tensor]) -> Network:
    """A network with these weights and no others, in evaluation mode; no random numbers are drawn."""
    with torch.device("meta"):
        model = build(arch)
    model.load_state_dict(weights, strict=True, assign=True)
    return model.eval()


STATE_DICT = Exporter(about="torch state dict, batch norm as trained", files=("model.pt",),
                      write=write_state_dict, read=read_state_dict)  # fmt: skip
JSON = Exporter(about="the network's spec; no weights", files=("model.json",),
                write=write_json, read=read_json, weights=False)  # fmt: skip
