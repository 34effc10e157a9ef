"""One checkpoint file: written whole or not at all, and never trusted without its checksum.

The file is torch's own format, then 40 bytes: a mark and the SHA-256 of what goes before. `torch.load` reads it too.
"""

import hashlib
import io
import os
import pickle
from pathlib import Path
from typing import Any

import torch

from archsearch.errors import CheckpointError

MARK = b"archs\x01\r\n"
TAIL = len(MARK) + hashlib.sha256().digest_size


def save(path: str | Path, state: dict[str, Any]) -> None:
    """Writes tensors and plain values; after a kill or a power cut the file is the old one or the new one.

    raises   CheckpointError where the folder cannot be written to
    """
    path = Path(path)
    buffer = io.BytesIO()
    torch.save(state, buffer)
    content = buffer.getbuffer()
    fresh = path.with_name(path.name + ".tmp")
    try:
        with open(fresh, "wb") as file:
            file.write(content)
            file.write(MARK + hashlib.sha256(content).digest())
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
        _sync_folder(path.parent)
    except OSError as error:
        raise CheckpointError(f"cannot write checkpoint {path}: {error.strerror or error}") from error


def load(path: str | Path) -> dict[str, Any]:
    """What `save` was given, tensors on the CPU. Runs no code from the file (`weights_only`).

    raises   CheckpointError naming the file: missing, truncated, changed, or not a checkpoint
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"cannot read checkpoint {path}: {error.strerror or error}") from error
    body, tail = content[:-TAIL], content[-TAIL:]
    if tail != MARK + hashlib.sha256(body).digest():
        raise CheckpointError(f"checkpoint {path} is truncated or damaged ({len(content)} bytes, wrong checksum)")
    try:
        return torch.load(io.BytesIO(body), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise CheckpointError(f"checkpoint {path} cannot be read: {reason}") from error


def _sync_folder(folder: Path) -> None:
    """Makes the new name itself survive a power cut; Windows has no such call."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
