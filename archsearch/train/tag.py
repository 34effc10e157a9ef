"""What a checkpoint belongs to: model, recipe, seed, resolution and data."""

import hashlib
import re
from typing import Any

from torch import nn

from archsearch.errors import CheckpointError
from archsearch.train.job import TrainData, TrainRun
from archsearch.train.recipe import Recipe

FORMAT = 1  # of a checkpoint's content


def tag(model: nn.Module, data: TrainData, recipe: Recipe, run: TrainRun) -> dict[str, Any]:
    """Everything that decides a training's result, as a flat table of plain values."""
    return {
        "format": FORMAT,
        "model": model_hash(model),
        "data": data_hash(data),
        "seed": run.seed,
        "size": run.size,
        **{f"recipe.{field}": value for field, value in recipe.to_dict().items()},
    }


def check_tag(there: dict[str, Any], here: dict[str, Any], where: object) -> None:
    """Refuses a checkpoint of another training.

    raises   CheckpointError naming each difference
    """
    differ = [
        f"{field} is {there.get(field)!r} there and {here.get(field)!r} here"
        for field in sorted(there.keys() | here.keys())
        if there.get(field) != here.get(field)
    ]
    if differ:
        raise CheckpointError(
            f"checkpoint in {where} belongs to another training: {', '.join(differ)}; use another folder or delete it"
        )


def model_hash(model: nn.Module) -> str:
    """A short hash of a model's structure: its modules, and the names and shapes of its tensors; not their values."""
    lines = [re.sub(r"0x[0-9a-f]+", "", repr(model))]
    lines += [f"{name} {tuple(value.shape)} {value.dtype}" for name, value in model.state_dict().items()]
    return _short("\n".join(lines).encode())


def data_hash(data: TrainData) -> str:
    """A short hash of the data set's fingerprint, both splits' labels and how images are normalised."""
    head = f"{data.fingerprint} {list(data.mean)} {list(data.std)} {data.flip}".encode()
    return _short(head, data.train.labels.numpy().tobytes(), data.eval.labels.numpy().tobytes())


def _short(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()[:16]
