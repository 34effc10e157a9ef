"""One sampler's run over a course: what it asks for, what it is told, and what that counts as.

One look-up of a distinct network is one evaluation. A network that was seen before is answered from memory for free,
one that breaks a limit from its costs; both are counted, and a run that asks for little else is ended.
"""

import time
from collections import deque
from dataclasses import dataclass, field
from statistics import median
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from archsearch.bench.course import Course
from archsearch.spec.fields import Codes
from archsearch.surrogate.domain import Floats

PROPOSALS = 5  # times the budget: proposals after which a run is ended as stalled
CHECK = 10  # under noise a sampler with an own way to hand over is asked after each so many evaluations
FIRST_GUESS = 0.1  # accuracy told of a network over budget before any other is known


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a sampler is told of a proposal."""

    top1: float
    error: float  # standard error of top1
    costs: tuple[float, ...]  # what is minimised
    broken: dict[str, float] = field(default_factory=dict)  # limit -> how far it is broken; at most 0 where it holds
    missing: bool = False  # there is no such network

    @property
    def fits(self) -> bool:
        """Whether every limit holds."""
        return not any(value > 0 for value in self.broken.values())


class Entrant(Protocol):
    """A sampler in a race."""

    def ask(self) -> tuple[int, Codes] | None:
        """A ticket and the code of a network to evaluate; None before it hears of those that are open."""
        ...

    def again(self, ticket: int) -> bool:
        """Whether a proposal asks for another training of a network that it has the answer of."""
        ...

    def tell(self, ticket: int, answer: Answer) -> None:
        """The answer to a ticket; each is told once, in any order."""
        ...

    def handed(self) -> list[int] | None:
        """Tickets of the networks that it would hand over now; None where that is the front of what it was told."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How a race is run."""

    budget: int  # evaluations
    pending: int = 1  # evaluations that are always open
    noisy: bool = False  # one training's accuracy is shown instead of the truth
    repeats: bool = False  # a further training of the same network is an evaluation where it is asked for as such

    @property
    def proposals(self) -> int:
        """Proposals after which a run has stalled."""
        return PROPOSALS * self.budget + 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """What happened in one run; evaluations in the order in which their results arrived."""

    codes: Codes  # int64[n, axes]
    names: NDArray[np.void]  # void[n]
    costs: Floats  # what is minimised, float[n, objectives - 1]
    truth: Floats  # float[n]
    shown: Floats  # float[n]
    proposals: NDArray[np.int64]  # made when each was started, int64[n]
    ask_ms: Floats  # what each proposal took, float[proposals]
    duplicates: int
    repeats: int  # evaluations of networks that were evaluated before, asked for as such
    over_budget: int
    missing: int  # proposals of networks that the table does not hold
    handed: dict[int, list[int]]  # evaluations done -> rows that the sampler would hand over
    ended: str  # "budget", "nothing left" or "stalled"


def race(course: Course, entrant: Entrant, rules: Rules, rng: np.random.Generator) -> Log:
    """One run.

    rng      chooses the trainings that are shown
    """
    return _Race(course, entrant, rules, rng).run()


class _Race:
    def __init__(self, course: Course, entrant: Entrant, rules: Rules, rng: np.random.Generator) -> None:
        self._course, self._entrant, self._rules, self._rng = course, entrant, rules, rng
        self._open: deque[bytes] = deque()  # names, oldest first
        self._answers: dict[bytes, Answer] = {}  # of all that were started
        self._waiting: dict[bytes, list[int]] = {}  # tickets that wait for an open network
        self._rows: dict[int, int] = {}  # ticket -> row of the log
        self._started: list[tuple[Codes, np.void, float, int]] = []  # code, name, truth, proposals
        self._told: list[Answer] = []  # of each of them
        self._ask_ms: list[float] = []
        self._known: list[float] = []  # accuracies told so far
        self._seeds: dict[bytes, int] = {}  # of the next training of each network
        self._counts = {"duplicates": 0, "repeats": 0, "over_budget": 0, "missing": 0}
        self._handed: dict[int, list[int]] = {}

    def run(self) -> Log:
        ended = "budget"
        while len(self._known) < self._rules.budget:
            ended = self._fill()
            if not self._open:
                break
            self._arrive()
        return self._log(ended)

    def _fill(self) -> str:
        """Ask until enough evaluations are open; why no more were asked for."""
        while len(self._open) < self._rules.pending and len(self._started) < self._rules.budget:
            if len(self._ask_ms) >= self._rules.proposals:
                return "stalled"
            began = time.perf_counter()
            asked = self._entrant.ask()
            if asked is None:
                return "nothing left"
            self._ask_ms.append(1000 * (time.perf_counter() - began))
            self._take(*asked)
        return "budget"

    def _take(self, ticket: int, code: Codes) -> None:
        """Answer a proposal for free, or start its evaluation."""
        course = self._course
        if not course.exists(code[None])[0]:
            self._counts["missing"] += 1
            self._entrant.tell(ticket, Answer(top1=np.nan, error=0.0, costs=(), missing=True))
            return
        looked = course.domain.look(code[None])
        name, costs, broken = looked.names[0].tobytes(), tuple(looked.costs[0].tolist()), course.broken(code)
        if any(value > 0 for value in broken.values()):
            self._counts["over_budget"] += 1
            typical = median(self._known) if self._known else FIRST_GUESS
            self._entrant.tell(ticket, Answer(top1=typical, error=0.0, costs=costs, broken=broken))
        elif (
            name in self._answers and self._rules.repeats and name not in self._waiting and self._entrant.again(ticket)
        ):
            self._counts["repeats"] += 1
            self._start(ticket, code, looked.names[0], costs, broken)
        elif name in self._answers:
            self._counts["duplicates"] += 1
            if name in self._waiting:
                self._waiting[name].append(ticket)
            else:
                self._entrant.tell(ticket, self._answers[name])
        else:
            self._start(ticket, code, looked.names[0], costs, broken)

    def _start(
        self, ticket: int, code: Codes, name: np.void, costs: tuple[float, ...], broken: dict[str, float]
    ) -> None:
        course, noisy = self._course, self._rules.noisy
        truth = float(course.truth(code[None])[0])
        seed = self._seeds.setdefault(name.tobytes(), int(self._rng.integers(2**31)))
        self._seeds[name.tobytes()] += 1
        top1 = float(course.shown(code[None], seed)[0]) if noisy else truth
        answer = Answer(top1=top1, error=course.error if noisy else 0.0, costs=costs, broken=broken)
        self._rows[ticket] = len(self._started)
        self._started.append((code, name, truth, len(self._ask_ms)))
        self._answers[name.tobytes()] = answer
        self._told.append(answer)
        self._waiting[name.tobytes()] = [ticket]
        self._open.append(name.tobytes())

    def _arrive(self) -> None:
        """The oldest open evaluation's result arrives."""
        name = self._open.popleft()
        for ticket in self._waiting.pop(name):
            self._entrant.tell(ticket, self._answers[name])
        self._known.append(self._answers[name].top1)
        done = len(self._known)
        if self._rules.noisy and (done % CHECK == 0 or done == self._rules.budget):
            tickets = self._entrant.handed()
            if tickets is not None:
                self._handed[done] = sorted({self._rows[ticket] for ticket in tickets if ticket in self._rows})

    def _log(self, ended: str) -> Log:
        answers = self._told
        axes, metrics = len(self._course.domain.axes), len(self._course.domain.minimize)
        return Log(
            codes=np.array([code for code, _, _, _ in self._started], dtype=np.int64).reshape(len(answers), axes),
            names=np.array([name for _, name, _, _ in self._started]),
            costs=np.array([answer.costs for answer in answers], dtype=float).reshape(len(answers), metrics),
            truth=np.array([truth for _, _, truth, _ in self._started], dtype=float),
            shown=np.array([answer.top1 for answer in answers], dtype=float),
            proposals=np.array([proposals for _, _, _, proposals in self._started], dtype=np.int64),
            ask_ms=np.array(self._ask_ms, dtype=float),
            handed=self._handed,
            ended=ended,
            **self._counts,
        )
