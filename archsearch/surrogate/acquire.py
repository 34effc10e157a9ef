"""How much a network is expected to add to the front, its costs being known: exact, for any number of costs.

A network of known cost c and unknown accuracy y adds the volume above the staircase of what is had at each cost, over
all costs at or above c. Where the staircase has one level, that is an expected improvement over the level; so the
expected hypervolume improvement is a sum of expected improvements, one for each box of costs with one level, weighted
by the part of the box at or above c. Expected improvement: Jones et al. 1998, doi:10.1023/A:1008306431147; the
hypervolume's: Emmerich et al. 2006, doi:10.1109/TEVC.2005.859463, whose second objective is uncertain, too.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from archsearch.pareto import front
from archsearch.surrogate.domain import Floats

BEYOND = 0.05  # share of the range of cost by which a reference lies beyond the dearest network
FAR = 6.0  # standard deviations beyond which an improvement is none, below 1e-10 of one
LEAST = 1e-100  # stands for a standard deviation of 0; its square is still a number
CELLS = 2_000_000  # networks times boxes that are worked on at once


@dataclass(frozen=True, slots=True)
class Stairs:
    """The best value so far at each cost: boxes of costs, disjoint, that together reach up to a reference."""

    low: Floats  # float64[boxes, m]
    high: Floats  # float64[boxes, m]
    level: Floats  # best value of a network that costs no more, float64[boxes]

    def levels(self, costs: Floats) -> Floats:
        """The level at n costs float64[n, m]; the highest of all beyond the reference."""
        inside = (self.low[None] <= costs[:, None]).all(axis=2) & (costs[:, None] < self.high[None]).all(axis=2)
        best = np.where(inside, self.level[None], -np.inf).max(axis=1)
        return np.asarray(np.where(np.isfinite(best), best, self.level.max()))


def stairs(values: Floats, costs: Floats, floor: float, reference: Floats) -> Stairs:
    """The staircase of n networks.

    values     float64[n], more is better; costs float64[n, m], less is better, m from 0 on
    floor      level where nothing is had yet
    reference  greatest costs that count, float64[m]; networks at or beyond it still hold no box
    """
    boxes = list(_boxes(values, costs, floor, reference))
    shape = (len(boxes), costs.shape[1])
    return Stairs(
        np.array([box[0] for box in boxes]).reshape(shape),
        np.array([box[1] for box in boxes]).reshape(shape),
        np.array([box[2] for box in boxes]),
    )


_Box = tuple[tuple[float, ...], tuple[float, ...], float]


def _boxes(values: Floats, costs: Floats, floor: float, reference: Floats) -> Iterator[_Box]:
    """Slabs along the last cost; in each the boxes of the networks that it holds; equal boxes in a row are one."""
    if costs.shape[1] == 0:
        yield (), (), max(floor, float(values.max(initial=-np.inf)))
        return
    if costs.shape[1] == 2:
        yield from _rectangles(values, costs, floor, reference)
        return
    last, end = costs[:, -1], float(reference[-1])
    edges: list[float] = [-np.inf, *np.unique(last[last < end]).tolist(), end]
    going: dict[_Box, float] = {}
    for low in edges[:-1]:
        held = last <= low
        here = dict.fromkeys(_boxes(values[held], costs[held, :-1], floor, reference[:-1]), low)
        for box in [box for box in going if box not in here]:
            yield (*box[0], going.pop(box)), (*box[1], low), box[2]
        going = {box: going[box] if box in going else begin for box, begin in here.items()}
    for box, begin in going.items():
        yield (*box[0], begin), (*box[1], end), box[2]


def _rectangles(values: Floats, costs: Floats, floor: float, reference: Floats) -> Iterator[_Box]:
    """The boxes for two costs, about two a network: from the best value down, each network holds what lies above its
    costs and below the staircase of the better ones."""
    order = np.argsort(-values, kind="stable")
    corners = [(*costs[row].tolist(), float(values[row])) for row in order if values[row] > floor]
    xs: list[float] = []  # the staircase of those above: x rises, y falls
    ys: list[float] = []
    end_x, end_y = reference.tolist()
    for x, y, level in [*corners, (-np.inf, -np.inf, floor)]:
        step = bisect_right(xs, x)
        left, top = x, ys[step - 1] if step else end_y
        if x >= end_x or y >= top:
            continue
        while top > y:
            right = xs[step] if step < len(xs) else end_x
            if right > left:
                yield (left, y), (right, top), level
            if step == len(xs):
                break
            left, top = right, ys[step]
            step += 1 if top > y else 0
        first = bisect_left(xs, x)
        xs[first:step], ys[first:step] = [x], [y]


def improvement(mean: Floats, sd: Floats, level: Floats) -> Floats:
    """Expected improvement of normal values over levels; shapes broadcast; sd 0 gives the plain difference."""
    safe = np.maximum(sd, LEAST)
    z = (mean - level) / safe
    return np.asarray(np.maximum(safe * (z * ndtr(z) + np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)), 0.0))


def gain(mean: Floats, sd: Floats, costs: Floats, under: Stairs) -> Floats:
    """Expected hypervolume improvement of n networks, float64[n].

    mean, sd   of their values, float64[n]; sd 0 gives the improvement of the mean
    costs      exact, float64[n, m]; in the same unit as the staircase
    """
    step = max(1, CELLS // max(len(under.level), 1))
    return np.concatenate([np.zeros(0), *(
        _gain(mean[i : i + step], sd[i : i + step], costs[i : i + step], under) for i in range(0, len(mean), step)
    )])  # fmt: skip


def _gain(mean: Floats, sd: Floats, costs: Floats, under: Stairs) -> Floats:
    """The same for few enough networks; those below the front by more than FAR are passed over: dearer boxes have
    higher levels still."""
    gains = np.zeros(len(mean))
    near = mean + FAR * sd > under.levels(costs)
    gains[near] = _summed(mean[near], sd[near], costs[near], under)
    return gains


def _summed(mean: Floats, sd: Floats, costs: Floats, under: Stairs) -> Floats:
    """The sum over boxes."""
    size = np.ones((len(mean), len(under.level)))
    for m in range(costs.shape[1]):
        size *= np.maximum(under.high[:, m] - np.maximum(under.low[:, m], costs[:, m, None]), 0.0)
    return np.asarray((size * improvement(mean[:, None], sd[:, None], under.level)).sum(axis=1))


def volume(values: Floats, costs: Floats, floor: float, reference: Floats, least: Floats) -> float:
    """The hypervolume that n networks cover above `floor`, between the costs `least` and `reference`."""
    return volume_of(stairs(values, costs, floor, reference), least, floor)


def volume_of(under: Stairs, least: Floats, floor: float | None = None) -> float:
    """The volume under a staircase above `floor` (left out: its lowest level), from the costs `least` on."""
    sides = np.maximum(under.high - np.maximum(under.low, least), 0.0)
    above = under.level - (under.level.min() if floor is None else floor)
    return float((np.prod(sides, axis=1) * above).sum())


def base_of(under: Stairs, least: Floats) -> float:
    """The volume of all costs between `least` and the reference of a staircase; 1 without costs."""
    return float(np.prod(np.maximum(under.high - np.maximum(under.low, least), 0.0), axis=1).sum())


def beyond(least: Floats, most: Floats) -> Floats:
    """A reference for costs between these: a little beyond the most; 1 beyond where all are equal, so that a cost in
    which networks do not differ takes nothing away."""
    return np.asarray(most + np.where(most > least, BEYOND * (most - least), 1.0))


def learned(sd: Floats, noise: float) -> Floats:
    """By how much one noisy measurement is expected to move a mean: its standard deviation beforehand."""
    return np.asarray(sd**2 / np.sqrt(sd**2 + noise))


def second_look(mean: Floats, sd: Floats, costs: Floats, may: NDArray[np.bool_], *, noise: float) -> Floats:
    """What measuring a known network again is expected to add to the front of posterior means, float64[n]; 0 where it
    may not be measured.

    The knowledge gradient (Frazier et al. 2009, doi:10.1287/ijoc.1080.0314) with the hypervolume as the value of what
    is known: the network's mean will move by `learned`, the others stay, and the front is chosen afterwards.
    noise   variance of one measurement
    """
    if not len(mean):
        return np.zeros(0)
    floor, reference = float(mean.min()), beyond(costs.min(axis=0), costs.max(axis=0))
    values = np.concatenate([-mean[:, None], costs], axis=1)
    on = front(values)
    worth = np.zeros(len(mean))
    off = may & ~on
    worth[off] = gain(mean[off], learned(sd[off], noise), costs[off], stairs(mean[on], costs[on], floor, reference))
    for row in np.flatnonzero(on & may):
        rest = np.delete(np.arange(len(mean)), row)
        rest = rest[front(values[rest])]
        under, here = stairs(mean[rest], costs[rest], floor, reference), [row]
        moved = gain(mean[here], learned(sd[here], noise), costs[here], under)
        worth[row] = (moved - gain(mean[here], np.zeros(1), costs[here], under))[0]
    return worth
