"""From what happened in a race to figures: hypervolume after each evaluation, and what it took to get near the goal."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from archsearch.bench.course import joined_values
from archsearch.bench.goal import Goal
from archsearch.bench.race import Log, Rules
from archsearch.pareto import front, growth, hypervolume
from archsearch.surrogate.domain import Floats

SHARES = (0.95, 0.99, 0.999)  # of the true front's hypervolume
COUNTS = (50, 100, 200)  # evaluations at which figures are always told, and their doubles within the budget
LAST = 50  # proposals whose median time is told
CLOSE = 1e-12  # of rounding in sums of volumes


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One run in figures, all after 1, 2, ..., budget evaluations; a run that ended early stays where it was."""

    volume: dict[str, Floats]  # reference -> share of the true front's hypervolume, float[budget]
    best: Floats  # true accuracy of the best network; NaN before there is one, float[budget]
    front_share: Floats  # share of the true front's networks found, float[budget]


def score(log: Log, goal: Goal, rules: Rules) -> Score:
    """One run in figures; under noise of the set that it would hand over, else of all that it evaluated."""
    points = joined_values(log.truth, log.costs)
    within = goal.within(log.costs)
    if rules.noisy:
        sets = handed_sets(log, within)
        volume = {name: np.array([hypervolume(points[rows], at) for rows, _ in sets])
                  for name, at in goal.references.items()}  # fmt: skip
        best = np.array([log.truth[row] if row is not None else np.nan for _, row in sets])
    else:
        volume = {name: growth(points, at) for name, at in goal.references.items()}
        best = np.fmax.accumulate(np.where(within, log.truth, -np.inf))  # NaN: an evaluation that failed
        best = np.where(np.isfinite(best), best, np.nan)
    found = np.cumsum([name in goal.front for name in firsts(log.names)]) / len(goal.front)
    last = rules.budget
    return Score(
        volume={name: _kept(each / (goal.volumes[name] or 1.0), last) for name, each in volume.items()},
        best=_kept(best, last, nothing=np.nan),
        front_share=_kept(found, last),
    )


def firsts(names: Sequence[np.void]) -> list[bytes]:
    """The names where they stand for the first time, empty where they come again."""
    known: set[bytes] = set()
    found = []
    for name in names:
        found.append(b"" if name.tobytes() in known else name.tobytes())
        known.add(name.tobytes())
    return found


def handed_sets(log: Log, within: np.ndarray) -> list[tuple[list[int], int | None]]:
    """After each evaluation: the rows that would be handed over, and the one that would be taken as the best.

    A sampler's own set holds until it is asked again; without one it is the front of what was seen. The best of two
    objectives is the dearest of the set that may be taken, elsewhere the one that looked most accurate.
    """
    seen, sets = joined_values(log.shown, log.costs), []
    own: list[int] = []
    for done in range(1, len(log.truth) + 1):
        own = log.handed.get(done, own)
        rows = own or np.flatnonzero(front(seen[:done])).tolist()
        inside = [row for row in rows if within[row]]
        by = log.costs[:, 0] if log.costs.shape[1] == 1 else log.shown
        sets.append((rows, max(inside, key=lambda row, by=by: by[row]) if inside else None))  # type: ignore[misc]
    return sets


def summary(logs: Sequence[Log], scores: Sequence[Score], goal: Goal, rules: Rules) -> dict[str, Any]:
    """One sampler over all seeds: medians and quartiles; None stands for what half of the seeds did not reach."""
    counts = told_counts(rules.budget)
    reached = {name: {str(share): [first(s.volume[name] >= share - CLOSE) for s in scores] for share in SHARES}
               for name in goal.references}  # fmt: skip
    best = {"best": [first(s.best >= goal.best - CLOSE) for s in scores],
            "top_0.1%": [first(s.best >= goal.top - CLOSE) for s in scores]}  # fmt: skip
    return {
        "evaluations_to": _each(median_of, reached),
        "evaluations_to_quartiles": _each(quartiles_of, reached),
        **figures_at(scores, goal, counts),
        "evaluations_to_best": _each(median_of, best),
        "evaluations_to_best_quartiles": _each(quartiles_of, best),
        "suggest_ms": median_of([float(np.median(log.ask_ms[-LAST:])) for log in logs if len(log.ask_ms)]),
        "suggest_ms_mean": median_of([float(np.mean(log.ask_ms[-LAST:])) for log in logs if len(log.ask_ms)]),
        "suggest_ms_at": {str(n): median_of([ask_ms(log, n) for log in logs]) for n in counts},
        **{
            name: median_of([getattr(log, name) for log in logs])
            for name in ("duplicates", "over_budget", "missing", "repeats")
        },
        "duplicates_all_seeds": sum(log.duplicates for log in logs),
        "over_budget_all_seeds": sum(log.over_budget for log in logs),
        "proposals": median_of([len(log.ask_ms) for log in logs]),
        "evaluations": median_of([len(log.truth) for log in logs]),
        "ended": {why: sum(log.ended == why for log in logs) for why in sorted({log.ended for log in logs})},
    }


def figures_at(scores: Sequence[Score], goal: Goal, counts: Sequence[int]) -> dict[str, Any]:
    """Medians and quartiles over seeds after some numbers of evaluations; None beyond the budget."""
    at = {name: {str(n): [_at(s.volume[name], n) for s in scores] for n in counts} for name in goal.references}
    best = {str(n): [_at(s.best, n) for s in scores] for n in counts}
    return {
        "hypervolume_at": _each(median_of, at),
        "hypervolume_at_quartiles": _each(quartiles_of, at),
        "best_top1_at": _each(median_of, best),
        "best_top1_at_quartiles": _each(quartiles_of, best),
        "true_front_found_at": _each(median_of, {str(n): [_at(s.front_share, n) for s in scores] for n in counts}),
    }


def told_counts(budget: int) -> list[int]:
    """Numbers of evaluations at which figures are told."""
    counts = list(COUNTS)
    while counts[-1] * 2 <= budget:
        counts.append(counts[-1] * 2)
    return sorted({*counts, budget})


def first(reached: np.ndarray) -> float:
    """Evaluations until a condition holds for the first time; infinite where it never does."""
    return float(np.argmax(reached) + 1) if reached.any() else math.inf


def ask_ms(log: Log, evaluations: int) -> float:
    """Median time of the proposals around the n-th evaluation [ms]; NaN where there was none."""
    if len(log.proposals) < evaluations:
        return math.nan
    end = int(log.proposals[evaluations - 1])
    return float(np.median(log.ask_ms[max(0, end - LAST // 2) : end]))


def quantile(values: Sequence[float], share: float) -> float | None:
    """A quantile, between two values in proportion; None where it is infinite or there is nothing known."""
    known = sorted(value for value in values if not math.isnan(value))
    if not known or len(known) < len(values):
        return None
    place = share * (len(known) - 1)
    low, part = int(place), place - int(place)
    value = known[low] if part == 0 else (1 - part) * known[low] + part * known[low + 1]
    return value if math.isfinite(value) else None


def median_of(values: Sequence[float]) -> float | None:
    """The median, None where it is not reached."""
    return quantile(values, 0.5)


def quartiles_of(values: Sequence[float]) -> list[float | None]:
    """Lower and upper quartile."""
    return [quantile(values, 0.25), quantile(values, 0.75)]


def _each(reduce: Callable[[Sequence[float]], Any], tree: Any) -> Any:
    return {name: _each(reduce, each) for name, each in tree.items()} if isinstance(tree, dict) else reduce(tree)


def _at(values: Floats, evaluations: int) -> float:
    """The value after n evaluations; NaN beyond the budget."""
    return float(values[evaluations - 1]) if evaluations <= len(values) else math.nan


def _kept(values: Floats, length: int, *, nothing: float = 0.0) -> Floats:
    """The values, the last one repeated to a length."""
    last = values[-1] if len(values) else nothing
    return np.append(values, np.full(length - len(values), last))
