"""Networks that fit the budget: found by counting, before anything is spent."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsearch.cost.budget import Budget, show
from archsearch.cost.extremes import extremes
from archsearch.cost.table import CostTable, cost_table
from archsearch.errors import BudgetError
from archsearch.spec.space import Codes, SearchSpace
from archsearch.spec.text import to_text

Costs = dict[str, NDArray[np.int64]]
DRAW = 8192  # codes drawn at once
TRIES = 256  # draws before the climb
SMALL = 300_000  # spaces up to this size are looked at whole


@dataclass(frozen=True, slots=True)
class Pool:
    """Codes that fit, with their costs."""

    codes: Codes
    costs: Costs


def check(space: SearchSpace, budget: Budget) -> None:
    """Raise BudgetError, with the nearest possible value, where no network of the space can meet the budget."""
    for name, limit in budget.limits.items():
        ends = extremes(space, name)
        about = "" if ends.exact else "about "
        if ends.low > limit.high:
            raise BudgetError(
                f"no network of space {space.name} has {name} of at most {show(limit.high, name)}; "
                f"the nearest possible is {about}{ends.low:,} ({show(ends.low, name)})"
            )
        if ends.high < limit.low:
            raise BudgetError(
                f"no network of space {space.name} has {name} of at least {show(limit.low, name)}; "
                f"the nearest possible is {about}{ends.high:,} ({show(ends.high, name)})"
            )
    if budget.limits:
        pool(space, budget, 1, np.random.default_rng(0))


def pool(space: SearchSpace, budget: Budget, n: int, rng: np.random.Generator, *, also: tuple[str, ...] = ()) -> Pool:
    """At least one and about n codes that fit the budget, uniform among those that do where sampling finds them.

    also     further metrics to count
    raises   BudgetError with the nearest network where none is found
    """
    names = tuple(dict.fromkeys([*budget.limits, *also])) or ("madds",)
    table = cost_table(space, names)
    found: list[Codes] = []
    worst: Codes | None = None
    whole = space.size <= SMALL
    draws = space.enumerate(DRAW) if whole else (space.sample(DRAW, rng) for _ in range(TRIES))
    for codes in draws:
        costs = table.count(codes)
        fits = np.broadcast_to(budget.fits(costs), (len(codes),))
        found.append(codes[fits])
        if not fits.any():
            worst = _nearest(codes if worst is None else np.concatenate([worst, codes]), budget, table)
        if not whole and sum(map(len, found)) >= n:
            break
    codes = np.concatenate(found)
    if len(codes) == 0:
        assert worst is not None
        codes = codes if whole else _climb(space, budget, worst, names)
        if len(codes) == 0:
            raise _nothing(space, budget, worst[0])
    codes = rng.permutation(codes)[: max(n, 1)] if len(codes) > n else codes
    return Pool(codes, table.count(codes))


def breach(budget: Budget, costs: Costs) -> NDArray[np.float64]:
    """How far n networks miss the budget, as the sum of relative excesses: float[n], 0 where it is met."""
    return np.asarray(np.sum([np.maximum(0.0, value) for value in budget.excess(costs).values()], axis=0))


def _nearest(codes: Codes, budget: Budget, table: CostTable) -> Codes:
    """The 64 codes nearest to the budget."""
    return np.asarray(codes[np.argsort(breach(budget, table.count(codes)), kind="stable")[:64]])


def _climb(space: SearchSpace, budget: Budget, codes: Codes, names: tuple[str, ...]) -> Codes:
    """From the nearest codes, change one axis at a time towards the budget; the codes that then meet it."""
    table = cost_table(space, names)
    for _ in range(4):
        for axis, choices in enumerate(space.radix):
            tries = np.repeat(codes[:, None], int(choices), axis=1)
            tries[:, :, axis] = np.arange(int(choices))
            miss = breach(budget, table.count(tries.reshape(-1, codes.shape[1]))).reshape(len(codes), -1)
            codes = tries[np.arange(len(codes)), miss.argmin(axis=1)]
    unique: Codes = np.unique(codes, axis=0)
    fits = np.broadcast_to(budget.fits(table.count(unique)), (len(unique),))
    return np.asarray(unique[fits])


def _nothing(space: SearchSpace, budget: Budget, nearest: Codes) -> BudgetError:
    costs = cost_table(space, tuple(budget.limits)).count(nearest[None])
    told = ", ".join(f"{name} {int(value[0]):,}" for name, value in costs.items())
    return BudgetError(
        f"no network of space {space.name} was found that meets the whole budget; "
        f"the nearest possible has {told}: {to_text(space.decode(nearest))}"
    )
