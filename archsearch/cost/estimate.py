"""How many networks fit, estimated from networks drawn: of the whole space, or of all that fit by rounded costs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from archsearch.cost.budget import Budget
from archsearch.cost.exact.coarse import Near, near
from archsearch.cost.exact.counting import Tell
from archsearch.cost.extremes import extremes
from archsearch.cost.feasible import WHOLE, pool
from archsearch.cost.table import cost_table
from archsearch.errors import BudgetError
from archsearch.spec.fields import Codes
from archsearch.spec.space import SearchSpace

DRAWN = 2_000_000  # codes of the whole space
CHUNK = 100_000  # of them at once
COMMON = 0.01  # share of the space that fits from which drawing from the whole of it is precise enough
WANTED = 10_000  # networks that fit, of those that fit by rounded costs
PILOT = 2048  # draws that say how many are needed
FEWEST, MOST = 16_384, 60_000  # draws at least and at most; codes that are kept at most
Z = 1.959964  # of a 95 % interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What was found by drawing.

    fits       codes that fit
    interval   of 95 % around it; None where every code that fits was looked at
    codes      drawn, that fit, uniform among those that do; all of them where `interval` is None
    ruled_out  axis name -> for each of its choices whether it is proved that no code that fits has it
    uniform    whether `codes` are; if not, none was drawn that fits, and they were found in another way
    """

    fits: int
    interval: tuple[int, int] | None
    codes: Codes
    ruled_out: Mapping[str, tuple[bool, ...]]
    uniform: bool = True


def estimate(space: SearchSpace, budget: Budget, rng: np.random.Generator, tell: Tell) -> Estimate:
    """The estimate: of the whole space where at least 1 in 100 codes fits, else of what rounded costs leave.

    raises   BudgetError where nothing fits, or nothing is found
    """
    first = _fitting(space, budget, min(CHUNK, DRAWN), rng)
    rough = near(space, budget, tell) if len(first) < COMMON * min(CHUNK, DRAWN) else None
    if rough is None:
        return _of_all(space, budget, rng, tell)
    return _of_near(rough, rng, tell)


def _of_near(rough: Near, rng: np.random.Generator, tell: Tell) -> Estimate:
    """From networks that fit by rounded costs. The interval stays within what these costs prove."""
    space, budget = rough.space, rough.budget
    if rough.count <= WHOLE:
        codes = rough.all()
        if not len(codes):
            raise BudgetError(f"no network of space {space.name} meets the whole budget")
        seen = _seen(space, codes)
        return Estimate(fits=len(codes), interval=None, codes=codes,
                        ruled_out={name: tuple(not each for each in mine) for name, mine in seen.items()})  # fmt: skip
    tell(0, 2, "networks drawn, the exact count would take too long")
    share = max(1, len(rough.look(PILOT, rng))) / PILOT
    n = int(min(max(WANTED / share, FEWEST), MOST))
    codes = rough.look(n, rng)
    tell(1, 2, "networks drawn, the exact count would take too long")
    low, high = wilson(len(codes), n)
    uniform = len(codes) > 0
    return Estimate(
        fits=min(max(round(rough.count * len(codes) / n), rough.least, 1), rough.count),
        interval=(max(1, rough.least, math.floor(rough.count * low)), min(rough.count, math.ceil(rough.count * high))),
        codes=codes if uniform else pool(space, budget, 1, rng).codes, uniform=uniform,
        ruled_out={name: tuple(not each for each in mine) for name, mine in rough.outer.marginals.items()},
    )  # fmt: skip


def _of_all(space: SearchSpace, budget: Budget, rng: np.random.Generator, tell: Tell) -> Estimate:
    """From networks of the whole space; a choice is ruled out by the extremes of what is left of the space with it."""
    codes, found, seen = space.sample(0, rng), 0, _seen(space, space.sample(0, rng))
    sizes = [min(CHUNK, DRAWN - begin) for begin in range(0, DRAWN, CHUNK)]
    for nth, size in enumerate(sizes):
        tell(nth, len(sizes), "chunks drawn, the exact count would take too long")
        more = _fitting(space, budget, size, rng)
        found += len(more)
        seen = {name: np.add(each, mine).tolist() for (name, each), mine in
                zip(seen.items(), _seen(space, more).values(), strict=True)}  # fmt: skip
        codes = np.concatenate([codes, more[: MOST - len(codes)]])
    if not found:
        codes = pool(space, budget, 1, rng).codes
        seen = _seen(space, codes)
    low, high = wilson(found, DRAWN)
    ruled_out = {
        axis.name: tuple(
            not hits and _beyond(space, budget, axis.name, value)
            for value, hits in zip(axis.values, seen[axis.name], strict=True)
        )
        for axis in space.axes
    }
    return Estimate(
        fits=max(1, round(space.size * found / DRAWN)), codes=codes, ruled_out=ruled_out, uniform=found > 0,
        interval=(max(1, math.floor(space.size * low)), math.ceil(space.size * high)),
    )  # fmt: skip


def _fitting(space: SearchSpace, budget: Budget, n: int, rng: np.random.Generator) -> Codes:
    """Those that fit of n codes drawn."""
    codes = space.sample_compact(n, rng)
    costs = cost_table(space, tuple(budget.limits) or ("madds",)).count(codes)
    return np.asarray(codes[np.broadcast_to(budget.fits(costs), (n,))], dtype=np.int64)


def _seen(space: SearchSpace, codes: Codes) -> dict[str, list[int]]:
    """Axis name -> for each of its choices, how many of the codes have it."""
    return {
        axis.name: np.bincount(codes[:, place], minlength=len(axis.values)).tolist()
        for place, axis in enumerate(space.axes)
    }


def wilson(found: int, of: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson's score interval)."""
    share, extra = found / of, Z * Z / of
    middle = (share + extra / 2) / (1 + extra)
    half = Z / (1 + extra) * math.sqrt(share * (1 - share) / of + extra / of / 4)
    return max(0.0, middle - half), min(1.0, middle + half)


def _beyond(space: SearchSpace, budget: Budget, axis: str, value: Any) -> bool:
    """Whether the extremes of what is left of a space prove that no network with this value fits."""
    left = space.restrict(axis, (value,))
    ends = {name: extremes(left, name) for name in budget.limits}
    return any(
        each.exact and (each.low > budget.limits[name].high or each.high < budget.limits[name].low)
        for name, each in ends.items()
    )
