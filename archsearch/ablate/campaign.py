"""An ablation as a study: one trial a training, all of them planned; any number of processes share them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution

from archsearch.ablate.design import Design
from archsearch.ablate.pairs import Pair, Treated
from archsearch.cost.budget import Budget
from archsearch.errors import RunError
from archsearch.evaluate.base import Evaluator
from archsearch.records import RUNNING, SEED, RunFolder
from archsearch.search.ledger import Ledger, NewTrial, open_journal
from archsearch.search.propose import Problem
from archsearch.search.worker import Limits, Watch, Worker
from archsearch.spec.arch import Arch
from archsearch.spec.space import SearchSpace
from archsearch.spec.text import to_text

PAIR, TREATMENT, PLACE = "pair", "treatment", "place"  # attributes of a trial: what it is in the plan
MOST = 10**6


@dataclass(frozen=True, slots=True)
class Task:
    """One training."""

    pair: int
    treatment: int  # row of the design's treatments
    place: int  # which of the seeds


def tasks(pairs: Sequence[Pair], seeds: int) -> list[Task]:
    """All trainings, in the order in which they are begun: a pair's networks side by side, the first seed of all first.

    So whatever ends it early, what was trained are whole pairs, but for the last one.
    """
    return [Task(pair.number, each.treatment, place) for place in range(seeds) for pair in pairs
            for each in pair.networks]  # fmt: skip


def pair_seed(seed: int, pair: int, place: int) -> int:
    """The seed of a training: the same for all networks of a pair, so first weights and order of images are, too."""
    return int(np.random.SeedSequence([seed, pair, place, 2]).generate_state(1)[0])


class Planned:
    """Turns a plan into trials, one by one; `next` must be called by one process at a time (hold the run's lock)."""

    def __init__(
        self, pairs: Sequence[Pair], design: Design, ledger: Ledger, *, seeds: int, seed: int, worker: str
    ) -> None:
        self._design, self._ledger, self._seed, self._worker = design, ledger, seed, worker
        self._networks = {(pair.number, each.treatment): each for pair in pairs for each in pair.networks}
        self._tasks = tasks(pairs, seeds)
        self._distributions = distributions(design)

    def next(self) -> tuple[int, Arch] | None:
        """The next training that nobody has begun, as a running trial; None where all are."""
        begun = {task_of(trial.user_attrs) for trial in self._ledger.trials()}
        task = next((task for task in self._tasks if task not in begun), None)
        if task is None:
            return None
        network = self._networks[task.pair, task.treatment]
        return self._ledger.add(self._trial(task, network)), network.arch

    def _trial(self, task: Task, network: Treated) -> NewTrial:
        levels = self._design.treatments[task.treatment]
        params = {each.name: each.levels[int(n)].name for each, n in zip(self._design.factors, levels, strict=True)}
        attrs = {
            "status": RUNNING, PAIR: task.pair, TREATMENT: task.treatment, PLACE: task.place,
            SEED: pair_seed(self._seed, task.pair, task.place), "arch": to_text(network.arch),
            "arch_json": network.arch.to_dict(), "key": network.key, "costs": network.costs, "worker": self._worker,
        }  # fmt: skip
        return NewTrial(params={**params, PAIR: task.pair, PLACE: task.place}, distributions=self._distributions,
                        attrs=attrs, constraints={}, system_attrs={})  # fmt: skip


def distributions(design: Design) -> dict[str, BaseDistribution]:
    """What Optuna is told of factors, pairs and seeds."""
    levels = {each.name: CategoricalDistribution([level.name for level in each.levels]) for each in design.factors}
    return {**levels, PAIR: IntDistribution(0, MOST), PLACE: IntDistribution(0, MOST)}


def task_of(attrs: Mapping[str, Any]) -> Task:
    """What a trial is in the plan."""
    return Task(attrs[PAIR], attrs[TREATMENT], attrs[PLACE])


@dataclass(frozen=True, kw_only=True, eq=False)
class Campaign:
    """An ablation that has its folder and its study; any number of processes may hold the same one."""

    space: SearchSpace
    budget: Budget
    design: Design
    pairs: Sequence[Pair]
    seeds: int
    seed: int
    folder: RunFolder
    ledger: Ledger

    @property
    def trainings(self) -> int:
        """In all."""
        return len(tasks(self.pairs, self.seeds))

    @property
    def ended(self) -> int:
        """Those of them that have ended, whatever became of them."""
        done = {task_of(trial.user_attrs) for trial in self.ledger.trials() if trial.state.is_finished()}
        return len(done.intersection(tasks(self.pairs, self.seeds)))

    def carry_out(self, evaluator: Evaluator, watch: Watch) -> str:
        """Train what is not trained yet; why it ended."""

        def planned(worker: str) -> Planned:
            return Planned(self.pairs, self.design, self.ledger, seeds=self.seeds, seed=self.seed, worker=worker)

        problem = Problem(space=self.space, budget=self.budget, minimize=())
        worker = Worker(self.folder, self.ledger, evaluator, proposer=planned, seed=self.seed, watch=watch)
        try:
            return worker.search(problem, Limits(trials=MOST))
        finally:
            worker.leave()


def open_ledger(folder: RunFolder, pairs: Sequence[Pair], design: Design) -> Ledger:
    """The study of an ablation's folder, made or opened again.

    raises   RunError where it holds other networks, or is damaged
    """
    ledger = Ledger(open_journal(folder.journal), ["maximize"])
    keys = {(pair.number, each.treatment): each.key for pair in pairs for each in pair.networks}
    for trial in ledger.trials():
        task = task_of(trial.user_attrs)
        wanted = keys.get((task.pair, task.treatment))
        if wanted not in (None, trial.user_attrs["key"]):
            raise RunError(f"{folder.root} holds other networks: pair {task.pair} is not the one that this command "
                           "draws; give another --out")  # fmt: skip
    return ledger
