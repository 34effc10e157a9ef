"""Networks as the surrogate sees them: one column a choice, one number an axis, standardised traits."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsearch.spec.fields import Axis
from archsearch.surrogate.domain import IDLE, Floats, Networks

FLAT = 1e-3  # choices whose effects on the logarithm of cost differ by less have no order that cost could tell


@dataclass(frozen=True, slots=True)
class Rows:
    """n networks as numbers."""

    marks: Floats  # one-hot over all choices, an idle axis being one more choice: float64[n, columns]
    line: Floats  # what the linear part of the kernel works on: float64[n, p]
    traits: Floats  # standardised: float64[n, t]

    def __len__(self) -> int:
        return len(self.marks)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "Rows":
        """Some of them."""
        return Rows(self.marks[rows], self.line[rows], self.traits[rows])


def stacked(a: Rows, b: Rows) -> Rows:
    """The rows of a, then those of b."""
    return Rows(*(np.concatenate([getattr(a, name), getattr(b, name)]) for name in ("marks", "line", "traits")))


@dataclass(frozen=True, slots=True)
class Encoder:
    """How networks of one domain become rows; made from a sample of the domain, so that scales stay the same."""

    axis_of: NDArray[np.int64]  # of each column of `marks`
    slot_of: NDArray[np.int64]  # choice number, or IDLE, of each column
    scores: Floats  # what the linear part sees of each column
    centre: Floats  # of the linear columns and the traits, float64[p]
    spread: Floats  # standard deviations of the same; infinite where they never change
    axes: int

    def rows(self, networks: Networks) -> Rows:
        """The rows of n networks."""
        marks = (networks.slots[:, self.axis_of] == self.slot_of).astype(float)
        numbers = (np.concatenate([self._ranks(marks), networks.traits], axis=1) - self.centre) / self.spread
        return Rows(marks, numbers, np.ascontiguousarray(numbers[:, self.axes :]))

    def _ranks(self, marks: Floats) -> Floats:
        """The score of the choice taken on each axis, float64[n, axes]."""
        ranks = np.zeros((len(marks), self.axes))
        for axis in range(self.axes):
            mine = self.axis_of == axis
            ranks[:, axis] = marks[:, mine] @ self.scores[mine]
        return ranks


def encoder(axes: tuple[Axis, ...], sample: Networks) -> Encoder:
    """The encoder of a domain, from some hundreds of its networks or all of them.

    The choices of an axis of numbers are ranked as numbers; of others, by what they do to cost, which is known: so the
    order in which a space happens to write them down does not matter. Choices that cost tells nothing apart score the
    same, and only the one-hot part tells them apart. An idle axis scores like the axis' middle.
    """
    axis_of = np.array([a for a, axis in enumerate(axes) for _ in range(len(axis.values) + 1)], dtype=np.int64)
    slot_of = np.array([s for axis in axes for s in (IDLE, *range(len(axis.values)))], dtype=np.int64)
    effects = _effects(axes, sample)
    scores = np.concatenate([_scores(axis, effects[a]) for a, axis in enumerate(axes)] or [np.zeros(0)])
    bare = Encoder(axis_of, slot_of, scores, np.zeros(1), np.ones(1), len(axes))
    marks = (sample.slots[:, axis_of] == slot_of).astype(float)
    numbers = np.concatenate([bare._ranks(marks), sample.traits], axis=1)
    spread = numbers.std(axis=0)
    return Encoder(axis_of, slot_of, scores, numbers.mean(axis=0), np.where(spread > 1e-9, spread, np.inf), len(axes))


def _scores(axis: Axis, effects: Floats) -> Floats:
    """Scores of the choices of one axis, the idle one first."""
    if axis.numeric:
        ranks = np.argsort(np.argsort(np.array(axis.values, dtype=float))).astype(float)
    else:
        ranks = _tied(effects)
    return np.concatenate([[ranks.mean()], ranks])


def _tied(effects: Floats) -> Floats:
    """Ranks of effects; of those that lie within FLAT of the next one, the mean rank of all of them."""
    order = np.argsort(effects, kind="stable")
    step = np.concatenate([[0], np.cumsum(np.diff(effects[order]) >= FLAT)])
    means = np.bincount(step, weights=np.arange(len(order))) / np.bincount(step)
    ranks = np.empty(len(order))
    ranks[order] = means[step]
    return ranks


def _effects(axes: tuple[Axis, ...], sample: Networks) -> list[Floats]:
    """What each choice adds to the first trait (the logarithm of MAdds), by least squares over the sample."""
    if not sample.traits.shape[1] or not len(sample):
        return [np.zeros(len(axis.values)) for axis in axes]
    marks = [sample.codes[:, a, None] == np.arange(len(axis.values)) for a, axis in enumerate(axes)]
    table = np.concatenate([*marks, np.ones((len(sample), 1))], axis=1).astype(float)
    gram = table.T @ table + 1e-3 * np.eye(table.shape[1])
    found = np.linalg.solve(gram, table.T @ (sample.traits[:, 0] - sample.traits[:, 0].mean()))
    ends = np.cumsum([len(axis.values) for axis in axes])
    return np.split(found[:-1], ends[:-1]) if len(axes) else []
