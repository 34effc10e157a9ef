"""Distributions of costs: how many choices of some axes give each cost, and which ones.

A cost is one int64 key: up to two sums side by side, below them two bits for each peak that has to be reached. Keys of
two independent groups of axes add up, so their joint distribution is an outer sum; equal keys become one entry with
the exact number of members. Which members stand behind an entry is kept, so that the n-th can be found again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

import numpy as np
from numpy.typing import NDArray

from archsearch.cost.exact.order import ENTRIES
from archsearch.cost.exact.packing import Fields, Spare
from archsearch.errors import TooMany

Ints = NDArray[np.int64]  # or objects (Python ints) where int64 would overflow
SAFE = 2**62  # totals from here on are added up as Python ints
serial = count()


@dataclass(frozen=True)
class Room:
    """The limits, and what is still to come: `spare` is the most that the parts outside add."""

    fields: Fields
    spare: Spare


@dataclass(frozen=True, eq=False)
class Dist:
    """Distinct keys, ascending, and how many members have each.

    order    the items behind the entries: those of entry e are order[start[e]:start[e + 1]]
    """

    keys: Ints
    weight: Ints
    order: Ints
    start: Ints
    total: int
    number: int = field(default_factory=lambda: next(serial))  # a source is always older than what is made of it

    @property
    def sources(self) -> tuple["Dist", ...]:
        """The distributions that this one is made of."""
        return ()

    def spread(self, share: Ints, size: int) -> Ints:
        """A value for each entry, repeated for each of its items: [size], 0 for items that were dropped."""
        each = np.zeros(size, dtype=share.dtype)
        each[self.order] = np.repeat(share, np.diff(self.start))
        return each

    def item(self, entries: Ints, numbers: Ints, weights: Ints) -> tuple[Ints, Ints]:
        """The item behind the `numbers`-th member of each entry, and the number that is left within the item.

        weights  members of each item, in the items' own numbering
        """
        ends = np.cumsum(weights[self.order])
        before = ends[self.start[entries]] - weights[self.order[self.start[entries]]]
        places = np.searchsorted(ends, before + numbers, side="right")
        items = self.order[places].astype(np.int64)
        return items, numbers + before - (ends[places] - weights[items])


@dataclass(frozen=True, eq=False)
class Leaf(Dist):
    """Rows of one part's table; an item is a row."""

    part: int = -1


@dataclass(frozen=True, eq=False)
class Join(Dist):
    """Two independent groups together; an item is a pair, left entry x right size + right entry."""

    left: Dist = field(default=None)  # type: ignore[assignment]
    right: Dist = field(default=None)  # type: ignore[assignment]

    @property
    def sources(self) -> tuple[Dist, ...]:
        return self.left, self.right


@dataclass(frozen=True, eq=False)
class Union(Dist):
    """One or another group, by the choice of an axis; an item is an entry of one of them, end to end."""

    members: tuple[Dist, ...] = ()

    @property
    def sources(self) -> tuple[Dist, ...]:
        return self.members


def leaf(part: int, keys: Ints, rows: Ints, room: Room) -> Leaf:
    """The distribution of some rows of a part; keys of those rows, rows in the part's own numbering."""
    ones = np.ones(len(keys), dtype=np.int64)
    keys, weight, order, start = _grouped(keys, ones, room)
    return Leaf(keys, weight, rows[order], start, int(weight.sum()), part=part)


def join(left: Dist, right: Dist, room: Room) -> Join:
    """Every pair of members but those that can no longer hold the limits.

    raises   TooMany where there are more than ENTRIES pairs of entries
    """
    if len(left.keys) * len(right.keys) > ENTRIES:
        raise TooMany(f"more than {ENTRIES:,} different costs at once")
    if len(left.keys) > len(right.keys):
        left, right = right, left  # long rising runs sort fastest
    keys = room.fields.settle((left.keys[:, None] + right.keys).ravel())
    big = left.total * right.total >= SAFE
    mine = left.weight.astype(object) if big else left.weight
    weights = (mine[:, None] * right.weight).ravel()
    keys, weight, order, start = _grouped(keys, weights, room)
    return Join(keys, weight, order, start, int(weight.sum()), left=left, right=right)


def union(members: Sequence[Dist], room: Room) -> Dist:
    """The members of several groups that exclude each other."""
    if len(members) == 1:
        return members[0]
    big = sum(each.total for each in members) >= SAFE
    weights = np.concatenate([each.weight for each in members])
    keys, weight, order, start = _grouped(
        np.concatenate([each.keys for each in members]), weights.astype(object) if big else weights, room
    )
    return Union(keys, weight, order, start, int(weight.sum()), members=tuple(members))


def _grouped(keys: Ints, weights: Ints, room: Room) -> tuple[Ints, Ints, Ints, Ints]:
    """Distinct keys, their weights, the items in order of key, where each key's items start."""
    kept = room.fields.possible(keys, room.spare)
    order = _sorted(keys[kept])
    order = kept[order] if isinstance(kept, np.ndarray) else order
    keys = keys[order]
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else order
    weight = np.add.reduceat(weights[order], first) if len(keys) else weights[:0]
    order = order.astype(np.int32)  # fewer than ENTRIES items, and they take most of the memory
    return keys[first], weight, order, np.append(first, len(order))


def _sorted(keys: Ints) -> Ints:
    """The order of some keys; stable, so that a seed draws the same on every machine."""
    if len(keys) and keys[0] >= 0 and int(keys.max()) < 2**16:
        keys = keys.astype(np.uint16)  # sorted by radix: several times faster
    return np.argsort(keys, kind="stable")


def push(shares: Sequence[tuple[Dist, Ints]], out: dict[int, Ints]) -> None:
    """How many of the counted networks use each row of each part.

    shares   (distribution, for each entry the number of networks that one member of it is part of); object arrays
             where their sums pass int64
    out      part -> number of networks of each row; added to
    """
    open_: dict[int, tuple[Dist, Ints]] = {}
    for dist, share in shares:
        _add(open_, dist, share)
    while open_:
        dist, share = open_.pop(max(open_))
        if isinstance(dist, Leaf):
            out[dist.part][dist.order] += np.repeat(share, np.diff(dist.start))
        for source, part in _parted(dist, share):
            _add(open_, source, part)


def _add(open_: dict[int, tuple[Dist, Ints]], dist: Dist, share: Ints) -> None:
    old = open_.get(dist.number)
    open_[dist.number] = (dist, share if old is None else old[1] + share)


def _parted(dist: Dist, share: Ints) -> Iterator[tuple[Dist, Ints]]:
    """Shares of a distribution's sources from its own."""
    if isinstance(dist, Join):
        shape = len(dist.left.keys), len(dist.right.keys)
        pairs = dist.spread(share, shape[0] * shape[1]).reshape(shape)
        yield dist.left, pairs @ dist.right.weight.astype(share.dtype)
        yield dist.right, dist.left.weight.astype(share.dtype) @ pairs
    elif isinstance(dist, Union):
        ends = np.cumsum([len(each.keys) for each in dist.members])
        yield from zip(dist.members, np.split(dist.spread(share, int(ends[-1])), ends[:-1]), strict=True)


def members(dist: Dist, entries: Ints, numbers: Ints) -> Iterator[tuple[Ints, int, Ints]]:
    """The `numbers`-th member of each entry: yields (positions in `entries`, part, rows of that part)."""
    if isinstance(dist, Leaf):
        yield np.arange(len(entries)), dist.part, dist.order[dist.start[entries] + numbers.astype(np.int64)]
    elif isinstance(dist, Join):
        mine_all = dist.left.weight.astype(dist.weight.dtype)  # objects where products pass int64
        items, left = dist.item(entries, numbers, (mine_all[:, None] * dist.right.weight).ravel())
        mine, other = np.divmod(items, len(dist.right.keys))
        first, second = left // dist.right.weight[other], left % dist.right.weight[other]
        yield from members(dist.left, mine, first)
        yield from members(dist.right, other, second)
    elif isinstance(dist, Union):
        items, left = dist.item(entries, numbers, np.concatenate([each.weight for each in dist.members]))
        begin = 0
        for each in dist.members:
            chosen = np.flatnonzero((items >= begin) & (items < begin + len(each.keys)))
            for places, part, rows in members(each, items[chosen] - begin, left[chosen]):
                yield chosen[places], part, rows
            begin += len(each.keys)
