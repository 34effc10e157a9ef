"""A run's trials at their rungs: which one is trained on, which are stopped, what is expected of the others."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from archsearch.records import EPOCHS, EXPECTED, EXPECTED_SE, STOPPED, UNTIL, WAITING, stands
from archsearch.search.outlook import Outlook, outlook
from archsearch.search.rungs import Flags, Rows, Rule, bars, next_up, order, room
from archsearch.search.tally import Follower
from archsearch.surrogate.acquire import beyond, gain, stairs
from archsearch.surrogate.domain import Floats

if TYPE_CHECKING:
    from archsearch.search.propose import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Hope:
    """A trial that was judged at a rung, as samplers are shown it."""

    values: tuple[float, ...]  # objectives: the top-1 expected after all epochs, then the costs
    error: float  # standard error of that top-1
    status: str  # WAITING, also while it is trained on, or STOPPED


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All trials that were judged at a rung or to their end, by number, as arrays of n rows."""

    numbers: Rows
    curves: Floats  # top-1 at each rung, float[n, rungs], NaN where it was not judged
    costs: Floats  # minimised, as the front sees them: of a ladder the number of the rung
    sizes: Floats  # a cost that may slow learning down
    waits: Flags
    fits: Flags  # whether it keeps the budget of now

    @property
    def final(self) -> Floats:
        """Top-1 after a whole training, NaN without one or outside the budget."""
        return np.where(self.fits, self.curves[:, -1], np.nan)

    def hoped(self, rung: int) -> Floats:
        """What orders the networks of a rung: the final top-1 of each, once that was learned; else what it reached."""
        there, seen = ~np.isnan(self.curves[:, rung]), self.outlook
        return seen.mean if (seen.freedom[there] > 0).all() else self.curves[:, rung]

    def foretold(self, rung: int) -> bool:
        """Whether the final top-1 of each network of a rung was learned."""
        there = ~np.isnan(self.curves[:, rung])
        return bool((self.outlook.freedom[there] > 0).all())

    @property
    def worth(self) -> Floats:
        """The hypervolume that each is expected to add to the front of those trained so far, float[n]."""
        seen, final = self.outlook, self.final
        done = ~np.isnan(final)
        floor = float(np.concatenate([seen.mean, final[done]]).min())
        edge = beyond(self.costs.min(axis=0), self.costs.max(axis=0))
        under = stairs(final[done], self.costs[done], floor, edge)
        return gain(seen.mean, np.maximum(seen.sd, 1e-9), self.costs, under)

    @property
    def chance(self) -> Floats:
        """The probability that each would be on the front of those trained so far."""
        return self.outlook.above(bars(self.final, self.costs))

    @property
    def outlook(self) -> Outlook:
        """The final top-1 of each."""
        return outlook(self.curves, self.sizes)


class Halving:
    """Follows one study; decides, and writes nothing."""

    def __init__(self, problem: "Problem", rule: Rule) -> None:
        self._problem, self.rule = problem, rule
        self._follower = Follower()
        self._rows: dict[int, tuple[Any, ...]] = {}  # trial -> its row of a Standing
        self._stopped: dict[int, Hope] = {}

    def look(self, trials: Sequence[FrozenTrial]) -> Standing:
        """Where all trials stand; `trials` are all of the study's, by number."""
        for trial in self._follower.news(trials):
            if trial.intermediate_values or (trial.state == TrialState.COMPLETE and stands(trial.user_attrs)):
                self._rows[trial.number] = self._row(trial)
            if trial.user_attrs.get("status") == STOPPED and EXPECTED in trial.user_attrs:
                self._stopped[trial.number] = self._hope_of(trial)
        numbers = sorted(self._rows)
        curves, costs, sizes, waits, fits = zip(*(self._rows[n] for n in numbers), strict=True) if numbers else [()] * 5
        n = len(numbers)
        return Standing(
            numbers=np.array(numbers, dtype=np.int64), curves=np.array(curves).reshape(n, len(self.rule.rungs)),
            costs=self._on_ladder(np.array(costs, dtype=float).reshape(n, len(self._problem.minimize))),
            sizes=np.array(sizes, dtype=float), waits=np.array(waits, dtype=bool), fits=np.array(fits, dtype=bool),
        )  # fmt: skip

    def promoted(self, trials: Sequence[FrozenTrial]) -> tuple[int, int] | None:
        """The trial to be trained on, and up to which epoch; the highest rung first. None where none may."""
        now, rungs = self.look(trials), self.rule.rungs
        for rung in range(len(rungs) - 2, -1, -1):
            there = np.flatnonzero(~np.isnan(now.curves[:, rung]))
            waits = now.waits[there] & np.isnan(now.curves[there, rung + 1])
            went = self._went(trials, now.numbers[there], rungs[rung])
            if not room(went, waits, self.rule):
                continue
            if self.rule.gains and self.rule.learns and self.rule.by_cost and now.foretold(rung):
                ordered = order(now.hoped(rung)[there], now.costs[there], now.worth[there])
                row = next((int(row) for row in ordered if waits[row]), None)
            else:
                top1 = now.hoped(rung)[there] if self.rule.learns else now.curves[there, rung]
                row = next_up(top1, now.costs[there], went=went, waits=waits, rule=self.rule)
            if row is not None:
                return int(now.numbers[there[row]]), rungs[rung + 1]
        return None

    def last_hope(self, trials: Sequence[FrozenTrial]) -> tuple[int, int] | None:
        """The best trial of the highest rung and where it goes, where none was trained to its end and one waits."""
        now, rungs = self.look(trials), self.rule.rungs
        if not np.isnan(now.final).all() or not now.waits.any():
            return None
        rung = int((~np.isnan(now.curves[now.waits])).sum(axis=1).max()) - 1
        there = np.flatnonzero(now.waits & ~np.isnan(now.curves[:, rung]))
        best = there[order(now.hoped(rung)[there], now.costs[there])[0]]
        return int(now.numbers[best]), rungs[rung + 1]

    def hopeless(self, trials: Sequence[FrozenTrial]) -> dict[int, dict[str, Any]]:
        """Trials that wait and are not likely to reach the front at their own cost, and what to note of each."""
        if not self.rule.doubt or not self.rule.stops:
            return {}
        now = self.look(trials)
        out = now.waits & (now.chance < self.rule.doubt)
        return self._notes(now, out) if out.any() else {}

    def waiting(self, trials: Sequence[FrozenTrial]) -> dict[int, dict[str, Any]]:
        """All trials that wait, and what to note of each when it is stopped."""
        now = self.look(trials)
        return self._notes(now, now.waits)

    def hopes(self, trials: Sequence[FrozenTrial]) -> Mapping[int, Hope]:
        """What samplers are shown of the trials that were judged at a rung and not trained to their end."""
        now = self.look(trials)
        seen, found = now.outlook, dict(self._stopped)
        for row, number in enumerate(now.numbers.tolist()):
            trial = trials[number]
            if not trial.state.is_finished():
                top1, error = float(seen.mean[row]), float(seen.sd[row])
                values = tuple(self._problem.values(top1, trial.user_attrs["costs"]))
                found[number] = Hope(values=values, error=error, status=WAITING)
        return found

    def _notes(self, now: Standing, chosen: Flags) -> dict[int, dict[str, Any]]:
        seen = now.outlook
        return {int(now.numbers[row]): {"status": STOPPED, EXPECTED: float(seen.mean[row]),
                EXPECTED_SE: float(seen.sd[row])} for row in np.flatnonzero(chosen)}  # fmt: skip

    def _went(self, trials: Sequence[FrozenTrial], numbers: Rows, epochs: int) -> Flags:
        """Which of these trials were sent on from a rung, whatever became of them."""
        sent = [trials[n].user_attrs.get(UNTIL, 0) > epochs and trials[n].user_attrs.get("status") != WAITING
                or max(trials[n].intermediate_values) > epochs for n in numbers.tolist()]  # fmt: skip
        return np.array(sent, dtype=bool)

    def _row(self, trial: FrozenTrial) -> tuple[Any, ...]:
        attrs, rungs = trial.user_attrs, self.rule.rungs
        curve = [trial.intermediate_values.get(epochs, np.nan) for epochs in rungs]
        if trial.state == TrialState.COMPLETE and stands(attrs):
            curve[-1] = trial.values[0]
        costs = [float(attrs["costs"][name]) for name in self._problem.minimize]
        size = costs[0] if costs else float(attrs["costs"].get("madds", 1.0))
        waits = trial.state == TrialState.RUNNING and attrs.get("status") == WAITING
        return curve, costs, size, waits, self._problem.budget.fits(attrs["costs"])

    def _on_ladder(self, costs: Floats) -> Floats:
        """Costs as the front sees them; on a ladder the first one is the number of the lowest rung that holds it."""
        if not self._problem.ladder:
            return costs
        steps = np.searchsorted(np.array(self._problem.ladder), costs[:, :1], side="left").astype(float)
        return np.concatenate([steps, costs[:, 1:]], axis=1)

    def _hope_of(self, trial: FrozenTrial) -> Hope:
        attrs = trial.user_attrs
        values = tuple(self._problem.values(float(attrs[EXPECTED]), attrs["costs"]))
        return Hope(values=values, error=float(attrs[EXPECTED_SE]), status=STOPPED)


def epochs_of(trials: Sequence[FrozenTrial]) -> Iterator[int]:
    """How many epochs each trial that stands for a training has been trained, as far as it was judged."""
    for trial in trials:
        if trial.intermediate_values:
            yield max(trial.intermediate_values)
        elif trial.user_attrs.get(EPOCHS) and trial.user_attrs.get("status") == "trained":
            yield int(trial.user_attrs[EPOCHS])
