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

DRAWN, ROUNDS, MEMBERS = 4096, 60, 200  # of the long search: first networks, rounds, front members looked around
TOP = 0.001  # share of the networks that count as very good


@dataclass(frozen=True, kw_only=True)
class Goal:
    """The measures of one course."""

    references: dict[str, Floats]  # name -> worst corner, as objectives that are minimised
    volumes: dict[str, float]  # hypervolume of the true front for each
    front: set[bytes]  # names of the true front's networks
    best: float  # accuracy of the best network that is within `under`
    top: float  # accuracy of the last one among the best 0.1 %
    exact: bool  # whether the front is the true one; else the best known
    networks: int  # how many were looked at
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
    networks = course.whole if course.whole is not None else long_search(course, logs)
    values = course.values(networks)
    known, top1 = front(values), -values[:, 0]
    corners = {"min": top1.min(), "median": float(np.median(top1)),
               "strict": course.strict if strict is None else strict}  # fmt: skip
    dearest = values[:, 1:].max(axis=0)
    references = {name: np.array([-least, *dearest]) for name, least in corners.items() if least is not None}
    measure = Goal(
        references=references, volumes={name: hypervolume(values[known], at) for name, at in references.items()},
        front=set(networks.take(known)), best=0.0, top=0.0, exact=exact, networks=len(networks), under=under,
    )  # fmt: skip
    inside = np.sort(top1[measure.within(networks.costs)])[::-1]
    if not len(inside):
        raise BudgetError("no network of the course is within --under")
    return replace(measure, best=float(inside[0]), top=float(inside[max(1, int(TOP * len(inside))) - 1]))


def long_search(course: Course, logs: Sequence[Log]) -> Networks:
    """Everything evaluated, a large draw, and what a local search around their front finds that sees the truth."""
    domain = course.domain
    drawn = domain.draw(DRAWN, np.random.default_rng(0))
    found = joined([drawn, *(domain.look(log.codes) for log in logs if len(log.codes))]).once()
    looked: set[bytes] = set()
    for _ in range(ROUNDS):
        members = found.take(front(course.values(found)))
        fresh = [row for row, name in enumerate(members) if name not in looked][:MEMBERS]
        if not fresh:
            break
        looked.update(members.take(fresh))
        found = joined([found, domain.around(members.take(fresh).codes)]).once()
        keep = front(course.values(found))
        keep[: len(drawn)] = True
        found = found.take(keep)
    return found
