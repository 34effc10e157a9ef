"""The front of a run timed on the device before anybody sees it: what does not hold its limit there leaves the front.

Those that take its place are timed as well, until all that would be reported hold. Results are kept in the study, so
nothing is timed twice, and a run that was killed goes on.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial

from archsearch.cost.budget import LATENCIES, NS
from archsearch.measure.fingerprint import differences
from archsearch.measure.method import Effort, Measurement
from archsearch.measure.model import Model, whole
from archsearch.measure.pick import Stopwatch, reference
from archsearch.measure.pinning import BUSY
from archsearch.records import ANCHOR, TIMED, TIMED_ON, RunFolder
from archsearch.search.believed import MOST, reported
from archsearch.search.finish import fitting
from archsearch.search.ledger import Ledger
from archsearch.search.lock import FileLock
from archsearch.search.propose import Problem
from archsearch.search.times import Times, times_of
from archsearch.search.worker import Watch
from archsearch.spec.arch import Arch

FRONT = Effort(least=8, most=40, target=0.02, every=4)  # few networks, and their limit is near
SESSIONS = 2  # in which each network is timed, loaded anew; it must hold its limit in all of them
GROUP = 8  # networks timed side by side; a kill loses at most these
ROUND = 30  # new networks timed at most, before it is asked again what would be reported
TRIES = 3  # times that a disturbed measurement is made in all, where it leaves open whether a limit holds
TOLD = ("device", "cpu", "machine", "gpu", "threads", "batch", "dtype", "versions")  # what makes two devices one


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What timing showed of a table's predictions, over all networks of a run that were timed."""

    device: str
    networks: int
    struck: tuple[int, ...]  # trials predicted within the budget that the measurement says are not
    error: float  # mean distance of the expectation from the measurement, a share of it
    above_expected: int  # networks that take longer than the table expects
    above_upper: int  # and than the upper end of its interval
    busy: int = 0  # networks during whose measurement other processes were busy

    def lines(self) -> list[str]:
        """For people."""
        if not self.networks:
            return []
        n = self.networks
        first = f"latency: {n} network(s) of the front measured on {self.device}; the table is off by "
        alone = (
            f"the prediction alone would have been wrong for {len(self.struck)} of {n} (over budget although predicted "
            f"within); the table's expectation is too low for {self.above_expected}, its upper interval for "
            f"{self.above_upper}"
        )
        gone = ", ".join(f"#{number}" for number in self.struck)
        told = [f"{first}{100 * self.error:.1f} % on average", alone, *([f"struck out: {gone}"] if gone else [])]
        if self.busy:
            told.append(f"other processes were busy while {self.busy} of {n} were timed: their intervals are wider")
        return told

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"device": self.device, "networks": self.networks, "struck": list(self.struck), "error": self.error,
                "above_expected": self.above_expected, "above_upper": self.above_upper, "busy": self.busy}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Timer:
    """Times the front of one run."""

    folder: RunFolder
    ledger: Ledger
    problem: Problem
    stopwatch: Stopwatch
    watch: Watch
    effort: Effort = FRONT
    finalists: int = MOST

    def settle(self) -> None:
        """Time all that would be reported, until each of them has been; one worker does, the others wait.

        Disturbed measurements that leave a limit open are made again, behind the others, and the tightest one counts.
        raises   DeviceError where the device cannot run a network, SpecError where it knows no form for an operation
        """
        with self._alone():
            self.ledger.remember(TIMED_ON, self._place)
            while group := self._unknown()[:ROUND] or self._open():
                for first in range(0, len(group), GROUP):
                    self._measure(group[first : first + GROUP])

    @cached_property
    def _here(self) -> dict[str, Any]:
        """The device's fingerprint, asked for once."""
        return self.stopwatch.fingerprint()

    @cached_property
    def _place(self) -> str:
        return digest(self._here)

    def _unknown(self) -> list[FrozenTrial]:
        """What would be reported and was not timed on this device."""
        trials = self.ledger.trials()
        times = times_of(self.ledger.study.user_attrs, trials)
        listed = reported(trials, self.problem, times, self.finalists)
        return [t for t in listed if t.user_attrs["key"] not in times.results]

    def _open(self) -> list[FrozenTrial]:
        """What was disturbed so much that a limit may hold or not, and was not tried often enough."""
        trials = self.ledger.trials()
        times, ends = times_of(self.ledger.study.user_attrs, trials), limits(self.problem)
        known = [(t, times.results.get(t.user_attrs["key"])) for t in fitting(trials, self.problem.budget)]
        return [t for t, told in known if told and told.get("tries", 1) < TRIES and is_open(told, ends)]

    def _measure(self, trials: list[FrozenTrial]) -> None:
        """Time them side by side, and keep what came out, or what was known where that is tighter."""
        models = [whole(Arch.from_dict(t.user_attrs["arch_json"]), t.user_attrs["arch"]) for t in trials]
        before = [self._known(t) for t in trials]
        first = SESSIONS * max(told.get("tries", 1) if told else 0 for told in before)
        sessions = [self._session(models, nth, seed=first + nth) for nth in range(SESSIONS)]
        for trial, told, results in zip(trials, before, zip(*sessions, strict=True), strict=True):
            made = joined(results) | {"fingerprint": self._place}
            best = min([made, *([told] if told else [])], key=width)
            self.ledger.remember(TIMED.format(trial.number), best | {"tries": 1 + (told or {}).get("tries", 0)})

    def _known(self, trial: FrozenTrial) -> dict[str, Any] | None:
        """What was measured of a trial's network on this device."""
        told: dict[str, Any] | None = self.ledger.recall(TIMED.format(trial.number))
        return told if told and told.get("fingerprint") == self._place else None

    def _session(self, models: list[Model], nth: int, *, seed: int) -> list[Measurement]:
        """All models loaded and timed once."""

        def tell(done: int, total: int) -> None:
            self.watch.progress(nth * total + done, SESSIONS * total, "latency of the front")

        self.watch.waiting("the front is timed")
        anchor = self._anchor()
        found, base = self.stopwatch.measure(
            models, reference(), anchor=anchor, effort=self.effort, seed=seed, tell=tell
        )
        if anchor is None:
            self.ledger.remember(ANCHOR.format(self._place), base)
        return found

    def _anchor(self) -> float | None:
        """What the reference takes on this device undisturbed [ms]: the table's word where it was made on this device,
        else that of the first session here; None before that."""
        table = self.problem.latency
        if table is not None and not differences(table.fingerprint, self._here):
            return float(table.reference["ms"])
        kept: float | None = self.ledger.recall(ANCHOR.format(self._place))
        return kept

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Timing alone on this machine, as far as the run's workers go."""
        lock = FileLock(self.folder.workers / "latency.lock")
        if not lock.take(wait=False):
            self.watch.waiting("another worker times the front")
            lock.take()
        try:
            yield
        finally:
            lock.free()


def joined(results: Sequence[Measurement]) -> dict[str, Any]:
    """Several sessions as one: the mean of their medians, and the interval that spans all of theirs.

    Between sessions a network moves by more than its interval within one says, on a busy machine above all. It is as
    calm as the least calm of them.
    """
    loads = [each.foreign_load for each in results if each.foreign_load is not None]
    return results[-1].to_dict() | {
        "ms": float(np.mean([each.ms for each in results])), "low": min(each.low for each in results),
        "high": max(each.high for each in results), "sessions": [[each.low, each.ms, each.high] for each in results],
        "settled": all(each.settled for each in results), "precise": all(each.precise for each in results),
        "foreign_load": max(loads, default=None),
    }  # fmt: skip


def width(told: Mapping[str, Any]) -> float:
    """Of a measurement's interval, as a share of its median."""
    return float((told["high"] - told["low"]) / told["ms"])


def is_busy(told: Mapping[str, Any]) -> bool:
    """Whether other processes were busy during a measurement, as far as the system tells."""
    return (told.get("foreign_load") or 0.0) > BUSY


def is_open(told: Mapping[str, Any], ends: Sequence[float]) -> bool:
    """Whether a measurement was disturbed, and its interval lies on both sides of a limit [ms]."""
    calm = not is_busy(told) and told.get("precise", True) and told.get("settled", True)
    return not calm and any(told["low"] <= end < told["high"] for end in ends)


def limits(problem: Problem) -> list[float]:
    """All ends of the limits on latency, a ladder's rungs among them [ms]."""
    ends = [end for name, limit in problem.budget.limits.items() if name in LATENCIES
            for end in (limit.low, limit.high)]  # fmt: skip
    if problem.ladder and problem.minimize[0] in LATENCIES:
        ends += problem.ladder
    return [end / NS for end in ends if 0 < end < math.inf]


def digest(fingerprint: Mapping[str, Any]) -> str:
    """Twelve hexadecimal digits of what a device's times depend on."""
    told = {name: fingerprint.get(name) for name in TOLD}
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:12]


def outcome(ledger: Ledger, problem: Problem, device: str) -> Outcome:
    """What the run's measurements say of its table."""
    trials = ledger.trials()
    times = times_of(ledger.study.user_attrs, trials)
    timed = [t for t in fitting(trials, problem.budget) if t.user_attrs["key"] in times.results]
    results = [times.results[t.user_attrs["key"]] for t in timed]
    expected, upper = (np.array([t.user_attrs["costs"][name] / NS for t in timed]) for name in LATENCIES)
    ms, high = (np.array([each[name] for each in results], dtype=float) for name in ("ms", "high"))
    return Outcome(
        device=device, networks=len(timed),
        struck=tuple(t.number for t in timed if not times.holds(t.user_attrs["key"], problem.budget)),
        error=float(np.mean(np.abs(expected / ms - 1))) if timed else 0.0,
        above_expected=int((ms > expected).sum()), above_upper=int((high > upper).sum()),
        busy=sum(map(is_busy, results)),
    )  # fmt: skip


def standing(ledger: Ledger) -> Times:
    """The measurements that a run's study holds."""
    return times_of(ledger.study.user_attrs, ledger.trials())
