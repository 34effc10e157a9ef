"""Halted trainings against whole ones, replayed on a table: the hypervolume of whole trainings against epochs spent.

The run's own machinery searches (worker, proposer, sampler, rungs); only the training is played. The table tells the
final accuracy of each network, and its learning curve where it has one. Where it has none, curves are MADE UP
(`evaluate.learning`): a power law, slower for larger networks, with noise, drawn anew for each seed.
"""

import math
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial

from archsearch.bench.goal import best_known
from archsearch.bench.rungs_told import REAL, WHOLE, Story, figures
from archsearch.errors import RunError
from archsearch.evaluate.base import Evaluation, Job
from archsearch.evaluate.learning import OWN, SLOWER, learner
from archsearch.evaluate.table import Table
from archsearch.evaluate.tabular import TableEvaluator
from archsearch.records import RunFolder
from archsearch.search.ledger import Ledger
from archsearch.search.propose import Problem, Proposer
from archsearch.search.rungs import Rule
from archsearch.search.worker import Limits, Watch, Worker
from archsearch.spec.arch import Arch
from archsearch.surrogate.domain import Floats

Told = Callable[[int, int, str], None]  # (runs done, of, what was run)
ORACLE = "if the first epoch told all"  # the rule, shown the end of each curve at once: what no rule can pass by much


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """What is replayed."""

    sampler: str
    seeds: tuple[int, ...]
    trainings: int  # whole ones whose epochs every way may spend
    ways: Mapping[str, Rule | None]  # name -> rule; WHOLE has none
    own_way: float = OWN  # how much networks of one size differ in how they learn
    slower: float = SLOWER  # how much more the largest lack after one epoch than the smallest

    @property
    def whole(self) -> int:
        """Epochs of a whole training."""
        return next(rule.whole for rule in self.ways.values() if rule is not None)

    @property
    def epochs(self) -> int:
        """That may be spent."""
        return self.trainings * self.whole


def ways(rule: Rule) -> dict[str, Rule | None]:
    """Whole trainings, the rule, and the rule without each of its parts."""
    return {
        WHOLE: None,
        "pareto-asha": rule,
        "without the cost question": replace(rule, doubt=0.0),
        "ties by the epsilon-net alone": replace(rule, gains=False),
        "order as reached": replace(rule, learns=False),
        "asha on accuracy": replace(rule, doubt=0.0, by_cost=False, learns=False),
        ORACLE: rule,
    }


class _Spent(Exception):
    """All epochs are spent."""


class _Counting:
    """An evaluator that counts epochs; a network that goes on is not trained twice."""

    def __init__(self, inner: TableEvaluator, epochs: int, whole: int) -> None:
        self._inner, self._most, self.epochs = inner, epochs, whole
        self._done: dict[int, int] = {}
        self.spent = 0
        self.ended: list[tuple[int, int, float]] = []  # epochs spent, trial, top-1

    def evaluate(self, arch: Arch, job: Job) -> Evaluation:
        """The table's word, and the epochs that it takes."""
        until = job.until or self.epochs
        more = until - self._done.get(job.number, 0)
        if self.spent + more > self._most:
            raise _Spent
        self.spent, self._done[job.number] = self.spent + more, until
        made = self._inner.evaluate(arch, job)
        if until == self.epochs:
            self.ended.append((self.spent, job.number, made.top1))
        return made

    def final(self, arch: Arch, job: Job) -> Evaluation:
        """Never asked."""
        raise NotImplementedError

    @property
    def networks(self) -> int:
        """How many were begun."""
        return len(self._done)


class _Silent(Watch):
    """A watch that shows nothing."""

    def trial_ended(self, trials: list[FrozenTrial], number: int) -> None: ...


def with_curves(
    table: Table, epochs: int, rng: np.random.Generator, *, own_way: float = OWN, slower: float = SLOWER
) -> Table:  # fmt: skip
    """The table with made-up learning curves towards its mean accuracies."""
    logs = np.log(table.cost("madds").astype(float))
    size = (logs - logs.min()) / max(float(np.ptp(logs)), 1e-9)
    return replace(table, curves=learner(size, rng, own_way=own_way, slower=slower).curves(table.mean, epochs, rng))


def run(problem: Problem, play: Play, way: str, seed: int) -> Story:
    """One search, until all epochs are spent or nothing is left to do."""
    dry = False
    assert problem.table is not None
    assert problem.table.space is not None
    table = _curved(problem.table, play, seed)
    if way == ORACLE:
        table = replace(table, curves=np.repeat(table.mean[:, None], play.whole, axis=1))
    played = replace(problem, rule=play.ways[way], table=table)
    inner = TableEvaluator(table=table, space=problem.table.space, mean=True)
    judge = _Counting(inner, play.epochs, play.whole)
    with tempfile.TemporaryDirectory() as root:
        folder = RunFolder(Path(root)).make()
        ledger = Ledger(InMemoryStorage(), ["maximize", *["minimize"] * len(problem.minimize)])  # type: ignore[list-item]
        worker = Worker(folder, ledger, judge, seed=seed, watch=_Silent(), proposer=lambda name: Proposer(
            played, ledger, sampler=play.sampler, seed=seed, worker=name))  # fmt: skip
        try:
            worker.search(played, Limits(trials=play.epochs))
            dry = judge.spent < play.epochs
        except _Spent:
            pass
        finally:
            worker.leave()
        trials = ledger.trials()
        points = [[-top1, *problem.values(top1, trials[n].user_attrs["costs"])[1:]] for _, n, top1 in judge.ended]
    return Story(
        spent=np.array([spent for spent, _, _ in judge.ended], dtype=float),
        points=np.array(points, dtype=float).reshape(len(points), 1 + len(problem.minimize)), networks=judge.networks,
        dry=dry,
    )  # fmt: skip


def replayed(problem: Problem, play: Play, told: Told = lambda *_: None) -> dict[str, Any]:
    """All ways over all seeds, in figures.

    raises   RunError where there are too few networks for so many epochs, DataError where their learning curves do not
             tell the rungs
    """
    _check(problem, play)
    stories: dict[str, list[Story]] = {way: [] for way in play.ways}
    jobs = [(seed, way) for seed in play.seeds for way in play.ways]
    for done, (seed, way) in enumerate(jobs):
        told(done, len(jobs), f"seed {seed}: {way}")
        stories[way].append(run(problem, play, way, seed))
    everything = problem.domain.everything()
    assert problem.table is not None
    assert everything is not None
    top1 = problem.table.mean[problem.table.rows(everything.codes)]
    goal = best_known(np.column_stack([-top1, everything.costs]), list(everything))
    rules = {
        way: None
        if rule is None
        else {name: getattr(rule, name) for name in ("rungs", "eta", "doubt", "learns", "gains", "by_cost")}
        for way, rule in play.ways.items()
    }
    told_of = {"sampler": play.sampler, "seeds": list(play.seeds), "trainings": play.trainings, "whole": play.whole}
    made_up = {"curves": "made up", "own_way": play.own_way, "slower": play.slower}
    curves = made_up if problem.table.curves is None else {"curves": REAL}
    known = {"rank_correlation": telling(problem.table, play), "known": len(problem.table)}
    return figures(stories, goal, epochs=play.epochs) | told_of | {"rules": rules} | curves | known


def most_trainings(known: int, rule: Rule) -> int:
    """How many whole trainings' epochs so many networks can take."""
    return int(known * rule.mean_epochs / rule.whole)


def _check(problem: Problem, play: Play) -> None:
    """A replay that ran out of networks would say nothing of a way that begins many."""
    assert problem.table is not None
    known, whole = len(problem.table), Rule(rungs=(play.whole,))
    for way, rule in play.ways.items():
        each = rule or whole
        asked = math.ceil(play.epochs / each.mean_epochs)
        if asked > known:
            raise RunError(
                f"table {problem.table.name} has {known} networks, and the epochs of {play.trainings} whole trainings "
                f"begin {asked} ({way}): give --trainings {most_trainings(known, each)} or fewer"
            )
        if problem.table.curves is not None:
            problem.table.check_told(each.rungs)


def _curved(table: Table, play: Play, seed: int) -> Table:
    """The table with learning curves: its own, else made-up ones of this seed."""
    if table.curves is not None:
        return table
    rng = np.random.default_rng([seed, 7])
    return with_curves(table, play.whole, rng, own_way=play.own_way, slower=play.slower)


def telling(table: Table, play: Play) -> dict[str, float | None]:
    """Spearman's rank correlation of the curves at each rung of any rule with their ends, over all networks.

    None where all networks have one value.
    """
    curves = _curved(table, play, play.seeds[0]).mean_curves
    assert curves is not None
    rungs = sorted({epoch for rule in play.ways.values() if rule is not None for epoch in rule.rungs[:-1]})
    *early, last = (_ranks(curves[:, epoch - 1]) for epoch in (*rungs, play.whole))
    return {
        str(epoch): float(np.corrcoef(each, last)[0, 1]) if min(np.ptp(each), np.ptp(last)) > 0 else None
        for epoch, each in zip(rungs, early, strict=True)
    }


def _ranks(values: Floats) -> Floats:
    """The rank of each value; equal ones share the mean of theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - (count - 1) / 2)[place])
