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
from archsearch.surrogate.handover import Evidence, equals, learnt, networks_of


def chosen(trials: list[FrozenTrial], problem: Problem, most: int) -> list[FrozenTrial]:
    """The finalists, at most `most`; the same for the same trials.

    Two objectives or more: networks of the believed front, cheapest first. A ladder: the network believed best within
    each rung. Accuracy alone: the one believed best, then those that cannot be told apart from it. With too few
    results for a surrogate the same of what was measured.
    """
    known, evidence = fitting(trials, problem.budget), evidence_of(trials, problem)
    if not known or not evidence.enough:
        return finalists(members(trials, problem), most)
    costs = np.array([t.values[1:] for t in known], dtype=float).reshape(len(known), len(problem.minimize))
    fits = np.ones(len(known), dtype=bool)
    told = learnt(evidence, [t.number for t in known], costs, fits)
    if problem.ladder:
        rows = [row for row in best_within(problem.ladder, costs[:, 0], told.believed) if row >= 0]
    elif problem.minimize:
        rows = list(told.handed)
    else:
        rows = list(equals(told, fits)[:most])
    return finalists([known[row] for row in dict.fromkeys(rows)], most)


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
