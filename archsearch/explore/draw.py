"""Networks drawn from spaces at equal cost: distinct, inside a budget, where wanted evenly along the band."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsearch.cost.budget import Budget, show
from archsearch.cost.feasible import pool
from archsearch.cost.table import cost_table
from archsearch.errors import BudgetError
from archsearch.spec.arch import Arch
from archsearch.spec.canon import key
from archsearch.spec.fields import Codes
from archsearch.spec.space import SearchSpace

BATCH = 512  # codes drawn at once, whatever is asked for: the first n of a longer draw are a draw of n
PATIENCE = 8  # batches in a row without a new network, before the space counts as used up
SLICES = 10  # of the band, where costs are matched
CANDIDATES = 20  # codes looked at for each network that is wanted, where costs are matched
PROBE = 20_000  # codes on which a common band is looked for
WIDTHS = (1.07, 1.15, 1.3, 1.6)  # of a band, as a ratio of its ends, tried in this order
LEAST_SHARE = 0.002  # of a space's codes that a band must hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One network of a space."""

    key: str
    arch: Arch
    madds: int


def draw(space: SearchSpace, budget: Budget, n: int, rng: np.random.Generator) -> list[Drawn]:
    """Up to n distinct networks, uniform over the codes that fit; fewer where the space holds no more.

    A network that several codes spell is as many times as likely.
    raises   BudgetError where nothing fits
    """
    found: dict[str, Drawn] = {}
    stale = 0
    while len(found) < n and stale < PATIENCE:
        before = len(found)
        picked = pool(space, budget, BATCH, rng, also=("madds",))
        order = rng.permutation(len(picked.codes))
        for each in networks(space, picked.codes[order], picked.costs["madds"][order]):
            found.setdefault(each.key, each)
            if len(found) == n:
                break
        stale = 0 if len(found) > before else stale + 1
    return list(found.values())


def networks(space: SearchSpace, codes: Codes, madds: NDArray[np.int64]) -> Iterator[Drawn]:
    """The networks of codes int[n, axes], one after the other."""
    for code, cost in zip(codes, madds, strict=True):
        arch = space.decode(code)
        yield Drawn(key=key(arch), arch=arch, madds=int(cost))


def draw_matched(
    spaces: Sequence[SearchSpace], budget: Budget, n: int, rngs: Sequence[np.random.Generator]
) -> list[list[Drawn]]:
    """Up to n distinct networks of each space, the same number of each from every tenth of the common MAdds band.

    Each tenth (equal steps of log MAdds) gives as many as the space that has fewest there can give, at most the rest.
    So the costs are distributed alike, in the way in which arXiv:1905.13214, section 3.3, weighs complexity.
    """
    pools = [pool(space, budget, CANDIDATES * n, rng, also=("madds",)) for space, rng in zip(spaces, rngs, strict=True)]
    costs = [each.costs["madds"] for each in pools]
    low, high = max(c.min() for c in costs), min(c.max() for c in costs)
    if low > high:
        raise BudgetError(f"the spaces have no MAdds in common inside the budget: {_ranges(spaces, costs)}")
    edges = np.geomspace(low, high + 1, SLICES + 1)[1:-1]
    places = [np.where((c >= low) & (c <= high), np.searchsorted(edges, c, side="right"), -1) for c in costs]
    counts = np.array([np.bincount(place[place >= 0], minlength=SLICES) for place in places])
    quota = level(counts.min(axis=0), n)
    return [
        _filled(space, each.codes, (place, each.costs["madds"]), quota, rng)
        for space, each, place, rng in zip(spaces, pools, places, rngs, strict=True)
    ]


def level(capacity: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """How many to take from each slice, as evenly as `capacity` allows, n in all (or all there are)."""
    taken = np.zeros_like(capacity)
    for _ in range(min(n, int(capacity.sum()))):
        free = np.flatnonzero(taken < capacity)
        taken[free[taken[free].argmin()]] += 1
    return taken


def _filled(
    space: SearchSpace, codes: Codes, told: tuple[NDArray[np.int64], NDArray[np.int64]], quota: NDArray[np.int64],
    rng: np.random.Generator,
) -> list[Drawn]:  # fmt: skip
    """Distinct networks in random order, as many of each slice as its quota says; `told` holds slices and MAdds."""
    place, madds = told
    order = rng.permutation(np.flatnonzero(place >= 0))
    left, found = quota.copy(), dict[str, Drawn]()
    for index in order:
        if left[place[index]] > 0:
            (each,) = networks(space, codes[index : index + 1], madds[index : index + 1])
            left[place[index]] -= each.key not in found
            found.setdefault(each.key, each)
    return list(found.values())


def common_band(spaces: Sequence[SearchSpace], n: int, rng: np.random.Generator) -> str:
    """A band of MAdds, as a budget's text, that every space can fill with n networks.

    The narrowest of a few widths in which each space has enough codes (a share of 0.2 %, and twice n codes where the
    space is that large); of its places the one where the space with the smallest share of codes there has most.
    raises   BudgetError where the spaces have no cost in common
    """
    costs = [cost_table(space, ("madds",)).count(space.sample(PROBE, rng))["madds"] for space in spaces]
    wanted = np.array([min(0.25, max(LEAST_SHARE, 2 * n / space.size)) for space in spaces])
    starts = np.geomspace(min(c.min() for c in costs), max(c.max() for c in costs), 400)
    ordered = [np.sort(each) for each in costs]
    for width in WIDTHS:
        inside = [np.searchsorted(c, starts * width, "right") - np.searchsorted(c, starts, "left") for c in ordered]
        enough = (np.array(inside) / PROBE / wanted[:, None]).min(axis=0)
        if enough.max() >= 1:
            start = float(starts[enough.argmax()])
            return f"{show(start, 'madds')}..{show(start * width, 'madds')}"
    raise BudgetError(
        f"no narrow band of MAdds surely holds {n:,} networks of every space: {_ranges(spaces, costs)}; "
        "give --budget-madds, or a smaller -n"
    )


def _ranges(spaces: Sequence[SearchSpace], costs: Sequence[NDArray[np.int64]]) -> str:
    """What each space's networks cost."""
    ends = [(show(float(c.min()), "madds"), show(float(c.max()), "madds")) for c in costs]
    return ", ".join(f"{space.name} {low}..{high}" for space, (low, high) in zip(spaces, ends, strict=True))
