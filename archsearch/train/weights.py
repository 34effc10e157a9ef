"""Weights in a file: model.pt as a training writes it, or any state dict that torch saved."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from archsearch.errors import CheckpointError, SpecError
from archsearch.spec.arch import Arch
from archsearch.train import checkpoint


def read(file: Path) -> tuple[Arch | None, Mapping[str, Any]]:
    """The network that a file of weights names, if it does, and its state dict. Runs no code from the file.

    Taken are model.pt as a training writes it, then its checksum must match, and any state dict that torch saved.
    raises   CheckpointError naming the file
    """
    kept = _content(file)
    if not isinstance(kept, Mapping):
        raise CheckpointError(f"{file} holds no state dict but a {type(kept).__name__}")
    state = kept.get("state_dict", kept)
    if not isinstance(state, Mapping) or "optimizer" in state:
        raise CheckpointError(f"{file} holds no state dict; give a model.pt of a training, or what torch saved of one")
    arch = kept.get("arch")
    try:
        return (Arch.from_dict(arch) if isinstance(arch, Mapping) else None), state
    except SpecError as error:
        raise CheckpointError(f"{file} names a network that cannot be: {error}") from None


def _of_run(file: Path) -> bool:
    """Whether it lies where a run keeps a finalist's weights: then a missing checksum means that it is cut."""
    return file.name == "model.pt" and file.parent.name.startswith("final-")


def _content(file: Path) -> Any:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CheckpointError(f"cannot read weights {file}: {error.strerror or error}") from None
    if content[-checkpoint.TAIL :].startswith(checkpoint.MARK) or _of_run(file):
        return checkpoint.load(file)
    try:
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # what is no such file makes torch's reader fail in any way
        raise CheckpointError(f"{file} is no file of weights that torch reads ({type(error).__name__})") from None
