"""A run: a space, budgets, objectives, an evaluator, a sampler and a folder, put together and carried to its end."""

import hashlib
import json
import socket
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import optuna

from archsearch.cost.latency import LatencyTable
from archsearch.errors import RunError
from archsearch.evaluate.base import Evaluator
from archsearch.measure.method import Effort
from archsearch.measure.pick import Stopwatch
from archsearch.records import ALL, OBJECTIVES, SINCE, RunFolder, read_toml, to_toml, write_atomic
from archsearch.search.believed import chosen
from archsearch.search.config import RunConfig, differences
from archsearch.search.finish import Finals
from archsearch.search.given import Earlier, Progress, Taken, silent, take_over
from archsearch.search.ledger import Direction, Ledger, open_journal
from archsearch.search.lock import FileLock
from archsearch.search.propose import Problem, Proposer
from archsearch.search.rebudget import settle_budgets
from archsearch.search.rungs import ETA, Rule
from archsearch.search.timed import FRONT, Outcome, Timer, outcome, standing
from archsearch.search.wanted import ask_for, still_wanted
from archsearch.search.worker import ALL_TRIED, Limits, Watch, Worker
from archsearch.spec.fields import Codes
from archsearch.spec.space import SearchSpace

HOME = "archsearch:folder"  # attribute of a study in a shared storage
OURS = ("workers", "checkpoints", "latency.json")  # what may lie there of a run that was cut off while it was made


def space_hash(space: SearchSpace) -> str:
    """Twelve hexadecimal digits over a space's axes and template."""
    stages = [sorted((name, repr(source)) for name, source in stage.fields.items()) for stage in space.stages]
    told = repr((space.axes, space.width, space.resolution, space.stem, stages, space.head))
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def latency_hash(table: LatencyTable) -> str:
    """Twelve hexadecimal digits over what a latency table predicts; its verification may come later."""
    told = {name: value for name, value in table.to_dict().items() if name not in ("verified", "about")}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]


def fit_to_images(space: SearchSpace, native: int) -> tuple[SearchSpace, str | None]:
    """The space without resolutions above the images' own size, and a note; the smallest one always stays."""
    axis = next((each for each in space.axes if each.name == "resolution"), None)
    if axis is None:
        return space, None
    keep = tuple(value for value in axis.values if value <= native) or (min(axis.values),)
    if len(keep) == len(axis.values):
        return space, None
    dropped = ", ".join(str(value) for value in axis.values if value not in keep)
    return space.restrict("resolution", keep), f"resolutions {dropped} are left out: they would only enlarge the images"


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run that has its folder and its study; any number of processes may hold the same one."""

    config: RunConfig
    problem: Problem
    folder: RunFolder
    ledger: Ledger
    note: str | None = None  # what opening it has changed

    def take_over(self, earlier: Sequence[Earlier], tell: Progress = silent) -> list[Taken]:
        """Take the results of earlier runs over, each once."""
        with self._alone():
            return [take_over(self.ledger, self.problem, self.config, each, tell=tell) for each in earlier]

    def ask_for(self, codes: Sequence[Codes]) -> list[str]:
        """Have these networks trained before the sampler's own; one line for each that was tried before."""
        with self._alone():
            return ask_for(self.ledger, self.problem, codes)

    @property
    def trials(self) -> int:
        """Networks to train: as many as asked for, and in any case those that were named by hand."""
        return max(self.config.trials, self.ledger.tally().begun + still_wanted(self.ledger, self.problem))

    def search(self, evaluator: Evaluator, watch: Watch) -> str:
        """Train networks until a limit is reached; why it ended. Goes on where an earlier call stopped."""

        def proposer(worker: str) -> Proposer:
            return Proposer(
                self.problem, self.ledger, sampler=self.config.sampler, seed=self.config.seed, worker=worker
            )

        worker = Worker(self.folder, self.ledger, evaluator, proposer=proposer, seed=self.config.seed, watch=watch)
        limits = Limits(trials=self.trials, timeout=self.config.timeout, trial_timeout=self.config.trial_timeout,
                        flat=self.config.stop_when_flat, since=self.ledger.recall(SINCE, 0))  # fmt: skip
        check_halts(evaluator, self.problem)
        self._note_all(False)
        try:
            why = worker.search(self.problem, limits)
        finally:
            worker.leave()
        tried = why == ALL_TRIED or len(self.ledger.tally().by_key) >= self.problem.space.size
        self._note_all(tried)
        return why

    def time(self, stopwatch: Stopwatch, watch: Watch, effort: Effort = FRONT) -> Outcome:
        """Time what would be reported on the device, until each of it holds the limits there; what that showed.

        raises   DeviceError where the device cannot run a network, SpecError where it knows no form for an operation
        """
        timer = Timer(folder=self.folder, ledger=self.ledger, problem=self.problem, stopwatch=stopwatch, watch=watch,
                      effort=effort, finalists=self.config.finalists)  # fmt: skip
        timer.settle()
        return outcome(self.ledger, self.problem, self.config.latency_device or "")

    def finish(self, evaluator: Evaluator, watch: Watch) -> None:
        """Retrain the believed front, or the believed winners of the ladder's rungs, in full and test them once."""
        best = chosen(self.ledger.trials(), self.problem, self.config.finalists, standing(self.ledger))
        finals = Finals(folder=self.folder, ledger=self.ledger, evaluator=evaluator, seed=self.config.seed, watch=watch)
        finals.retrain(best)

    def _note_all(self, tried: bool) -> None:
        """Note whether every network that fits has been tried, where the study says otherwise."""
        if self.ledger.recall(ALL, False) != tried:
            self.ledger.remember(ALL, tried)

    def _alone(self) -> AbstractContextManager[None]:
        """While this is held no worker proposes."""
        return FileLock(self.folder.workers / "propose.lock").held()


def check_halts(evaluator: Evaluator, problem: Problem) -> None:
    """Raise RunError where a run has rungs and its evaluator cannot halt at them."""
    whole = getattr(evaluator, "epochs", None)
    if problem.rule is not None and whole != problem.rule.whole:
        raise RunError(
            f"the last rung is epoch {problem.rule.whole}, a whole training of the evaluator ends at {whole}"
        )


def open_run(config: RunConfig, problem: Problem, folder: RunFolder) -> Run:
    """Create a run's folder and study, or open them again.

    raises   RunError where the folder cannot be written, holds another run, or its journal is damaged
    """
    check_folder(folder, config)
    folder.make()
    if config.rungs is not None and problem.rule is None:
        problem = replace(problem, rule=Rule(rungs=config.rungs, eta=config.eta or ETA))
    with FileLock(folder.workers / "propose.lock").held():
        check_folder(folder, config)
        ledger = begun(config, problem, folder)
        ledger.remember(OBJECTIVES, ["top1", *problem.minimize])
        note = settle_budgets(ledger, problem, folder)
        write_atomic(folder.command, to_toml(config.to_dict()))
    return Run(config=config, problem=problem, folder=folder, ledger=ledger, note=note)


def begun(config: RunConfig, problem: Problem, folder: RunFolder) -> Ledger:
    """The run's study, its command written before; a new folder whose storage cannot be opened is not claimed."""
    new = not folder.command.exists()
    if new:
        if problem.latency is not None:
            write_atomic(folder.latency, json.dumps(problem.latency.to_dict()))
        write_atomic(folder.command, to_toml(config.to_dict()))
    try:
        ledger = open_ledger(folder, config.storage, config.study, problem.minimize)
        check_home(ledger, folder, config)
    except RunError:
        if new and not folder.journal.exists():
            folder.command.unlink()
        raise
    return ledger


def open_ledger(folder: RunFolder, storage: str | None, name: str, minimize: tuple[str, ...]) -> Ledger:
    """The study of a run's folder, or at an Optuna storage URL."""
    directions: list[Direction] = ["maximize", *["minimize" for _ in minimize]]  # type: ignore[list-item]
    if storage is None:
        return Ledger(open_journal(folder.journal), directions, name)
    try:
        return Ledger(optuna.storages.get_storage(storage), directions, name)
    except (ImportError, ValueError, OSError) as error:
        raise RunError(f"storage {storage!r} cannot be opened: {error}") from None
    except Exception as error:  # SQLAlchemy's many
        raise RunError(f"storage {storage!r} cannot be opened: {str(error).splitlines()[0]}") from None


def check_home(ledger: Ledger, folder: RunFolder, config: RunConfig) -> None:
    """Raise RunError where a study in a shared storage belongs to a run in another folder.

    Workers of one run must share its folder: their signs of life and their checkpoints lie there.
    """
    if config.storage is None:
        return
    here = f"{socket.gethostname()}:{folder.root.resolve()}"
    home = ledger.recall(HOME)
    if home is None:
        ledger.remember(HOME, here)
    elif home != here:
        raise RunError(f"this run's study in {config.storage} belongs to the folder {home}; give that --out")


def check_folder(folder: RunFolder, config: RunConfig) -> None:
    """Raise RunError where the folder holds something else than this run."""
    if folder.root.exists() and not folder.root.is_dir():
        raise RunError(f"results folder {folder.root} is a file")
    if folder.command.exists():
        there = RunConfig.from_dict(read_toml(folder.command))
        told = differences(there, config)
        if told:
            more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
            raise RunError(f"{folder.root} holds another run: {told[0]}{more}; give another --out")
    elif folder.journal.exists():
        raise RunError(f"{folder.root} holds a study without its run.toml; give another --out")
    elif folder.root.is_dir() and any(path.name not in OURS for path in folder.root.iterdir()):
        raise RunError(f"{folder.root} is not empty and holds no run; give another --out")
