"""What a sampler may read from an Optuna study: the networks that were judged, those that are being, those to leave."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from archsearch.spec.fields import Axis, Codes
from archsearch.surrogate.domain import Domain, Floats, Networks, joined

SE = "top1_se"  # user attribute: standard error of a trial's accuracy; 0 where it is missing
GAIN = "archsearch:gain"  # system attribute: expected gain of hypervolume of a proposal, as a share of that so far
OPEN = (TrialState.RUNNING, TrialState.WAITING)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The trials of a study, as arrays."""

    judged: Networks  # one row a finished trial, in their order; the same network may be there more than once
    top1: Floats  # of each, float64[n]
    error: Floats  # its standard error, float64[n]
    numbers: NDArray[np.int64]  # the trials' numbers
    pending: Networks  # being judged now
    failed: Networks  # not to be tried again, and nothing known of them

    @property
    def seen(self) -> set[bytes]:
        """Names of all networks that need not be proposed again."""
        return {*self.judged, *self.pending, *self.failed}


@dataclass(slots=True)
class _Kept:
    """The networks that were looked up so far; a trial's parameters never change."""

    networks: Networks
    rows: dict[int, int] = field(default_factory=dict)  # trial's number -> row


def read(study: Study, domain: Domain, memory: dict[str, Any]) -> History:
    """The history of a study whose parameters are the domain's axes; its first objective is the accuracy.

    memory   kept by the caller between calls, or empty: only what is new is then looked up. Trials over budget (those
             with a broken constraint) and trials without parameters are left out.
    """
    trials = [t for t in study.get_trials(deepcopy=False) if t.params or not domain.axes]
    kept = memory.setdefault("history", _Kept(domain.look(np.zeros((0, len(domain.axes)), dtype=np.int64))))
    new = [t for t in trials if t.number not in kept.rows]
    if new:
        looked = domain.look(np.stack([code_of(domain.axes, t.params) for t in new]))
        kept.rows |= {t.number: row for row, t in enumerate(new, start=len(kept.networks))}
        kept.networks = joined([kept.networks, looked])
    parts = {state: [t for t in trials if _state(t) == state] for state in ("judged", "pending", "failed")}
    rows = {state: np.array([kept.rows[t.number] for t in part], dtype=np.int64) for state, part in parts.items()}
    judged = parts["judged"]
    return History(
        judged=kept.networks.take(rows["judged"]),
        top1=np.array([t.values[0] for t in judged], dtype=float),
        error=np.array([t.user_attrs.get(SE, 0.0) for t in judged], dtype=float),
        numbers=np.array([t.number for t in judged], dtype=np.int64),
        pending=kept.networks.take(rows["pending"]),
        failed=kept.networks.take(rows["failed"]),
    )


def code_of(axes: tuple[Axis, ...], params: Mapping[str, Any]) -> Codes:
    """The code int64[axes] of a trial's parameters."""
    return np.array([axis.values.index(params[axis.name]) for axis in axes], dtype=np.int64)


def values_of(axes: tuple[Axis, ...], code: Codes) -> dict[str, Any]:
    """A code as a trial's parameters."""
    return {axis.name: axis.values[int(choice)] for axis, choice in zip(axes, code, strict=True)}


def _state(trial: FrozenTrial) -> str:
    if trial.state in OPEN:
        return "pending"
    if trial.state != TrialState.COMPLETE:
        return "failed"
    return "left" if any(value > 0 for value in (trial.constraints or {}).values()) else "judged"
