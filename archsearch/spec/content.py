"""What n networks of a space compute, as numbers from tables: equal networks have equal fingerprints, in any space.

The canonical form of a network (`canon.py`) is one row for each op. A part (stem, stage, head) gives a run of rows that
depends on few axes, so its hash is kept for each combination of those, made when it is first asked for. Hashing a run
of rows is a map x -> a x + b, and maps of parts join to that of the network: an idle part is the identity, and it makes
no difference where one stage ends and the next begins.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

from archsearch.spec.arch import scaled
from archsearch.spec.canon import wired
from archsearch.spec.fields import Chosen, Codes, take
from archsearch.spec.grid import Grid, grid, tap_stage
from archsearch.spec.lower import head_ops, parts, stem_op, unroll
from archsearch.spec.runs import SIZE, ends, first_block, stage_rows
from archsearch.spec.space import SearchSpace
from archsearch.spec.trunk import doors, find_tap

BASES = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], dtype=np.uint64)  # odd, so that no row is lost
Prints = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Rows:
    """The canonical rows of one part, and, where the head reads a map inside, the number of its op (-1 = the input)."""

    rows: tuple[str, ...] = ()
    tap: int = -1


@dataclass(slots=True)
class Part:
    """Content of one part for every combination of the axes it depends on; filled in as it is asked for."""

    grid: Grid
    numbers: NDArray[np.int32]  # content number of each combination, -1 = not yet known; int32[rows]
    known: dict[Rows, int] = field(default_factory=lambda: {Rows(): 0})
    maps: Prints = field(default_factory=lambda: _affine(())[None])  # a, a, b, b of each content, uint64[contents, 4]
    spans: NDArray[np.int64] = field(default_factory=lambda: np.array([[0, -1]]))  # rows and tap of each content

    def fill(self, found: Mapping[int, Rows]) -> None:
        """Take in the contents of some combinations."""
        new = [content for content in dict.fromkeys(found.values()) if content not in self.known]
        self.known |= {content: number for number, content in enumerate(new, start=len(self.known))}
        self.maps = np.stack([*self.maps, *(_affine(content.rows) for content in new)])
        self.spans = np.array([*self.spans.tolist(), *([len(content.rows), content.tap] for content in new)])
        for row, content in found.items():
            self.numbers[row] = self.known[content]


@dataclass(frozen=True)
class Contents:
    """The tables of one space."""

    space: SearchSpace
    parts: tuple[Part, ...]  # stem, stages, head
    tapped: int | None  # place in `parts` of the stage whose map the head reads
    sizes: Prints  # of the choices of the resolution, uint64[choices, 2]

    def numbers(self, codes: Codes) -> NDArray[np.int64]:
        """Content number of each part, int64[n, parts]; 0 = it computes nothing. Equal only within this space."""
        return np.stack([self._numbers(place, codes) for place in range(len(self.parts))], axis=1)

    def fingerprints(self, codes: Codes) -> Prints:
        """What n networks compute, uint64[n, 2]: equal where they are the same network, in whatever space."""
        state = np.zeros((len(codes), 2), dtype=np.uint64)
        count, at = np.zeros(len(codes), dtype=np.int64), np.zeros(len(codes), dtype=np.int64)
        for place, part in enumerate(self.parts):
            number = self._numbers(place, codes)
            if place == self.tapped:
                at = 1 + count + part.spans[number, 1]
            count += part.spans[number, 0]
            maps = part.maps[number]
            state = state * maps[:, :2] + maps[:, 2:]
        source = self.space.resolution
        size = self.sizes[codes[:, source.axis] if isinstance(source, Chosen) else np.zeros(len(codes), dtype=int)]
        return np.asarray((state * BASES + size) * BASES + at.astype(np.uint64)[:, None])

    def _numbers(self, place: int, codes: Codes) -> NDArray[np.int64]:
        part = self.parts[place]
        rows = part.grid.rows(codes)
        numbers = part.numbers[rows]
        if (numbers < 0).any():
            new = np.unique(rows[numbers < 0])
            picks = part.grid.codes(new, len(self.space.axes)).tolist()
            part.fill({row: _content(self.space, place, pick) for row, pick in zip(new.tolist(), picks, strict=True)})
            numbers = part.numbers[rows]
        return np.asarray(numbers, dtype=np.int64)


@lru_cache(maxsize=32)
def content_tables(space: SearchSpace) -> Contents:
    """The content tables of a space; made once for each space object and kept.

    raises   SpaceError where a single stage has too many combinations
    """
    grids = [grid(space, part, sized=False) for part in parts(space)]
    made = tuple(Part(each, np.full(each.count, -1, dtype=np.int32)) for each in grids)
    sizes = np.stack([_affine((f"resolution {value}",))[2:] for value in space.resolution.options])
    tapped = tap_stage(space)
    return Contents(space, made, None if tapped is None else tapped + 1, sizes)


def fingerprints(space: SearchSpace, codes: Codes) -> Prints:
    """What n networks compute, uint64[n, 2]: equal where they are the same network, in whatever space; codes [n, axes].

    Two different networks share one with a chance of 2^-128 (a `key` has 48 bits).
    """
    return content_tables(space).fingerprints(codes)


def same(a: Prints, b: Prints) -> NDArray[np.bool_]:
    """Where the fingerprints of two lists agree: bool[n]; one row of either side stands for all."""
    return np.asarray((a == b).all(axis=-1))


def first_of_each(prints: Prints) -> NDArray[np.int64]:
    """Where each network stands first among fingerprints uint64[n, 2], ascending."""
    pairs = np.ascontiguousarray(prints).view([("a", np.uint64), ("b", np.uint64)])[:, 0]
    return np.sort(np.unique(pairs, return_index=True)[1])


def distinct(space: SearchSpace, codes: Codes) -> Codes:
    """The codes without those whose network an earlier one has, order kept."""
    return np.asarray(codes[first_of_each(fingerprints(space, codes))])


# contents of parts --------------------------------------------------------------------------------------------------


def _content(space: SearchSpace, place: int, pick: Sequence[int]) -> Rows:
    """The rows of one part (0 = the stem, then the stages, then the head) under one code."""
    net = _plain(space, pick)
    if place == 0:
        return Rows(tuple(wired(unroll([stem_op(net.stem, SIZE)]))))
    entrances = [replace(door, size=SIZE) for door in doors(net)]
    tapped = find_tap(net, entrances)
    if place <= len(space.stages):
        stage, door = net.stages[place - 1], entrances[place - 1]
        reads = tapped.label if tapped is not None and tapped.stage == place - 1 else ""
        labels = [label for label, _ in first_block(stage, door)] if reads else []
        return Rows(stage_rows(stage, door), labels.index(reads) if reads else -1)
    # The head's ops behind one stand-in, whose input stands for the tapped map.
    if tapped is not None:
        tapped = replace(tapped, stage=0, label="", size=SIZE)
    stand_in = replace(stem_op(net.stem, SIZE), group=0)
    return Rows(tuple(wired(unroll([stand_in, *head_ops(net, entrances[-1], tapped)]))[1:]))


def _plain(space: SearchSpace, pick: Sequence[int]) -> SimpleNamespace:
    """The fields of the network of one code, absent stages (repeats 0) in their places."""
    multiplier = take(space.width, pick)
    stages = []
    for template in space.stages:
        values = {name: take(source, pick) for name, source in template.fields.items()}
        stages.append(SimpleNamespace(**values | {"width": scaled(values["width"], multiplier)}))
    stem, head = ends(space.stem, space.head, multiplier)
    return SimpleNamespace(resolution=SIZE, stem=stem, stages=stages, head=head)


def _affine(rows: Sequence[str]) -> Prints:
    """The map that hashes a run of rows behind what came before: x -> a x + b modulo 2^64, twice: (a, a, b, b)."""
    a, b = np.ones(2, dtype=np.uint64), np.zeros(2, dtype=np.uint64)
    for row in rows:
        a, b = a * BASES, b * BASES + _digest(row)
    return np.concatenate([a, b])


@lru_cache(maxsize=1 << 16)
def _digest(row: str) -> Prints:
    return np.frombuffer(hashlib.blake2b(row.encode(), digest_size=16).digest(), dtype="<u8").astype(np.uint64)
