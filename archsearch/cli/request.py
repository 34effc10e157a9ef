"""What one `archsearch run` asks for, resolved: images, space, limits, amounts of work, evaluator."""

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from archsearch import plugins
from archsearch.cli.asked import asked_metrics, merged, opened_runs, wanted_codes
from archsearch.cli.crew import share, size
from archsearch.cli.halting import config_of, rule_of
from archsearch.cli.judging import evaluator_of, supernet_of, told_of
from archsearch.cli.labels import learnt_from, runs_of
from archsearch.cli.limits import loose, problem_of
from archsearch.cli.loading import (
    default_space,
    default_threads,
    largest_resolution,
    load_data,
    load_table,
    pick_device,
    table_peek,
)
from archsearch.cli.place import named_folder, stored_command
from archsearch.cli.show import console
from archsearch.cli.timing import Timing, Wish, bound
from archsearch.cost.budget import LATENCIES
from archsearch.errors import DataError, LatencyError
from archsearch.records import RunFolder

if TYPE_CHECKING:
    from archsearch.data.dataset import Dataset
    from archsearch.data.load import Peek
    from archsearch.evaluate.base import Evaluator
    from archsearch.evaluate.table import Table
    from archsearch.search.config import RunConfig
    from archsearch.search.given import Earlier
    from archsearch.search.known import Labels
    from archsearch.search.propose import Problem
    from archsearch.search.rungs import Rule
    from archsearch.spec.fields import Codes
    from archsearch.spec.space import SearchSpace
    from archsearch.train.pretrained import Source

NO_DATA = (
    "no --data given: using scikit-learn's handwritten digits, upscaled.\n"
    "  your own images: --data cifar10 | --data folder/ (one folder a class) | --data file.parquet"
)


@dataclass(kw_only=True)
class Request:
    """The options of the command; each property is resolved once, when it is first asked for."""

    budgets: dict[str, str]  # metric -> as written; "none" lifts one that the run had
    space: str | None
    data: str | None
    minimize: tuple[str, ...]  # as written; () = not given
    out: Path | None
    given: dict[str, Any]  # other RunConfig fields; None = default
    add: tuple[str, ...] = ()  # networks to train by name
    earlier: tuple[Path, ...] = ()  # folders of runs to begin from, and of trust reports to learn from
    table_file: Path | None = None
    mapping: Path | None = None  # of the table's columns
    wish: Wish = Wish()  # what is said of latency
    workers: str = "1"  # processes, as written
    images_option: ClassVar[str] = "--trial-images"

    @cached_property
    def log(self) -> Any:
        """Where people are told things: stderr."""
        return console(error=True)

    @cached_property
    def table(self) -> "Table | None":
        """The table that stands for training; None where networks are trained or made up."""
        return load_table(self.table_file, self.mapping, space=self.space, evaluator=self.given["evaluator"])

    @cached_property
    def peek(self) -> "Peek":
        """What is known of the images before decoding."""
        from archsearch.data.load import peek

        if self.table is not None:
            return table_peek(self.table)
        return peek(self.data or "digits")

    @cached_property
    def dataset(self) -> "Dataset":
        """The images, decoded no larger than the space can use them."""
        size = None
        if self.peek.native > 64:
            size = min(self.peek.size, max(64, largest_resolution(self.problem.space) * 8 // 7))
        return load_data(self.data or "digits", self.log, size=size)

    @property
    def decoded(self) -> bool:
        """Whether anything has asked for the images themselves."""
        return "dataset" in self.__dict__

    @cached_property
    def problem(self) -> "Problem":
        """Space, hard limits and objectives, checked before anything is decoded or written.

        raises   SpaceError, BudgetError, PluginError, DataError
        """
        from archsearch.search.able import check_able
        from archsearch.search.run import fit_to_images

        for group, name in (("samplers", self.sampler), ("evaluators", self.given["evaluator"])):
            plugins.load(group, name)
        if self.given.get("stop_when_flat") is not None:
            check_able(self.sampler, "tells_gain")
        if self.repeats:
            check_able(self.sampler, "repeats")
        named, latency = self.named_space, self.timing.table if self.timing else None  # bound before metrics are named
        space, note = fit_to_images(named.with_classes(self.peek.num_classes), self.peek.native)
        problem = problem_of(space, self.texts, self.asked, table=self.table, latency=latency)
        told = self.table.notes if self.table is not None else ()
        notes = [f"space {space.name}: {space.size:,} networks", note, *told, *loose(space, problem.budget, self.table)]
        for text in filter(None, notes):
            self.log.print(f"  {text}", markup=False, style="dim")
        return replace(problem, repeats=self.repeats)

    @cached_property
    def timing(self) -> "Timing | None":
        """The latency table in use, its metrics bound: one that is named, kept or asked for by a limit or objective.

        raises   LatencyError where there is none, or none that may be trusted
        """
        kept = RunFolder(self.folder).latency if self.stored.get("latency_hash") else None
        own = () if self.table is None else tuple(self.table.costs)
        asks = {*self.texts, *self.minimize} & {*LATENCIES} - {*own}
        if not (asks or kept or self.wish.named):
            return None
        if clash := {"latency_ms", *LATENCIES} & {*own}:
            raise LatencyError(f"table {self.table_file} tells {min(clash)} itself; leave out the latency table")
        space, classes = self.named_space, self.peek.num_classes
        build = f"--space {self.space or space.name}" + (
            f" --classes {classes}" if classes != space.head.classes else ""
        )
        made = bound(self.wish, space, classes=classes, kept=kept, device=self.stored.get("latency_device"),
                     build=build)  # fmt: skip
        for text in (*(f", forced: {each}" for each in made.warnings), *(f": {each}" for each in made.notes)):
            self.log.print(f"  latency table {made.file}{text}", markup=False, soft_wrap=True, style="yellow")
        return made

    @cached_property
    def named_space(self) -> "SearchSpace":
        """The space as its file has it: that of the table, the one named, or one for images of this size."""
        from archsearch.spec.lower import check_classifies
        from archsearch.spec.space_file import read_space

        if self.table is not None and self.table.space is not None:
            return self.table.space
        named = read_space(self.space) if self.space else None
        if named and self.given["evaluator"] == "train":
            check_classifies(named.decode(next(named.enumerate(1))[0]))
        if self.data is None:
            self.log.print(NO_DATA, markup=False)
        return named or read_space(default_space(self.peek))

    @cached_property
    def asked(self) -> tuple[str, ...] | None:
        """The metrics to minimise: as given, else as the folder's run began; None where neither says."""
        kept = tuple(self.stored["minimize"]) if "minimize" in self.stored else None
        own = tuple(self.table.costs) if self.table is not None else ()
        return asked_metrics(self.minimize, own) if self.minimize else kept

    @cached_property
    def texts(self) -> dict[str, str]:
        """The limits as written: those given, and those of the folder's run that no option names."""
        return merged(self.stored.get("budgets", {}), self.budgets)

    @cached_property
    def sampler(self) -> str:
        """The sampler: as given, else as the folder's run began, else the default."""
        from archsearch.search.config import SAMPLER

        return str(self.given.get("sampler") or self.stored.get("sampler", SAMPLER))

    @cached_property
    def repeats(self) -> bool:
        """Whether networks may be trained again: as given, else as the folder's run began, else not."""
        given = self.given.get("repeats")
        return bool(self.stored.get("repeats", False) if given is None else given)

    @cached_property
    def wanted(self) -> "list[Codes]":
        """The codes of the networks of `--add`; raises where one cannot be trained."""
        return wanted_codes(self.problem, self.add)

    @cached_property
    def earlier_runs(self) -> "list[Earlier]":
        """The runs of `--from`, opened for reading; raises RunError where one is no run, or is this one."""
        return opened_runs(runs_of(self.earlier), self.folder)

    @cached_property
    def labels(self) -> "Labels":
        """What evaluators that learn may learn from: the measured networks of `--from`; told when it is first asked."""
        return learnt_from(self)

    @cached_property
    def device(self) -> str:
        """The device to train on."""
        return pick_device(self.given["device"])

    @cached_property
    def threads(self) -> int | None:
        """CPU threads of this process; None leaves torch's choice."""
        given: int | None = self.given["threads"]
        total = default_threads(self.peek.native, self.device) if given is None else given
        return share(total, self.crew)

    @cached_property
    def crew(self) -> int:
        """How many processes work on the run, this one among them."""
        return size(self.workers, self.device)

    @cached_property
    def amounts(self) -> dict[str, int]:
        """Amounts of work: as given, else as the folder's run began, else planned for device and number of images.

        raises   DataError where a trial would see fewer images than there are classes
        """
        from archsearch.search.plan import plan

        planned = asdict(plan(self.peek.train_images, self.device))
        planned["finalists"] = max(planned["finalists"], len(self.problem.ladder))
        planned |= self.kept
        asked = {name: self.given[name] for name in planned if self.given.get(name) is not None}
        amounts: dict[str, int] = planned | asked
        if amounts["trial_images"] < self.peek.num_classes:
            raise DataError(
                f"{self.images_option} {amounts['trial_images']} cannot hold {self.peek.num_classes} classes: give more"
            )
        return amounts

    @cached_property
    def stored(self) -> dict[str, Any]:
        """The command of a run that lies in the folder already; a run goes on with what it began with."""
        return stored_command(self.folder)

    @cached_property
    def kept(self) -> dict[str, int]:
        """The stored amounts."""
        from archsearch.search.plan import AMOUNTS

        return {name: self.stored[name] for name in AMOUNTS if name in self.stored}

    @cached_property
    def first_weights(self) -> "Source | None":
        """The weights that every training begins with: as given, else as the folder's run began; None = fresh ones."""
        from archsearch.cli.first_weights import for_run

        text = self.given.get("init") or self.stored.get("init")
        return for_run(text, self.given["evaluator"], self.problem.space, self.log)

    @cached_property
    def evaluator(self) -> "Evaluator":
        """The evaluator; its images are decoded here where it needs them."""
        return evaluator_of(self)

    @cached_property
    def rule(self) -> "Rule | None":
        """The rungs at which trainings halt: as given, else as the folder's run began; it needs the evaluator."""
        epochs = getattr(self.evaluator, "epochs", None)
        rule = rule_of(self.given, self.stored, epochs=epochs, repeats=self.repeats)
        if rule is not None and self.table is not None:
            self.table.check_told(rule.rungs)
        return rule

    @cached_property
    def config(self) -> "RunConfig":
        """The resolved command; ask for it after `evaluator`, so that it knows which images were used."""
        from archsearch.cli.first_weights import for_config
        from archsearch.search.config import RunConfig, study_name
        from archsearch.search.run import space_hash

        apart = ("init", "supernet")
        asked = {name: value for name, value in self.given.items() if value is not None and name not in apart}
        config = RunConfig(
            **self.amounts
            | asked
            | {"device": self.device, "threads": self.threads, "sampler": self.sampler, "repeats": self.repeats}
            | config_of(self.rule, trials=self.amounts["trials"], chosen="trials" in {**self.stored, **asked}),
            space=self.space or self.problem.space.name,
            space_hash=space_hash(self.problem.space),
            data=str(self.table_file or self.data or "digits"),
            data_hash=self.table.fingerprint if self.table else self.dataset.fingerprint if self.decoded else "",
            budgets=self.texts,
            minimize=self.problem.minimize,
            **self._latency,
            **for_config(self.first_weights),
            **told_of(supernet_of(self)),
        )
        return replace(config, study=self.stored.get("study") or study_name(config))

    @property
    def _latency(self) -> dict[str, str]:
        """What the config says of latency; nothing without a table."""
        from archsearch.search.run import latency_hash

        made = self.timing
        if made is None:
            return {}
        file = str(self.stored.get("latency", made.file)) if self.wish.file is None else str(self.wish.file)
        return {"latency": file, "latency_hash": latency_hash(made.table), "latency_device": made.device}

    @cached_property
    def folder(self) -> Path:
        """`--out`, or a folder named by what was asked for, so that the same command finds it again."""
        if self.out is not None:
            return self.out
        mapping = (str(self.mapping.resolve()),) if self.mapping else ()
        latency = (str(self.wish.file and self.wish.file.resolve()), self.wish.device) if self.wish.named else ()
        init = tuple(f"{name} {self.given[name]}" for name in ("init", "supernet") if self.given.get(name))
        told = (self.space, self.minimize or ("madds",), *mapping, *latency, *init)
        return named_folder(self.table_file or self.data, self.budgets, self.given, told=told)

    @property
    def manifest(self) -> dict[str, Any]:
        """What manifest.json says of data, space, seeds and device."""
        peek, problem = self.peek, self.problem
        dataset: dict[str, Any] = {"name": peek.name, "classes": list(peek.classes), "n_train": peek.train_images}
        if self.table is not None:
            dataset = {"name": peek.name, "networks": len(self.table), "fingerprint": self.table.fingerprint,
                       "notes": list(peek.notes)}  # fmt: skip
        if self.decoded:
            dataset |= {f"n_{name}": len(split) for name, split in self.dataset.splits.items()}
            dataset |= {"fingerprint": self.dataset.fingerprint, "notes": list(self.dataset.notes)}
        return {
            "dataset": dataset,
            "seed": self.config.seed,
            "device": self.device,
            "space": {"name": problem.space.name, "size": problem.space.size},
            "budgets": problem.budget.to_dict(),
            "ladder": list(problem.ladder),
            "earlier": [str(path) for path in self.earlier],
            **({"latency": {**self.timing.fingerprint, "device": self.timing.device}} if self.timing else {}),
        }
