"""The next network to train: within every budget, never one that was trained before.

Whatever the sampler says, a network over budget is answered from the counters and a network seen before by its stored
result; both become finished trials, so the sampler learns from them, and neither costs a training.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from archsearch import plugins
from archsearch.cost.budget import Budget
from archsearch.cost.count import BUILT_IN, count
from archsearch.search.ledger import Ledger, NewTrial
from archsearch.search.mirror import SEEN_AS, Mirror
from archsearch.search.samplers import distributions
from archsearch.search.stratified import StratifiedSampler
from archsearch.spec.arch import Arch
from archsearch.spec.canon import key
from archsearch.spec.space import Codes, SearchSpace
from archsearch.spec.text import to_text

PATIENCE = 20  # proposals in a row that need no training, before a stratified draw steps in
TRAINED, REPLAYED, OVER, FAILED, SKIPPED = "trained", "replayed", "over_budget", "failed", "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What a search is about: the space, the hard limits, what to minimise beside the error."""

    space: SearchSpace
    budget: Budget
    minimize: tuple[str, ...] = ("madds",)

    @property
    def metrics(self) -> tuple[str, ...]:
        """All metrics that are counted for each network."""
        return tuple(dict.fromkeys([*BUILT_IN, *self.minimize, *self.budget.limits]))

    def values(self, top1: float, costs: Mapping[str, int]) -> list[float]:
        """Objective values of a trial."""
        return [top1, *(float(costs[name]) for name in self.minimize)]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A network with all that is known of it for free."""

    arch: Arch
    params: dict[str, Any]
    key: str
    costs: dict[str, int]


class Proposer:
    """Turns a sampler's wishes into trials; `next` must be called by one process at a time (hold the run's lock)."""

    def __init__(self, problem: Problem, ledger: Ledger, *, sampler: str, seed: int, worker: str) -> None:
        self._problem, self._ledger, self._seed, self._worker = problem, ledger, seed, worker
        self._sampler = plugins.load("samplers", sampler)
        self._stratified = StratifiedSampler(problem.space, problem.budget, problem.minimize[0])
        self._distributions = distributions(problem.space)
        self._mirror = Mirror([d.name.lower() for d in ledger.study.directions])  # type: ignore[misc]
        self._keys: dict[bytes, str] = {}

    def next(self) -> tuple[int, Arch] | None:
        """A new running trial, or None when every network that fits has been tried.

        Trials that need no training are written on the way.
        """
        misses = 0
        while True:
            trials = self._mirror.sync(self._ledger)
            number = len(trials)
            asks = self._sampler is not StratifiedSampler and misses < PATIENCE
            if asks:
                candidate, system = self._ask(number)
            else:
                drawn = self._draw(number, trials)
                if drawn is None:
                    return None
                candidate, system = drawn, {}
            trial = self._judge(candidate, trials, system)
            if self._write(trial, asked=asks) != number:
                raise AssertionError("another process wrote a trial while this one held the lock")
            if trial.state == TrialState.RUNNING:
                return number, candidate.arch
            misses += 1

    def _ask(self, number: int) -> tuple[Candidate, dict[str, Any]]:
        """The sampler's wish; the sampler is new and seeded for this trial number alone."""
        seed = int(np.random.SeedSequence([self._seed, number]).generate_state(1)[0])
        params, system = self._mirror.ask(self._sampler(seed), self._distributions)
        return self._candidate(self._problem.space.code(params)), system

    def _draw(self, number: int, trials: list[FrozenTrial]) -> Candidate | None:
        known = {trial.user_attrs["key"] for trial in trials if trial.user_attrs.get("status") != OVER}
        code = self._stratified.draw(number, self._seed, lambda each: self._key(each) in known)
        return None if code is None else self._candidate(code)

    def _candidate(self, code: Codes) -> Candidate:
        space = self._problem.space
        arch = space.decode(code)
        return Candidate(arch, space.values(code), self._key(code), count(arch, self._problem.metrics))

    def _key(self, code: Codes) -> str:
        name = np.asarray(code, dtype=np.int64).tobytes()
        if name not in self._keys:
            self._keys[name] = key(self._problem.space.decode(code))
        return self._keys[name]

    def _judge(self, candidate: Candidate, trials: list[FrozenTrial], system: dict[str, Any]) -> NewTrial:
        """The trial of a candidate: finished where the answer is known, running where it must be trained."""
        excess = self._problem.budget.excess(candidate.costs)
        if any(value > 0 for value in excess.values()):
            shown = self._problem.values(self._typical(trials), candidate.costs)
            values = self._problem.values(0.0, candidate.costs)
            return self._trial(candidate, OVER, system | {SEEN_AS: shown}, excess, TrialState.COMPLETE, values)
        first = next((t for t in trials if t.user_attrs["key"] == candidate.key and is_first(t)), None)
        if first is None:
            return self._trial(candidate, "running", system, excess)
        if first.user_attrs.get("status") == TRAINED and first.state == TrialState.COMPLETE:
            trial = self._trial(candidate, REPLAYED, system, excess, TrialState.COMPLETE, list(first.values))
            trial.attrs.update({name: first.user_attrs[name] for name in ("top1", "top5", "top1_se")})
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

    def _typical(self, trials: list[FrozenTrial]) -> float:
        """The accuracy that samplers are shown for a network that nobody may train: the median of the trained ones."""
        known = [
            t.user_attrs["top1"] for t in trials if t.user_attrs.get("status") == TRAINED and t.state.is_finished()
        ]
        return median(known) if known else 1 / max(self._problem.space.head.classes, 1)

    def _write(self, trial: NewTrial, *, asked: bool) -> int:
        number = self._ledger.add(trial)
        if asked:
            self._mirror.settle(self._ledger.trials()[number])
        return number


def is_first(trial: FrozenTrial) -> bool:
    """Whether this trial stands for a training: running, trained or failed; not an answer without one."""
    return trial.user_attrs.get("status") not in (OVER, REPLAYED, SKIPPED)
