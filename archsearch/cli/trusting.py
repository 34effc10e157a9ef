"""What one `archsearch trust` asks for, resolved: the sample, how its truth is found, the evaluators, the folder."""

import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from archsearch import plugins
from archsearch.cli.loading import largest_resolution, load_data
from archsearch.cli.place import stored_file
from archsearch.cli.request import Request
from archsearch.errors import DataError, RunError

if TYPE_CHECKING:
    from archsearch.data.dataset import Dataset
    from archsearch.evaluate.base import Evaluator, Progress, Setup
    from archsearch.records import RunFolder
    from archsearch.search.propose import Problem
    from archsearch.trust.judge import Candidate, Labels
    from archsearch.trust.sample import Network

COMMAND = "trust.toml"
NETWORKS, SEEDS, MOST = 24, 2, 200  # networks and seeds where nothing is said; networks at most where hours are
FREE = ("networks", "seeds", "device", "threads", "evaluators", "supernet", "space", "data", "table")  # may change
UNASKED = ("train", "table", "table-mean", "synthetic", "additive", "deceptive", "supernet", "madds", "params")
SHORT = re.compile(r"train:([1-9]\d*)")  # a training of so many epochs


@dataclass(kw_only=True)
class Trusting(Request):
    """A request about evaluators; images and amounts of a training of the truth are those of a run's trials."""

    networks: int | None
    seeds: int | None
    names: tuple[str, ...]  # of evaluators; () = all that are cheap
    short: tuple[int, ...]  # epochs of trainings that are judged, too
    net: Path | None  # folder of a trained supernet
    hours: float | None
    images_option: ClassVar[str] = "--images"

    @cached_property
    def problem(self) -> "Problem":
        """Space and hard limits, checked before anything is decoded or written.

        raises   SpaceError, BudgetError, PluginError, DataError
        """
        from archsearch.cli.limits import problem_of
        from archsearch.search.run import fit_to_images

        for name in self.evaluators:
            if name not in plugins.names("evaluators") and not SHORT.fullmatch(name):
                plugins.load("evaluators", name)  # says which ones there are
        _ = self.supernet_id
        space, note = fit_to_images(self.named_space.with_classes(self.peek.num_classes), self.peek.native)
        for text in filter(None, [note, *(self.table.notes if self.table else ())]):
            self.log.print(f"  {text}", markup=False, style="dim")
        return problem_of(space, self.texts, None, table=self.table)

    @cached_property
    def texts(self) -> dict[str, str]:
        """The limits as written: those given, else those that the folder began with."""
        return self.budgets or dict(self.stored.get("budgets", {}))

    @cached_property
    def evaluators(self) -> tuple[str, ...]:
        """The names of all that are judged, each once: those asked for, else all that are cheap; short trainings."""
        cheap = [name for name in plugins.names("evaluators") if name not in UNASKED]
        asked = self.names or (*cheap, *(["supernet"] if self.net else []))
        kept = [name for name in asked if name not in ("madds", "params")]  # counted in any case
        return tuple(dict.fromkeys([*kept, *(f"train:{epochs}" for epochs in self.short)]))

    @cached_property
    def dataset(self) -> "Dataset":
        """The images; beside a table only evaluators ask for them.

        raises   DataError where they are not named, or have other classes than the table's networks
        """
        if self.table is None:
            made: Dataset = Request.dataset.func(self)
            return made
        from archsearch.data.load import peek

        if self.data is None:
            raise DataError("it asks for images; give --data")
        told, space = peek(self.data), self.problem.space
        if told.num_classes != space.head.classes:
            raise DataError(f"{self.data} has {told.num_classes} classes, the table's networks {space.head.classes}")
        size = min(told.size, max(64, largest_resolution(space) * 8 // 7)) if told.native > 64 else None
        return load_data(self.data, self.log, size=size)

    @cached_property
    def kept(self) -> dict[str, int]:
        """The amounts that the folder's report began with."""
        return {name: self.stored[name] for name in ("epochs", "batch", "trial_images") if name in self.stored}

    @cached_property
    def stored(self) -> dict[str, Any]:
        """trust.toml of the folder; empty where there is none."""
        return stored_file(self.folder / COMMAND)

    @cached_property
    def seed_count(self) -> int:
        """Seeds of each network: as asked, else as the folder began, else a table's or two."""
        there = self.table.top1.shape[1] if self.table is not None else None
        wanted = self.seeds or int(self.stored.get("seeds", there or SEEDS))
        if there is not None and wanted > there:
            raise DataError(f"--seeds {wanted}: the table has {there} for a network")
        return wanted

    @cached_property
    def how_many(self) -> int:
        """Networks at most, before their time is known."""
        there = None if self.hours is not None else NETWORKS
        return self.networks or int(self.stored.get("networks", 0)) or there or MOST

    @cached_property
    def sample(self) -> tuple[list["Network"], list[int]]:
        """The networks, and of a table's their rows."""
        from archsearch.trust.sample import of_table, stratified

        problem, seed = self.problem, self.given["seed"]
        if self.table is not None:
            return of_table(self.table, problem.budget, self.how_many, seed=seed)
        return stratified(problem.space, problem.budget, self.how_many, seed=seed), []

    # what is asked of evaluators ------------------------------------------------------------------------------------

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

    @cached_property
    def supernet_id(self) -> str:
        """What tells the supernet from others, in the same folder, too; "" without one.

        raises   RunError where the folder holds no finished one
        """
        from archsearch.train.supernet_folder import digest

        return digest(self.net) if self.net is not None else ""

    @cached_property
    def candidates(self) -> list["Candidate"]:
        """The evaluators to judge."""
        from archsearch.trust.judge import Candidate

        of = {"supernet": self.supernet_id}
        return [Candidate(name=name, make=partial(self._made, name), of=of.get(name, "")) for name in self.evaluators]

    def _made(self, name: str, labels: "Labels", progress: "Progress") -> "Evaluator":
        short = SHORT.fullmatch(name)
        if short:
            return self.trainer(epochs=int(short[1]))
        made: Evaluator = plugins.load("evaluators", name)(self.setup(known=labels, progress=progress))
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

    def command(self, networks: int) -> dict[str, Any]:
        """The resolved command."""
        from archsearch.search.run import space_hash

        table = self.table
        trained = {name: self.amounts[name] for name in ("epochs", "batch", "trial_images")}
        return {
            "space": self.space or self.problem.space.name,
            "space_hash": space_hash(self.problem.space),
            "data": self.data or ("" if table else "digits"),
            "data_hash": "" if table else self.dataset.fingerprint,
            "table": str(self.table_file or ""),
            "table_hash": table.fingerprint if table else "",
            "networks": networks,
            "seeds": self.seed_count,
            "seed": self.given["seed"],
            "recipe": self.given["recipe"],
            **trained,
            "evaluators": list(self.evaluators),
            "supernet": str(self.net or ""),
            "device": self.device,
            "threads": self.threads,
            "budgets": self.texts,
        }

    @cached_property
    def folder(self) -> Path:
        """`--out`, or a folder named by what was asked for, so that the same command finds it again."""
        if self.out is not None:
            return self.out
        asked = {name: value for name, value in self.given.items() if name not in FREE and value is not None}
        source = self.table_file or self.data
        told = (self.space, str(Path(source).resolve()) if source else None, self.budgets, sorted(asked.items()))
        digest = hashlib.sha256(repr(told).encode()).hexdigest()[:6]
        words = "-".join([Path(source or "digits").stem, *self.budgets.values()])
        safe = "".join(c if c.isalnum() or c in "-._" else "_" for c in words)[:80]
        return Path("results") / f"trust-{safe}-{digest}"

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
        write_atomic(folder.root / COMMAND, to_toml(command))
        space, budget = self.problem.space, self.problem.budget
        append_manifest(folder, {**environment(), "device": self.device, "seed": self.given["seed"],
                                 "space": {"name": space.name, "size": space.size}, "budgets": budget.to_dict(),
                                 "source": asdict(self.peek) if self.table is None else self.table.name})  # fmt: skip
        return folder

    def check(self, command: dict[str, Any]) -> None:
        """Raise RunError where the folder holds another report, or something else."""
        root = self.folder
        if root.exists() and not root.is_dir():
            raise RunError(f"results folder {root} is a file")
        if not self.stored and root.is_dir() and any(not path.name.startswith(".") for path in root.iterdir()):
            raise RunError(f"{root} is not empty and holds no trust report; give another --out")
        for name, value in command.items():
            there = self.stored.get(name, value)
            if name not in FREE and there != value:
                raise RunError(
                    f"{root} holds another report: {name} is {there!r} there, {value!r} here; give another --out"
                )
