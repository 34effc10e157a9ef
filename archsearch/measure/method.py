"""The method by which everything is timed, whatever the device: interleaved visits, paired with a reference network.

A machine's speed drifts by more than networks differ, and what disturbs it comes in bursts. So candidates are visited
in rounds, in random order; the reference is timed before and after every few visits; a visit counts as its ratio to the
reference around it; where the reference moved by more than `drift` between two timings, what lay between is repeated.
A candidate is done when the 95 % bootstrap interval of its median is narrow enough.

This file needs NumPy alone: the runner of the remote device is made of it (remote.py).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np

from archsearch.measure.stats import half_width, low_quartile, median_interval, settled

MOST_RUNS = 40  # of one visit
LEAST_WARM = 10  # before anything counts, however long a run takes: two windows of `stats.settled`
LOOK = 3  # visits between two looks at the interval: who looks after each one stops at the first lucky one
WARM_RUNS = 60  # at most, before anything counts
BINS = 24  # of a measurement's distribution
VISIT_MS = 1.0  # a visit of a short block lasts about this long


class Runnable(Protocol):
    """What is timed: one inference a call [ms]."""

    def run(self) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How hard to try."""

    target: float = 0.03  # half-width of the 95 % interval of the median, a share of it
    least: int = 6  # visits of a candidate
    most: int = 40
    runs: int = 4  # timed runs of a visit, at least; one before them warms the caches and is thrown away
    every: int = 8  # visits between two timings of the reference, at most
    segment_ms: float = 40.0  # and the time between them, about
    drift: float = 0.05  # of the reference between two timings, a share; more, and what lay between is repeated
    warm_ms: float = 1000.0  # of one candidate, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Some runs of one candidate in a row, and what the reference took around them [ms]."""

    times: tuple[float, ...]
    reference: float
    drifted: bool = False

    @property
    def ratio(self) -> float:
        """Its time in units of the reference's."""
        return low_quartile(self.times) / self.reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """How long one candidate takes [ms]."""

    name: str
    ms: float  # median of its ratios to the reference, times what the reference takes undisturbed
    low: float  # 95 % bootstrap interval of that
    high: float
    raw_ms: float  # plain median of all timed runs
    q25_ms: float  # their quartiles
    q75_ms: float
    bins: tuple[int, ...] = ()  # timed runs in equal bins from `bins_ms[0]` to `bins_ms[1]`; longer ones in the last
    bins_ms: tuple[float, float] = (0.0, 0.0)
    visits: int = 1
    runs: int = 1
    repeated: int = 0  # visits that drift made worthless
    settled: bool = True  # whether warm-up came to rest
    precise: bool = False  # whether the interval is as narrow as was asked for
    foreign_load: float | None = None  # cores that other processes kept busy meanwhile, where the system tells
    memory_bytes: int | None = None  # peak resident memory of the runtime with this model, where it was measured

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(slots=True)
class Course:
    """One candidate while it is measured."""

    name: str
    model: Runnable
    runs: int
    settled: bool
    visits: list[Visit] = field(default_factory=list)
    drifted: list[Visit] = field(default_factory=list)

    def done(self, effort: Effort) -> bool:
        """Whether enough is known, or enough was tried."""
        if len(self.visits) + len(self.drifted) >= effort.most:
            return True
        looks = len(self.visits) >= effort.least and (len(self.visits) - effort.least) % LOOK == 0
        return looks and half_width(self._ratios()) <= effort.target

    def _ratios(self) -> list[float]:
        return [visit.ratio for visit in self.counted]

    @property
    def counted(self) -> list[Visit]:
        """The visits that count: undisturbed ones; all of them where too few are."""
        return self.visits if len(self.visits) >= 3 else self.visits + self.drifted

    def result(self, reference_ms: float, effort: Effort) -> Measurement:
        """What its visits say; `reference_ms` is what the reference takes undisturbed."""
        ratios = self._ratios()
        low, high = median_interval(ratios)
        times = [each for visit in self.visits + self.drifted for each in visit.times]
        q25, raw, q75 = (float(each) for each in np.quantile(times, [0.25, 0.5, 0.75]))
        ms = float(np.median(ratios)) * reference_ms
        return Measurement(
            name=self.name, ms=ms, low=low * reference_ms if np.isfinite(low) else ms,
            high=high * reference_ms if np.isfinite(high) else ms, raw_ms=raw, q25_ms=q25, q75_ms=q75,
            **_bins(times), visits=len(self.counted), runs=len(times), repeated=len(self.drifted), settled=self.settled,
            precise=half_width(ratios) <= effort.target,
        )  # fmt: skip


def _bins(times: Sequence[float]) -> dict[str, Any]:
    """The distribution of the runs, from the fastest to twice the distance from there to their upper quartile."""
    least, upper = float(np.min(times)), float(np.quantile(times, 0.75))
    most = least + 2 * max(upper - least, 0.01 * least)
    counts, _ = np.histogram(np.minimum(times, most), bins=BINS, range=(least, most))
    return {"bins": tuple(counts.tolist()), "bins_ms": (least, most)}


Tell = Callable[[int, int], None]  # candidates that are done, of how many


def silent(*_: Any) -> None:
    """No progress shown, nothing kept."""


def measure(
    candidates: Sequence[tuple[str, Runnable]], reference: Runnable, *, anchor: float | None, effort: Effort,
    seed: int = 0, tell: Tell = silent,
) -> tuple[list[Measurement], float]:  # fmt: skip
    """Time some candidates side by side.

    anchor   what the reference takes undisturbed [ms]; None: the median of its timings in this call
    seed     of the order of visits
    returns  the measurements in the order of the candidates, and the anchor
    """
    rng = np.random.default_rng(seed)
    warm_up(reference, effort)
    courses = [_course(name, model, effort) for name, model in candidates]
    timings: list[float] = []
    while waiting := [course for course in courses if not course.done(effort)]:
        order = [waiting[place] for place in rng.permutation(len(waiting))]
        for segment in _segments(order, effort):
            timings += _visit(segment, reference, effort)
        tell(sum(course.done(effort) for course in courses), len(courses))
    base = anchor if anchor is not None else float(np.median(timings)) if timings else low_quartile(reference_runs(
        reference, effort))  # fmt: skip
    return [course.result(base, effort) for course in courses], base


def warm_up(model: Runnable, effort: Effort) -> tuple[bool, list[float]]:
    """Run until the times settle; whether they did, and the times."""
    times: list[float] = []
    while len(times) < WARM_RUNS and (sum(times) < effort.warm_ms or len(times) < LEAST_WARM):
        times.append(model.run())
        if settled(times):
            return True, times
    return False, times


def reference_runs(reference: Runnable, effort: Effort) -> list[float]:
    """The runs of one timing of the reference, one warming the caches before them."""
    reference.run()
    return [reference.run() for _ in range(effort.runs)]


def _course(name: str, model: Runnable, effort: Effort) -> Course:
    calm, times = warm_up(model, effort)
    short = int(np.ceil(VISIT_MS / max(min(times), 1e-6)))
    return Course(name, model, min(max(effort.runs, short), MOST_RUNS), calm)


def _segments(order: Sequence[Course], effort: Effort) -> Iterator[list[Course]]:
    """What is visited between two timings of the reference: a few candidates, and not for long."""
    segment: list[Course] = []
    spent = 0.0
    for course in order:
        segment.append(course)
        spent += _visit_ms(course)
        if len(segment) >= effort.every or spent >= effort.segment_ms:
            yield segment
            segment, spent = [], 0.0
    if segment:
        yield segment


def _visit_ms(course: Course) -> float:
    last = (course.visits or course.drifted)[-1:]
    return sum(last[0].times) if last else VISIT_MS


def _visit(segment: Sequence[Course], reference: Runnable, effort: Effort) -> list[float]:
    """Visit each once, the reference before and behind; its two timings."""
    before = low_quartile(reference_runs(reference, effort))
    seen = []
    for course in segment:
        course.model.run()
        seen.append(tuple(course.model.run() for _ in range(course.runs)))
    after = low_quartile(reference_runs(reference, effort))
    drifted = abs(after / before - 1) > effort.drift
    for nth, (course, times) in enumerate(zip(segment, seen, strict=True)):
        share = (nth + 0.5) / len(segment)
        visit = Visit(times=times, reference=before + share * (after - before), drifted=drifted)
        (course.drifted if drifted else course.visits).append(visit)
    return [before, after]
