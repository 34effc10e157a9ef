"""What a sampler may read from an Optuna study: the networks that were judged, those that are being, those to leave."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from archsearch.records import GIVEN, OVER, REPLAYED, STOPPED, TRAINED, WAITING, stands
from archsearch.search.columns import Columns
from archsearch.search.tally import Follower
from archsearch.spec.fields import Axis, Codes
from archsearch.surrogate.domain import Domain, Floats, Networks, joined

SE = "top1_se"  # user attribute: standard error of a trial's accuracy; 0 where it is missing
SOURCE = "source"  # user attribute of a trial whose result was taken over: the run that it comes from
OPEN = (TrialState.RUNNING, TrialState.WAITING)
PARTS = ("codes", "slots", "costs", "traits", "names")  # the arrays of `Networks`


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The trials of a study, as arrays."""

    judged: Networks  # one row a trial with a result, in their order; the same network may be there more than once
    top1: Floats  # of each, float64[n]
    error: Floats  # its standard error, float64[n]
    numbers: NDArray[np.int64]  # the trials' numbers
    source: NDArray[np.int64]  # 0: judged by this run or made alike; k: made otherwise, by sources[k - 1]
    sources: tuple[str, ...]  # earlier runs, in the order in which they came
    pending: Networks  # being judged now
    failed: Networks  # not to be tried again, and nothing known of them
    settled: set[bytes]  # names of failed ones and of judged ones of source 0; grows with the study, do not change it

    @property
    def seen(self) -> set[bytes]:
        """Names of all networks that need not be proposed again."""
        return self.settled.union(self.pending)


def _is_settled(trial: FrozenTrial) -> bool:
    """Whether a trial will not change; one that waits at a rung is shown as complete (`Mirror`), and may."""
    return trial.state.is_finished() and trial.user_attrs.get("status") != WAITING


@dataclass(slots=True)
class _Kept:
    """What was read so far: settled trials never change."""

    judged: Columns
    failed: Columns
    none: Networks
    follower: Follower = field(default_factory=lambda: Follower(_is_settled))
    open: dict[int, Networks] = field(default_factory=dict)  # trial's number -> its network
    sources: list[str] = field(default_factory=list)
    settled: set[bytes] = field(default_factory=set)


def read(study: Study, domain: Domain, memory: dict[str, Any]) -> History:
    """The history of a study whose parameters are the domain's axes; its first objective is the accuracy.

    Trials over budget (by their status, or by a broken constraint where they have none) are left out, and so are trials
    that lack a parameter: Optuna gives the one that is being asked for its axes of one value beforehand. A network that
    was trained and does not fit any more is judged.
    memory   kept by the caller between calls, or empty: a call then costs what is new, and the trials that run
    """
    if "history" not in memory:
        memory["history"] = _empty(domain)
    kept: _Kept = memory["history"]
    needed = {axis.name for axis in domain.axes}
    news = [t for t in kept.follower.news(study.get_trials(deepcopy=False)) if needed <= t.params.keys()]
    unknown = [t for t in news if t.number not in kept.open]
    if unknown:
        looked = domain.look(np.stack([code_of(domain.axes, t.params) for t in unknown]))
        kept.open |= {t.number: looked.take([row]) for row, t in enumerate(unknown)}
    ended = {t.number: kept.open.pop(t.number) for t in news if _is_settled(t)}
    _settle(kept, [t for t in news if t.number in ended], ended)
    rung = sorted((t for t in news if t.state not in OPEN and not _is_settled(t)), key=lambda trial: trial.number)
    judged = _with_rungs(kept, rung)
    busy = kept.open.keys() - {t.number for t in rung}
    return History(
        judged=_networks(judged),
        top1=judged.view("top1"),
        error=judged.view("error"),
        numbers=judged.view("numbers"),
        source=judged.view("source"),
        sources=tuple(kept.sources),
        pending=joined([kept.none, *(kept.open[number] for number in sorted(busy))]),
        failed=_networks(kept.failed),
        settled=kept.settled,
    )  # fmt: skip


def code_of(axes: tuple[Axis, ...], params: Mapping[str, Any]) -> Codes:
    """The code int64[axes] of a trial's parameters."""
    return np.array([axis.values.index(params[axis.name]) for axis in axes], dtype=np.int64)


def values_of(axes: tuple[Axis, ...], code: Codes) -> dict[str, Any]:
    """A code as a trial's parameters."""
    return {axis.name: axis.values[int(choice)] for axis, choice in zip(axes, code, strict=True)}


def _empty(domain: Domain) -> _Kept:
    none = domain.look(np.zeros((0, len(domain.axes)), dtype=np.int64))
    columns = {name: getattr(none, name) for name in PARTS} | {"numbers": np.zeros(0, dtype=np.int64)}
    results = {"top1": np.zeros(0), "error": np.zeros(0), "source": np.zeros(0, dtype=np.int64)}
    return _Kept(judged=Columns(columns | results), failed=Columns(columns), none=none)


def _settle(kept: _Kept, trials: Sequence[FrozenTrial], networks: Mapping[int, Networks]) -> None:
    """Keep trials that have ended, by number."""
    trials = sorted(trials, key=lambda trial: trial.number)
    for state, columns in (("judged", kept.judged), ("failed", kept.failed)):
        part = [t for t in trials if _state(t) == state]
        if not part:
            continue
        found = joined([networks[t.number] for t in part])
        rows = {name: getattr(found, name) for name in PARTS} | {"numbers": np.array([t.number for t in part])}
        if state == "judged":
            rows |= _results(kept, part)
        columns.add(rows)
        own = rows["source"] == 0 if state == "judged" else slice(None)
        kept.settled.update(found.take(own))


def _with_rungs(kept: _Kept, waiting: Sequence[FrozenTrial]) -> Columns:
    """What is judged, and what waits at a rung with what is expected of it."""
    if not waiting:
        return kept.judged
    found = joined([kept.open[t.number] for t in waiting])
    kept.settled.update(found)
    rows = {name: getattr(found, name) for name in PARTS} | {"numbers": np.array([t.number for t in waiting])}
    return kept.judged.merged(rows | _results(kept, waiting))


def _results(kept: _Kept, trials: Sequence[FrozenTrial]) -> dict[str, NDArray[Any]]:
    return {
        "top1": np.array([t.values[0] for t in trials], dtype=float),
        "error": np.array([t.user_attrs.get(SE, 0.0) for t in trials], dtype=float),
        "source": np.array([_source(kept, t.user_attrs) for t in trials], dtype=np.int64),
    }


def _source(kept: _Kept, attrs: Mapping[str, Any]) -> int:
    if attrs.get("status") != GIVEN or stands(attrs):
        return 0
    name = str(attrs.get(SOURCE))
    if name not in kept.sources:
        kept.sources.append(name)
    return kept.sources.index(name) + 1


def _networks(columns: Columns) -> Networks:
    return Networks(**{name: columns.view(name) for name in PARTS})


def _state(trial: FrozenTrial) -> str:
    status = trial.user_attrs.get("status")
    if status == OVER:
        return "left"
    if status == GIVEN:
        return "judged"
    if trial.state != TrialState.COMPLETE:
        return "failed"
    if status in (TRAINED, REPLAYED, STOPPED):
        return "judged"
    return "left" if any(value > 0 for value in (trial.constraints or {}).values()) else "judged"
