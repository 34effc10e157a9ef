"""The finite set of blocks that the networks of a space are made of, and which of them to measure."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from archsearch.cost.shape_features import features
from archsearch.spec.copies import copies, describe
from archsearch.spec.grid import grid
from archsearch.spec.lower import lower_part, parts
from archsearch.spec.ops import Op
from archsearch.spec.space import SearchSpace

Block = tuple[Op, ...]
Floats = NDArray[np.float64]


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
    """At most `most` of the blocks, so spread that every other one has a measured one near by.

    Half are chosen one after another, each the farthest from all before in the logarithms of their shapes; the other
    half are drawn at random. Source of the first half: Gonzalez 1985, farthest-first traversal.
    """
    names = list(blocks)
    if len(names) <= most:
        return names
    rows = spread(features([blocks[name] for name in names]))
    rng = np.random.default_rng(seed)
    picked = farthest(rows, max(1, most // 2), start=int(rng.integers(len(names))))
    rest = np.setdiff1d(np.arange(len(names)), picked)
    picked += rng.choice(rest, most - len(picked), replace=False).tolist()
    return [names[place] for place in sorted(picked)]


def spread(rows: Floats) -> Floats:
    """Logarithms of shapes, each column with mean 0 and spread 1; columns that are all alike drop out."""
    logs = np.log1p(rows)
    scale = logs.std(axis=0)
    return (logs - logs.mean(axis=0))[:, scale > 1e-9] / scale[scale > 1e-9]


def farthest(rows: Floats, most: int, *, start: int) -> list[int]:
    """Row numbers, each the farthest from those before it."""
    picked = [start]
    away = ((rows - rows[start]) ** 2).sum(axis=1)
    while len(picked) < most:
        picked.append(int(np.argmax(away)))
        away = np.minimum(away, ((rows - rows[picked[-1]]) ** 2).sum(axis=1))
    return picked


def sampled(space: SearchSpace, n: int, *, seed: int, without: Sequence[str] = ()) -> list[tuple[str, object]]:
    """n different networks drawn uniformly from a space: (text form, network), none of those in `without`."""
    from archsearch.spec.text import to_text

    rng = np.random.default_rng([seed, 77])
    found: dict[str, object] = {}
    for _ in range(100):
        for code in space.sample(n, rng):
            arch = space.decode(code)
            text = to_text(arch)
            if text not in without and len(found) < n:
                found.setdefault(text, arch)
        if len(found) == n:
            break
    return list(found.items())
