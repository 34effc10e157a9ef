"""Which part of a space holds its best networks: each axis narrowed as far as the trained networks tell, no further.

What is done, in this order:

1. An axis is judged only by the networks in which it matters (`algebra.used`): the kernel of an absent block says
   nothing of kernels. Where they are fewer than a refinement needs, the axis stays as it is.
2. Cost is taken out: the score of a network is its error less what its cost predicts (least squares, second degree in
   the logarithm of each cost). Else the largest networks would always win, and every axis would end at its dear end.
   An axis through which cost is spent (width, resolution) is judged by whether it buys more than cost on average does.
3. An axis is looked at only where the score depends on it at all: Kruskal-Wallis over its choices, with p values
   adjusted over all axes (Holm). All others stay as they are.
4. The bootstrap of arXiv:2003.13678, section 3.2: a quarter of the networks is drawn with replacement, the best of them
   is kept; this many times. The range is the middle (95 %) of the axis's values among those winners. Which network wins
   how often follows exactly (`win_shares`), so nothing is drawn.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from archsearch.errors import RunError
from archsearch.explore.statistics import Floats, holm
from archsearch.spec.algebra import used
from archsearch.spec.fields import Axis, Codes
from archsearch.spec.space import SearchSpace

JUDGED = 5  # networks that a choice needs before it can be dropped
QUARTER = 4  # the networks that can win must be at most the best quarter


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """What is left of one axis, and why."""

    axis: Axis
    keep: tuple[Any, ...]  # in the axis's order
    p: float  # of "the score does not depend on it", adjusted over all axes
    wins: tuple[float, ...]  # share of the resamples whose best network has the choice, one for each value
    tried: tuple[int, ...]  # networks that have the choice; as with `wins`, only those in which the axis matters
    why: str

    @property
    def dropped(self) -> tuple[Any, ...]:
        """The values that go."""
        return tuple(value for value in self.axis.values if value not in self.keep)


def needed(confidence: float, share: float) -> int:
    """How many networks a refinement needs: four times as many as can win with any weight."""
    return QUARTER * math.ceil(math.log(2 / (1 - confidence)) / share)


def refine(
    space: SearchSpace, codes: Codes, errors: Floats, costs: Floats, *, confidence: float = 0.95, share: float = 0.25
) -> list[Narrowed]:
    """Every axis of the space with the choices that stay.

    codes    int[n, axes] of distinct networks; errors float[n]; costs float[n, metrics], zero columns = take no account
    share    of the networks in each resample; smaller looks at more of the good ones
    raises   RunError where there are fewer networks than `needed`
    """
    least = needed(confidence, share)
    if len(codes) < least:
        raise RunError(
            f"a refinement at {100 * confidence:g} % confidence needs {least} trained networks, "
            f"there are {len(codes)}; train more (archsearch run --trials ...)"
        )
    scores = at_equal_cost(errors, costs)
    seen = [np.flatnonzero(matters) for matters in used(space, codes).T]
    raw = [dependence(codes[rows, i], scores[rows]) if len(rows) >= least else 1.0 for i, rows in enumerate(seen)]
    p_values = holm(raw)
    told = []
    for i, (axis, rows) in enumerate(zip(space.axes, seen, strict=True)):
        wins = win_shares(scores[rows], share)
        each = _narrowed(axis, codes[rows, i], wins, p_values[i], confidence=confidence)
        few = f"it matters in {len(rows)} networks only; {least} are needed to judge"
        told.append(each if len(rows) >= least else replace(each, why=few))
    return told


def at_equal_cost(errors: Floats, costs: Floats) -> Floats:
    """Errors less what the costs predict: float[n]; smaller is better for the money.

    costs    float[n, metrics]; a zero counts as one
    """
    columns = [np.ones(len(errors))]
    for cost in costs.T:
        logs = np.log(np.maximum(cost, 1.0))
        logs = (logs - logs.mean()) / (logs.std() or 1.0)
        columns += [logs, logs**2]
    basis = np.column_stack(columns)
    fit, *_ = np.linalg.lstsq(basis, errors, rcond=None)
    return np.asarray(errors - basis @ fit)


def win_shares(scores: Floats, share: float) -> Floats:
    """How often each network is the best of a resample: float[n], sum 1 (0 of none); equal scores share alike.

    A resample of m = share n networks with replacement holds none of the k best with probability (1 - k/n)**m.
    """
    n = len(scores)
    m = max(1, round(share * n))
    left = (1 - np.arange(n + 1) / max(1, n)) ** m
    _, group, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    ends = np.concatenate([[0], np.cumsum(sizes)])
    return np.asarray(((left[ends[:-1]] - left[ends[1:]]) / sizes)[group])


def dependence(choices: NDArray[np.int64], scores: Floats) -> float:
    """p value of "the score does not depend on the choice" (Kruskal-Wallis), of choices with enough networks."""
    groups = [scores[choices == choice] for choice in np.unique(choices)]
    groups = [group for group in groups if len(group) >= JUDGED]
    if len(groups) < 2 or len(np.unique(np.concatenate(groups))) == 1:
        return 1.0
    return float(stats.kruskal(*groups).pvalue)


def _narrowed(axis: Axis, choices: NDArray[np.int64], wins: Floats, p: float, *, confidence: float) -> Narrowed:
    """One axis: all of it where nothing depends on it, else its range."""
    size = len(axis.values)
    tried = np.bincount(choices, minlength=size)
    shares = np.bincount(choices, weights=wins, minlength=size).astype(np.float64)
    rare = tried < JUDGED
    if p > 1 - confidence:
        keep = np.ones(size, dtype=bool)
        why = "error does not depend on it, as far as can be told" if (~rare).sum() > 1 else "too few of each to judge"
    else:
        keep = _interval(axis, shares, rare, confidence) if axis.numeric else _subset(shares, rare, confidence)
        why = _reason(axis, shares, keep)
    return Narrowed(
        axis=axis,
        keep=tuple(value for value, stays in zip(axis.values, keep, strict=True) if stays),
        p=p,
        wins=tuple(float(each) for each in shares),
        tried=tuple(int(each) for each in tried),
        why=why,
    )


def _interval(axis: Axis, shares: Floats, rare: NDArray[np.bool_], confidence: float) -> NDArray[np.bool_]:
    """The contiguous choices, by value, that hold the middle of the wins; rare neighbours of them stay."""
    order = np.argsort(np.array(axis.values, dtype=float), kind="stable")
    tail = (1 - confidence) / 2 + 1e-12
    inside = np.flatnonzero((np.cumsum(shares[order]) > tail) & (np.cumsum(shares[order][::-1])[::-1] > tail))
    low, high = int(inside[0]), int(inside[-1])
    while low > 0 and rare[order[low - 1]]:
        low -= 1
    while high < len(order) - 1 and rare[order[high + 1]]:
        high += 1
    keep = np.zeros(len(order), dtype=bool)
    keep[order[low : high + 1]] = True
    return keep


def _subset(shares: Floats, rare: NDArray[np.bool_], confidence: float) -> NDArray[np.bool_]:
    """The fewest choices that hold the stated share of the wins; rare choices stay."""
    keep = np.ones(len(shares), dtype=bool)
    lost = 0.0
    for choice in np.argsort(shares, kind="stable"):
        lost += 0.0 if rare[choice] else shares[choice]
        if lost > 1 - confidence + 1e-12:
            break
        keep[choice] = rare[choice]
    return keep


def _reason(axis: Axis, shares: Floats, keep: NDArray[np.bool_]) -> str:
    """Where the best networks are, in shares of the resamples."""
    told = ", ".join(
        f"{value} {100 * share:.0f} %" for value, share in zip(axis.values, shares, strict=True) if share >= 0.005
    )
    return f"best of a resample: {told}" + (": spread over all of it" if keep.all() else "")
