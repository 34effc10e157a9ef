"""The finite set of blocks that the networks of a space are made of, and which of them to measure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice, zip_longest

import numpy as np
from numpy.typing import NDArray

from archsearch.cost.shape_features import features
from archsearch.errors import LatencyError
from archsearch.spec.arch import Arch
from archsearch.spec.copies import copies, describe
from archsearch.spec.grid import grid
from archsearch.spec.lower import lower_part, parts
from archsearch.spec.ops import Op
from archsearch.spec.space import SearchSpace
from archsearch.spec.text import to_text

Block = tuple[Op, ...]
Floats = NDArray[np.float64]
FAR = 2000  # blocks that are chosen by distance, at most: each takes a look at all


def blocks_of(space: SearchSpace) -> dict[str, Block]:
    """Every block that some network of the space holds: description -> unrolled ops. Stem and head are blocks, too."""
    found: dict[str, Block] = {}
    for part in parts(space):
        table = grid(space, part, sized=True)
        codes = table.codes(np.arange(table.count), len(space.axes))
        for each in copies(lower_part(space.population(codes), part)):
            found |= {describe(block): block for block in each.blocks if block}
    return found


def chosen(blocks: Mapping[str, Block], most: int, *, seed: int = 0) -> list[str]:
    """At most `most` of the blocks, so spread that every other one has a measured one near by; see `ordered`."""
    if len(blocks) <= most:
        return list(blocks)
    picked = set(islice(ordered(blocks, seed=seed), most))
    return [name for name in blocks if name in picked]


def ordered(blocks: Mapping[str, Block], *, seed: int = 0) -> Iterator[str]:
    """All blocks, once each, in the order in which they are best measured: any number of the first ones is a choice.

    Every other one is an end of networks until all of these are there: each is in many networks, and no other block
    tells what it takes. Of the rest every other one is the farthest from those before it in the logarithms of their
    shapes, and every other one is drawn at random. Source: Gonzalez 1985, farthest-first traversal.
    """
    names = list(blocks)
    rows = spread(features([blocks[name] for name in names]))
    rng = np.random.default_rng(seed)
    far = islice(farthest(rows, start=int(rng.integers(len(names)))), FAR)
    drawn = rng.permutation(len(names)).tolist()
    ends = [place for place, name in enumerate(names) if is_end(blocks[name])]
    for place in dict.fromkeys(_in_turn(ends, _in_turn(far, drawn))):
        yield names[place]


def is_end(block: Block) -> bool:
    """Whether a block is a stem, or a head with a linear layer."""
    return block[0].label == "stem" or any(op.kind == "linear" for op in block)


def _in_turn(*sources: Iterable[int]) -> Iterator[int]:
    """One of each in turn, until all have ended."""
    for some in zip_longest(*sources):
        yield from (each for each in some if each is not None)


def spread(rows: Floats) -> Floats:
    """Logarithms of shapes, each column with mean 0 and spread 1; columns that are all alike drop out."""
    logs = np.log1p(rows)
    scale = logs.std(axis=0)
    return (logs - logs.mean(axis=0))[:, scale > 1e-9] / scale[scale > 1e-9]


def farthest(rows: Floats, *, start: int) -> Iterator[int]:
    """Row numbers, each the farthest from those before it, until every row is equal to one of them."""
    away = np.full(len(rows), np.inf)
    place = start
    while away[place] > 0:
        yield place
        away = np.minimum(away, ((rows - rows[place]) ** 2).sum(axis=1))
        place = int(np.argmax(away))


def calibrating(space: SearchSpace, networks: int, held_out: int, *, seed: int) -> int:
    """How many networks to calibrate by: as many as asked for, or a fair share where the space has too few for both.

    raises   LatencyError for a space of a single network
    """
    there = len(sampled(space, networks + held_out, seed=seed))
    if there < 2:
        raise LatencyError(f"space {space.name} has a single network: archsearch latency measure times it")
    if there == networks + held_out:
        return networks
    return max(2, min(networks, round(there * networks / (networks + held_out))))


def sampled(space: SearchSpace, n: int, *, seed: int, without: Collection[str] = ()) -> list[tuple[str, Arch]]:
    """n different networks drawn uniformly from a space: (text form, network), none of those in `without`.

    Fewer than n where the space has no more.
    """
    rng = np.random.default_rng([seed, 77])
    found: dict[str, Arch] = {}
    for _ in range(100):
        for code in space.sample(n, rng):
            arch = space.decode(code)
            text = to_text(arch)
            if text not in without and len(found) < n:
                found.setdefault(text, arch)
        if len(found) == n:
            break
    return list(found.items())
