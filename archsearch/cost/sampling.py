"""Networks drawn from those that fit: uniform, or even over the logarithm of MAdds; and budgets as a band."""

import math
import re
from collections.abc import Mapping
from contextlib import suppress

import numpy as np

from archsearch.cost.budget import Budget, Limit
from archsearch.cost.ends import end
from archsearch.cost.exact.counting import Effort, Tell, silent
from archsearch.cost.extremes import extremes
from archsearch.cost.feasible import check, once, pool
from archsearch.cost.table import cost_table
from archsearch.errors import BudgetError
from archsearch.spec.fields import Codes
from archsearch.spec.space import SearchSpace

SPREADS = ("uniform", "log-madds")
SLICES = 32  # of the logarithm of MAdds
CANDIDATES = 64  # codes of each slice, at least


def draw(
    space: SearchSpace, budget: Budget, n: int, rng: np.random.Generator, *, spread: str = "uniform",
    tell: Tell = silent,
) -> Codes:  # fmt: skip
    """n codes that fit, each once: int64[<=n, axes]; fewer only where fewer fit or are found.

    spread   "uniform" over the codes that fit; "log-madds": costs are drawn uniformly from the logarithm of the MAdds
             of those that fit, and for each the nearest of some thousand candidates is taken
    tell     called as the search for a network that fits goes on
    raises   BudgetError where nothing fits, or for an unknown spread
    """
    if spread not in SPREADS:
        raise BudgetError(f"spread {spread!r} is none of {', '.join(SPREADS)}")
    check(space, budget, tell)
    if spread == "uniform":
        return pool(space, budget, n, rng).codes[:n]
    codes = _candidates(space, budget, CANDIDATES + 2 * n // SLICES, rng)
    if len(codes) < n:  # parts of the range have fewer than their share
        codes = once(np.concatenate([codes, pool(space, budget, n, rng).codes]))
    logs = np.log(np.maximum(cost_table(space, ("madds",)).count(codes)["madds"], 1))
    order = np.argsort(logs, kind="stable")
    left, found = logs[order], []
    for wanted in rng.uniform(left[0], left[-1], size=min(n, len(codes))):
        place = int(np.searchsorted(left, wanted))
        place -= place == len(left) or (place > 0 and wanted - left[place - 1] < left[place] - wanted)
        found.append(order[place])
        left, order = np.delete(left, place), np.delete(order, place)
    return np.asarray(codes[found])


def _candidates(space: SearchSpace, budget: Budget, each: int, rng: np.random.Generator) -> Codes:
    """Codes that fit from every part of the range of MAdds, uniform within each part."""
    ends, limit = extremes(space, "madds"), budget.limits.get("madds", Limit())
    low, high = max(ends.low, limit.low, 1), min(ends.high, limit.high)
    least, most = _reached(space, budget, rng) if budget.limits.keys() - {"madds"} else (low, high)
    edges = np.floor(np.geomspace(max(least, 1), max(least, most, 1) + 1, SLICES + 1))
    edges[[0, -1]] = low, max(low, high) + 1  # what lies beyond what a climb has reached belongs to the last parts
    found = []
    for first, last in zip(edges[:-1], edges[1:] - 1, strict=True):
        if first <= last:
            part = Budget(limits={**budget.limits, "madds": Limit(low=first, high=last)})
            with suppress(BudgetError):
                found.append(pool(space, part, each, rng).codes)
    return once(np.concatenate(found or [pool(space, budget, each * SLICES, rng).codes]))


def _reached(space: SearchSpace, budget: Budget, rng: np.random.Generator) -> tuple[int, int]:
    """The least and the greatest MAdds of networks that fit, as far as climbing finds them.

    Where other limits bind, parts of the range hold nothing, and to prove that of each of them takes seconds.
    """
    codes, effort = pool(space, budget, CANDIDATES, rng).codes, Effort(left=0)
    least, most = (end(space, budget, "madds", sign, codes=codes, effort=effort)[0] for sign in (1, -1))
    return least, most


def narrowed(budget: Budget, texts: Mapping[str, str], text: str) -> Budget:
    """The budget with its first limit narrowed to a share of its upper end, from `0.9..1.0`.

    texts    the limits as they were written, in order
    raises   BudgetError where there is no limit, the first is a range already, or the text is no band
    """
    match = re.fullmatch(r"(\d*\.?\d+)\.\.(\d*\.?\d+)", text.strip())
    if match is None or not 0 <= float(match[1]) <= float(match[2]) <= 1:
        raise BudgetError(f"band {text!r} cannot be read; write 0.9..1.0, two shares of the budget from 0 to 1")
    if not texts:
        raise BudgetError(f"band {text!r} is a share of a budget; give one, like --budget-madds 300M")
    name = next(iter(texts))
    limit = budget.limits[name]
    if limit.low > 0:
        raise BudgetError(
            f"band {text!r} and the range {texts[name]!r} for {name} both give a lower end; leave one out"
        )
    low, high = (float(word) * limit.high for word in match.groups())
    return Budget(limits={**budget.limits, name: Limit(low=math.ceil(low - 1e-6), high=math.floor(high + 1e-6))})
