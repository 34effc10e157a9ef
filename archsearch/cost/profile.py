"""What a budget leaves of a space: how many networks fit, what they cost, which choices they have."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from archsearch.cost.budget import Budget
from archsearch.cost.count import BUILT_IN
from archsearch.cost.ends import Effort, end
from archsearch.cost.exact.counting import Fitting, Tell, fitting
from archsearch.cost.exact.limits import ratio
from archsearch.cost.extremes import extremes
from archsearch.cost.feasible import check, pool
from archsearch.cost.table import cost_table
from archsearch.errors import TooMany
from archsearch.spec.fields import Codes
from archsearch.spec.space import SearchSpace

ALL = 300_000  # networks that fit up to which each of them is looked at
SAMPLE = 4096  # of more than that
DRAWN = 2_000_000  # codes drawn where counting exactly would take too long
Z = 1.959964  # of a 95 % interval


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
    """

    size: int
    fits: int
    interval: tuple[int, int] | None
    looked: int
    metrics: Mapping[str, Spread]
    axes: Mapping[str, tuple[Choice, ...]]


def profile(
    space: SearchSpace, budget: Budget, rng: np.random.Generator, *, tell: Tell = lambda done, total, text: None
) -> Profile:
    """The profile of a space under a budget.

    tell     called as the work goes on
    raises   BudgetError with the nearest possible network where nothing fits
    """
    check(space, budget)
    try:
        return _exact(space, budget, fitting(space, budget, tell), rng, tell=tell)
    except TooMany:
        return _estimated(space, budget, rng, tell)


def _exact(space: SearchSpace, budget: Budget, found: Fitting, rng: np.random.Generator, *, tell: Tell) -> Profile:
    whole = found.count <= ALL
    codes = found.sample(found.count if whole else SAMPLE, rng)
    axes = {
        axis.name: tuple(
            Choice(value=value, share=count / found.count, count=count, ruled_out=not count)
            for value, count in zip(axis.values, found.marginals[axis.name], strict=True)
        )
        for axis in space.axes
    }
    metrics = _metrics(space, budget, codes, effort=None if whole else Effort(each=found.work), tell=tell)
    return Profile(
        size=space.size, fits=found.count, interval=None, looked=len(codes), metrics=metrics, axes=axes
    )  # fmt: skip


def _estimated(space: SearchSpace, budget: Budget, rng: np.random.Generator, tell: Tell) -> Profile:
    table = cost_table(space, tuple(budget.limits) or ("madds",))
    kept: list[Codes] = []
    chunk = DRAWN // 20
    for nth in range(20):
        tell(nth, 20, "drawn, the exact count would take too long")
        codes = space.sample(chunk, rng)
        kept.append(codes[budget.fits(table.count(codes))])
    codes = np.concatenate(kept)
    if not len(codes):
        codes = pool(space, budget, 1, rng).codes
    low, high = wilson(sum(map(len, kept)), DRAWN)
    axes = {}
    for place, axis in enumerate(space.axes):
        shares = np.bincount(codes[:, place], minlength=len(axis.values)) / len(codes)
        axes[axis.name] = tuple(
            Choice(value=value, share=float(share), count=None, ruled_out=not share and _ruled_out(
                space, budget, axis.name, value))
            for value, share in zip(axis.values, shares, strict=True)
        )  # fmt: skip
    return Profile(
        size=space.size, fits=round(space.size * sum(map(len, kept)) / DRAWN),
        interval=(max(1, math.floor(space.size * low)), math.ceil(space.size * high)), looked=len(codes),
        metrics=_metrics(space, budget, codes[:SAMPLE], effort=Effort(left=0), tell=tell), axes=axes,
    )  # fmt: skip


def wilson(found: int, of: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson's score interval)."""
    share, extra = found / of, Z * Z / of
    middle = (share + extra / 2) / (1 + extra)
    half = Z / (1 + extra) * math.sqrt(share * (1 - share) / of + extra / of / 4)
    return max(0.0, middle - half), min(1.0, middle + half)


def _ruled_out(space: SearchSpace, budget: Budget, axis: str, value: Any) -> bool:
    """Whether the extremes of what is left of a space prove that no network with this value fits."""
    left = space.restrict(axis, (value,))
    ends = {name: extremes(left, name) for name in budget.limits}
    return any(
        each.exact and (each.low > budget.limits[name].high or each.high < budget.limits[name].low)
        for name, each in ends.items()
    )


def _metrics(
    space: SearchSpace, budget: Budget, codes: Codes, *, effort: Effort | None, tell: Tell
) -> dict[str, Spread]:
    """Smallest, middle and largest value of each metric; codes are all that fit where `effort` is None."""
    table = cost_table(space, BUILT_IN)
    costs = table.count(codes)
    found: dict[str, Spread] = {}
    for nth, name in enumerate(BUILT_IN):
        alike = ((other, ratio(table, name, other)) for other in found)
        other, times = next((each for each in alike if each[1] is not None), (name, None))
        if times is not None:
            found[name] = found[other].times(times)
            continue
        tell(nth, len(BUILT_IN), f"range of {name}")
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
