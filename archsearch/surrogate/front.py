"""What to believe of a front whose accuracies are uncertain: who stands on it, and who cannot be told apart.

Everything here is counted over joint samples of the true accuracies, so that errors which two networks share (a
surrogate that is too high for both) cancel, as they should when the two are compared.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from archsearch.pareto import front
from archsearch.surrogate.domain import Floats

Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]
LEVEL = 0.05  # two networks are told apart where one is the better in less than this share of the samples
NODES = 9  # of the Gauss-Hermite rule in `moments`


def handed_over(mean: Floats, costs: Floats, fits: Flags) -> Rows:
    """The rows to hand over: the front of what is believed, not of what was seen. Cheapest first.

    mean     believed accuracies float[n]: posterior means; a NaN is never handed over
    costs    float[n, m], minimised; with no column the one most accurate network is handed over
    fits     bool[n], within the budgets
    returns  int[k]; of rows equal in everything the first
    The front of noisy measurements is made of those that were lucky; posterior means are not (the winner's curse;
    on NAS-Bench-Macro with one noisy seed this was worth more than any change of the acquisition).
    """
    rows = np.flatnonzero(fits)
    values = np.column_stack([-mean[rows], costs[rows]])
    rows = rows[front(values)] if len(rows) else rows
    rows = rows[np.unique(np.column_stack([mean, costs])[rows], axis=0, return_index=True)[1]]
    return rows[np.lexsort((rows, *costs[rows].T[::-1]))]


def plausible(low: Floats, high: Floats, costs: Floats, fits: Flags) -> Flags:
    """Which networks can be on the front at all when each accuracy lies between its low and its high end, bool[n].

    One that another beats even at their worst and best ends can be left out of every later comparison: whatever it
    beats, that other one beats as well.
    """
    rows = np.flatnonzero(fits)
    hard = rows[front(np.column_stack([-low[rows], costs[rows]]))] if len(rows) else rows
    possible = np.zeros(len(low), dtype=bool)
    for i in rows:
        no_dearer = (costs[hard] <= costs[i]).all(axis=1)
        cheaper = no_dearer & (costs[hard] < costs[i]).any(axis=1)
        beaten = cheaper & (low[hard] >= high[i]) | no_dearer & (low[hard] > high[i])
        possible[i] = not beaten.any()
    return possible


def p_front(draws: Floats, costs: Floats, fits: Flags) -> Floats:
    """The probability of each network to be on the front of all of them, float[n]: its share of the samples.

    draws    joint samples of the true accuracies, float[draws, n]
    costs    float[n, m], exact, minimised
    fits     bool[n]; what does not fit has probability 0 and beats nobody
    cost     O(draws k²) for the k networks that `plausible` leaves
    """
    found = np.zeros(draws.shape[1])
    if draws.size == 0:
        return found
    rows = np.flatnonzero(plausible(draws.min(axis=0), draws.max(axis=0), costs, fits))
    for i in rows:
        no_dearer = (costs[rows] <= costs[i]).all(axis=1)
        cheaper = no_dearer & (costs[rows] < costs[i]).any(axis=1)
        same = draws[:, rows[no_dearer & ~cheaper]].max(axis=1)  # it is one of these itself
        below = draws[:, rows[cheaper]].max(axis=1, initial=-np.inf)
        found[i] = np.mean((same <= draws[:, i]) & (below < draws[:, i]))
    return found


def groups(draws: Floats, *, level: float = LEVEL) -> Rows:
    """A number for each network, equal for those that cannot be told apart: int[n], 1 = the least accurate group.

    draws    joint samples of the true accuracies, float[draws, n]
    Two networks are told apart where the samples agree on which is the better one, but for a share of `level`. In
    the order of their means each network joins the group before it where it can be told apart from none of its
    members, and else opens the next one. So no two of a group can be told apart: chains, whose ends differ although
    no two neighbours do, are cut. Of a group the cheapest is the one to take: no other is shown to be better.
    Source: compact letter displays, Piepho 2004, doi:10.1198/1061860043515, with groups that do not overlap.
    """
    found = np.zeros(draws.shape[1], dtype=np.int64)
    members: list[int] = []
    number = 0
    for i in np.argsort(draws.mean(axis=0), kind="stable") if draws.size else []:
        if not members or any(apart(draws[:, i], draws[:, j], level=level) for j in members):
            number, members = number + 1, []
        members.append(int(i))
        found[i] = number
    return found


def apart(a: Floats, b: Floats, *, level: float = LEVEL) -> bool:
    """Whether joint samples float[draws] of two accuracies agree on which is greater, but for a share of `level`."""
    greater = float(np.mean(a > b) + np.mean(a == b) / 2)
    return not level <= greater <= 1 - level


def independent(top1: Floats, error: Floats, n: int, rng: np.random.Generator) -> Floats:
    """Samples float[n, networks] where nothing is known but measurements and their standard errors.

    error    float[networks]; NaN counts as exact
    """
    return np.asarray(top1 + np.nan_to_num(error) * rng.standard_normal((n, len(top1))))


def moments(mean: Floats, sd: Floats, back: Callable[[Floats], Floats]) -> tuple[Floats, Floats]:
    """Mean and standard deviation of back(x) for normal x, float[n] each; by Gauss-Hermite quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    weights = weights / weights.sum()
    values = back(mean + sd * nodes[:, None])
    middle = weights @ values
    return middle, np.sqrt(weights @ (values - middle) ** 2)
