"""What one `archsearch space compare` asks for, resolved: spaces, band, networks, evaluator, folder."""

import hashlib
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsearch import plugins
from archsearch.cli.bars import bar
from archsearch.cli.place import stored_file
from archsearch.cli.request import NO_DATA, Request
from archsearch.errors import DataError, RunError

if TYPE_CHECKING:
    from archsearch.cost.budget import Budget
    from archsearch.data.dataset import Dataset
    from archsearch.explore.compare import Contender
    from archsearch.records import RunFolder
    from archsearch.search.propose import Problem
    from archsearch.spec.space import SearchSpace

COMMAND = "compare.toml"
FREE = ("number", "match", "confidence", "device", "threads", "spaces")  # may change when a comparison goes on
PLAIN_IMAGES = 5_000  # training images that amounts are planned for where there is no data


@dataclass(kw_only=True)
class Comparison(Request):
    """A request about several spaces; images, evaluator and amounts are those of a run's trials."""

    names: tuple[str, ...]
    number: int
    match: bool
    confidence: float

    @property
    def with_images(self) -> bool:
        """Whether spaces are fitted to images: --data is given, or networks are trained."""
        return self.data is not None or self.given["evaluator"] == "train"

    @cached_property
    def spaces(self) -> list["SearchSpace"]:
        """The spaces, for one task: the images' classes and resolutions, else the first space's classes.

        raises   SpaceError, PluginError, DataError
        """
        from archsearch.search.run import fit_to_images
        from archsearch.spec.lower import check_classifies
        from archsearch.spec.space_file import read_space

        plugins.load("evaluators", self.given["evaluator"])
        spaces = [read_space(name) for name in self.names]
        if self.given["evaluator"] == "train":
            for space in spaces:
                check_classifies(space.decode(next(space.enumerate(1))[0]))
        if not self.with_images:
            return [space.with_classes(spaces[0].head.classes) for space in spaces]
        if self.data is None:
            self.log.print(NO_DATA, markup=False)
        fitted = [fit_to_images(space.with_classes(self.peek.num_classes), self.peek.native) for space in spaces]
        for space, note in fitted:
            if note:
                self.log.print(f"  {space.name}: {note}", markup=False, style="dim")
        return [space for space, _ in fitted]

    @cached_property
    def texts(self) -> dict[str, str]:
        """The budgets as written: those given, else those that the folder began with, else a common band of MAdds."""
        import numpy as np

        from archsearch.explore.draw import common_band

        if self.budgets or "budgets" in self.stored:
            return self.budgets or dict(self.stored["budgets"])
        band = common_band(self.spaces, self.number, np.random.default_rng(self.given["seed"]))
        self.log.print(f"no --budget-madds given: comparing at {band}, which every space can fill", markup=False)
        return {"madds": band}

    @cached_property
    def budget(self) -> "Budget":
        """The limits that all spaces are held to; a percentage is one of the first space's largest cost.

        raises   BudgetError where a space cannot meet them
        """
        from archsearch.cost.feasible import check, read_budget

        budget = read_budget(self.texts, self.spaces[0])
        for space in self.spaces:
            check(space, budget)
        return budget

    @cached_property
    def contenders(self) -> list["Contender"]:
        """The networks to evaluate."""
        import numpy as np

        from archsearch.explore.compare import Contender, labels
        from archsearch.explore.draw import draw, draw_matched

        spaces, budget, n = self.spaces, self.budget, self.number
        rngs = [np.random.default_rng([self.given["seed"], place]) for place in range(len(spaces))]
        with bar(self.log, "drawing networks"):
            if self.match:
                drawn = draw_matched(spaces, budget, n, rngs)
            else:
                drawn = [draw(space, budget, n, rng) for space, rng in zip(spaces, rngs, strict=True)]
        names = labels([space.name for space in spaces])
        for name, networks in zip(names, drawn, strict=True):
            if len(networks) < n:
                self.log.print(f"{name}: {len(networks)} networks, where {n} were asked for", markup=False)
        return [Contender(label=name, networks=each) for name, each in zip(names, drawn, strict=True)]

    @cached_property
    def problem(self) -> "Problem":
        """The space whose images are largest, as the decoding of images asks for it."""
        from archsearch.cli.loading import largest_resolution
        from archsearch.cost.budget import Budget
        from archsearch.search.propose import Problem

        return Problem(space=max(self.spaces, key=largest_resolution), budget=Budget())

    @cached_property
    def dataset(self) -> "Dataset":
        """The images.

        raises   DataError where an evaluator asks for images and none are named
        """
        if not self.with_images:
            raise DataError(f"evaluator {self.given['evaluator']!r} asks for images; give --data")
        made: Dataset = Request.dataset.func(self)
        return made

    @cached_property
    def device(self) -> str:
        """The device; where nothing is trained none is looked for."""
        made: str = Request.device.func(self) if self.with_images or self.given["device"] else "cpu"
        return made

    @cached_property
    def threads(self) -> int | None:
        """CPU threads of this process; None leaves torch's choice."""
        made: int | None = Request.threads.func(self) if self.with_images else self.given["threads"]
        return made

    @cached_property
    def amounts(self) -> dict[str, int]:
        """Amounts of work of a trial, as in a run."""
        from archsearch.search.plan import plan

        if self.with_images:
            made: dict[str, int] = Request.amounts.func(self)
            return made
        asked = {name: value for name, value in self.given.items() if value is not None}
        planned = asdict(plan(PLAIN_IMAGES, self.device)) | self.kept
        return {name: asked.get(name, value) for name, value in planned.items()}

    @cached_property
    def kept(self) -> dict[str, int]:
        """The amounts that the folder's comparison began with."""
        return {name: self.stored[name] for name in ("epochs", "batch", "trial_images") if name in self.stored}

    @cached_property
    def stored(self) -> dict[str, Any]:
        """compare.toml of the folder; empty where there is none."""
        return stored_file(self.folder / COMMAND)

    @cached_property
    def command(self) -> dict[str, Any]:
        """The resolved command; ask for it after `evaluator`, so that it knows which images were used."""
        from archsearch.search.run import space_hash

        return {
            "spaces": list(self.names),
            "space_hashes": [space_hash(space) for space in self.spaces],
            "number": self.number,
            "match": self.match,
            "confidence": self.confidence,
            "evaluator": self.given["evaluator"],
            "data": (self.data or "digits") if self.with_images else "",
            "data_hash": self.dataset.fingerprint if self.decoded else "",
            "seed": self.given["seed"],
            "recipe": self.given["recipe"],
            **{name: self.amounts[name] for name in ("epochs", "batch", "trial_images")},
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
        told = (self.budgets, self.names, str(Path(self.data).resolve()) if self.data else None, sorted(asked.items()))
        digest = hashlib.sha256(repr(told).encode()).hexdigest()[:6]
        words = "-".join([*(Path(name).stem for name in self.names), *self.budgets.values()])
        safe = "".join(c if c.isalnum() or c in "-._" else "_" for c in words)[:80]
        return Path("results") / f"compare-{safe}-{digest}"

    def open_folder(self) -> "RunFolder":
        """The folder, made, its command and manifest written.

        raises   RunError where it holds something else, or cannot be written
        """
        from archsearch.records import RunFolder, append_manifest, environment, to_toml, write_atomic

        folder = RunFolder(self.folder)
        self._check()
        try:
            folder.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(f"results folder {folder.root} cannot be written: {error.strerror or error}") from None
        write_atomic(folder.root / COMMAND, to_toml(self.command))
        told = {"device": self.device, "seed": self.given["seed"], "spaces": [s.name for s in self.spaces]}
        append_manifest(folder, {**environment(), **told})
        return folder

    def _check(self) -> None:
        """Raise RunError where the folder holds another comparison, or something else."""
        root = self.folder
        if root.exists() and not root.is_dir():
            raise RunError(f"results folder {root} is a file")
        if not self.stored and root.is_dir() and any(root.iterdir()):
            raise RunError(f"{root} is not empty and holds no comparison; give another --out")
        for name, value in self.command.items():
            there = self.stored.get(name, value)
            if name not in FREE and there != value:
                raise RunError(
                    f"{root} holds another comparison: {name} is {there!r} there, {value!r} here; give another --out"
                )
