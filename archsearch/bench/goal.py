"""What a race is judged by: the true front, the volumes that it covers, the best network.

Where the networks of a course cannot be listed, the best front known takes the true one's place: that of everything
that any sampler evaluated, and of a long local search that sees the truth.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from archsearch.bench.course import Course
from archsearch.bench.race import Log
from archsearch.cost.budget import Limit
from archsearch.errors import BudgetError
from archsearch.pareto import front, hypervolume
from archsearch.surrogate.domain import Floats, Networks, joined

DRAWN, ROUNDS, MEMBERS, LAYERS = 2048, 100, 200, 4  # of the long search: first networks, rounds, members in each
TOP = 0.001  # share of the networks that count as very good


@dataclass(frozen=True, kw_only=True)
class Goal:
    """The measures of one course."""

    references: dict[str, Floats]  # name -> worst corner, as objectives that are minimised
    volumes: dict[str, float]  # hypervolume of the true front for each
    front: set[bytes]  # names of the true front's networks
    best: float  # accuracy of the best network that is within `under`
    top: float  # accuracy of the last one among the best 0.1 %; of those drawn, where not all can be listed
    exact: bool  # whether the front is the true one; else the best known
    networks: int  # all there are; else how many were drawn, of which the references tell
    under: Limit | None = None  # on the first cost, for the best network only

    def within(self, costs: Floats) -> np.ndarray:
        """Which networks of costs float[n, m] may count as the best, bool[n]."""
        if self.under is None:
            return np.ones(len(costs), dtype=bool)
        return np.asarray((costs[:, 0] >= self.under.low) & (costs[:, 0] <= self.under.high))


def goal(course: Course, logs: Sequence[Log], *, strict: float | None = None, under: Limit | None = None) -> Goal:
    """The measures of a course.

    logs     what samplers have found; looked at only where the course cannot be listed
    strict   accuracy of the third reference point; the course's own by default
    raises   BudgetError where no network is within `under`
    """
    exact = course.whole is not None
    usual = course.whole if course.whole is not None else _drawn(course)
    usual_values = course.values(usual)
    best, values = (usual, usual_values) if exact else long_search(course, usual, logs)
    known = front(values)
    references = _corners(usual_values, course.strict if strict is None else strict)
    measure = Goal(
        references=references, volumes={name: hypervolume(values[known], at) for name, at in references.items()},
        front=set(best.take(known)), best=0.0, top=0.0, exact=exact, networks=len(usual), under=under,
    )  # fmt: skip
    inside = -values[measure.within(best.costs), 0]
    if not len(inside):
        raise BudgetError("no network of the course is within --under")
    many = np.sort(-usual_values[measure.within(usual.costs), 0])[::-1]
    top = many[max(1, int(TOP * len(many))) - 1] if len(many) else inside.max()
    return replace(measure, best=float(inside.max()), top=float(top))


def best_known(values: Floats, names: Sequence[bytes]) -> Goal:
    """The measures of a race whose truth nobody knows: the front of everything that was seen takes its place.

    values   objectives that are minimised, float[n, m], at least one row; the first is the accuracy's negative
    names    of the networks, n of them; one that was seen twice stands here twice
    """
    known = front(values)
    references = _corners(values, None)
    many = np.sort(-values[:, 0])[::-1]
    return Goal(
        references=references, volumes={name: hypervolume(values[known], at) for name, at in references.items()},
        front={name for name, on_front in zip(names, known, strict=True) if on_front}, best=float(many[0]),
        top=float(many[max(1, int(TOP * len(many))) - 1]), exact=False, networks=len(set(names)),
    )  # fmt: skip


def _drawn(course: Course) -> Networks:
    """What stands for all networks where they cannot be listed."""
    return course.domain.draw(DRAWN, np.random.default_rng(0)).once()


def _corners(values: Floats, strict: float | None) -> dict[str, Floats]:
    """The reference points: the dearest network's costs beside each accuracy."""
    top1, dearest = -values[:, 0], values[:, 1:].max(axis=0)
    least = {"min": float(top1.min()), "median": float(np.median(top1)), "strict": strict}
    return {name: np.array([-value, *dearest]) for name, value in least.items() if value is not None}


def long_search(course: Course, drawn: Networks, logs: Sequence[Log]) -> tuple[Networks, Floats]:
    """The best front known, with its values.

    That of everything evaluated and drawn, and of what a local search around it finds that sees the truth.
    """
    domain = course.domain
    found = joined([drawn, *(domain.look(log.codes) for log in logs if len(log.codes))]).once()
    values, looked = course.values(found), set[bytes]()
    for _ in range(ROUNDS):
        keep = _layers(values)
        found, values = found.take(keep), values[keep]
        fresh = [row for row, name in enumerate(found) if name not in looked][:MEMBERS]
        if not fresh:
            break
        looked.update(found.take(fresh))
        near = domain.around(found.take(fresh).codes)
        known = set(found)
        near = near.take([row for row, name in enumerate(near) if name not in known])
        found, values = joined([found, near]), np.concatenate([values, course.values(near)])
    keep = front(values)
    return found.take(keep), values[keep]


def _layers(values: Floats) -> np.ndarray:
    """Which rows are on the front, or would be without those of the layers before, bool[n]: ways out of a dead end."""
    kept = np.zeros(len(values), dtype=bool)
    for _ in range(LAYERS):
        left = np.flatnonzero(~kept)
        kept[left[front(values[left])]] = True
    return kept
