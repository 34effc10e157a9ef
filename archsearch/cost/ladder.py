"""A budget ladder: several limits on one metric, one search, and the best network within each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archsearch.cost.budget import Budget, Limit, show
from archsearch.cost.feasible import check, read_budget
from archsearch.errors import BudgetError
from archsearch.spec.space import SearchSpace


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """Limits on one metric, rising; the largest is the hard one."""

    metric: str
    rungs: tuple[float, ...]


def read_limits(
    texts: Mapping[str, str], space: SearchSpace, own: Mapping[str, float] | None = None
) -> tuple[Budget, Ladder | None]:
    """The hard limits of a command and, where a limit is written `50M,100M,200M`, the ladder.

    The order of rungs is free; percentages are of the space's largest.
    own      metrics that a table tells, and the largest value of each
    raises   BudgetError for a text that cannot be read, equal rungs, a range as a rung, a second ladder
    """
    steps = {name: text.split(",") for name, text in texts.items()}
    several = [name for name, words in steps.items() if len(words) > 1]
    if len(several) > 1:
        raise BudgetError(f"budgets on {' and '.join(several)} are both ladders; at most one may have several rungs")
    budget = read_budget({name: text for name, text in texts.items() if name not in several}, space, own)
    if not several:
        return budget, None
    metric = several[0]
    rungs = tuple(sorted(_rung(word, metric, space, own) for word in steps[metric]))
    for low, high in zip(rungs, rungs[1:], strict=False):
        if low == high:
            raise BudgetError(
                f"ladder {texts[metric]!r} on {metric} has two rungs at {show(low, metric)}; write it once"
            )
    limits = {name: budget.limits.get(name, Limit(high=rungs[-1])) for name in texts}
    return Budget(limits=limits), Ladder(metric=metric, rungs=rungs)


def check_ladder(space: SearchSpace, budget: Budget, ladder: Ladder) -> None:
    """Raise BudgetError, with the nearest possible value, where no network can meet the lowest rung."""
    check(space, lowest(budget, ladder))


def lowest(budget: Budget, ladder: Ladder) -> Budget:
    """The limits of the lowest rung."""
    return replace(budget, limits={**budget.limits, ladder.metric: Limit(high=ladder.rungs[0])})


def best_within(rungs: Sequence[float], cost: ArrayLike, top1: ArrayLike) -> NDArray[np.int64]:
    """The row of the most accurate network within each rung, int64[rungs]; -1 where there is none.

    cost, top1   float[n]; rows with NaN are never best
    Ties go to the cheaper network, then to the earlier row.
    """
    costs, accuracies = np.asarray(cost, dtype=float), np.asarray(top1, dtype=float)
    order = np.lexsort((np.arange(len(costs)), costs, -accuracies))
    order = order[~np.isnan(accuracies[order])]
    inside = [order[costs[order] <= rung] for rung in rungs]
    return np.array([rows[0] if len(rows) else -1 for rows in inside], dtype=np.int64)


def _rung(word: str, metric: str, space: SearchSpace, own: Mapping[str, float] | None) -> float:
    if ".." in word:
        raise BudgetError(f"rung {word.strip()!r} on {metric} is a range; a ladder has single limits, like 50M,100M")
    return read_budget({metric: word}, space, own).limits[metric].high
