"""Moves in a space: which axes matter in a code, neighbours, mutation, crossover, one-hot rows.

What makes a difference is read from the content of the networks (`content.py`), so nothing here knows what a field
means: the kernel of an absent block, the ratio of a block without expansion, a shortcut that cannot be.
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from archsearch.errors import SpaceError
from archsearch.spec.content import Prints, fingerprints, first_of_each, same
from archsearch.spec.fields import Axis, Codes
from archsearch.spec.space import SearchSpace

TRIES = 8  # of a mutation before its neighbours are looked at
FAR = 512  # codes drawn for a network none of whose neighbours is another one

Mark = Literal["zeros", "column", "none"]


# which axes matter --------------------------------------------------------------------------------------------------


def used(space: SearchSpace, codes: Codes) -> NDArray[np.bool_]:
    """Where an axis matters: some other choice of it, all others left, would give another network; bool[n, axes]."""
    codes = codes.astype(np.int64)  # compact codes have no room for what is added to them
    prints = fingerprints(space, codes)
    found = np.zeros(codes.shape, dtype=bool)
    for axis in range(len(space.axes)):
        found[:, axis] = _used(space, codes, prints, axis)
    return found


def settled(space: SearchSpace, codes: Codes) -> tuple[Codes, NDArray[np.bool_]]:
    """The same networks with their idle axes put to the first choice, one axis after the other.

    returns  codes int64[n, axes], and where an axis was not idle when its turn came: bool[n, axes]. Two axes may be
             idle only as long as the other one stays, so this mask can hold more than `used` does.
    """
    codes, kept = codes.astype(np.int64), np.zeros(codes.shape, dtype=bool)
    prints = fingerprints(space, codes)
    for axis in range(len(space.axes)):
        kept[:, axis] = _used(space, codes, prints, axis)
        codes[~kept[:, axis], axis] = 0
    return codes, kept


def _used(space: SearchSpace, codes: Codes, prints: Prints, axis: int) -> NDArray[np.bool_]:
    """Where one axis matters; choices are tried in turn for those codes where none has mattered yet."""
    matters = np.zeros(len(codes), dtype=bool)
    for step in range(1, int(space.radix[axis])):
        left = np.flatnonzero(~matters)
        if not len(left):
            break
        other = codes[left]
        other[:, axis] = (other[:, axis] + step) % space.radix[axis]
        matters[left] = ~same(fingerprints(space, other), prints[left])
    return matters


# one-hot rows -------------------------------------------------------------------------------------------------------


def one_hot_names(space: SearchSpace, *, unused: Mark = "zeros") -> list[str]:
    """What each column of `one_hot` says: `stage3.kernel=5`, or `stage3.kernel unused`."""
    names = []
    for axis in space.axes:
        names += [f"{axis.name}={value}" for value in axis.values]
        names += [f"{axis.name} unused"] if unused == "column" else []
    return names


def one_hot(space: SearchSpace, codes: Codes, *, unused: Mark = "zeros") -> NDArray[np.float32]:
    """One column a choice, 1 where it is taken: float32[n, choices of all axes].

    unused   how an idle axis (`settled`) is marked: by zeros in all its columns; by 1 in one more column each axis
             has; or "none": not at all
    """
    kept = np.ones(codes.shape, dtype=bool)
    if unused != "none":
        codes, kept = settled(space, codes)
    blocks = [np.zeros((len(codes), 0), dtype=np.float32)]
    for axis, choices in enumerate(space.radix.tolist()):
        block = np.zeros((len(codes), choices + (unused == "column")), dtype=np.float32)
        rows = np.arange(len(codes))
        block[rows[kept[:, axis]], codes[kept[:, axis], axis]] = 1
        if unused == "column":
            block[:, -1] = ~kept[:, axis]
        blocks.append(block)
    return np.concatenate(blocks, axis=1)


def from_one_hot(space: SearchSpace, rows: NDArray[np.float32], *, unused: Mark = "zeros") -> Codes:
    """The codes of one-hot rows, int64[n, axes]: of each axis the largest column; the first choice where it is unused.

    raises   SpaceError where the rows have another number of columns
    """
    more = int(unused == "column")
    ends = np.cumsum(space.radix + more)
    columns = int(ends[-1]) if len(ends) else 0
    if rows.ndim != 2 or rows.shape[1] != columns:
        raise SpaceError(f"space {space.name} has one-hot rows of {columns} columns, got an array {rows.shape}")
    codes = np.zeros((len(rows), len(ends)), dtype=np.int64)
    for axis, (end, choices) in enumerate(zip(ends.tolist(), space.radix.tolist(), strict=True)):
        start = end - choices - more
        codes[:, axis] = rows[:, start : start + choices].argmax(axis=1)
        if more:
            codes[rows[:, end - 1] > rows[:, start : end - 1].max(axis=1), axis] = 0
    return codes


# steps --------------------------------------------------------------------------------------------------------------


def neighbours(space: SearchSpace, code: Codes, *, ordered: bool = False) -> Codes:
    """The other networks that one axis away from a code lie: int64[m, axes], axis by axis, each network once.

    ordered  of an axis of numbers, only the next lower and the next higher one
    """
    around = np.concatenate([code[None].astype(np.int64), moves(space, code[None], ordered=ordered)])
    return np.asarray(around[first_of_each(fingerprints(space, around))[1:]])


def moves(space: SearchSpace, codes: Codes, *, ordered: bool = False) -> Codes:
    """All codes that one axis away from one of n codes lie, axis by axis for each: int64[m, axes]; the same networks
    may be among them."""
    rows = []
    for code in codes:
        for axis, choice in enumerate(code.tolist()):
            for other in _others(space.axes[axis], choice, ordered=ordered):
                rows.append(code.astype(np.int64))
                rows[-1][axis] = other
    return np.stack(rows) if rows else np.zeros((0, len(space.axes)), dtype=np.int64)


def _others(axis: Axis, choice: int, *, ordered: bool) -> Iterator[int]:
    if not ordered or not axis.numeric:
        yield from (other for other in range(len(axis.values)) if other != choice)
        return
    order = sorted(range(len(axis.values)), key=lambda index: axis.values[index])
    place = order.index(choice)
    yield from (order[near] for near in (place - 1, place + 1) if 0 <= near < len(order))


def mutate(space: SearchSpace, codes: Codes, rng: np.random.Generator, *, rate: float | None = None) -> Codes:
    """Codes of other networks near n given ones: int64[n, axes].

    Each axis takes another choice with probability `rate` (left out: 1 / axes), at least one that matters does, and
    the network is another one. Where no single axis leads to another, any other network of the space is drawn; a code
    comes back as it is only where none was found.
    """
    rate = 1 / max(1, len(space.axes)) if rate is None else rate
    prints, free = fingerprints(space, codes), used(space, codes)
    codes = codes.astype(np.int64)
    made = codes.copy()
    left = np.arange(len(codes))
    for _ in range(TRIES):
        made[left] = _changed(space, codes[left], free[left], rng, rate=rate)
        left = left[same(fingerprints(space, made[left]), prints[left])]
        if not len(left):
            break
    for row in left.tolist():
        near = neighbours(space, codes[row])
        made[row] = near[rng.integers(len(near))] if len(near) else _elsewhere(space, codes[row], rng)
    return made


def _changed(
    space: SearchSpace, codes: Codes, free: NDArray[np.bool_], rng: np.random.Generator, *, rate: float
) -> Codes:
    """Each axis another choice with probability `rate`; one at random of those that matter where none of them has."""
    flips = rng.random(codes.shape) < rate
    tickets = np.where(free, rng.random(codes.shape), -1.0)
    idle = np.flatnonzero(~(flips & free).any(axis=1) & free.any(axis=1))
    if len(idle):
        flips[idle, tickets[idle].argmax(axis=1)] = True
    steps = rng.integers(1, np.maximum(space.radix, 2), size=codes.shape)
    return np.where(flips, (codes + steps) % space.radix, codes)


def _elsewhere(space: SearchSpace, code: Codes, rng: np.random.Generator) -> Codes:
    """A code of another network from anywhere in the space; the same code where none is found."""
    small = space.size <= FAR
    codes = rng.permutation(next(space.enumerate(FAR))) if small else space.sample(FAR, rng)
    others = np.flatnonzero(~same(fingerprints(space, codes), fingerprints(space, code[None])))
    return np.asarray(codes[others[0]] if len(others) else code)


def crossover(space: SearchSpace, a: Codes, b: Codes, rng: np.random.Generator) -> Codes:
    """A child of each pair of codes, int64[n, axes]: every choice is that of one parent, by a fair coin.

    raises   SpaceError where the parents are not codes of this space, pair by pair
    """
    if a.shape != b.shape or a.shape[-1] != len(space.axes):
        raise SpaceError(f"parents must both be [n, {len(space.axes)}], got {list(a.shape)} and {list(b.shape)}")
    return np.where(rng.random(a.shape) < 0.5, a, b)


# numbers ------------------------------------------------------------------------------------------------------------


def code_number(space: SearchSpace, code: Codes) -> int:
    """The place of a code in the order of `SearchSpace.enumerate`, exactly, however large the space."""
    place = 0
    for choice, choices in zip(code.tolist(), space.radix.tolist(), strict=True):
        place = place * choices + choice
    return place


def code_at(space: SearchSpace, place: int) -> Codes:
    """The code at a place in that order, int64[axes]; raises SpaceError behind the last one."""
    if not 0 <= place < space.size:
        raise SpaceError(f"space {space.name} has codes 0 to {space.size - 1:,}, not {place:,}")
    return np.asarray(next(space.enumerate(1, start=place))[0])
