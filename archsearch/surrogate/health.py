"""Health checks of a search: what may make its result worth less than it looks, in plain words, and what to do.

Each check takes what it needs, and gives a `Finding` or None.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from archsearch.spec.fields import Axis
from archsearch.surrogate.domain import IDLE, Floats
from archsearch.surrogate.validate import Rank

FEW = 10  # trials that every search needs; two more for each axis
FAR = 0.2  # of a limit: a cost this far away from it does not feel it
MANY = 0.2  # share of trials that fail; one in five wastes a fifth of the time
LEAST = 3  # members of a front, or failed trials, from which a check says something
END = 0.75  # share of the front's networks at one end of an axis
CHANCE = 0.05  # that at least one end of some axis holds so many where choices are made blindly
CONFIDENT = 20  # predictions from which coverage is judged
EVERY = "Every network that fits has been tried: trust what was measured."
Limits = Mapping[str, Sequence[float | None]]  # metric -> (low, high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to know before the result is used."""

    kind: str
    text: str  # one or two sentences for people: the figure, and what to do
    figure: float  # what was measured


def few_trials(trained: int, axes: int, *, every: bool = False) -> Finding | None:
    """Fewer trials than a surrogate of so many axes needs.

    every    whether every network that fits has been tried, so that no more trials are to be had
    """
    wanted = FEW + 2 * axes
    if trained >= wanted:
        return None
    return Finding(
        kind="too few trials",
        text=f"{trained} {'network was' if trained == 1 else 'networks were'} trained; with {axes} axes about {wanted} "
        f"are needed before the surrogate says much. {EVERY if every else 'Go on with more --trials.'}",
        figure=trained,
    )


def many_failed(trained: int, failed: int) -> Finding | None:
    """One trial in five fails, or more."""
    share = failed / max(1, trained + failed)
    if failed < LEAST or share <= MANY:
        return None
    return Finding(
        kind="many failed trials",
        text=f"{failed} of {trained + failed} trainings failed ({_share(share)}): their time is lost, and that part of "
        "the space stays unknown. trials.csv has their reasons.",
        figure=share,
    )


def noisy_front(believed: Floats, noise: float) -> Finding | None:
    """The noise of one measurement exceeds the usual step of the front.

    believed  accuracies of the networks on the front, float[k], in any order; noise a standard deviation (fractions)
    """
    steps = np.diff(np.sort(believed))
    if len(believed) < LEAST or not noise > np.median(steps):
        return None
    step = float(np.median(steps))
    return Finding(
        kind="noise floor",
        text=f"One measurement is uncertain by {_points(noise)}, and half of the front's steps are smaller than "
        f"{_points(step)}: neighbours on the front are in an order that is mostly chance. More validation images, "
        "longer trainings or repeated ones would tell them apart; else take the cheapest of each group.",
        figure=noise / step if step > 0 else math.inf,
    )


def no_better_than_cost(beyond: Rank) -> Finding | None:
    """The surrogate is not shown to know more of unseen networks than their MAdds alone say.

    beyond   Kendall's tau of predicted and measured accuracies with the effect of MAdds taken out (`at_equal`)
    """
    if beyond.low > 0 or math.isnan(beyond.value):
        return None
    return Finding(
        kind="surrogate no better than MAdds",
        text="Among networks of equal MAdds the surrogate is not shown to know which is the better one (Kendall's tau "
        f"{beyond.value:.2f}, 95 % interval {beyond.low:.2f} to {beyond.high:.2f}): trust what was measured, not what "
        "is predicted, until there are more trials.",
        figure=beyond.value,
    )


def overconfident(coverage: Mapping[float, float], n: int) -> Finding | None:
    """Measurements lie outside the surrogate's widest intervals more often than chance allows.

    coverage  level -> share of n measurements inside
    """
    level = max(coverage, default=math.nan)
    slack = 3 * math.sqrt(level * (1 - level) / max(1, n))
    if n < CONFIDENT or not coverage[level] < level - slack:
        return None
    return Finding(
        kind="intervals too narrow",
        text=f"Only {_share(coverage[level])} of unseen measurements lie in their {_share(level)} intervals: the "
        "surrogate is surer than it should be, and so are the probabilities of being on the front.",
        figure=coverage[level],
    )


def idle_budget(costs: Mapping[str, Floats], limits: Limits) -> Finding | None:
    """No network of the front comes near any limit.

    costs    metric -> of the networks on the front, float[k]
    """
    nearest: dict[str, float] = {}
    for name, ends in limits.items():
        gaps = [np.abs(costs[name] - end) / end for end in ends if end and len(costs.get(name, ()))]
        if gaps:
            nearest[name] = float(np.min(gaps))
    if not nearest or min(nearest.values()) <= FAR:
        return None
    name = min(nearest, key=nearest.__getitem__)
    return Finding(
        kind="budget never binding",
        text=f"No network of the front comes nearer to a limit than {_share(nearest[name])} ({_word(name)}): "
        "the space, not the budget, ends the front. A space with larger networks may hold better ones.",
        figure=nearest[name],
    )


def at_the_edge(axes: Sequence[Axis], slots: NDArray[np.int64]) -> Finding | None:
    """Most networks of the front lie at one end of an ordered axis.

    slots    choices of the networks on the front, int64[k, axes], IDLE where an axis does not matter
    Axes with fewer than three values are left out, and what chance explains (binomial, adjusted for all ends looked
    at): of many axes some always lean to one side.
    """
    told = {}
    looked = 2 * sum(axis.numeric and len(axis.values) > 2 for axis in axes)
    for i, axis in enumerate(axes):
        used = slots[slots[:, i] != IDLE, i]
        if not axis.numeric or len(axis.values) < 3:
            continue
        for end in (axis.values.index(min(axis.values)), axis.values.index(max(axis.values))):
            there = int((used == end).sum())
            chance = looked * float(stats.binom.sf(there - 1, len(used), 1 / len(axis.values)))
            if there >= END * len(used) and chance <= CHANCE:
                told[f"{axis.name} = {axis.values[end]} ({there} of {len(used)})"] = there / len(used)
    if not told:
        return None
    return Finding(
        kind="front at the space's edge",
        text=f"Most networks of the front lie at the end of an axis: {', '.join(told)}. The space may be too narrow "
        "there; widen it and go on from this run.",
        figure=max(told.values()),
    )


def _points(fraction: float) -> str:
    """A difference of accuracies in percentage points."""
    return f"{100 * fraction:.2g} points"


def _share(value: float) -> str:
    return f"{100 * value:.0f} %"


def _word(metric: str) -> str:
    return {"madds": "MAdds", "params": "parameters"}.get(metric, metric.replace("_", " "))
