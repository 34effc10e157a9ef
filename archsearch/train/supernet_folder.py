"""A supernet on disk: its space, what it was trained on and how, its checkpoints, and the finished weights."""

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from archsearch.cost.budget import Budget
from archsearch.errors import RunError
from archsearch.nn.shared import SharedWeights
from archsearch.records import write_atomic
from archsearch.spec.space import SearchSpace
from archsearch.spec.space_digest import space_digest
from archsearch.spec.space_file import read_space
from archsearch.spec.space_text import to_toml
from archsearch.train import checkpoint
from archsearch.train.job import TrainData, TrainRun
from archsearch.train.supernet import StepLog, Supernet, train_supernet
from archsearch.train.supernet_recipe import SupernetRecipe

FORMAT = 1
SPACE, ABOUT, WEIGHTS, LOCK = "space.toml", "supernet.json", "weights.pt", ".lock"
ABOUT_NEEDS = {"space": str, "digest": str, "classes": int, "fingerprint": str, "recipe": dict}


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """What a supernet is to be: everything that decides its weights."""

    space: SearchSpace
    data: TrainData
    recipe: SupernetRecipe
    size: int  # the space's largest resolution [pixels]
    seed: int = 0
    budget: Budget | None = None
    source: str = ""  # name of the data set, for people

    def told(self) -> dict[str, Any]:
        """The same as plain values, for the folder."""
        limits = self.budget.to_dict() if self.budget is not None else {}
        return {
            "format": FORMAT,
            "space": self.space.name,
            "digest": space_digest(self.space),
            "classes": self.space.head.classes,
            "data": self.source,
            "fingerprint": self.data.fingerprint,
            "train_images": len(self.data.train),
            "seed": self.seed,
            "size": self.size,
            "budget": {name: list(ends) for name, ends in limits.items()},
            "recipe": self.recipe.to_dict(),
        }


def trained(
    folder: Path, plan: Plan, *, device: str = "cpu", on_step: Callable[[StepLog], None] | None = None,
    on_wait: Callable[[], None] | None = None,
) -> Supernet:  # fmt: skip
    """The supernet of a folder: loaded where it is finished, else trained, or trained on from its last checkpoint.

    Of several processes that ask at once one trains; the others wait and load what it made.
    on_wait  called where another process is training it
    raises   RunError for a folder of another supernet, CheckpointError, TrainingError
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"supernet folder {folder} cannot be made: {error.strerror or error}") from None
    with alone(folder / LOCK, on_wait):
        _check(folder, plan)
        if (folder / WEIGHTS).exists():
            return loaded(folder, device=device)
        write_atomic(folder / SPACE, to_toml(plan.space))
        write_atomic(folder / ABOUT, json.dumps(plan.told(), indent=2) + "\n")
        run = TrainRun(folder=folder, device=device, seed=plan.seed, size=plan.size)
        made = train_supernet(plan.space, plan.data, plan.recipe, run=run, budget=plan.budget, on_step=on_step)
        state = {name: tensor.detach().cpu() for name, tensor in made.weights.state_dict().items()}
        checkpoint.save(folder / WEIGHTS, {"weights": state, "seconds": made.seconds, "core_s": made.core_s,
                                            "losses": list(made.losses)})  # fmt: skip
        return made


def about(folder: Path) -> dict[str, Any]:
    """What the folder says of its supernet.

    raises   RunError where there is none
    """
    try:
        told = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(f"{folder} holds no supernet; train one with archsearch supernet --out {folder}") from None
    except (OSError, ValueError) as error:
        raise RunError(f"{folder / ABOUT} cannot be read: {error}") from None
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise RunError(f"{folder / ABOUT} is of another version")
    if lacking := [name for name in ABOUT_NEEDS if not isinstance(told.get(name), ABOUT_NEEDS[name])]:
        raise RunError(f"{folder / ABOUT} is damaged: it has no {lacking[0]}")
    return told


def digest(folder: Path) -> str:
    """12 hexadecimal digits that tell a finished supernet from others, in the same folder, too.

    raises   RunError where there is none, or it is not finished
    """
    told = json.dumps(about(folder), sort_keys=True)
    if not (folder / WEIGHTS).is_file():
        raise RunError(f"the supernet in {folder} is not finished; archsearch supernet --out {folder} goes on with it")
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def loaded(folder: Path, *, device: str = "cpu") -> Supernet:
    """The finished supernet of a folder.

    raises   RunError where there is none or it is not finished, CheckpointError for damaged weights
    """
    digest(folder)
    told = about(folder)
    if not (folder / SPACE).is_file():
        raise RunError(f"the supernet in {folder} has lost its {SPACE}")
    recipe = SupernetRecipe.from_dict(told["recipe"])
    space = replace(read_space(str(folder / SPACE)), name=told["space"])
    if space_digest(space) != told["digest"]:
        raise RunError(f"{folder / SPACE} was changed since the supernet was trained")
    weights = SharedWeights(space, share=recipe.share).to(device)
    kept = checkpoint.load(folder / WEIGHTS)
    weights.load_state_dict(kept["weights"])
    return Supernet(weights=weights, recipe=recipe, seconds=kept["seconds"], core_s=kept.get("core_s", kept["seconds"]),
                    losses=tuple(kept["losses"]))  # fmt: skip


@contextmanager
def alone(path: Path, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold a lock that the kernel lets go when the process ends, however it ends; raises RunError without one."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise RunError(f"supernet folder {path.parent} cannot be written: {error.strerror or error}") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if on_wait is not None:
                on_wait()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _check(folder: Path, plan: Plan) -> None:
    """Refuse a folder of another supernet, naming what differs."""
    if not (folder / ABOUT).exists():
        return
    there, here = about(folder), json.loads(json.dumps(plan.told()))
    pairs = [(name, there.get(name), here[name]) for name in here if name not in ("recipe", "space", "data")]
    pairs += [(name, there["recipe"].get(name), value) for name, value in here["recipe"].items()]
    differ = [f"{name} is {was!r} there, {now!r} here" for name, was, now in pairs if was != now]
    if differ:
        raise RunError(f"{folder} holds another supernet: {'; '.join(differ)}; use another folder or delete it")
