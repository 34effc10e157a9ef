"""Several spaces as one set of networks: what lies in one or another of them.

A union has no axes of its own: its members keep theirs, and a code is (number of the member, code there). So it draws,
enumerates, encodes and decodes, but what needs one array of codes (cost tables, mutation) works member by member.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from archsearch.errors import SpaceError
from archsearch.spec.arch import Arch
from archsearch.spec.content import Prints, fingerprints, first_of_each
from archsearch.spec.fields import Codes
from archsearch.spec.member import outside
from archsearch.spec.space import SearchSpace

WHOLE = 500_000  # codes up to which the networks of a union are told apart one by one
DRAWS = 200  # networks of each member that are looked up in the others beyond that


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many networks several spaces have, and share."""

    networks: int | None  # distinct ones of the union; None where it is too large to tell
    shared: tuple[float, ...]  # of each member, the share of its codes whose network another member has too
    exact: bool  # else `shared` was found from a sample


@dataclass(frozen=True, kw_only=True, eq=False)
class Union:
    """The networks of one or another of several spaces."""

    spaces: tuple[SearchSpace, ...]

    def __post_init__(self) -> None:
        if not self.spaces:
            raise SpaceError("a union needs at least one space")

    @property
    def name(self) -> str:
        """The members' names, joined by +."""
        return "+".join(space.name for space in self.spaces)

    @cached_property
    def size(self) -> int:
        """How many codes the members have together; a network of two members counts twice."""
        return sum(space.size for space in self.spaces)

    def decode(self, member: int, code: Codes) -> Arch:
        """The network of a code of one member."""
        return self.spaces[member].decode(code)

    def encode(self, arch: Arch) -> tuple[int, Codes]:
        """(member, code) of a network in the first member that has it.

        raises   SpaceError with the reason of each member why not
        """
        reasons = []
        for number, space in enumerate(self.spaces):
            try:
                return number, space.encode(arch)
            except SpaceError as error:
                reasons.append(str(error))
        raise SpaceError("; ".join(reasons))

    def contains(self, arch: Arch) -> str | None:
        """None where a member has the network, else the reason of each why not."""
        return outside(self.encode, arch)

    def sample(self, n: int, rng: np.random.Generator, *, weights: Sequence[float] | None = None) -> list[Codes]:
        """n codes, for each member those drawn from it: int64[k, axes] each, the k adding up to n.

        weights  how likely each member is; left out: its size, so that every code is equally likely
        raises   SpaceError unless there is one weight for each member, none below 0, not all 0
        """
        shares = np.array([float(space.size) for space in self.spaces] if weights is None else weights, dtype=float)
        if shares.shape != (len(self.spaces),) or (shares < 0).any() or not shares.sum() > 0:
            raise SpaceError(f"{self.name} needs {len(self.spaces)} weights of at least 0, not all 0, got {weights}")
        counts = rng.multinomial(n, shares / shares.sum())
        return [space.sample(int(count), rng) for space, count in zip(self.spaces, counts, strict=True)]

    def enumerate(self, chunk: int = 65536) -> Iterator[tuple[int, Codes]]:
        """All codes, member by member, in chunks (member, int64[<=chunk, axes])."""
        for number, space in enumerate(self.spaces):
            for codes in space.enumerate(chunk):
                yield number, codes

    def overlap(self, rng: np.random.Generator, *, draws: int = DRAWS) -> Overlap:
        """What is known of the networks that members share: exact for small unions, else from `draws` of each."""
        if self.size <= WHOLE:
            return self._counted()
        shared = []
        for number, space in enumerate(self.spaces):
            others = Union(spaces=others) if (others := self.spaces[:number] + self.spaces[number + 1 :]) else None
            drawn = [space.decode(code) for code in space.sample(draws, rng)]
            shared.append(float(np.mean([others is not None and others.contains(arch) is None for arch in drawn])))
        return Overlap(None, tuple(shared), False)

    def _counted(self) -> Overlap:
        prints = [np.concatenate([fingerprints(space, codes) for codes in space.enumerate()]) for space in self.spaces]
        sets = [set(map(bytes, _distinct(each))) for each in prints]
        shared = []
        for number, each in enumerate(prints):
            others = set().union(*(found for other, found in enumerate(sets) if other != number))
            shared.append(float(np.mean([bytes(row) in others for row in each])))
        return Overlap(len(set().union(*sets)), tuple(shared), True)


def union(*spaces: SearchSpace | Union) -> Union:
    """The union of spaces; those of a union that is given become members themselves."""
    flat = [member for space in spaces for member in (space.spaces if isinstance(space, Union) else (space,))]
    return Union(spaces=tuple(flat))


def _distinct(prints: Prints) -> Prints:
    return np.asarray(prints[first_of_each(prints)])
