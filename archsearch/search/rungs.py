"""Successive halving for several objectives: which of the networks that wait at a rung is trained on; arrays alone.

Pareto-ASHA after Schmucker et al., "Multi-objective Asynchronous Successive Halving" (arXiv:2106.12639), and Salinas et
al. (arXiv:2106.05680). One difference: what was sent on from a rung is counted and never is more than its share.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsearch.errors import RunError
from archsearch.pareto import front
from archsearch.surrogate.domain import Floats

ETA, AUTO_ETA = 3, 9  # where none is named: with rungs that are named, without (docs/rungs.md)
DOUBT = 0.05  # chance to reach the front below which a network is stopped
AUTO = 9  # part of the whole training after which the only halt is, where rungs are left to us

Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When a training halts, and which may go on.

    With `eta` 1 all go on and none is stopped: whole trainings that are also judged on the way.
    raises   RunError for rungs that do not rise, a share that is none, or a chance outside [0, 1)
    """

    rungs: tuple[int, ...]  # epochs after which a network is judged, rising; the last one is the whole training
    eta: int = ETA  # of n networks at a rung n // eta may go on
    doubt: float = DOUBT  # chance to reach the front below which a network is stopped; 0: the question is not asked
    learns: bool = True  # whether the order is by the final top-1 that is expected, not by what the rung showed
    gains: bool = True  # whether, once finals are foretold, what a network adds to the front orders its rank
    by_cost: bool = True  # whether costs count in the order; without them it is ASHA (arXiv:1810.05934)

    def __post_init__(self) -> None:
        if not self.rungs or self.rungs[0] < 1 or any(a >= b for a, b in zip(self.rungs, self.rungs[1:], strict=False)):
            raise RunError(f"rungs must be rising numbers of epochs, got {', '.join(map(str, self.rungs)) or 'none'}")
        if self.eta < 1:
            raise RunError(f"eta must be at least 1, got {self.eta}")
        if not 0 <= self.doubt < 1:
            raise RunError(f"a chance to stop at must be from 0 to below 1, got {self.doubt}")

    @property
    def stops(self) -> bool:
        """Whether a network may be stopped before its training ends."""
        return self.eta > 1

    @property
    def whole(self) -> int:
        """Epochs of a whole training."""
        return self.rungs[-1]

    @property
    def mean_epochs(self) -> float:
        """Epochs that a network takes on average where each rung sends on its share."""
        steps = zip((0, *self.rungs), self.rungs, strict=False)
        return sum((here - before) / float(self.eta) ** rung for rung, (before, here) in enumerate(steps))

    def after(self, epochs: int) -> int:
        """The rung behind this one."""
        return self.rungs[self.rungs.index(epochs) + 1]


def read_rungs(text: str, whole: int, eta: int) -> tuple[int, ...]:
    """The rungs that `3` (that many), `1,3,9` (epochs) or `auto` says, up to the whole training.

    A list may leave the last one out. "auto" is one halt after a ninth of the epochs.
    raises   RunError where that cannot be
    """
    words = text.replace(" ", "")
    if words == "auto":
        return tuple(sorted({max(1, round(whole / AUTO)), whole}))
    parts = words.split(",")
    if not all(part.isdecimal() and len(part) < 7 and int(part) > 0 for part in parts):
        raise RunError(f"--rungs {text!r} must be how many (3), their epochs (1,3,9) or auto")
    numbers = [int(part) for part in parts]
    if len(numbers) == 1:
        return _spaced(numbers[0], whole, eta)
    if sorted(set(numbers)) != numbers:
        raise RunError(f"--rungs {text} must rise")
    if numbers[-1] > whole:
        raise RunError(f"--rungs {text}: a trial has {whole} epochs; give --epochs {numbers[-1]}")
    return Rule(rungs=tuple(numbers if numbers[-1] == whole else [*numbers, whole]), eta=eta).rungs


def _spaced(count: int, whole: int, eta: int) -> tuple[int, ...]:
    """That many rungs, each eta times the one before; where all go on, three times."""
    eta = eta if eta > 1 else ETA
    if eta ** (count - 1) > whole:
        raise RunError(f"{count} rungs, each {eta} times the one before, do not fit in the {whole} epochs of a trial")
    return Rule(rungs=tuple(round(whole / eta**step) for step in range(count - 1, -1, -1)), eta=eta).rungs


def next_up(top1: Floats, costs: Floats, *, went: Flags, waits: Flags, rule: Rule) -> int | None:
    """The row of the network that may go on from a rung; None where its share is used up or nobody waits.

    top1     at the rung, of all n that reached it, float[n]
    costs    minimised, float[n, m]
    went     bool[n]: was sent on; waits bool[n]: may be sent on; neither: was stopped
    """
    if not room(went, waits, rule):
        return None
    return next(int(row) for row in order(top1, costs if rule.by_cost else costs[:, :0]) if waits[row])


def room(went: Flags, waits: Flags, rule: Rule) -> bool:
    """Whether another one may go on from a rung, and somebody waits there."""
    return bool(waits.any()) and int(went.sum()) < len(went) // rule.eta


def order(top1: Floats, costs: Floats, worth: Floats | None = None) -> Rows:
    """All rows, the best first: by non-dominated rank, within a rank by worth, then by an epsilon-net.

    top1     float[n], up; costs float[n, m], down
    worth    float[n], up; where it is equal, or left out, the epsilon-net alone decides
    """
    values = np.column_stack([-top1, costs]) if len(top1) else np.zeros((0, 1))
    rank, scaled = layers(values), _scaled(values)
    found = [spread(scaled[rows], top1[rows]) for rows in (np.flatnonzero(rank == each) for each in range(_top(rank)))]
    members = [np.flatnonzero(rank == each) for each in range(_top(rank))]
    ordered = [rows[places] for rows, places in zip(members, found, strict=True)]
    if worth is not None:
        ordered = [rows[np.argsort(-worth[rows], kind="stable")] for rows in ordered]
    return np.concatenate(ordered) if ordered else np.zeros(0, dtype=np.int64)


def layers(values: Floats) -> Rows:
    """The non-dominated rank of each row, 0 for the front: int64[n]; values float[n, m], every column minimised."""
    rank, left, level = np.full(len(values), -1, dtype=np.int64), np.arange(len(values)), 0
    while len(left):
        on = front(values[left])
        rank[left[on]] = level
        left, level = left[~on], level + 1
    return rank


def spread(points: Floats, top1: Floats) -> Rows:
    """Rows of one rank in the order of an epsilon-net: the most accurate, then always the farthest from those taken.

    points   float[n, m], each column on one scale
    Source: arXiv:2106.12639, section 3 (their first one is drawn; ours is the same each time)
    """
    if not len(points):
        return np.zeros(0, dtype=np.int64)
    taken = [int(np.argmax(top1))]
    near = np.full(len(points), np.inf)
    while len(taken) < len(points):
        near = np.minimum(near, np.linalg.norm(points - points[taken[-1]], axis=1))
        near[taken] = -1.0
        taken.append(int(np.argmax(near)))
    return np.array(taken, dtype=np.int64)


def bars(final: Floats, costs: Floats) -> Floats:
    """What each network must beat to be on the front: the best final top-1 of no greater cost; -inf: there is none.

    final    float[n], NaN where a network is not trained to its end; costs float[n, m]
    returns  float[n]; a network does not stand in its own way
    """
    done = np.flatnonzero(~np.isnan(final))
    found = np.full(len(final), -np.inf)
    for row in done:
        above = (costs[row] <= costs).all(axis=1)
        above[row] = False
        found[above] = np.maximum(found[above], final[row])
    return found


def _scaled(values: Floats) -> Floats:
    """Columns brought to the range from 0 to 1; costs, which span decades, by their logarithms."""
    columns = [values[:, :1], *(np.log(values[:, i : i + 1].clip(1e-12)) for i in range(1, values.shape[1]))]
    joined = np.concatenate(columns, axis=1)
    low, high = joined.min(axis=0, initial=np.inf), joined.max(axis=0, initial=-np.inf)
    return np.asarray((joined - low) / np.where(high > low, high - low, 1.0))


def _top(rank: Rows) -> int:
    return int(rank.max(initial=-1)) + 1
