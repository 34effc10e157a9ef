"""`--init`: trained weights that a training begins with, read and checked before anything else is done."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsearch import plugins
from archsearch.errors import CheckpointError, RunError

if TYPE_CHECKING:
    from archsearch.spec.space import SearchSpace
    from archsearch.train.pretrained import Source

HELP = (
    "Begin from trained weights, cut or padded to fit: torchvision (MobileNetV2 of ImageNet), or a file like model.pt."
)
TRIED = 16  # networks of a space that are looked at


def spelled(text: str | None) -> str | None:
    """What `--init` says, so that it means the same in every directory."""
    return text if text is None or text == "torchvision" else str(Path(text).resolve())


def for_run(text: str | None, evaluator: str, space: "SearchSpace", log: Any) -> "Source | None":
    """The weights that all trainings of a run begin with, and a line that says so; None where none are named.

    raises   RunError for an evaluator that begins with none, CheckpointError where they cannot be had or fit nothing
    """
    import numpy as np

    from archsearch.train.pretrained import source

    if text is None:
        return None
    if evaluator != "train" and evaluator in plugins.TABLE["evaluators"]:
        raise RunError(f"--init goes with --evaluator train, not with {evaluator}")
    found, wrong = source(text), None
    for code in space.sample(TRIED, np.random.default_rng(0)):
        try:
            found.begun(space.decode(code))
        except CheckpointError as error:
            wrong = error
        else:
            log.print(f"  first weights: {found.name} ({found.digest})", markup=False, style="dim", soft_wrap=True)
            return found
    assert wrong is not None
    raise wrong


def for_config(found: "Source | None") -> dict[str, str]:
    """What a run's config says of them; nothing where weights are fresh."""
    return {"init": found.name, "init_hash": found.digest} if found else {}


def note(folder: Path, found: "Source | None") -> None:
    """Note in a training's folder what it begins with.

    raises   RunError where a training lies there that began with something else
    """
    from archsearch.records import write_atomic

    file = folder / "init.json"
    here = None if found is None else found.digest
    if any(folder.glob("*.pt")):
        try:
            there = json.loads(file.read_text(encoding="utf-8"))["digest"] if file.is_file() else None
        except (OSError, ValueError, KeyError, TypeError):
            raise RunError(f"{file} is damaged; give another --out") from None
        if there != here:
            raise RunError(f"the training in {folder.parent} has other first weights (--init); give another --out")
    elif found is None:
        file.unlink(missing_ok=True)
    else:
        write_atomic(file, json.dumps({"init": found.name, "digest": found.digest}))
