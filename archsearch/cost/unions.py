"""Networks of several spaces that fit a budget, drawn so that every code of the sum is equally likely."""

from collections.abc import Mapping

import numpy as np

from archsearch.cost.budget import Budget, parse_limit, show
from archsearch.cost.estimate import estimate
from archsearch.cost.exact.counting import Tell, silent
from archsearch.cost.extremes import extremes
from archsearch.cost.feasible import SMALL, counted, pool
from archsearch.cost.table import cost_table
from archsearch.errors import BudgetError
from archsearch.spec.content import fingerprints
from archsearch.spec.fields import Codes
from archsearch.spec.space import SearchSpace
from archsearch.spec.union import Union

DRAWS, LOOK = 8192, 16  # codes drawn at once and looked at, and how often, before what fits is counted
MOST = 1_000_000  # codes that fit drawn in one round, at most
Drawn = tuple[int, Codes]  # number of the member, code there


def ends_of(both: Union, name: str) -> tuple[int, int, bool]:
    """Least and greatest value of a metric over all members, and whether both are exact."""
    ends = [extremes(space, name) for space in both.spaces]
    return min(end.low for end in ends), max(end.high for end in ends), all(end.exact for end in ends)


def union_budget(texts: Mapping[str, str], both: Union) -> Budget:
    """The hard limits of a command, percentages resolved against all members together.

    raises   BudgetError for a text that cannot be read
    """
    return Budget(limits={
        name: parse_limit(text, name, lambda name=name: ends_of(both, name)[1])  # type: ignore[misc]
        for name, text in texts.items()
    })  # fmt: skip


def draw_union(both: Union, budget: Budget, n: int, rng: np.random.Generator, tell: Tell = silent) -> list[Drawn]:
    """n distinct networks of a union that fit; fewer only where fewer fit, or are found.

    Every code of the sum is equally likely, so a network that many codes spell is likelier. Where few codes fit,
    members are chosen by how many of their codes fit: counted exactly, or where that would take too long estimated.

    tell     called as the work goes on
    raises   BudgetError where none was found
    """
    found: dict[bytes, Drawn] = {}
    if both.size > SMALL:
        for _ in range(LOOK):
            codes = both.sample(DRAWS, rng)
            _add(
                found,
                both,
                [_fitting(space, budget, each) for space, each in zip(both.spaces, codes, strict=True)],
                rng,
            )
            if len(found) >= n:
                return list(found.values())[:n]
    fits = [_fits(space, budget, rng, tell) for space in both.spaces]
    if not any(fits):
        raise _nothing(both, budget)
    total, size = sum(fits), min(n, sum(fits), MOST)
    while len(found) < n:
        tell(len(found), n, "networks that fit")
        _add(found, both, _round(both, budget, fits, size, rng), rng)
        if size == min(total, MOST):
            break
        size = min(2 * size, total, MOST)
    return list(found.values())[:n]


def _fits(space: SearchSpace, budget: Budget, rng: np.random.Generator, tell: Tell) -> int:
    """How many codes of a member fit; 0 where none does or none is found."""
    exact = counted(space, budget, tell)
    if exact is not None:
        return exact.count
    try:
        return estimate(space, budget, rng, tell).fits
    except BudgetError:
        return 0


def _round(both: Union, budget: Budget, fits: list[int], size: int, rng: np.random.Generator) -> list[Codes]:
    """Different codes that fit, of each member as many as chance gives it of `size` drawn from all."""
    if sum(fits) <= MOST:
        shares = rng.multivariate_hypergeometric(fits, size)
    else:
        shares = rng.multinomial(size, [each / sum(fits) for each in fits])
    return [
        pool(space, budget, int(share), rng).codes[:share] if share else space.sample(0, rng)
        for space, share in zip(both.spaces, shares, strict=True)
    ]


def _fitting(space: SearchSpace, budget: Budget, codes: Codes) -> Codes:
    """Those of some codes that fit."""
    costs = cost_table(space, tuple(budget.limits) or ("madds",)).count(codes)
    return np.asarray(codes[np.broadcast_to(budget.fits(costs), (len(codes),))])


def _add(found: dict[bytes, Drawn], both: Union, codes: list[Codes], rng: np.random.Generator) -> None:
    """Put those networks that are new behind those found, in random order."""
    drawn = [
        (row.tobytes(), (member, code))
        for member, (space, mine) in enumerate(zip(both.spaces, codes, strict=True)) if len(mine)
        for row, code in zip(fingerprints(space, mine), mine, strict=True)
    ]  # fmt: skip
    for place in rng.permutation(len(drawn)).tolist():
        found.setdefault(*drawn[place])


def _nothing(both: Union, budget: Budget) -> BudgetError:
    ends = {name: ends_of(both, name) for name in budget.limits}
    told = "; ".join(f"{name} from {show(low, name)} to {show(high, name)}" for name, (low, high, _) in ends.items())
    return BudgetError(f"no network of {both.name} was found that fits; they can have {told}")
