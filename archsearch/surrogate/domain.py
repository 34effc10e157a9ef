"""What a search may choose from, as a sampler sees it: named axes, exact costs, networks that fit, told apart.

A design space under a budget is a domain (`space_domain.py`); so is a table of networks that somebody else trained.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from archsearch.spec.fields import Axis, Codes

Floats = NDArray[np.float64]
WHOLE = 20_000  # networks up to which a domain is looked at whole
IDLE = -1  # in `Networks.slots`: this axis makes no difference to this network


@dataclass(frozen=True, slots=True, kw_only=True)
class Networks:
    """n networks, with all that is known of them before any training."""

    codes: Codes  # one choice for each axis, int64[n, axes]
    slots: NDArray[np.int64]  # the same with IDLE where an axis makes no difference; equal ones are the same network
    costs: Floats  # what is minimised, exact: float64[n, objectives - 1]
    traits: Floats  # further numbers that may say something of accuracy (logarithms of costs): float64[n, traits]
    names: NDArray[np.void]  # equal where two networks are the same one, void[n]; `tobytes` of one is its name

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: Any) -> "Networks":
        """Some of them: rows int[k] or bool[n]."""
        return Networks(codes=self.codes[rows], slots=self.slots[rows], costs=self.costs[rows],
                        traits=self.traits[rows], names=self.names[rows])  # fmt: skip

    def once(self) -> "Networks":
        """Each network once, in the order of its first appearance."""
        return self.take(np.sort(np.unique(self.names, return_index=True)[1]))

    def __iter__(self) -> Iterator[bytes]:
        """Their names."""
        return (name.tobytes() for name in self.names)


def joined(parts: list[Networks]) -> Networks:
    """Several sets as one; at least one must be given."""
    fields = ("codes", "slots", "costs", "traits", "names")
    return Networks(**{field: np.concatenate([getattr(part, field) for part in parts]) for field in fields})


def spelled(networks: Networks, like: Networks) -> Networks:
    """The same networks, each as the first of `like` that is the same one, or as it is where there is none.

    Two codes of one network may differ in their slots: two widths that are rounded to the same channels, say.
    """
    names = np.concatenate([like.names, networks.names])
    _, first, place = np.unique(names, return_index=True, return_inverse=True)
    return joined([like, networks]).take(first[place[len(like) :]])


class Domain(Protocol):
    """A set of networks that may be proposed: all of them fit the budget.

    All of it is a function of the arguments alone, so that a search that was killed goes on as one that was not.
    """

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The choices that make up a code."""
        ...

    @property
    def minimize(self) -> tuple[str, ...]:
        """Metrics of `Networks.costs`, in order; none where accuracy is all that counts."""
        ...

    @property
    def traits(self) -> tuple[str, ...]:
        """What `Networks.traits` holds."""
        ...

    def everything(self) -> Networks | None:
        """All networks that fit, each once; None where they may be more than WHOLE."""
        ...

    def draw(self, n: int, rng: np.random.Generator) -> Networks:
        """About n different networks that fit, spread over the logarithm of cost; fewer where fewer fit."""
        ...

    def around(self, codes: Codes) -> Networks:
        """Networks that fit and differ from one of these in one axis; each once, these left out."""
        ...

    def look(self, codes: Codes) -> Networks:
        """What is known of given codes int[n, axes], whether they fit or not, in their order."""
        ...

    def fits(self, codes: Codes) -> NDArray[np.bool_]:
        """Which of n codes fit the budget, bool[n]; networks of earlier calls with another budget may not."""
        ...
