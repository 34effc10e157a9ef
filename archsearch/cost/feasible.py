"""Networks that fit the budget: found by counting, before anything is spent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsearch.cost.budget import Budget, parse_limit, show
from archsearch.cost.exact.coarse import Near, near
from archsearch.cost.exact.counting import Fitting, fitting
from archsearch.cost.extremes import extremes
from archsearch.cost.nearest import climb, nearest_first, nothing
from archsearch.cost.table import CostTable, cost_table
from archsearch.errors import BudgetError, TooMany
from archsearch.spec.fields import Codes
from archsearch.spec.space import SearchSpace

Costs = dict[str, NDArray[np.int64]]
DRAW = 8192  # codes drawn at once
LOOK = 16  # draws after which the share that fits is judged
ROUGH = 500_000  # draws at most from what rounded costs leave
WHOLE = 300_000  # codes left by rounded costs up to which each of them is looked at
TRIES = 256  # draws at most
RARE = 1e-4  # share that fits below which drawing and looking takes too long
SMALL = 300_000  # spaces up to this size are looked at whole


@dataclass(frozen=True, slots=True)
class Pool:
    """Codes that fit, with their costs."""

    codes: Codes
    costs: Costs


def read_budget(texts: Mapping[str, str], space: SearchSpace) -> Budget:
    """The hard limits of a command, percentages resolved against the space.

    raises   BudgetError for a text that cannot be read
    """
    return Budget(
        limits={
            name: parse_limit(text, name, lambda name=name: extremes(space, name).high)  # type: ignore[misc]
            for name, text in texts.items()
        }
    )


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
    """At least one and about n codes that fit the budget, uniform among those that do.

    Drawn and looked at where enough fit; where fewer than 1 in 10,000 do, drawn from their exact count, or, where that
    would take too long, from all that fit by rounded costs, and looked at. Fewer than n only where fewer fit or are
    found. Not uniform only where rounded costs are too many as well, or leave too much that does not fit.

    also     further metrics to count
    raises   BudgetError with the nearest network where none fits, or none is found
    """
    names = tuple(dict.fromkeys([*budget.limits, *also])) or ("madds",)
    table = cost_table(space, names)
    if space.size <= SMALL:
        found, missed = _looked_at(space.enumerate(DRAW), budget, table, space.size)
    else:
        found, missed = _looked_at((space.sample(DRAW, rng) for _ in range(LOOK)), budget, table, n)
        if len(found) < n:
            found = _rare(space, budget, found, missed, n=n, rng=rng)
    if not len(found):
        raise nothing(space, budget, missed, whole=space.size <= SMALL, none=_ruled_out(space, budget))
    codes = rng.permutation(found)[: max(n, 1)] if len(found) > n else found
    return Pool(codes, table.count(codes))


def counted(space: SearchSpace, budget: Budget) -> Fitting | None:
    """The exact count, or None where it would take too long."""
    try:
        return fitting(space, budget)
    except TooMany:
        return None


def _looked_at(draws: Iterable[Codes], budget: Budget, table: CostTable, n: int) -> tuple[Codes, Codes]:
    """The codes that fit, until n are found; and the nearest of the others, as long as none is."""
    found, missed, total = [], [], 0
    for codes in draws:
        fits = np.broadcast_to(budget.fits(table.count(codes)), (len(codes),))
        found.append(codes[fits])
        total += int(fits.sum())
        if not total:
            missed.append(nearest_first(codes, budget, table))
        if total >= n:
            break
    return np.concatenate(found), np.concatenate([*missed, codes[:0]])


def _ruled_out(space: SearchSpace, budget: Budget) -> bool:
    """Whether rounded costs prove that nothing fits."""
    if space.size <= SMALL or counted(space, budget) is not None:
        return True
    rough = near(space, budget)
    return rough is not None and not rough.count


def drawn(rough: Near, n: int, rng: np.random.Generator) -> Codes:
    """n different codes that fit, uniform among those that do; fewer where fewer fit, or too few are found."""
    if rough.count <= WHOLE:
        return rng.permutation(rough.all())[:n]
    found = np.zeros((0, len(rough.space.axes)), dtype=np.int64)
    looked = 0
    while len(found) < n and looked < ROUGH:
        wanted = 1.2 * (n - len(found)) * max(looked, 1) / max(len(found), 1)
        size = int(min(max(wanted, DRAW // 4), LOOK * DRAW))
        both = np.concatenate([found, rough.look(size, rng)])
        _, first = np.unique(both, axis=0, return_index=True)
        found, looked = both[np.sort(first)], looked + size
    return found[:n]


def _rare(
    space: SearchSpace, budget: Budget, found: Codes, missed: Codes, *, n: int, rng: np.random.Generator
) -> Codes:
    """n codes where the first draws held fewer: drawn on, or by number from those that fit."""
    share = len(found) / (LOOK * DRAW)
    table = cost_table(space, tuple(budget.limits) or ("madds",))
    if share < RARE or n > share * TRIES * DRAW:
        exact = counted(space, budget)
        if exact is not None:
            return exact.sample(n, rng)
        rough = near(space, budget)
        codes = drawn(rough, n, rng) if rough is not None else found[:0]
        if len(codes) or (rough is not None and rough.count <= WHOLE):
            return codes
    more, further = _looked_at((space.sample(DRAW, rng) for _ in range(TRIES - LOOK)), budget, table, n - len(found))
    both = np.concatenate([found, more])
    return both if len(both) else climb(space, budget, np.concatenate([missed, further]))
