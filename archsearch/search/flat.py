"""When to stop: what the sampler expects the next networks to add, and when that is too little."""

import re
from collections.abc import Sequence
from itertools import islice
from statistics import median

from optuna.trial import FrozenTrial

from archsearch.errors import RunError
from archsearch.records import GAIN, STOPPED, TRAINED, WAITING

LAST = 10  # proposals over which the median is taken
LEAST = 20  # networks trained before a search may be called flat


def gain(trials: Sequence[FrozenTrial], *, since: int = 0) -> float | None:
    """The expected gain of hypervolume by the next network, as a share of all so far; None where it is not known.

    The median over the newest LAST proposals that tell one. Those before trial `since` do not count.
    """
    told = newest(trials, since)
    return median(told) if told else None


def is_flat(trials: Sequence[FrozenTrial], share: float, *, since: int = 0) -> str | None:
    """Why a search may stop, or None: LAST proposals with a median below `share`, and at least LEAST networks trained.

    share    of the hypervolume so far
    """
    told = newest(trials, since)
    if len(told) < LAST or median(told) >= share:
        return None
    if sum(trial.user_attrs.get("status") in (TRAINED, STOPPED, WAITING) for trial in trials) < LEAST:
        return None
    return f"flat: the next network is expected to add {percent(median(told))} hypervolume"


def newest(trials: Sequence[FrozenTrial], since: int) -> list[float]:
    """What the newest proposals, at most LAST, were expected to gain, newest first."""
    told = (float(t.system_attrs[GAIN]) for t in reversed(trials[since:]) if GAIN in t.system_attrs)
    return list(islice(told, LAST))


def percent(share: float) -> str:
    """0.04 %, with two digits that say something."""
    if share < 1e-6:
        return "less than 0.0001 %"
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"


def read_share(text: str) -> float:
    """The share that `0.1%`, `0.001` or `1e-3` says.

    raises   RunError where it is none, or not between 0 and 1
    """
    match = re.fullmatch(r"((?:\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})(?:[eE][+-]?\d{1,2})?)\s*(%?)", text.strip())
    share = float(match[1]) / (100 if match[2] else 1) if match else 0.0
    if not 0 < share < 1:
        raise RunError(f"--stop-when-flat {text!r} must be a share of the hypervolume, like 0.1% or 0.001")
    return share
