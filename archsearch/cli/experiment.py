"""What commands have in common that train a planned set of networks in a folder of their own: `trust`, `ablate`."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from archsearch import plugins
from archsearch.cli.place import stored_file
from archsearch.cli.request import Request
from archsearch.errors import RunError

if TYPE_CHECKING:
    from archsearch.evaluate.base import Evaluator, Setup
    from archsearch.records import RunFolder


@dataclass(kw_only=True)
class Experiment(Request):
    """A request about planned networks; images and amounts of a training are those of a run's trials."""

    net: Path | None = None  # folder of a trained supernet
    images_option: ClassVar[str] = "--images"
    file: ClassVar[str]  # of the resolved command, in the folder
    what: ClassVar[str]  # what a folder holds, in words
    free: ClassVar[tuple[str, ...]]  # keys of the command that may change when it goes on

    @cached_property
    def texts(self) -> dict[str, str]:
        """The limits as written: those given, else those that the folder began with."""
        return self.budgets or dict(self.stored.get("budgets", {}))

    @cached_property
    def kept(self) -> dict[str, int]:
        """The amounts that the folder began with."""
        found = {name: self.whole(name) for name in ("epochs", "batch", "trial_images")}
        return {name: value for name, value in found.items() if value is not None}

    @cached_property
    def stored(self) -> dict[str, Any]:
        """The resolved command of the folder; empty where there is none."""
        return stored_file(self.folder / self.file)

    def whole(self, name: str) -> int | None:
        """A whole number of the folder's command; None where it has none.

        raises   RunError where something else stands there
        """
        value = self.stored.get(name)
        if value is not None and (type(value) is not int or value < 1):
            raise RunError(f"{self.folder / self.file} has a {name} that cannot be: {value!r}")
        return value

    def setup(self, **changes: Any) -> "Setup":
        """What an evaluator is made of; `changes` replace recipe, images or labels."""
        from archsearch.evaluate.base import Setup
        from archsearch.train.recipe import recipe

        amounts = self.amounts
        made: dict[str, Any] = {
            "recipe": recipe(self.given["recipe"], epochs=amounts["epochs"], batch=amounts["batch"]),
            "images": amounts["trial_images"],
        }
        return Setup(
            dataset=lambda: self.dataset, final_recipe=recipe(self.given["final_recipe"]), device=self.device,
            space=self.problem.space, seed=self.given["seed"], folder=self.folder, supernet=self.net,
            **made | changes,
        )  # fmt: skip

    def trainer(self, **changes: Any) -> "Evaluator":
        """What trains a network alone; `epochs` and `images` of it may be others."""
        from archsearch.train.recipe import recipe

        epochs = changes.pop("epochs", self.amounts["epochs"])
        followed = recipe(self.given["recipe"], epochs=epochs, batch=self.amounts["batch"])
        made: Evaluator = plugins.load("evaluators", "train")(self.setup(recipe=followed, **changes))
        return made

    @property
    def clock(self) -> Callable[[], float]:
        """Core-seconds of this process; on a GPU its seconds."""
        if not self.device.startswith("cuda"):
            return time.process_time

        def waited() -> float:
            import torch

            torch.cuda.synchronize()
            return time.perf_counter()

        return waited

    @property
    def unit(self) -> str:
        """Of what the clock tells."""
        return "GPU" if self.device.startswith("cuda") else "core"

    # the folder -----------------------------------------------------------------------------------------------------

    def named(self, prefix: str, *more: Any) -> Path:
        """A folder named by what was asked for, so that the same command finds it again; `more` tells two apart."""
        asked = {name: value for name, value in self.given.items() if name not in self.free and value is not None}
        source = self.table_file or self.data
        told = (self.space, str(Path(source).resolve()) if source else None, self.budgets, sorted(asked.items()), *more)
        digest = hashlib.sha256(repr(told).encode()).hexdigest()[:6]
        words = "-".join([Path(source or "digits").stem, *self.budgets.values()])
        safe = "".join(c if c.isalnum() or c in "-._" else "_" for c in words)[:80]
        return Path("results") / f"{prefix}-{safe}-{digest}"

    def open_folder(self, command: dict[str, Any]) -> "RunFolder":
        """The folder, made, its command and manifest written.

        raises   RunError where it holds something else, or cannot be written
        """
        from archsearch.records import RunFolder, append_manifest, environment, to_toml, write_atomic

        folder = RunFolder(self.folder)
        self.check(command)
        try:
            folder.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(f"results folder {folder.root} cannot be written: {error.strerror or error}") from None
        write_atomic(folder.root / self.file, to_toml(command))
        space, budget = self.problem.space, self.problem.budget
        append_manifest(folder, {**environment(), "device": self.device, "seed": self.given["seed"],
                                 "space": {"name": space.name, "size": space.size}, "budgets": budget.to_dict(),
                                 "source": asdict(self.peek) if self.table is None else self.table.name})  # fmt: skip
        return folder

    def check(self, command: dict[str, Any]) -> None:
        """Raise RunError where the folder holds another experiment, or something else."""
        root = self.folder
        if root.exists() and not root.is_dir():
            raise RunError(f"results folder {root} is a file")
        if not self.stored and root.is_dir() and any(not path.name.startswith(".") for path in root.iterdir()):
            raise RunError(f"{root} is not empty and holds no {self.what}; give another --out")
        for name, value in command.items():
            there = self.stored.get(name, value)
            if name not in self.free and there != value:
                raise RunError(f"{root} holds another {self.what.split()[-1]}: {name} is {there!r} there, {value!r} "
                               "here; give another --out")  # fmt: skip
