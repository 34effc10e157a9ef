"""What a search hands over, from its own results: the front of what is believed of them, or the best and its equals."""

from dataclasses import dataclass, replace

import numpy as np

from archsearch.cost.budget import Budget
from archsearch.pareto import front
from archsearch.spec.fields import Axis, Codes
from archsearch.spec.space import SearchSpace
from archsearch.surrogate import belief as surrogate
from archsearch.surrogate.belief import Belief
from archsearch.surrogate.domain import Floats, Networks
from archsearch.surrogate.front import Flags, Rows, apart, handed_over, independent, moments, p_front, plausible
from archsearch.surrogate.space_domain import SpaceDomain

FEWEST = 8  # different networks from which a surrogate is asked
DRAWS = 2000  # joint samples: a probability is exact to a point
SPREAD = 4.0  # sd; what cannot reach the front within this is not sampled
DRAWN = 500  # networks sampled together at most
LIKELY = 0.5  # probability of being on the front from which a network is listed
DIGITS = 9  # of a believed accuracy; what differs behind them is rounding, and no reason to hand a network over


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the surrogate learns from: one row a trained trial."""

    axes: tuple[Axis, ...]
    networks: Networks
    numbers: list[int]  # of the trials
    top1: Floats
    error: Floats  # standard error of each, 0 where unknown

    @property
    def enough(self) -> bool:
        """Whether a surrogate can be made of it."""
        return len(set(self.networks)) >= FEWEST

    def at(self, numbers: list[int]) -> Networks:
        """The networks of some of the trials, in that order."""
        place = {number: row for row, number in enumerate(self.numbers)}
        return self.networks.take([place[number] for number in numbers])

    def learn(self, sample: Networks | None = None) -> Belief:
        """A surrogate of all of it; `sample` sets its scales where it is given (`belief.learn`)."""
        return surrogate.learn(self.networks, self.axes, self.top1, self.error, sample=sample)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is believed of n networks."""

    believed: Floats  # posterior mean of the true accuracy, float[n]
    believed_sd: Floats
    p_front: Floats  # probability that none of the others beats it
    draws: Floats  # joint samples float[DRAWS, n]; NaN where a network cannot be on the front
    handed: Rows  # front of the believed accuracies, cheapest first; without costs the one believed best


def networks_of(space: SearchSpace, codes: Codes, costs: Floats) -> Networks:
    """Codes of a space as the surrogate sees them; costs float[n, m] as they were counted, or measured, in the run."""
    return replace(SpaceDomain(space=space, budget=Budget(), minimize=()).look(codes), costs=costs)


def expected(model: Belief, networks: Networks) -> tuple[Floats, Floats]:
    """Mean and standard deviation of the true accuracy of each, as fractions."""
    return moments(*model.predict(networks), surrogate.accuracy)


def learnt(evidence: Evidence, numbers: list[int], costs: Floats, fits: Flags, also: Flags | None = None) -> Told:
    """Some of the trials as the surrogate sees them after all of them; the same for the same trials.

    numbers  of n trials, each network once
    costs    float[n, m], minimised; fits bool[n]
    also     bool[n], of which joint samples are wanted wherever they stand; those on the front as measured always are
    """
    model, networks = evidence.learn(), evidence.at(numbers)
    mean, believed_sd = expected(model, networks)
    believed = np.round(mean, DIGITS)
    handed = handed_over(believed, costs, fits)
    top1 = dict(zip(evidence.numbers, evidence.top1, strict=True))
    wanted = observed(np.array([top1[number] for number in numbers]), costs, fits)
    wanted[handed] = True
    drawn = _drawn(model.predict(networks), wanted if also is None else wanted | also, costs, fits)
    draws, probability = np.full((DRAWS, len(numbers)), np.nan), np.zeros(len(numbers))
    draws[:, drawn] = model.draw(networks.take(drawn), DRAWS, np.random.default_rng(0))
    probability[drawn] = p_front(draws[:, drawn], costs[drawn], fits[drawn])
    return Told(believed=believed, believed_sd=believed_sd, p_front=probability, draws=draws, handed=handed)


def measured(top1: Floats, error: Floats, costs: Floats, fits: Flags) -> Told:
    """n networks as measured, errors independent of each other."""
    draws = independent(top1, error, DRAWS, np.random.default_rng(0))
    return Told(believed=top1, believed_sd=np.nan_to_num(error), p_front=p_front(draws, costs, fits), draws=draws,
                handed=handed_over(top1, costs, fits))  # fmt: skip


def observed(top1: Floats, costs: Floats, fits: Flags) -> Flags:
    """Which of n networks are on the front as measured, bool[n]."""
    on, rows = np.zeros(len(top1), dtype=bool), np.flatnonzero(fits)
    on[rows] = front(np.column_stack([-top1[rows], costs[rows]])) if len(rows) else False
    return on


def equals(told: Told, fits: Flags) -> Rows:
    """The network believed best and those that cannot be told apart from it, the highest belief first.

    Ties go to the earlier row. It is for searches where accuracy is all that counts.
    """
    if not fits.any():
        return np.zeros(0, dtype=np.int64)
    order = np.argsort(np.where(fits, -told.believed, np.inf), kind="stable")[: int(fits.sum())]
    best = told.draws[:, order[0]]
    alike = [row for row in order[1:] if not np.isnan(told.draws[0, row]) and not apart(best, told.draws[:, row])]
    return np.array([order[0], *alike], dtype=np.int64)


def _drawn(predicted: tuple[Floats, Floats], wanted: Flags, costs: Floats, fits: Flags) -> Flags:
    """Those that are wanted, and those that can be on the front, as long as these are not too many to be sampled."""
    mean, sd = predicted
    spread = SPREAD
    while True:
        low, high = (surrogate.accuracy(mean + sign * spread * sd) for sign in (-1, 1))
        drawn = wanted | plausible(low, high, costs, fits)
        if drawn.sum() <= DRAWN or spread < 1:
            return np.asarray(drawn)
        spread *= 0.8
