"""What one `archsearch trust` asks for, resolved: the sample, how its truth is found, the evaluators, the folder."""

import re
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from archsearch import plugins
from archsearch.cli.experiment import Experiment
from archsearch.cli.loading import largest_resolution, load_data
from archsearch.cli.request import Request
from archsearch.errors import DataError

if TYPE_CHECKING:
    from archsearch.data.dataset import Dataset
    from archsearch.evaluate.base import Evaluator, Progress
    from archsearch.search.propose import Problem
    from archsearch.trust.judge import Candidate, Labels
    from archsearch.trust.sample import Network

COMMAND = "trust.toml"
NETWORKS, SEEDS, MOST = 24, 2, 200  # networks and seeds where nothing is said; networks at most where hours are
FREE = ("networks", "seeds", "device", "threads", "evaluators", "supernet", "space", "data", "table")  # may change
UNASKED = ("train", "table", "table-mean", "synthetic", "additive", "deceptive", "supernet", "madds", "params")
SHORT = re.compile(r"train:([1-9]\d*)")  # a training of so many epochs


@dataclass(kw_only=True)
class Trusting(Experiment):
    """A request about evaluators; images and amounts of a training of the truth are those of a run's trials."""

    networks: int | None
    seeds: int | None
    names: tuple[str, ...]  # of evaluators; () = all that are cheap
    short: tuple[int, ...]  # epochs of trainings that are judged, too
    hours: float | None
    file: ClassVar[str] = COMMAND
    what: ClassVar[str] = "trust report"
    free: ClassVar[tuple[str, ...]] = FREE

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
    def seed_count(self) -> int:
        """Seeds of each network: as asked, else as the folder began, else a table's or two."""
        there = self.table.top1.shape[1] if self.table is not None else None
        wanted = self.seeds or self.whole("seeds") or there or SEEDS
        if there is not None and wanted > there:
            raise DataError(f"--seeds {wanted}: the table has {there} for a network")
        return wanted

    @cached_property
    def how_many(self) -> int:
        """Networks at most, before their time is known."""
        there = None if self.hours is not None else NETWORKS
        return self.networks or self.whole("networks") or there or MOST

    @cached_property
    def sample(self) -> tuple[list["Network"], list[int]]:
        """The networks, and of a table's their rows."""
        from archsearch.trust.sample import of_table, stratified

        problem, seed = self.problem, self.given["seed"]
        if self.table is not None:
            return of_table(self.table, problem.budget, self.how_many, seed=seed)
        return stratified(problem.space, problem.budget, self.how_many, seed=seed), []

    # what is asked of evaluators ------------------------------------------------------------------------------------

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
        """`--out`, or a folder named by what was asked for."""
        return self.out or self.named("trust")
