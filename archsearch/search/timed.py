"""The front of a run timed on the device before anybody sees it: what does not hold its limit there leaves the front.

Those that take its place are timed as well, until all that would be reported hold. Results are kept in the study, so
nothing is timed twice, and a run that was killed goes on.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial

from archsearch.cost.budget import LATENCIES
from archsearch.measure.method import Effort, Measurement
from archsearch.measure.model import Model, whole
from archsearch.measure.pick import Stopwatch, reference
from archsearch.records import TIMED, RunFolder
from archsearch.search.believed import reported
from archsearch.search.finish import fitting
from archsearch.search.ledger import Ledger
from archsearch.search.lock import FileLock
from archsearch.search.propose import Problem
from archsearch.search.times import NS, Times, times_of
from archsearch.search.worker import Watch
from archsearch.spec.arch import Arch

FRONT = Effort(least=8, most=40, target=0.02, every=4)  # few networks, and their limit is near
SESSIONS = 2  # in which each network is timed, loaded anew; it must hold its limit in all of them
GROUP = 8  # networks timed side by side; a kill loses at most these
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
        return [f"{first}{100 * self.error:.1f} % on average", alone, *([f"struck out: {gone}"] if gone else [])]

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"device": self.device, "networks": self.networks, "struck": list(self.struck), "error": self.error,
                "above_expected": self.above_expected, "above_upper": self.above_upper}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Timer:
    """Times the front of one run."""

    folder: RunFolder
    ledger: Ledger
    problem: Problem
    stopwatch: Stopwatch
    watch: Watch
    effort: Effort = FRONT

    def settle(self) -> None:
        """Time all that would be reported, until each of them has been; one worker does, the others wait.

        raises   DeviceError where the device cannot run a network
        """
        with self._alone():
            place = digest(self.stopwatch.fingerprint())
            while new := self._unknown(place):
                for first in range(0, len(new), GROUP):
                    self._measure(new[first : first + GROUP], place)

    def _unknown(self, place: str) -> list[FrozenTrial]:
        """What would be reported and was not timed on this device."""
        trials, attrs = self.ledger.trials(), self.ledger.study.user_attrs
        listed = reported(trials, self.problem, times_of(attrs, trials))
        return [t for t in listed if attrs.get(TIMED.format(t.number), {}).get("fingerprint") != place]

    def _measure(self, trials: list[FrozenTrial], place: str) -> None:
        models = [whole(Arch.from_dict(t.user_attrs["arch_json"]), t.user_attrs["arch"]) for t in trials]
        sessions = [self._session(models, nth) for nth in range(SESSIONS)]
        for trial, results in zip(trials, zip(*sessions, strict=True), strict=True):
            self.ledger.remember(TIMED.format(trial.number), joined(results) | {"fingerprint": place})

    def _session(self, models: list[Model], nth: int) -> list[Measurement]:
        """All models loaded and timed once."""

        def tell(done: int, total: int) -> None:
            self.watch.progress(nth * total + done, SESSIONS * total, "latency of the front")

        self.watch.waiting("the front is timed")
        table = self.problem.latency
        anchor = None if table is None else float(table.reference["ms"])
        found, _ = self.stopwatch.measure(models, reference(), anchor=anchor, effort=self.effort, seed=nth, tell=tell)
        return found

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

    Between sessions a network moves by more than its interval within one says, on a busy machine above all.
    """
    return results[-1].to_dict() | {
        "ms": float(np.mean([each.ms for each in results])), "low": min(each.low for each in results),
        "high": max(each.high for each in results), "sessions": [[each.low, each.ms, each.high] for each in results],
    }  # fmt: skip


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
    )  # fmt: skip


def standing(ledger: Ledger) -> Times:
    """The measurements that a run's study holds."""
    return times_of(ledger.study.user_attrs, ledger.trials())
