"""After the search: what it hands over is trained in full on train and validation together, and tested once."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from archsearch.cost.budget import Budget
from archsearch.cost.ladder import best_within
from archsearch.errors import TrainingError
from archsearch.evaluate.base import Evaluator, Job
from archsearch.pareto import front
from archsearch.records import TESTED, RunFolder, stands
from archsearch.search.ledger import Ledger
from archsearch.search.lock import FileLock
from archsearch.search.propose import Problem
from archsearch.search.times import NONE, Times
from archsearch.search.worker import POLL_S, Watch, afresh, job_seed
from archsearch.spec.arch import Arch


def trained(trials: list[FrozenTrial]) -> list[FrozenTrial]:
    """Trials with a measured accuracy of their own, or one that an earlier run measured alike."""
    return [t for t in trials if t.state == TrialState.COMPLETE and stands(t.user_attrs)]


def fitting(trials: list[FrozenTrial], budget: Budget, times: Times = NONE) -> list[FrozenTrial]:
    """The first trained trial of each network that fits the budget of now, by what was measured of it, too."""
    first: dict[str, FrozenTrial] = {}
    for trial in trained(trials):
        first.setdefault(trial.user_attrs["key"], trial)
    return [t for key, t in first.items() if budget.fits(t.user_attrs["costs"]) and times.holds(key, budget)]


def front_trials(trials: list[FrozenTrial], budget: Budget, times: Times = NONE) -> list[FrozenTrial]:
    """The trained networks within the budget that no other beats, cheapest first."""
    known = fitting(trials, budget, times)
    if not known:
        return []
    values = np.array([[-t.values[0], *t.values[1:]] for t in known])
    best = [t for t, on_front in zip(known, front(values), strict=True) if on_front]
    return sorted(best, key=lambda t: (*t.values[1:], -t.values[0]))


def rung_trials(trials: list[FrozenTrial], problem: Problem, times: Times = NONE) -> list[FrozenTrial | None]:
    """The best network within each rung of the ladder; None where none was trained."""
    known = fitting(trials, problem.budget, times)
    cost = [times.worst(t, problem.minimize[0]) for t in known]
    rows = best_within(problem.ladder, cost, [t.values[0] for t in known])
    return [known[row] if row >= 0 else None for row in rows]


def members(trials: list[FrozenTrial], problem: Problem, times: Times = NONE) -> list[FrozenTrial]:
    """The best of a run as measured, cheapest first: the winners of the rungs, each once; else the front.

    What is handed over in the end is what is believed of it: `search.believed.chosen`.
    """
    if not problem.ladder:
        return front_trials(trials, problem.budget, times)
    won = {t.number: t for t in rung_trials(trials, problem, times) if t is not None}
    return list(won.values())


def finalists(members: list[FrozenTrial], most: int) -> list[FrozenTrial]:
    """At most `most` of them: the last one, which is the most accurate, and others evenly along the front."""
    if len(members) <= most:
        return members
    if most <= 0:
        return []
    places = np.unique(np.linspace(len(members) - 1, 0, most).round().astype(int))
    return [members[int(place)] for place in places]


@dataclass(frozen=True, kw_only=True)
class Finals:
    """The last part of a run: its finalists, trained on all images but the test's and tested once."""

    folder: RunFolder
    ledger: Ledger
    evaluator: Evaluator
    seed: int
    watch: Watch

    def retrain(self, chosen: list[FrozenTrial]) -> None:
        """Retrain and test the finalists that are not tested yet; several workers share them.

        Results go to the study's attributes `archsearch:test:<trial>`; a failed training is recorded as such.
        """
        while True:
            open_ones = [t for t in chosen if self.ledger.recall(TESTED.format(t.number)) is None]
            if not open_ones:
                return
            if not any([self._test_one(t, (chosen.index(t) + 1, len(chosen))) for t in open_ones]):
                self.watch.waiting("other workers test the rest of the front")
                time.sleep(POLL_S)

    def _test_one(self, trial: FrozenTrial, place: tuple[int, int]) -> bool:
        """Whether this worker tested the network; not, when another one is at it or has done it."""
        lock = FileLock(self.folder.workers / f"final-{trial.number}.lock")
        if not lock.take(wait=False):
            return False
        try:
            if self.ledger.recall(TESTED.format(trial.number)) is not None:
                return True
            self.watch.final_began(trial.number, *place)
            job = Job(number=trial.number, seed=job_seed(self.seed, trial.number),
                      folder=self.folder.checkpoints / f"final-{trial.number}",
                      progress=self.watch.progress)  # fmt: skip
            result = _result(self.evaluator, Arch.from_dict(trial.user_attrs["arch_json"]), job)
            self.ledger.remember(TESTED.format(trial.number), result)
            self.watch.final_ended(trial.number, result)
            return True
        finally:
            lock.free()


def _result(evaluator: Evaluator, arch: Arch, job: Job) -> dict[str, Any]:
    try:
        tested = afresh(evaluator.final, arch, job)
    except TrainingError as error:
        return {"failed": f"{error.reason}: {error}"}
    return {
        "top1_test": tested.top1, "top5_test": tested.top5, "top1_test_se": tested.top1_se,
        "seconds": tested.seconds, **tested.extra,
    }  # fmt: skip
