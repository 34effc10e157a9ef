"""Networks that fit the budget: found by counting, before anything is spent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from archsearch.cost.budget import Budget, exactly, parse_limit, show
from archsearch.cost.count import BUILT_IN
from archsearch.cost.exact.coarse import Near, near
from archsearch.cost.exact.counting import Fitting, Tell, fitting, silent
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
MANY = 0.1  # share of what fits from which drawing meets too many of those drawn before
RARE = 1e-4  # share that fits below which drawing and looking takes too long
SMALL = 300_000  # spaces up to this size are looked at whole


@dataclass(frozen=True, slots=True)
class Pool:
    """Codes that fit, with their costs."""

    codes: Codes
    costs: Costs


def read_budget(texts: Mapping[str, str], space: SearchSpace, own: Mapping[str, float] | None = None) -> Budget:
    """The hard limits of a command, percentages resolved against the space.

    own      metrics that a table tells, and the largest value of each; those of no counter may be fractions
    raises   BudgetError for a text that cannot be read
    """
    return Budget(
        limits={
            name: parse_limit(text, name, lambda name=name: _largest(space, name, own or {}),  # type: ignore[misc]
                              whole=name not in (own or {}) or name in BUILT_IN)
            for name, text in texts.items()
        }
    )  # fmt: skip


def _largest(space: SearchSpace, name: str, own: Mapping[str, float]) -> float:
    return own[name] if name in own else extremes(space, name).high


def check(space: SearchSpace, budget: Budget, tell: Tell = silent) -> None:
    """Raise BudgetError, with the nearest possible value, where no network of the space can meet the budget.

    tell     called as the search for a network goes on
    """
    for name, limit in budget.limits.items():
        ends = extremes(space, name)
        about = "" if ends.exact else "about "
        if ends.low > limit.high:
            raise BudgetError(
                f"no network of space {space.name} has {name} of at most {show(limit.high, name)}; "
                f"the nearest possible is {about}{exactly(ends.low, name)} ({show(ends.low, name)})"
            )
        if ends.high < limit.low:
            raise BudgetError(
                f"no network of space {space.name} has {name} of at least {show(limit.low, name)}; "
                f"the nearest possible is {about}{exactly(ends.high, name)} ({show(ends.high, name)})"
            )
    if budget.limits:
        _found(space, budget, 1, np.random.default_rng(0), tell=tell)


def pool(space: SearchSpace, budget: Budget, n: int, rng: np.random.Generator, *, also: tuple[str, ...] = ()) -> Pool:
    """n different codes that fit the budget, uniform among those that do; at least one.

    Drawn and looked at where enough fit; where fewer than 1 in 10,000 do, or most of those that fit are wanted, drawn
    from their exact count, or, where that would take too long, from all that fit by rounded costs, and looked at. Fewer
    than n only where fewer fit or are found. Not uniform only where rounded costs are too many as well, or leave too
    much that does not fit.

    also     further metrics to count
    raises   BudgetError with the nearest network where none fits, or none is found
    """
    found = _found(space, budget, n, rng)
    codes = rng.permutation(found)[: max(n, 1)] if len(found) > n else found
    return Pool(codes, cost_table(space, tuple(dict.fromkeys([*budget.limits, *also])) or ("madds",)).count(codes))


def _found(space: SearchSpace, budget: Budget, n: int, rng: np.random.Generator, *, tell: Tell = silent) -> Codes:
    """At least one and about n different codes that fit."""
    table = cost_table(space, tuple(budget.limits) or ("madds",))
    whole = space.size <= SMALL
    if whole:
        found, missed = _looked_at(space.enumerate(DRAW), budget, table, space.size)
    else:
        found, missed = _looked_at((space.sample(DRAW, rng) for _ in range(LOOK)), budget, table, n)
        if len(found) < n:
            found = _rare(space, budget, found, missed, n=n, rng=rng, tell=tell)
    if not len(found):
        raise nothing(space, budget, missed, none=None if whole else _ruled_out(space, budget), tell=tell)
    return found


def counted(space: SearchSpace, budget: Budget, tell: Tell = silent) -> Fitting | None:
    """The exact count, or None where it would take too long."""
    try:
        return fitting(space, budget, tell)
    except TooMany:
        return None


def _looked_at(draws: Iterable[Codes], budget: Budget, table: CostTable, n: int) -> tuple[Codes, Codes]:
    """The different codes that fit, until n are found; and the nearest of the others, as long as none is."""
    found: list[Codes] = []
    missed, total = [], 0
    for codes in draws:
        fits = np.broadcast_to(budget.fits(table.count(codes)), (len(codes),))
        found.append(codes[fits])
        total += int(fits.sum())
        if not total:
            missed.append(nearest_first(codes, budget, table))
        if total >= n:
            found = [once(np.concatenate(found))]
            total = len(found[0])
        if total >= n:
            break
    return once(np.concatenate(found)), np.concatenate([*missed, codes[:0]])


def once(codes: Codes) -> Codes:
    """Each code once, in the order of the first of each."""
    rows = np.ascontiguousarray(codes, dtype=np.min_scalar_type(int(codes.max(initial=0))))
    keys = rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1])))[:, 0] if rows.size else rows[:, :0].sum(axis=1)
    return np.asarray(codes[np.sort(np.unique(keys, return_index=True)[1])])


def _ruled_out(space: SearchSpace, budget: Budget) -> bool:
    """Whether counting, exactly or with rounded costs, proves that nothing fits."""
    if counted(space, budget) is not None:
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
        found, looked = once(np.concatenate([found, rough.look(size, rng)])), looked + size
    return found[:n]


def _rare(
    space: SearchSpace, budget: Budget, found: Codes, missed: Codes, *, n: int, rng: np.random.Generator,
    tell: Tell = silent,
) -> Codes:  # fmt: skip
    """n codes where the first draws held fewer: drawn on, or by number from those that fit."""
    share = len(found) / (LOOK * DRAW)
    table = cost_table(space, tuple(budget.limits) or ("madds",))
    if share < RARE or n > share * TRIES * DRAW or n > MANY * share * space.size:
        exact = counted(space, budget, tell)
        if exact is not None:
            return exact.sample(n, rng)
        rough = near(space, budget, tell)
        codes = drawn(rough, n, rng) if rough is not None else found[:0]
        if len(codes) or (rough is not None and rough.count <= WHOLE):
            return codes
    draws = (space.sample(DRAW, rng) for _ in range(TRIES - LOOK))
    more, further = _looked_at(chain([found], draws), budget, table, n)
    return more if len(more) else climb(space, budget, np.concatenate([missed, further]))
