"""The next network to train: within every budget, never one that was trained before.

Whatever the sampler says, a network over budget is answered from the counters and a network seen before by its stored
result; both become finished trials, so the sampler learns from them, and neither costs a training.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from optuna.trial import TrialState

from archsearch import plugins
from archsearch.cost.budget import LATENCIES, Budget
from archsearch.cost.count import BUILT_IN, all_metrics, count
from archsearch.evaluate.table_domain import TableDomain
from archsearch.records import AGAIN, GIVEN, OVER, REPLAYED, RUNNING, SKIPPED, TRAINED, WANTED
from archsearch.search.halving import Halving
from archsearch.search.history import SOURCE
from archsearch.search.ledger import Ledger, NewTrial
from archsearch.search.mirror import SEEN_AS, Mirror
from archsearch.search.rungs import Rule
from archsearch.search.samplers import SamplerSetup, distributions
from archsearch.search.stratified import stratified
from archsearch.search.tally import Tally, is_first
from archsearch.search.whole import Exhausted
from archsearch.spec.arch import Arch
from archsearch.spec.canon import key
from archsearch.spec.fields import Codes
from archsearch.spec.space import SearchSpace
from archsearch.spec.text import to_text
from archsearch.surrogate.domain import Domain
from archsearch.surrogate.space_domain import SpaceDomain

if TYPE_CHECKING:
    from archsearch.cost.latency import LatencyTable
    from archsearch.evaluate.table import Table

__all__ = ["Candidate", "Problem", "Proposer", "is_first"]

KEYS = 1024  # networks whose keys are remembered: samplers that stall come back to the same ones
PATIENCE = 20  # proposals in a row that need no training, before a stratified draw steps in


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What a search is about: the space, the hard limits, what to minimise beside the error."""

    space: SearchSpace
    budget: Budget
    minimize: tuple[str, ...] = ("madds",)
    ladder: tuple[float, ...] = ()  # rungs of minimize[0], rising; the largest is a hard limit, too
    repeats: bool = False  # whether a sampler may have a network trained again
    rule: Rule | None = None  # the rungs at which trainings halt; None: each goes to its end
    table: "Table | None" = None  # of trained networks of this space: then nothing else may be proposed
    latency: "LatencyTable | None" = None  # of the device that counts; its metrics are bound (`cost.count.bind`)

    @cached_property
    def domain(self) -> Domain:
        """What samplers may choose from."""
        if self.table is None:
            return SpaceDomain(space=self.space, budget=self.budget, minimize=self.minimize)
        domain: Domain = TableDomain(table=self.table, budget=self.budget, minimize=self.minimize)
        return domain

    def offers(self, code: Codes) -> bool:
        """Whether a code can be judged at all: a table may not hold every network of its space."""
        return self.table is None or bool(self.table.rows(np.asarray(code)[None])[0] >= 0)

    def costs(self, code: Codes) -> dict[str, Any]:
        """All metrics of one network: as its table tells them, else counted; what neither knows is left out."""
        told = {} if self.table is None else self.table.told(code)
        timed = () if self.latency is None else LATENCIES
        asked = dict.fromkeys([*all_metrics(), *timed, *self.minimize, *self.budget.limits])
        own = () if self.table is None else self.table.costs
        return count(self.space.decode(code), [name for name in asked if name not in own or name in BUILT_IN]) | told

    def values(self, top1: float, costs: Mapping[str, Any]) -> list[float]:
        """Objective values of a trial."""
        return [top1, *(float(costs[name]) for name in self.minimize)]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A network with all that is known of it for free."""

    arch: Arch
    params: dict[str, Any]
    key: str
    costs: dict[str, Any]
    offered: bool = True


class Proposer:
    """Turns a sampler's wishes into trials; `next` must be called by one process at a time (hold the run's lock)."""

    def __init__(self, problem: Problem, ledger: Ledger, *, sampler: str, seed: int, worker: str) -> None:
        self._problem, self._ledger, self._seed, self._worker = problem, ledger, seed, worker
        self._sampler = plugins.load("samplers", sampler)
        self._distributions = distributions(problem.space.axes)
        halving = {} if problem.rule is None else {"hopes": Halving(problem, problem.rule).hopes}
        self._mirror = Mirror([d.name.lower() for d in ledger.study.directions], problem.budget, **halving)  # type: ignore[misc]
        self._key = lru_cache(KEYS)(self._key_of)
        self._wanted = 0  # networks asked for by hand that are behind us
        self._memory: dict[str, Any] = {}

    def next(self) -> tuple[int, Arch] | None:
        """A new running trial, or None when every network that fits has been tried.

        Trials that need no training are written on the way.
        """
        misses = 0
        while True:
            number = len(self._mirror.sync(self._ledger))
            tally = self._ledger.tally()
            if (wanted := self._next_wanted(tally)) is not None:
                return self._write(number, self._judge(wanted, tally, {})), wanted.arch
            if tally.by_key and all(kind.single() for kind in self._distributions.values()):
                return None  # a space of one network, and a sampler is never asked where there is nothing to choose
            make = self._sampler if misses < PATIENCE else stratified
            try:
                params, system = self._mirror.ask(make(self._setup(number)), self._distributions)
            except Exhausted:
                self._mirror.forget()
                return None
            candidate = self._candidate(self._problem.space.code(params))
            trial = self._judge(candidate, tally, system)
            self._write(number, trial)
            if trial.state == TrialState.RUNNING:
                return number, candidate.arch
            misses += 1

    def _write(self, number: int, trial: NewTrial) -> int:
        """Add a trial to the study; its number."""
        if self._ledger.add(trial) != number:
            raise AssertionError("another process wrote a trial while this one held the lock")
        return number

    def _next_wanted(self, tally: Tally) -> Candidate | None:
        """The next network that was asked for by hand, fits, and is not known yet."""
        codes = self._ledger.recall(WANTED, [])
        while self._wanted < len(codes):
            candidate = self._candidate(np.array(codes[self._wanted], dtype=np.int64))
            if candidate.key not in tally.by_key and self._problem.budget.fits(candidate.costs):
                return candidate
            self._wanted += 1
        return None

    def _setup(self, number: int) -> SamplerSetup:
        """What a sampler is made with: it is new for each trial, and its seed follows from the trial's number."""
        return SamplerSetup(seed=self._seed, number=number, domain=self._problem.domain,
                            distributions=self._distributions, ladder=self._problem.ladder,
                            repeats=self._problem.repeats, memory=self._memory)  # fmt: skip

    def _candidate(self, code: Codes) -> Candidate:
        space = self._problem.space
        arch = space.decode(code)
        name = np.asarray(code, dtype=np.int64).tobytes()
        return Candidate(arch, space.values(code), self._key(name), self._problem.costs(code),
                         offered=self._problem.offers(code))  # fmt: skip

    def _key_of(self, name: bytes) -> str:
        return key(self._problem.space.decode(np.frombuffer(name, dtype=np.int64)))

    def _judge(self, candidate: Candidate, tally: Tally, system: dict[str, Any]) -> NewTrial:
        """The trial of a candidate: finished where the answer is known, running where it must be trained."""
        if not candidate.offered:
            trial = self._trial(candidate, SKIPPED, system, {}, TrialState.FAIL)
            trial.attrs["reason"] = "the table has no such network"
            return trial
        excess = self._problem.budget.excess(candidate.costs)
        if any(value > 0 for value in excess.values()):
            shown = self._problem.values(self._typical(tally), candidate.costs)
            values = self._problem.values(0.0, candidate.costs)
            return self._trial(candidate, OVER, system | {SEEN_AS: shown}, excess, TrialState.COMPLETE, values)
        if candidate.key not in tally.by_key:
            return self._trial(candidate, RUNNING, system, excess)
        first = self._ledger.trials()[tally.by_key[candidate.key]]
        if system.get(AGAIN) and first.user_attrs.get("status") == TRAINED:
            trial = self._trial(candidate, RUNNING, system, excess)
            trial.attrs["again_of"] = first.number
            return trial
        if first.user_attrs.get("status") in (TRAINED, GIVEN) and first.state == TrialState.COMPLETE:
            trial = self._trial(candidate, REPLAYED, system, excess, TrialState.COMPLETE, list(first.values))
            told = ("top1", "top5", "top1_se", SOURCE)
            trial.attrs.update({name: first.user_attrs[name] for name in told if name in first.user_attrs})
            trial.attrs["replay_of"] = first.number
            return trial
        trial = self._trial(candidate, SKIPPED, system, excess, TrialState.FAIL)
        trial.attrs["reason"] = f"the same network as trial {first.number}"
        return trial

    def _trial(
        self, candidate: Candidate, status: str, system: dict[str, Any], excess: dict[str, float],
        state: TrialState = TrialState.RUNNING, values: list[float] | None = None,
    ) -> NewTrial:  # fmt: skip
        attrs = {
            "status": status, "arch": to_text(candidate.arch), "arch_json": candidate.arch.to_dict(),
            "key": candidate.key, "costs": candidate.costs, "worker": self._worker,
        }  # fmt: skip
        return NewTrial(params=candidate.params, distributions=self._distributions, attrs=attrs, constraints=excess,
                        system_attrs=dict(system), state=state, values=values)  # fmt: skip

    def _typical(self, tally: Tally) -> float:
        """The accuracy that samplers are shown for a network that nobody may train: the median of the trained ones."""
        typical = tally.typical
        return 1 / max(self._problem.space.head.classes, 1) if typical is None else typical
