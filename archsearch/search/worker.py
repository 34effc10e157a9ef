"""One worker: takes the next network, has it evaluated, writes the result; any number of them share a run."""

import logging
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from archsearch.errors import CheckpointError, TrainingError
from archsearch.evaluate.base import Evaluation, Evaluator, Job
from archsearch.records import EPOCHS, FAILED, RUNNING, SEED, SPENT, TRAINED, UNTIL, WAITING, RunFolder
from archsearch.search.flat import is_flat
from archsearch.search.halving import Halving, epochs_of
from archsearch.search.ledger import Ledger
from archsearch.search.lock import FileLock, is_alive
from archsearch.search.propose import Problem
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


class Source(Protocol):
    """Where new trials come from: a `Proposer`, or a plan."""

    def next(self) -> tuple[int, Arch] | None:
        """A new running trial, or None where there is none left; one process at a time asks."""
        ...


class Worker:
    """The loop of one process."""

    def __init__(self, folder: RunFolder, ledger: Ledger, evaluator: Evaluator, *, proposer: Callable[[str], Source],
                 seed: int, watch: Watch) -> None:  # fmt: skip
        self._folder, self._ledger, self._evaluator, self._seed, self._watch = folder, ledger, evaluator, seed, watch
        self._presence = Presence(folder)
        self._proposer = proposer(self._presence.name)
        self._gate = FileLock(folder.workers / "propose.lock")
        self._halving: Halving | None = None

    def search(self, problem: Problem, limits: Limits) -> str:
        """Evaluate networks until a limit is reached; why it ended.

        Trials of other workers that are still running at the end are waited for. With rungs those that may go on
        come before new networks, and at the end, a time limit apart, all that wait are stopped.
        """
        began = time.monotonic()
        self._halving = None if problem.rule is None else Halving(problem, problem.rule)
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
            if self._halving is not None and (goes_on := self._sent_on(self._halving)) is not None:
                return goes_on, ""
            taken, why = self._new(limits)
            if taken is None and self._halving is not None and not self._running():
                # asked again: another worker's trial may have reached its rung since, and only now does nobody run
                if (goes_on := self._sent_on(self._halving) or self._best_left(self._halving)) is not None:
                    return goes_on, ""
                self._stop(self._halving.waiting(self._ledger.trials()))
            return taken, why

    def _new(self, limits: Limits) -> tuple[tuple[int, Arch] | None, str]:
        """A new network, or None and the reason."""
        if self._ledger.tally().begun >= limits.trials:
            return None, "all trials done"
        if limits.flat is not None and (why := is_flat(self._ledger.trials(), limits.flat, since=limits.since)):
            return None, why
        return self._proposer.next(), ALL_TRIED

    def _sent_on(self, halving: Halving) -> tuple[int, Arch] | None:
        """The trial that leaves its rung, now this worker's; what cannot reach the front is stopped before."""
        self._stop(halving.hopeless(self._ledger.trials()))
        return self._carry_on(halving.promoted(self._ledger.trials()))

    def _best_left(self, halving: Halving) -> tuple[int, Arch] | None:
        """The best trial that waits, this worker's now, where none was trained to its end."""
        return self._carry_on(halving.last_hope(self._ledger.trials()))

    def _carry_on(self, found: tuple[int, int] | None) -> tuple[int, Arch] | None:
        """A trial that waits, to be trained by this worker up to an epoch."""
        if found is None:
            return None
        number, until = found
        mine = {UNTIL: until, "worker": self._presence.name, "status": RUNNING}  # the status last: it waits till then
        self._ledger.note(number, mine)
        return number, Arch.from_dict(self._ledger.trials()[number].user_attrs["arch_json"])

    def _stop(self, chosen: Mapping[int, Mapping[str, Any]]) -> None:
        """Close trials that wait, by what is to be noted of each; their checkpoints go."""
        for number, attrs in chosen.items():
            self._ledger.stop(number, attrs)
            remove(self._folder.checkpoints / f"trial-{number}")
            self._watch.trial_ended(self._ledger.trials(), number)

    def _running(self) -> list[FrozenTrial]:
        """Trials that some worker has or had; those that wait at a rung are nobody's."""
        numbers = list(self._ledger.tally().open)
        trials = [self._ledger.trials()[number] for number in numbers]
        return [t for t in trials if t.state == TrialState.RUNNING and t.user_attrs.get("status") != WAITING]

    def _others_run(self) -> bool:
        return any(trial.user_attrs["worker"] != self._presence.name for trial in self._running())

    def _evaluate(self, problem: Problem, number: int, arch: Arch, time_limit_s: float | None) -> None:
        self._watch.trial_began(number, arch)
        folder = self._folder.checkpoints / f"trial-{number}"
        until = self._until(number)
        seed = self._ledger.trials()[number].user_attrs.get(SEED, job_seed(self._seed, number))
        job = Job(number=number, seed=seed, folder=folder,
                  progress=self._watch.progress, time_limit_s=time_limit_s, until=until)  # fmt: skip
        try:
            result = afresh(self._evaluator.evaluate, arch, job)
        except TrainingError as error:
            self._ledger.finish(number, None, {"status": FAILED, "reason": f"{error.reason}: {error}"})
        else:
            costs = self._ledger.trials()[number].user_attrs["costs"]
            if problem.rule is not None and until is not None:
                before = self._ledger.trials()[number].intermediate_values
                others = sum(epochs_of(self._ledger.trials())) - max(before, default=0)
                told = {EPOCHS: until, SPENT: others + until, "seconds": result.seconds, "rung_se": result.top1_se}
                halts = {"worker": "", "status": WAITING} if until < problem.rule.whole else {}
                self._ledger.note(number, told | halts, {until: result.top1})
                if halts:
                    self._watch.trial_ended(self._ledger.trials(), number)
                    return
            attrs = {"status": TRAINED, **attributes(result)}
            self._ledger.finish(number, problem.values(result.top1, costs), attrs)
        remove(folder)
        self._watch.trial_ended(self._ledger.trials(), number)

    def _until(self, number: int) -> int | None:
        """The epoch up to which a trial is to be trained now; None without rungs."""
        if self._halving is None:
            return None
        noted: int = self._ledger.trials()[number].user_attrs.get(UNTIL, self._halving.rule.rungs[0])
        return noted


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
