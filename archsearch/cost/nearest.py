"""Where nothing fits: the network that breaks the budget least."""

import numpy as np
from numpy.typing import NDArray

from archsearch.cost.budget import Budget, Limit, exactly
from archsearch.cost.climb import climbed
from archsearch.cost.exact.counting import Effort, Tell, silent
from archsearch.cost.table import CostTable, cost_table
from archsearch.errors import BudgetError, TooMany
from archsearch.spec.fields import Codes
from archsearch.spec.space import SearchSpace
from archsearch.spec.text import to_text

STARTS = 64  # codes from which a climb begins
ROUNDS = 40  # of closing in on the nearest
WORK = 12_000_000  # different costs of half networks that are counted for it, at most: about 6 s
CLOSER = 1 - 1e-12


def breach(budget: Budget, costs: dict[str, NDArray[np.int64]]) -> NDArray[np.float64]:
    """How far n networks miss the budget, as the sum of relative excesses: float[n], 0 where it is met."""
    return np.asarray(np.sum([np.maximum(0.0, value) for value in budget.excess(costs).values()], axis=0))


def worst(budget: Budget, costs: dict[str, NDArray[np.int64]]) -> NDArray[np.float64]:
    """The largest relative excess of n networks: float[n], 0 where the budget is met."""
    return np.asarray(np.max([np.maximum(0.0, value) for value in budget.excess(costs).values()], axis=0))


def nearest_first(codes: Codes, budget: Budget, table: CostTable) -> Codes:
    """The codes nearest to the budget, 64 of them."""
    return np.asarray(codes[np.argsort(worst(budget, table.count(codes)), kind="stable")[:STARTS]])


def climb(space: SearchSpace, budget: Budget, codes: Codes) -> Codes:
    """From the nearest codes, change one axis at a time towards the budget; the codes that then meet it."""
    codes = _climbed(space, budget, codes)
    costs = cost_table(space, tuple(budget.limits)).count(codes)
    return np.asarray(codes[np.broadcast_to(budget.fits(costs), (len(codes),))])


def nearest(space: SearchSpace, budget: Budget, codes: Codes, tell: Tell = silent) -> tuple[Codes, bool]:
    """The code whose most broken limit is broken by the least share of it, and whether that is proved.

    Closes in by counting what fits wider limits, until that would be more than `Effort` allows.

    codes    from which to begin, none of them within the budget
    tell     called as the search goes on
    """
    table = cost_table(space, tuple(budget.limits))
    tries = np.concatenate([codes, _climbed(space, budget, nearest_first(codes, budget, table))])
    low, best, share = 0.0, *_least(tries, budget, table)
    effort = Effort(left=WORK)
    try:
        for nth in range(ROUNDS):
            tell(nth, ROUNDS, "rounds of closing in on the nearest network")
            middle = nth and share - low > 1e-6
            give = (low + share) / 2 if middle else share * CLOSER
            found = effort.fitting(space, loosened(budget, give)).sample(256, np.random.default_rng(0))
            if len(found):
                best, share = _least(found, budget, table)
            elif middle:
                low = give
            else:
                return best, True
    except TooMany:
        pass
    return best, False


def loosened(budget: Budget, share: float) -> Budget:
    """The budget with every limit moved outwards by a share of it."""
    return Budget(
        limits={
            name: Limit(low=each.low * (1 - share), high=each.high + max(each.high, 1) * share)
            for name, each in budget.limits.items()
        }
    )


def nothing(space: SearchSpace, budget: Budget, codes: Codes, *, none: bool | None, tell: Tell = silent) -> BudgetError:
    """The error that tells the nearest network.

    codes    some that do not fit; the nearest of all of them where `none` is None
    none     whether it is proved that nothing fits; None where every code of the space was looked at
    """
    table = cost_table(space, tuple(budget.limits))
    best, proved = (_least(codes, budget, table)[0], True) if none is None else nearest(space, budget, codes, tell)
    told = ", ".join(f"{name} {exactly(int(value[0]), name)}" for name, value in table.count(best[None]).items())
    return BudgetError(
        f"no network of space {space.name} {'meets' if proved or none else 'was found that meets'} the whole budget; "
        f"the nearest {'possible' if proved else 'found'} has {told}: {to_text(space.decode(best))}"
    )


def _least(codes: Codes, budget: Budget, table: CostTable) -> tuple[Codes, float]:
    """The code that breaks its most broken limit least, and by what share."""
    shares = worst(budget, table.count(codes))
    return codes[int(shares.argmin())], float(shares.min())


def _climbed(space: SearchSpace, budget: Budget, codes: Codes) -> Codes:
    """Codes improved one axis at a time."""
    table = cost_table(space, tuple(budget.limits))
    best = climbed(space, codes, lambda tries: breach(budget, table.count(tries)), rounds=4)
    return np.unique(best, axis=0)
