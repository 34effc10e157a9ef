"""One `archsearch run` from its options to its report: resolves, checks, searches, tests, writes."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from archsearch import plugins
from archsearch.cli.show import console, front_table, print_json
from archsearch.errors import RunError

if TYPE_CHECKING:
    from archsearch.data.dataset import Dataset
    from archsearch.data.load import Peek
    from archsearch.evaluate.base import Evaluator
    from archsearch.search.config import RunConfig
    from archsearch.search.propose import Problem
    from archsearch.search.run import Run

NO_DATA = (
    "no --data given: using scikit-learn's handwritten digits, upscaled.\n"
    "  your own images: --data cifar10 | --data folder/ (one folder a class) | --data file.parquet"
)


@dataclass(kw_only=True)
class Session:
    """The options of the command; `carry_out` does the rest."""

    budgets: dict[str, str]  # metric -> as written
    space: str | None
    data: str | None
    minimize: tuple[str, ...]
    out: Path | None
    given: dict[str, Any]  # RunConfig fields as given; None = default

    def carry_out(self, *, png: bool, as_json: bool) -> None:
        """Search, test, report; raises typer.Exit(130) after a clean stop by Ctrl-C."""
        from archsearch.cli.watch import ConsoleWatch
        from archsearch.train.tuning import tune_process

        problem = self.problem  # whatever is wrong with the options shows here, before anything is decoded or written
        tune_process(self.given["threads"])
        evaluator = self._evaluator()
        run = self._open(problem)
        stopped, why = False, ""
        metrics = tuple(dict.fromkeys([*problem.minimize, *problem.budget.limits]))
        try:
            with ConsoleWatch(self.log, trials=run.config.trials, metrics=metrics) as watch:
                watch.resumed(run.ledger.trials())
                why = run.search(evaluator, watch)
                run.finish(evaluator, watch)
        except KeyboardInterrupt:
            stopped = True
        self._tell(run, "interrupted" if stopped else why, png=png, as_json=as_json)
        if stopped:
            self.log.print("stopped; the same command goes on from here", style="yellow")
            raise typer.Exit(130)

    @cached_property
    def log(self) -> Any:
        """Where people are told things: stderr."""
        return console(error=True)

    @cached_property
    def peek(self) -> "Peek":
        """What is known of the images before decoding."""
        from archsearch.data.load import peek

        return peek(self.data or "digits")

    @cached_property
    def problem(self) -> "Problem":
        """Space, hard limits and objectives, checked.

        raises   SpaceError, BudgetError, PluginError, DataError
        """
        from archsearch.cli.loading import default_space
        from archsearch.cost.count import metric
        from archsearch.search.feasible import check
        from archsearch.search.propose import Problem
        from archsearch.search.run import fit_to_images, read_budget
        from archsearch.spec.space_file import read_space

        for group, name in (("samplers", "sampler"), ("evaluators", "evaluator")):
            plugins.load(group, self.given[name])
        for name in self.minimize:
            metric(name)
        space = read_space(self.space) if self.space else None
        if self.data is None:
            self.log.print(NO_DATA, markup=False)
        space = space or read_space(default_space(self.peek))
        space, note = fit_to_images(space.with_classes(self.peek.num_classes), self.peek.native)
        budget = read_budget(self.budgets, space)
        check(space, budget)
        self.log.print(
            f"space {space.name}: {space.size:,} networks, {len(space.axes)} axes", markup=False, style="dim"
        )
        for text in filter(None, [note, *self._loose(space, budget)]):
            self.log.print(f"  {text}", markup=False, style="dim")
        return Problem(space=space, budget=budget, minimize=tuple(dict.fromkeys(self.minimize)))

    @cached_property
    def config(self) -> "RunConfig":
        """The resolved command."""
        from archsearch.cli.loading import pick_device
        from archsearch.search.config import RunConfig
        from archsearch.search.plan import plan
        from archsearch.search.run import space_hash

        device = pick_device(self.given["device"])
        amounts = plan(self.peek.train_images, device)
        filled = {
            name: getattr(amounts, name) for name in ("trials", "trial_images", "epochs", "final_epochs", "finalists")
        }
        asked = {name: value for name, value in self.given.items() if value is not None}
        return RunConfig(**{
            **filled, **asked, "device": device, "minimize": self.problem.minimize, "budgets": self.budgets,
            "space": self.space or self.problem.space.name, "space_hash": space_hash(self.problem.space),
            "data": self.data or "digits", "data_hash": self._dataset.fingerprint if self._decoded else "",
        })  # fmt: skip

    @property
    def _decoded(self) -> bool:
        return "_dataset" in self.__dict__

    @cached_property
    def _dataset(self) -> "Dataset":
        from archsearch.cli.loading import largest_resolution, load_data

        largest = largest_resolution(self.problem.space)
        size = None if self.peek.native <= 64 else min(self.peek.size, max(64, largest * 8 // 7))
        return load_data(self.data or "digits", self.log, size=size)

    def _evaluator(self) -> "Evaluator":
        """The evaluator, its images decoded where it needs them."""
        from archsearch.cli.loading import pick_device
        from archsearch.evaluate.base import Setup
        from archsearch.search.plan import plan
        from archsearch.train.recipe import recipe

        device = pick_device(self.given["device"])
        amounts = plan(self.peek.train_images, device)
        setup = Setup(
            dataset=lambda: self._dataset,
            recipe=recipe(self.given["recipe"], epochs=self.given["epochs"] or amounts.epochs),
            final_recipe=recipe(self.given["final_recipe"], epochs=self.given["final_epochs"] or amounts.final_epochs),
            images=self.given["trial_images"] or amounts.trial_images,
            device=device,
        )
        made: Evaluator = plugins.load("evaluators", self.given["evaluator"])(setup)
        return made

    def _open(self, problem: "Problem") -> "Run":
        """The run's folder and study, with its manifest."""
        from archsearch.records import RunFolder, environment, write_manifest
        from archsearch.search.run import open_run

        folder = RunFolder(self.out or self._default_folder())
        run = open_run(self.config, problem, folder)
        dataset: dict[str, Any] = {
            "name": self.peek.name,
            "classes": list(self.peek.classes),
            "n_train": self.peek.train_images,
        }
        if self._decoded:
            dataset |= {"fingerprint": self._dataset.fingerprint, "notes": list(self._dataset.notes),
                        **{f"n_{name}": len(split) for name, split in self._dataset.splits.items()}}  # fmt: skip
        write_manifest(folder, {**environment(), "dataset": dataset, "seed": self.config.seed, "device": self.config.device,
                                "space": {"name": problem.space.name, "size": problem.space.size},
                                "budgets": problem.budget.to_dict()})  # fmt: skip
        known = len(run.ledger.trials())
        goes_on = f", which holds {known} trials and goes on" if known else ""
        self.log.print(f"results in {folder.root}{goes_on}", markup=False, soft_wrap=True)
        amounts = self.config
        self.log.print(
            f"search: {amounts.trials} networks, each {amounts.epochs} epochs on {amounts.trial_images:,} images; then the "
            f"front (at most {amounts.finalists}) again, {amounts.final_epochs} epochs on all images", style="dim",
        )  # fmt: skip
        return run

    def _default_folder(self) -> Path:
        """A folder named by what must not change, so that the same command finds it again."""
        config = self.config.to_dict()
        kept = {name: config[name] for name in sorted(config) if name not in ("trials", "timeout", "trial_timeout",
                "finalists", "threads", "device")}  # fmt: skip
        digest = hashlib.sha256(repr(kept).encode()).hexdigest()[:6]
        budget = "-".join(f"{name}{text}" for name, text in self.budgets.items()) or "free"
        safe = "".join(c if c.isalnum() or c in "-." else "_" for c in f"{Path(self.config.data).stem}-{budget}")
        return Path("results") / f"run-{safe}-{digest}"

    def _loose(self, space: Any, budget: Any) -> list[str]:
        """Notes on limits that no network of the space reaches."""
        from archsearch.cost.budget import show
        from archsearch.cost.extremes import extremes

        ends = {name: extremes(space, name).high for name in budget.limits}
        return [
            f"every network of the space has {name} of at most {show(ends[name], name)}: that budget binds nothing"
            for name, limit in budget.limits.items()
            if ends[name] <= limit.high and limit.low == 0
        ]

    def _tell(self, run: "Run", why: str, *, png: bool, as_json: bool) -> None:
        """Write tables and page, print the front."""
        from archsearch.report.page import write_page
        from archsearch.report.tables import front_records, write_tables

        root = run.folder.root
        write_tables(root)
        page = write_page(root)
        images = self._pngs(root) if png else []
        records = front_records(run.ledger.study)
        counts: dict[str, int] = {}
        for trial in run.ledger.trials():
            status = str(trial.user_attrs.get("status"))
            counts[status] = counts.get(status, 0) + 1
        if as_json:
            print_json({"folder": str(root), "stopped": why, "trials": counts, "front": records, "report": str(page),
                        "png": [str(path) for path in images]})  # fmt: skip
            return
        out = console()
        if records:
            out.print(front_table(records))
        else:
            out.print("no network was trained to its end; see trials.csv")
        told = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in sorted(counts.items()))
        out.print(f"{why}; trials: {told}", style="dim")
        out.print(f"report: {page}", markup=False, soft_wrap=True)

    def _pngs(self, root: Path) -> list[Path]:
        from archsearch.errors import ReportError
        from archsearch.report.png import write_pngs

        try:
            return list(write_pngs(root))
        except ReportError as error:
            self.log.print(f"no PNG: {error}", markup=False, soft_wrap=True)
            return []


def check_is_run(folder: Path) -> None:
    """Raise RunError where a folder holds no run."""
    if not (folder / "run.toml").is_file():
        raise RunError(f"{folder} is no run: it has no run.toml")
