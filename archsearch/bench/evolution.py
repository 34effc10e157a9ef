"""pymoo's NSGA-II as an entrant: a population of 20, uniform crossover, random choices, duplicates removed."""

from collections import deque
from typing import Any

import numpy as np
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.mutation import Mutation
from pymoo.core.problem import Problem
from pymoo.core.termination import NoTermination
from pymoo.operators.crossover.ux import UX
from pymoo.operators.sampling.rnd import IntegerRandomSampling
from pymoo.problems.static import StaticProblem

from archsearch.bench.race import Answer
from archsearch.spec.fields import Codes
from archsearch.surrogate.domain import Domain

POPULATION = 20


class _Resample(Mutation):
    """Each axis takes any of its choices with a chance of one in as many axes: the order of choices means nothing."""

    def _do(self, problem: Any, X: Any, random_state: Any = None, **_: Any) -> Any:
        hit = random_state.random(X.shape) < 1 / problem.n_var
        return np.where(hit, random_state.integers(problem.xl, problem.xu + 1, size=X.shape), X)


class PymooNsga2:
    """Asked and told by generations, as pymoo's documentation says; within one, any number may be open."""

    def __init__(self, domain: Domain, seed: int) -> None:
        choices = np.array([len(axis.values) for axis in domain.axes])
        self._objectives = 1 + len(domain.minimize)
        self._problem = Problem(n_var=len(choices), n_obj=self._objectives, n_ieq_constr=1, xl=np.zeros_like(choices),
                                xu=choices - 1, vtype=int)  # fmt: skip
        self._algorithm = NSGA2(pop_size=POPULATION, sampling=IntegerRandomSampling(), crossover=UX(),
                                mutation=_Resample(), eliminate_duplicates=True)  # fmt: skip
        self._algorithm.setup(self._problem, termination=NoTermination(), seed=seed, verbose=False)
        self._infills: Any = None
        self._queue: deque[int] = deque()  # places in the generation that were not asked for yet
        self._values: dict[int, tuple[list[float], float]] = {}  # place -> objectives, broken limits
        self._tickets = 0
        self._first = 0  # ticket of the generation's first network

    def ask(self) -> tuple[int, Codes] | None:
        """The next network of the generation; None until all of it was answered, or where pymoo has no other."""
        if not self._queue and not self._next_generation():
            return None
        place = self._queue.popleft()
        self._tickets += 1
        return self._first + place, np.asarray(self._infills.get("X")[place], dtype=np.int64)

    def tell(self, ticket: int, answer: Answer) -> None:
        """Keep the result until the generation is whole."""
        worst = [np.inf] * self._objectives
        values = worst if answer.missing else [-answer.top1, *answer.costs]
        broken = 1.0 if answer.missing else sum(max(value, 0.0) for value in answer.broken.values())
        self._values[ticket - self._first] = (values, broken)

    def again(self, ticket: int) -> bool:
        """Never."""
        return False

    def handed(self) -> None:
        """The front of what it was told."""
        return

    def _next_generation(self) -> bool:
        if self._infills is not None:
            if len(self._values) < len(self._infills):
                return False
            told = [self._values[place] for place in range(len(self._infills))]
            known = StaticProblem(self._problem, F=np.array([values for values, _ in told]),
                                  G=np.array([[broken] for _, broken in told]))  # fmt: skip
            self._algorithm.evaluator.eval(known, self._infills)
            self._algorithm.tell(infills=self._infills)
        self._infills, self._values, self._first = self._algorithm.ask(), {}, self._tickets
        self._queue.extend(range(0 if self._infills is None else len(self._infills)))
        return bool(self._queue)
