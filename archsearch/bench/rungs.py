"""Halted trainings against whole ones, replayed on a table: the hypervolume of whole trainings against epochs spent.

The run's own machinery searches (worker, proposer, sampler, rungs); only the training is played. The table tells the
final accuracy of each network, and its learning curve where it has one. Where it has none, curves are MADE UP
(`evaluate.learning`): a power law, slower for larger networks, with noise, drawn anew for each seed.
"""

import math
import tempfile
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial

from archsearch.bench.goal import Goal, best_known
from archsearch.bench.runs import SAME
from archsearch.bench.score import median_of, quartiles_of
from archsearch.errors import RunError
from archsearch.evaluate.base import Evaluation, Job
from archsearch.evaluate.learning import OWN, SLOWER, learner
from archsearch.evaluate.table import Table
from archsearch.evaluate.tabular import TableEvaluator
from archsearch.pareto import growth
from archsearch.records import FAILED, SPENT, STOPPED, TRAINED, WAITING, RunFolder
from archsearch.report.kept import Kept
from archsearch.search.ledger import Ledger
from archsearch.search.propose import Problem, Proposer
from archsearch.search.rungs import ETA, Rule
from archsearch.search.worker import Limits, Watch, Worker
from archsearch.spec.arch import Arch
from archsearch.surrogate.domain import Floats

Told = Callable[[int, int, str], None]  # (runs done, of, what was run)
WHOLE = "whole"  # the way without rungs
REAL = "of real trainings"  # learning curves
ORACLE = "if the first epoch told all"  # the rule, shown the end of each curve at once: what no rule can pass by much
SHARES = (0.8, 0.9, 0.95, 0.98)  # of the true front's hypervolume
PARTS = (0.25, 0.5, 1.0)  # of all epochs, at which hypervolume is told


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One run: after how many epochs each whole training ended, and what it gave."""

    spent: Floats  # epochs, rising, float[n]
    points: Floats  # objectives that are minimised, float[n, m]
    networks: int  # that were begun

    def volume(self, reference: Floats, epochs: Floats) -> Floats:
        """Hypervolume after so many epochs, float[k]."""
        grown = np.concatenate([[0.0], growth(self.points, reference) if len(self.points) else []])
        return np.asarray(grown[np.searchsorted(self.spent, epochs, side="right")])


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
        except _Spent:
            pass
        finally:
            worker.leave()
        trials = ledger.trials()
        points = [[-top1, *problem.values(top1, trials[n].user_attrs["costs"])[1:]] for _, n, top1 in judge.ended]
    return Story(
        spent=np.array([spent for spent, _, _ in judge.ended], dtype=float),
        points=np.array(points, dtype=float).reshape(len(points), 1 + len(problem.minimize)), networks=judge.networks,
    )  # fmt: skip


def replayed(problem: Problem, play: Play, told: Told = lambda *_: None) -> dict[str, Any]:
    """All ways over all seeds, in figures."""
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


def check_known(table: Table, rungs: Sequence[int]) -> None:
    """Raise RunError where a table's learning curves do not tell an epoch at which trainings are to halt."""
    if table.curves is None:
        return
    told = ~np.isnan(table.curves).any(axis=tuple(range(table.curves.ndim - 1)))
    if any(epoch > len(told) or not told[epoch - 1] for epoch in rungs):
        known = ", ".join(map(str, np.flatnonzero(told) + 1))
        raise RunError(f"table {table.name} tells top-1 after {known} epochs, not after {', '.join(map(str, rungs))}")


def _curved(table: Table, play: Play, seed: int) -> Table:
    """The table with learning curves: its own, else made-up ones of this seed."""
    if table.curves is not None:
        return table
    rng = np.random.default_rng([seed, 7])
    return with_curves(table, play.whole, rng, own_way=play.own_way, slower=play.slower)


def telling(table: Table, play: Play) -> dict[str, float]:
    """Spearman's rank correlation of the curves at each rung of any rule with their ends, over all networks."""
    curves = _curved(table, play, play.seeds[0]).curves
    assert curves is not None
    curves = curves if curves.ndim == 2 else np.nanmean(curves, axis=1)
    rungs = sorted({epoch for rule in play.ways.values() if rule is not None for epoch in rule.rungs[:-1]})
    ranks = [np.argsort(np.argsort(curves[:, epoch - 1])) for epoch in (*rungs, play.whole)]
    return {str(epoch): float(np.corrcoef(each, ranks[-1])[0, 1]) for epoch, each in zip(rungs, ranks, strict=False)}


def figures(
    stories: Mapping[str, Sequence[Story]], goal: Goal, *, epochs: int, beside: str = WHOLE
) -> dict[str, Any]:  # fmt: skip
    """Medians and quartiles over seeds; None stands for what half of the seeds did not reach.

    beside   the way whose hypervolume at the end the others are asked for
    """
    told: dict[str, Any] = {"epochs": epochs, "ways": {}}
    for way, runs in stories.items():
        told["ways"][way] = {
            "networks": median_of([float(each.networks) for each in runs]),
            "trained_whole": median_of([float(len(each.spent)) for each in runs]),
            "references": {name: _against(runs, stories[beside], goal, name, epochs) for name in goal.references},
        }
    return told


def _against(
    runs: Sequence[Story], whole: Sequence[Story], goal: Goal, name: str, epochs: int
) -> dict[str, Any]:  # fmt: skip
    """One way beside whole trainings, for one reference point."""
    at, full = goal.references[name], goal.volumes[name] or 1.0
    ends = np.array([part * epochs for part in PARTS])
    volumes = [each.volume(at, ends) / full for each in runs]
    reached = {str(share): [needed(each, at, share * full) for each in runs] for share in SHARES}
    finish = [float(each.volume(at, np.array([epochs]))[0]) for each in whole]
    fewer = [needed(other, at, volume) / needed(each, at, volume)
             for each, other, volume in zip(runs, whole, finish, strict=True)]  # fmt: skip
    parts = {f"{part:g}": [float(volume[i]) for volume in volumes] for i, part in enumerate(PARTS)}
    return {
        "volume_at": {part: median_of(each) for part, each in parts.items()},
        "volume_at_quartiles": {part: quartiles_of(each) for part, each in parts.items()},
        "epochs_to": {share: median_of(each) for share, each in reached.items()},
        "epochs_to_quartiles": {share: quartiles_of(each) for share, each in reached.items()},
        "times_fewer": median_of(fewer) or None, "times_fewer_quartiles": [end or None for end in quartiles_of(fewer)],
    }  # fmt: skip


def from_runs(runs: Sequence[Kept]) -> dict[str, Any]:
    """The same of real runs: whole trainings' hypervolume against epochs, those with rungs beside those without.

    The truth is not known: volumes are shares of that of the front of everything that any of them trained to the end.
    Samplers may differ; the first run without rungs tells the way that the others are set beside.
    raises   RunError where they are not alike, or none of them is without rungs
    """
    samplers = {each.run.get("sampler") for each in runs}
    first = next((each for each in runs if each.run.get("rungs") is None), None)
    if first is None:
        raise RunError("none of these runs is without rungs: name one to compare with")
    beside = _way(first, samplers)
    ways: dict[str, list[Kept]] = {beside: []}
    for each in sorted(runs, key=lambda one: int(one.run.get("seed", 0))):
        ways.setdefault(_way(each, samplers), []).append(each)
    _check(runs, ways)
    stories = {way: [_story(each) for each in members] for way, members in ways.items()}
    if not any(len(story.points) for told in stories.values() for story in told):
        raise RunError("no network of these runs was trained to the end")
    points = np.concatenate([story.points for told in stories.values() for story in told])
    goal = best_known(points, [point.tobytes() for point in points])
    epochs = min(int(_spent(each)) for each in runs)
    return figures(stories, goal, epochs=epochs, beside=beside) | {
        "sampler": ", ".join(sorted(map(str, samplers))), "beside": beside, "runs": [each.folder for each in runs],
        "curves": REAL, "whole": int(runs[0].run["epochs"]),
    }  # fmt: skip


def _way(run: Kept, samplers: Set[Any]) -> str:
    """What tells runs of one comparison apart: the rungs, and the sampler where there are several."""
    rungs = run.run.get("rungs")
    way = WHOLE if rungs is None else f"rungs {','.join(map(str, rungs))}, eta {run.run.get('eta', ETA)}"
    return way if len(samplers) == 1 else f"{run.run.get('sampler')}, {way}"


def _check(runs: Sequence[Kept], ways: Mapping[str, Sequence[Kept]]) -> None:
    for each in runs:
        wrong = [name for name in SAME if each.run.get(name) != runs[0].run.get(name)]
        if wrong:
            raise RunError(f"{each.folder} cannot be compared with {runs[0].folder}: {', '.join(wrong)} differ")
    seeds = {way: [str(each.run.get("seed", 0)) for each in members] for way, members in ways.items()}
    if len({tuple(each) for each in seeds.values()}) > 1:
        told = "; ".join(f"{way}: {', '.join(each)}" for way, each in seeds.items())
        raise RunError(f"each way needs runs with the same seeds as the others ({told})")


def _story(run: Kept) -> Story:
    """A run's whole trainings in the order in which they ended; without rungs one after another."""
    begun = run.frame[run.frame["status"].isin((TRAINED, FAILED, STOPPED, WAITING))]
    begun = begun.assign(spent=_clock(begun, run)).sort_values(["spent", "number"])
    done = begun[begun["status"] == TRAINED]
    points = np.column_stack([-done["top1"], *(done[name] for name in run.objectives[1:])]).astype(float)
    return Story(spent=done["spent"].to_numpy(dtype=float), points=points, networks=len(begun))


def _clock(begun: Any, run: Kept) -> Floats:
    """Epochs that the run had trained when each of these trials was judged last."""
    if SPENT in begun:
        return np.asarray(begun[SPENT].to_numpy(dtype=float))
    return np.arange(1, len(begun) + 1) * float(run.run["epochs"])


def _spent(run: Kept) -> float:
    """All epochs of a run."""
    begun = run.frame[run.frame["status"].isin((TRAINED, FAILED, STOPPED, WAITING))]
    return float(begun["epochs"].sum()) if SPENT in begun else len(begun) * float(run.run["epochs"])


def needed(story: Story, reference: Floats, volume: float) -> float:
    """Epochs until a hypervolume is reached; infinite where it never is."""
    grown = growth(story.points, reference) if len(story.points) else np.zeros(0)
    reached = grown >= volume - 1e-12 * abs(volume)
    return float(story.spent[np.argmax(reached)]) if reached.any() else math.inf
