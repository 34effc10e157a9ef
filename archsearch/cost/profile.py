"""What a budget leaves of a space: how many networks fit, what they cost, which choices they have."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from archsearch.cost.budget import Budget
from archsearch.cost.count import BUILT_IN
from archsearch.cost.ends import end
from archsearch.cost.estimate import Z, estimate
from archsearch.cost.exact.counting import Effort, Fitting, Tell, fitting, silent
from archsearch.cost.exact.limits import ratio
from archsearch.cost.feasible import check
from archsearch.cost.table import cost_table
from archsearch.errors import TooMany
from archsearch.spec.fields import Codes
from archsearch.spec.space import SearchSpace

ALL = 300_000  # networks that fit up to which each of them is looked at
SAMPLE = 4096  # of more than that


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Values of one metric among the networks that fit; `exact` names those that are proved."""

    low: int
    median: float
    high: int
    exact: tuple[str, ...]  # of "min", "median", "max"

    def times(self, factor: Fraction) -> "Spread":
        """The same of a metric that is a multiple of this one."""
        low, high = int(self.low * factor), int(self.high * factor)
        return Spread(low=low, median=self.median * float(factor), high=high, exact=self.exact)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One value of an axis: its share of the whole space and of what fits, in [0, 1]."""

    value: Any
    share: float
    count: int | None  # networks that fit and have it, where counted exactly
    ruled_out: bool  # proved: no network that fits has it


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Numbers of `archsearch space profile`; all are over codes, not over distinct networks.

    fits      codes that fit: exact, or the estimate
    interval  of 95 % around an estimate; None where `fits` is exact
    looked    networks behind values that are not exact
    error     of 95 % on each side of a choice's share, at most; 0 where shares are exact; None where nothing is known
              of it: no network drawn fits, and those looked at were found in another way
    """

    size: int
    fits: int
    interval: tuple[int, int] | None
    looked: int
    error: float | None
    metrics: Mapping[str, Spread]
    axes: Mapping[str, tuple[Choice, ...]]


def profile(
    space: SearchSpace, budget: Budget, rng: np.random.Generator, *, tell: Tell = silent, others: Sequence[str] = ()
) -> Profile:  # fmt: skip
    """The profile of a space under a budget.

    tell     called as the work goes on
    others   metrics whose ranges are told beside the built-in ones
    raises   BudgetError with the nearest possible network where nothing fits
    """
    check(space, budget, tell)
    try:
        found = _exact(space, budget, fitting(space, budget, tell), rng, tell=tell, names=(*BUILT_IN, *others))
    except TooMany:
        found = _estimated(space, budget, rng, tell, (*BUILT_IN, *others))
    return found


def _exact(
    space: SearchSpace, budget: Budget, found: Fitting, rng: np.random.Generator, *, tell: Tell, names: Sequence[str]
) -> Profile:  # fmt: skip
    whole = found.count <= ALL
    codes = found.sample(found.count if whole else SAMPLE, rng)
    axes = {
        axis.name: tuple(
            Choice(value=value, share=count / found.count, count=count, ruled_out=not count)
            for value, count in zip(axis.values, found.marginals[axis.name], strict=True)
        )
        for axis in space.axes
    }
    effort = None if whole else Effort(each=found.work)
    metrics = _metrics(space, budget, codes, effort=effort, tell=tell, names=names)
    return Profile(
        size=space.size, fits=found.count, interval=None, looked=len(codes), error=0.0, metrics=metrics, axes=axes
    )  # fmt: skip


def _estimated(
    space: SearchSpace, budget: Budget, rng: np.random.Generator, tell: Tell, names: Sequence[str]
) -> Profile:  # fmt: skip
    found = estimate(space, budget, rng, tell)
    whole, codes = found.interval is None, found.codes
    axes = {}
    for place, axis in enumerate(space.axes):
        seen = np.bincount(codes[:, place], minlength=len(axis.values)).tolist()
        axes[axis.name] = tuple(
            Choice(value=value, share=count / len(codes), count=count if whole else None, ruled_out=gone)
            for value, count, gone in zip(axis.values, seen, found.ruled_out[axis.name], strict=True)
        )
    effort = None if whole else Effort(left=0)
    metrics = _metrics(space, budget, codes, effort=effort, tell=tell, names=names)
    error = 0.0 if whole else Z / 2 / math.sqrt(len(codes)) if found.uniform else None
    return Profile(
        size=space.size, fits=found.fits, interval=found.interval, looked=len(codes), error=error, metrics=metrics,
        axes=axes,
    )  # fmt: skip


def _metrics(
    space: SearchSpace, budget: Budget, codes: Codes, *, effort: Effort | None, tell: Tell, names: Sequence[str]
) -> dict[str, Spread]:
    """Smallest, middle and largest value of each metric; codes are all that fit where `effort` is None."""
    table = cost_table(space, names)
    costs = table.count(codes)
    found: dict[str, Spread] = {}
    for nth, name in enumerate(names):
        alike = ((other, ratio(table, name, other)) for other in found)
        other, times = next((each for each in alike if each[1] is not None), (name, None))
        if times is not None:
            found[name] = found[other].times(times)
            continue
        tell(nth, len(names), f"range of {name}")
        ends = {"min": int(costs[name].min()), "max": int(costs[name].max())}
        exact = {"min", "median", "max"}
        if effort is not None:
            exact = set()
            for which, sign in (("min", 1), ("max", -1)):
                ends[which], proved = end(space, budget, name, sign, codes=codes, effort=effort)
                exact |= {which} if proved else set()
        found[name] = Spread(
            low=ends["min"], median=float(np.median(costs[name])), high=ends["max"], exact=tuple(sorted(exact))
        )  # fmt: skip
    return found
