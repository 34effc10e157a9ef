"""What a run hands over and tests: what is believed of its results, not what was measured.

The front of noisy measurements is made of networks that were lucky. The report believes the same of the same trials:
both ask `surrogate.handover`.
"""

import numpy as np
from optuna.trial import FrozenTrial

from archsearch.cost.ladder import best_within
from archsearch.search.finish import finalists, fitting, members, trained
from archsearch.search.history import SE
from archsearch.search.propose import Problem
from archsearch.search.times import NONE, Times
from archsearch.surrogate.domain import Floats
from archsearch.surrogate.front import Flags
from archsearch.surrogate.handover import LIKELY, Evidence, Told, equals, learnt, measured, networks_of, observed


def chosen(trials: list[FrozenTrial], problem: Problem, most: int, times: Times = NONE) -> list[FrozenTrial]:
    """The finalists, at most `most`; the same for the same trials.

    Two objectives or more: networks of the believed front, cheapest first. A ladder: the network believed best within
    each rung. Accuracy alone: the one believed best, then those that cannot be told apart from it. With too few
    results for a surrogate the same of what was measured.
    times    latencies that were measured: what breaks the budget by them is none of the finalists
    """
    known, evidence = fitting(trials, problem.budget, times), evidence_of(trials, problem)
    if not known or not evidence.enough:
        return finalists(members(trials, problem, times), most)
    told = _told(evidence, known, _costs(known, problem))
    if problem.ladder:
        rows = _winners(known, told, problem, times)
    elif problem.minimize:
        rows = list(told.handed)
    else:
        rows = list(equals(told, _all(known))[:most])
    return finalists([known[row] for row in dict.fromkeys(rows)], most)


MOST = 30  # networks that cannot be told apart from the best one, where nobody says how many are to be finalists


def reported(
    trials: list[FrozenTrial], problem: Problem, times: Times = NONE, most: int = MOST
) -> list[FrozenTrial]:  # fmt: skip
    """All networks that a report shows as results: on the front as measured or as believed, or likely to be there,
    winners of rungs, and finalists; by trial number.

    most     finalists; where accuracy is all that counts so many of those that cannot be told apart from the best one
    """
    known, evidence = fitting(trials, problem.budget, times), evidence_of(trials, problem)
    if not known:
        return []
    costs = _costs(known, problem)
    top1 = np.array([t.user_attrs.get("top1", t.values[0]) for t in known], dtype=float)
    if evidence.enough:
        told = _told(evidence, known, costs)
    else:
        told = measured(top1, np.array([t.user_attrs.get(SE, 0.0) for t in known]), costs, _all(known))
    rows = {*np.flatnonzero(observed(top1, costs, _all(known)) | (told.p_front >= LIKELY)).tolist(), *told.handed}
    rows |= {*_winners(known, told, problem, times)} if problem.ladder else set()
    rows |= {*equals(told, _all(known))[:most]} if not problem.minimize else set()
    return [known[row] for row in sorted(rows)]


def _all(known: list[FrozenTrial]) -> Flags:
    return np.ones(len(known), dtype=bool)


def _costs(known: list[FrozenTrial], problem: Problem) -> Floats:
    return np.array([t.values[1:] for t in known], dtype=float).reshape(len(known), len(problem.minimize))


def _told(evidence: Evidence, known: list[FrozenTrial], costs: Floats) -> Told:
    return learnt(evidence, [t.number for t in known], costs, _all(known))


def _winners(known: list[FrozenTrial], told: Told, problem: Problem, times: Times) -> list[int]:
    """The rows believed best within each rung."""
    cost = [times.worst(t, problem.minimize[0]) for t in known]
    return [int(row) for row in best_within(problem.ladder, cost, told.believed) if row >= 0]


def evidence_of(trials: list[FrozenTrial], problem: Problem) -> Evidence:
    """All results of the run's own, those that break the budget of now included."""
    own = trained(trials)
    axes = problem.space.axes
    codes = np.array([problem.space.code(t.params) for t in own], dtype=np.int64).reshape(len(own), len(axes))
    costs = np.array([t.values[1:] for t in own], dtype=float).reshape(len(own), len(problem.minimize))
    return Evidence(
        axes=axes,
        networks=networks_of(problem.space, codes, costs),
        numbers=[t.number for t in own],
        top1=np.array([t.user_attrs.get("top1", t.values[0]) for t in own], dtype=float),
        error=np.array([t.user_attrs.get(SE, 0.0) for t in own], dtype=float),
    )
