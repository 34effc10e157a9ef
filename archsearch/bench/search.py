"""Samplers side by side on one course: runs over seeds, figures, tables of what happened."""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from archsearch.bench.course import Course
from archsearch.bench.entrants import enter, is_optuna
from archsearch.bench.goal import Goal, goal
from archsearch.bench.race import Log, Rules, race
from archsearch.bench.score import Score, score, summary
from archsearch.bench.tracks import Asked
from archsearch.cost.budget import Limit, parse_limit
from archsearch.errors import BudgetError

Told = Callable[[int, int, str], None]  # (runs done, of, what was run)
Job = tuple[str, int]  # sampler, seed


@dataclass(frozen=True, kw_only=True)
class Contest:
    """Who runs, over which seeds, under which rules."""

    samplers: tuple[str, ...]
    seeds: int
    seed: int  # the first
    rules: Rules
    strict: float | None = None  # accuracy of the third reference point; None: the course's own
    under: str | None = None  # what the first cost of the best network may be; no limit on what is searched

    @property
    def jobs(self) -> list[Job]:
        """All runs, seed by seed, so that an early look compares like with like."""
        return [(name, self.seed + nth) for nth in range(self.seeds) for name in self.samplers]

    def limit(self, course: Course) -> Limit | None:
        """What the best network may cost; raises BudgetError where it cannot be read or there is no cost."""
        if self.under is None:
            return None
        if not course.domain.minimize or "%" in self.under:
            raise BudgetError(f"--under {self.under} needs a cost that is minimised, and a number like 60M")
        return parse_limit(self.under, course.domain.minimize[0], lambda: 0)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came out, sampler by sampler, in the order of the seeds."""

    course: Course
    contest: Contest
    goal: Goal
    logs: Mapping[str, list[Log]]
    scores: Mapping[str, list[Score]]


def search(asked: Asked, contest: Contest, *, workers: int = 1, told: Told = lambda *_: None) -> Outcome:
    """Run all samplers over all seeds.

    workers  processes; with more than one, times of proposals mean little
    raises   PluginError for a sampler that cannot be loaded, and what the course raises
    """
    course = asked.course()
    logs: dict[str, list[Log]] = {name: [] for name in contest.samplers}
    under = contest.limit(course)
    known = goal(course, (), strict=contest.strict, under=under) if course.whole is not None else None
    jobs = contest.jobs
    runs = _here(course, contest.rules, jobs) if workers == 1 else _in_processes(asked, contest.rules, jobs, workers)
    told(0, len(jobs), jobs[0][0])
    for done, ((name, seed), log) in enumerate(runs, start=1):
        logs[name].append(log)
        told(done, len(jobs), f"{name}, seed {seed}")
    every = [log for each in logs.values() for log in each]
    aim = known or goal(course, every, strict=contest.strict, under=under)
    scores = {name: [score(log, aim, contest.rules) for log in each] for name, each in logs.items()}
    return Outcome(course=course, contest=contest, goal=aim, logs=logs, scores=scores)


def one_run(course: Course, rules: Rules, job: Job) -> Log:
    """One sampler's run with one seed."""
    name, seed = job
    return race(course, enter(name, course, seed, repeats=rules.repeats), rules, np.random.default_rng([seed, 2]))


def _here(course: Course, rules: Rules, jobs: Sequence[Job]) -> Iterator[tuple[Job, Log]]:
    for job in jobs:
        yield job, one_run(course, rules, job)


_COURSE: dict[str, Course] = {}  # of a worker process


def _in_processes(asked: Asked, rules: Rules, jobs: Sequence[Job], workers: int) -> Iterable[tuple[Job, Log]]:
    """The runs spread over processes, in the order of the jobs; each process reads the course itself."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(asked,)) as pool:
        yield from zip(jobs, pool.map(_worker, [(rules, job) for job in jobs]), strict=True)


def _begin(asked: Asked) -> None:
    _COURSE["course"] = asked.course()


def _worker(given: tuple[Rules, Job]) -> Log:
    return one_run(_COURSE["course"], *given)


def document(outcome: Outcome) -> dict[str, Any]:
    """What `archsearch bench search --json` prints."""
    aim, contest = outcome.goal, outcome.contest
    found = {name: summary(outcome.logs[name], outcome.scores[name], aim, contest.rules) for name in contest.samplers}
    rivals = times_fewer(found, contest.rules.budget)
    return {
        "table": outcome.course.name,
        "seeds": contest.seeds,
        "seed": contest.seed,
        "budget": contest.rules.budget,
        "pending": contest.rules.pending,
        "noisy": contest.rules.noisy,
        "repeats": contest.rules.repeats,
        "minimize": list(outcome.course.domain.minimize),
        "limits": outcome.course.budget.to_dict(),
        "networks": aim.networks,
        "true_front": {"networks": len(aim.front), "exact": aim.exact},
        "references": {name: {"top1": -float(at[0]), "costs": at[1:].tolist()} for name, at in aim.references.items()},
        "best": {"top1": aim.best, "top_0.1%": aim.top,
                 "under": None if aim.under is None else [aim.under.low, aim.under.high]},
        "samplers": {name: each | {"times_fewer_than_optuna": rivals[name]} for name, each in found.items()},
    }  # fmt: skip


def times_fewer(found: Mapping[str, Mapping[str, Any]], budget: int) -> dict[str, Any]:
    """How many times fewer evaluations each needs than the best of Optuna's samplers in the run.

    returns  sampler -> reference -> share -> {"best": its name, "ratio": x, "at_least": x}; a ratio that is not known
             because Optuna's best did not get there within the budget has a lower bound; None where nothing is known
    """
    optunas = [name for name in found if is_optuna(name)]

    def against(own: float | None, reference: str, share: str) -> dict[str, Any]:
        reached = {name: found[name]["evaluations_to"][reference][share] for name in optunas}
        known = {name: value for name, value in reached.items() if value is not None}
        best = min(known, key=lambda name: known[name]) if known else None
        ratio = known[best] / own if best is not None and own is not None else None
        open_end = budget / own if own is not None and best is None and optunas else None
        return {"best": best, "ratio": ratio, "at_least": open_end}

    return {
        name: {reference: {share: against(own, reference, share) for share, own in shares.items()}
               for reference, shares in each["evaluations_to"].items()}
        for name, each in found.items()
    }  # fmt: skip


def rows(outcome: Outcome) -> Iterator[dict[str, Any]]:
    """One row a sampler, seed and evaluation."""
    course, contest = outcome.course, outcome.contest
    for name in contest.samplers:
        for nth, (log, marks) in enumerate(zip(outcome.logs[name], outcome.scores[name], strict=True)):
            for i in range(len(log.truth)):
                yield {
                    "sampler": name,
                    "seed": contest.seed + nth,
                    "evaluation": i + 1,
                    "proposals": int(log.proposals[i]),
                    "ask_ms": round(float(log.ask_ms[log.proposals[i] - 1]), 4),
                    "top1": float(log.truth[i]),
                    "top1_shown": float(log.shown[i]),
                    **dict(zip(course.domain.minimize, log.costs[i].tolist(), strict=True)),
                    **{f"hypervolume_{ref}": float(each[i]) for ref, each in marks.volume.items()},
                    "best_top1": float(marks.best[i]),
                    "code": "-".join(map(str, log.codes[i].tolist())),
                }
