"""Random whole numbers of any size."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]  # or objects (Python ints) from 2^62 on


def below(limit: int, n: int, rng: np.random.Generator) -> Ints:
    """n numbers, uniform from 0 to limit - 1, with replacement."""
    if limit < 2**62:
        return rng.integers(0, limit, size=n, dtype=np.int64)
    size = (limit.bit_length() + 7) // 8
    drawn: list[int] = []
    while len(drawn) < n:
        word = int.from_bytes(rng.bytes(size), "little") >> (8 * size - limit.bit_length())
        if word < limit:
            drawn.append(word)
    return np.array(drawn, dtype=object)


def distinct(limit: int, n: int, rng: np.random.Generator) -> Ints:
    """n different numbers from 0 to limit - 1, uniform, in random order; all of them where n is not below limit."""
    if 2 * n >= limit:
        return rng.permutation(limit)[:n]
    found: Ints = below(limit, n, rng)
    while True:  # those drawn before are drawn anew: with less than half taken, a few rounds
        _, first = np.unique(found, return_index=True)
        if len(first) == n:
            return found
        again = np.setdiff1d(np.arange(n), first)
        found[again] = below(limit, len(again), rng)
