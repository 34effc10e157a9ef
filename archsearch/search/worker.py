"""One worker: takes the next network, has it evaluated, writes the result; any number of them share a run."""

import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from archsearch.errors import CheckpointError, TrainingError
from archsearch.evaluate.base import Evaluation, Evaluator, Job
from archsearch.records import FAILED, TRAINED, RunFolder
from archsearch.search.flat import is_flat
from archsearch.search.ledger import Ledger
from archsearch.search.lock import FileLock, is_alive
from archsearch.search.propose import Problem, Proposer
from archsearch.spec.arch import Arch

log = logging.getLogger("archsearch")
POLL_S = 0.5  # between looks at what other workers do
ALL_TRIED = "every network that fits has been tried"  # why a search ended


class Watch(Protocol):
    """Who is told how the run goes; the command line draws from it."""

    def trial_began(self, number: int, arch: Arch) -> None: ...
    def progress(self, done: int, total: int, text: str) -> None: ...
    def trial_ended(self, trials: list[FrozenTrial], number: int) -> None: ...
    def final_began(self, number: int, nth: int, of: int) -> None: ...
    def final_ended(self, number: int, result: dict[str, Any]) -> None: ...
    def waiting(self, text: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When to stop."""

    trials: int
    timeout: float | None = None  # of the search [s]
    trial_timeout: float | None = None  # of one trial [s]
    flat: float | None = None  # share of the hypervolume that the next network must be expected to add
    since: int = 0  # first trial that the budgets of now could have made


def job_seed(seed: int, number: int) -> int:
    """The seed of one trial's training: a function of the run's seed and the trial's number."""
    return int(np.random.SeedSequence([seed, number, 1]).generate_state(1)[0])


class Presence:
    """This worker's sign of life: a lock that ends with its process."""

    def __init__(self, folder: RunFolder) -> None:
        self.name = uuid.uuid4().hex[:12]
        self._folder = folder
        self._path = self.path(self.name)
        self._lock = FileLock(self._path)
        self._lock.take()

    def path(self, worker: str) -> Path:
        """The file that a worker holds locked while it lives."""
        return self._folder.workers / f"{worker}.lock"

    def alive(self, worker: str) -> bool:
        """Whether a worker, this one included, still runs."""
        return worker == self.name or is_alive(self.path(worker))

    def leave(self) -> None:
        """The end of this worker."""
        self._lock.free()
        self._path.unlink(missing_ok=True)


class Worker:
    """The loop of one process."""

    def __init__(self, folder: RunFolder, ledger: Ledger, evaluator: Evaluator, *, proposer: Callable[[str], Proposer],
                 seed: int, watch: Watch) -> None:  # fmt: skip
        self._folder, self._ledger, self._evaluator, self._seed, self._watch = folder, ledger, evaluator, seed, watch
        self._presence = Presence(folder)
        self._proposer = proposer(self._presence.name)
        self._gate = FileLock(folder.workers / "propose.lock")

    def search(self, problem: Problem, limits: Limits) -> str:
        """Evaluate networks until a limit is reached; why it ended.

        Trials of other workers that are still running at the end are waited for.
        """
        began = time.monotonic()
        while True:
            late = limits.timeout is not None and time.monotonic() - began > limits.timeout
            taken, why = self._take(limits, late=late)
            if taken is not None:
                self._evaluate(problem, *taken, limits.trial_timeout)
            elif not self._others_run():
                return why
            else:
                self._watch.waiting("other workers finish their trials")
                time.sleep(POLL_S)

    def leave(self) -> None:
        """Give up this worker's place; checkpoints that a killed worker left of finished trials go, too."""
        trials = self._ledger.trials()
        for folder in self._folder.checkpoints.glob("trial-*"):
            number = folder.name.removeprefix("trial-")
            if number.isdecimal() and int(number) < len(trials) and trials[int(number)].state.is_finished():
                remove(folder)
        self._presence.leave()

    def _take(self, limits: Limits, *, late: bool) -> tuple[tuple[int, Arch] | None, str]:
        """A trial that a dead worker left, or a new one; else None and the reason."""
        with self._gate.held():
            for trial in self._running():
                if not self._presence.alive(trial.user_attrs["worker"]):
                    self._ledger.note(trial.number, {"worker": self._presence.name})
                    return (trial.number, Arch.from_dict(trial.user_attrs["arch_json"])), ""
            if late:
                return None, "time limit"
            if self._ledger.tally().begun >= limits.trials:
                return None, "all trials done"
            if limits.flat is not None and (why := is_flat(self._ledger.trials(), limits.flat, since=limits.since)):
                return None, why
            return self._proposer.next(), ALL_TRIED

    def _running(self) -> list[FrozenTrial]:
        numbers = list(self._ledger.tally().open)
        trials = self._ledger.trials()
        return [trials[number] for number in numbers if trials[number].state == TrialState.RUNNING]

    def _others_run(self) -> bool:
        return any(trial.user_attrs["worker"] != self._presence.name for trial in self._running())

    def _evaluate(self, problem: Problem, number: int, arch: Arch, time_limit_s: float | None) -> None:
        self._watch.trial_began(number, arch)
        folder = self._folder.checkpoints / f"trial-{number}"
        job = Job(number=number, seed=job_seed(self._seed, number), folder=folder,
                  progress=self._watch.progress, time_limit_s=time_limit_s)  # fmt: skip
        try:
            result = afresh(self._evaluator.evaluate, arch, job)
        except TrainingError as error:
            self._ledger.finish(number, None, {"status": FAILED, "reason": f"{error.reason}: {error}"})
        else:
            costs = self._ledger.trials()[number].user_attrs["costs"]
            attrs = {"status": TRAINED, **attributes(result)}
            self._ledger.finish(number, problem.values(result.top1, costs), attrs)
        remove(folder)
        self._watch.trial_ended(self._ledger.trials(), number)


def afresh(work: Callable[[Arch, Job], Evaluation], arch: Arch, job: Job) -> Evaluation:
    """An evaluation; checkpoints that cannot be trusted are thrown away, and it begins again."""
    try:
        return work(arch, job)
    except CheckpointError as error:
        log.warning("%s; this training begins again", error)
        remove(job.folder)
        return work(arch, job)


def attributes(result: Evaluation) -> dict[str, Any]:
    """An evaluation as user attributes."""
    return {"top1": result.top1, "top5": result.top5, "top1_se": result.top1_se,
            "seconds": result.seconds, **result.extra}  # fmt: skip


def remove(folder: Path) -> None:
    """Delete a trial's checkpoints, if it has any."""
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
