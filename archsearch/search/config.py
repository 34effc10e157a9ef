"""The resolved command of a run: everything needed to repeat it, and what must not change when it goes on."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from archsearch.errors import RunError
from archsearch.records import STUDY
from archsearch.search.plan import AMOUNTS

# What may change on resume: amounts, limits and places. Space and data may be spelled otherwise, not their hashes.
FREE = ("trials", "timeout", "trial_timeout", "finalists", "threads", "device", "space", "data", "study", "budgets",
        "stop_when_flat", "latency", "init", "supernet")  # fmt: skip


SAMPLER = "greybox"  # where none is named


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """What was asked for, defaults filled in; the contents of run.toml."""

    space: str  # name or path
    space_hash: str  # of its axes and template, so that an edited file is noticed
    data: str  # name or path
    data_hash: str  # fingerprint of the decoded images
    budgets: dict[str, str] = field(default_factory=dict)  # metric -> as written, a ladder with commas
    minimize: tuple[str, ...] = ("madds",)
    evaluator: str = "train"
    sampler: str = SAMPLER
    repeats: bool = False  # whether the sampler may have a network trained again
    rungs: tuple[int, ...] | None = None  # epochs after which trainings halt, the last one the whole; None = none do
    eta: int | None = None  # of the networks at a rung one in so many goes on
    seed: int = 0
    recipe: str = "quick"
    epochs: int = 4
    batch: int = 128
    trial_images: int = 5000
    final_recipe: str = "full"
    final_epochs: int = 12
    final_batch: int = 128
    trials: int = 20  # networks trained, in all workers together
    finalists: int = 5
    timeout: float | None = None  # of the search [s]
    trial_timeout: float | None = None  # of one trial [s]
    stop_when_flat: float | None = None  # share of the hypervolume that the next network must be expected to add
    device: str = "cpu"
    threads: int | None = None
    latency: str | None = None  # file of the latency table; the run keeps a copy
    latency_hash: str | None = None  # of what it predicts
    latency_device: str | None = None  # on which the front is timed
    init: str | None = None  # where first weights come from: torchvision, or a file; None = drawn at random
    init_hash: str | None = None  # of those weights
    supernet: str | None = None  # folder of the supernet that judges; None = the run's own
    supernet_hash: str | None = None  # of what it was trained on and how
    storage: str | None = None  # Optuna storage URL; None = the journal in the run's folder
    study: str = STUDY  # name of the study in that storage

    def to_dict(self) -> dict[str, Any]:
        """Plain values, budgets as a table."""
        rungs = None if self.rungs is None else list(self.rungs)
        return {**asdict(self), "minimize": list(self.minimize), "rungs": rungs}

    @classmethod
    def check(cls, plain: Mapping[str, Any]) -> None:
        """Raise RunError for a key or a value that cannot stand in run.toml."""
        strange = sorted(set(plain) - {f.name for f in fields(cls)})
        if strange:
            raise RunError(f"run.toml has keys of another version: {', '.join(strange)}")
        for name, value in plain.items():
            if not _plausible(name, value):
                raise RunError(f"run.toml has a {name} that cannot be: {value!r}")

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "RunConfig":
        """The config that `to_dict` wrote.

        raises   RunError where a key is unknown or missing
        """
        cls.check(plain)
        for name in ("space", "space_hash", "data", "data_hash"):
            if name not in plain:
                raise RunError(f"run.toml has no {name}")
        rungs = tuple(plain["rungs"]) if plain.get("rungs") else None
        return cls(**dict(plain) | {"minimize": tuple(plain.get("minimize", ("madds",))), "rungs": rungs})


LIMITS = ("timeout", "trial_timeout", "stop_when_flat")


def _plausible(name: str, value: Any) -> bool:
    """Whether a value read from a file can stand in a config."""
    if name in (*AMOUNTS, "seed", "threads"):
        least = 0 if name in ("finalists", "seed") else 1
        return isinstance(value, int) and not isinstance(value, bool) and value >= least
    if name in LIMITS:
        return isinstance(value, int | float) and value > 0
    if name == "eta":
        return isinstance(value, int) and not isinstance(value, bool) and value >= 1
    if name == "rungs":
        return isinstance(value, list) and bool(value) and all(type(each) is int and each > 0 for each in value)
    if name == "repeats":
        return isinstance(value, bool)
    if name == "minimize":
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    if name == "budgets":
        return isinstance(value, Mapping) and all(isinstance(each, str) for each in value.values())
    return isinstance(value, str)


def differences(there: RunConfig, here: RunConfig) -> list[str]:
    """What differs between two configs of one folder in a way that would mix two runs: one line each."""
    told = []
    for f in fields(RunConfig):
        was, now = getattr(there, f.name), getattr(here, f.name)
        if f.name in FREE or was == now:
            continue
        name = f.name.removesuffix("_hash")  # told by its name, compared by its hash
        if name == "latency" and None in (was, now):
            told.append(f"it was begun {'without' if was is None else 'with'} a latency table")
            continue
        was, now = getattr(there, name), getattr(here, name)
        told.append(f"{name} {now!r} has changed" if was == now else f"{name} is {was!r} there, {now!r} here")
    return told


def study_name(config: RunConfig) -> str:
    """The study's name in a storage that many runs may share: the same for the same run, wherever its folder lies.

    A run keeps the name that it began with, also when its budgets change.
    """
    kept = {name: value for name, value in config.to_dict().items() if name not in FREE or name == "budgets"}
    # told only where they are used, so that older runs keep their names
    later = ("latency", "init", "rungs", "eta", "supernet")
    kept = {name: value for name, value in kept.items() if value is not None or not name.startswith(later)}
    digest = hashlib.sha256(repr(sorted(kept.items())).encode()).hexdigest()[:12]
    return STUDY if config.storage is None else f"{STUDY}-{digest}"
