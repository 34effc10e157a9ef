"""Several costs in one int64: how they are packed, and what the limits say of them."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsearch.errors import TooMany

Ints = NDArray[np.int64]
Spare = tuple[int, int]  # what the two sums may grow by at most


@dataclass(frozen=True)
class Fields:
    """Layout of a key: first sum, second sum, then two bits a flag (a peak that has to be reached).

    limits   (low, high) of each sum, both allowed; none, one or two sums
    scale    distinct values that the second sum may take, 1 where there is none
    flags    how many peaks have to be reached
    """

    limits: tuple[tuple[int, int], ...] = ()
    scale: int = 1
    flags: int = 0

    def check(self, spans: list[int]) -> None:
        """Raise TooMany where the sums, each below its span, are more than two or do not fit into one key."""
        if len(spans) > 2:
            raise TooMany("limits on more than two sums bind at once")
        if math.prod(spans) << 2 * self.flags >= 2**62:
            raise TooMany("the costs do not fit into one 64-bit key")

    def pack(self, sums: list[Ints], flags: list[Ints], size: int) -> Ints:
        """Keys from sums (from 0 up) and flags (0 or 1), each int64[size]."""
        key: Ints = sums[0] if sums else np.zeros(size, dtype=np.int64)
        for each in sums[1:]:
            key = key * self.scale + each
        for each in flags:
            key = key * 4 + each
        return key

    def settle(self, keys: Ints) -> Ints:
        """A flag that both sides of a sum have set is set once."""
        for nth in range(self.flags):
            keys = keys - (((keys >> (2 * nth)) & 2) >> 1 << (2 * nth))
        return keys

    def first(self, keys: Ints) -> Ints:
        """The first sum; 0 where there is none."""
        return (keys >> 2 * self.flags) // self.scale

    def second(self, keys: Ints) -> Ints:
        """The second sum; 0 where there is none."""
        return (keys >> 2 * self.flags) % self.scale

    def reached(self, keys: Ints) -> Ints:
        """The flags alone."""
        return keys & ((1 << 2 * self.flags) - 1)

    @property
    def all_reached(self) -> int:
        """The flags when every peak is reached."""
        return sum(1 << 2 * nth for nth in range(self.flags))

    def possible(self, keys: Ints, spare: Spare) -> Ints | slice:
        """Which keys can still hold the limits once parts of at most `spare` join: their positions, or everything."""
        kept = np.ones(len(keys), dtype=np.bool_)
        for sums, (low, high), most in zip((self.first, self.second), self.limits, spare, strict=False):
            mine = sums(keys)
            kept &= (mine >= low - most) & (mine <= high)
        return slice(None) if kept.all() else np.flatnonzero(kept)
