"""The networks of an ablation: drawn from a space, each turned into one network for every combination of levels."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from archsearch.ablate.design import Design, fraction
from archsearch.ablate.factor import treated
from archsearch.ablate.match import matched
from archsearch.cost.budget import Budget
from archsearch.cost.count import all_metrics, count
from archsearch.cost.spread import spread_codes
from archsearch.errors import BudgetError
from archsearch.spec.arch import Arch
from archsearch.spec.canon import key
from archsearch.spec.fields import Codes
from archsearch.spec.space import SearchSpace

DRAWN = 256  # networks that are looked at first, from one drawing; then as many as need be from another one
MORE = 1024  # at most, of that one
OVER, ALIKE, UNMET = "over the budget", "alike with two levels", "not to be brought to equal MAdds"  # why not


@dataclass(frozen=True, slots=True, kw_only=True)
class Treated:
    """One network of a pair."""

    treatment: int  # row of the design's treatments
    arch: Arch
    key: str
    costs: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One network of the space, treated; two or more that differ in the factors alone."""

    number: int
    code: Codes  # int64[axes] of the network that was drawn
    width: float | None  # its width multiplier; None where the space has one only
    networks: tuple[Treated, ...]  # by treatment; with a fraction some of the design's are left out

    @property
    def madds(self) -> float:
        """Geometric mean over its networks."""
        return float(np.exp(np.mean(np.log([max(1, each.costs["madds"]) for each in self.networks]))))


def pairs(space: SearchSpace, budget: Budget, design: Design, n: int, *, seed: int, parts: int = 1) -> list[Pair]:
    """n pairs, spread evenly over the logarithm of MAdds, all of whose networks fit and are distinct.

    Networks in which a factor changes nothing, or whose MAdds cannot be met by width, are passed over. The first of
    a longer list are the same. Where no more can be found, fewer come back.
    raises   BudgetError where none is found, SpaceError or SpecError for a level that cannot be
    """
    found: list[Pair] = []
    seen: set[str] = set()
    why: Counter[str] = Counter()
    for code in _codes(space, budget, seed):
        if not found and why.total() == DRAWN:
            break  # none of so many: there is hardly one
        made = _pair(space, budget, design, len(found), code, parts)
        if isinstance(made, str):
            why[made] += 1
        elif made.networks[0].key not in seen:
            seen.update(each.key for each in made.networks)
            found.append(made)
            if len(found) == n:
                break
    if not found:
        told = ", ".join(f"{count} {reason}" for reason, count in why.most_common())
        raise BudgetError(f"none of {why.total()} networks of space {space.name} can be compared: {told}")
    return found


def _codes(space: SearchSpace, budget: Budget, seed: int) -> Iterator[Codes]:
    """Codes int64[axes] to look at, each drawing spread over MAdds."""
    yield from spread_codes(space, budget, DRAWN, seed=seed)
    yield from spread_codes(space, budget, MORE, seed=seed + 2**20)


def _pair(
    space: SearchSpace, budget: Budget, design: Design, number: int, code: Codes, parts: int
) -> Pair | str:  # fmt: skip
    """The pair of one code, or why it is none."""
    made: list[Treated] = []
    for arch in _archs(space, design, code):
        if arch is None:
            return UNMET
        costs = count(arch, [*all_metrics()])
        if not budget.fits(costs):
            return OVER
        made.append(Treated(treatment=len(made), arch=arch, key=key(arch), costs=costs))
    if len({each.key for each in made}) < len(made):
        return ALIKE
    kept = fraction(design.treatments, number, parts) if parts > 1 else np.ones(len(made), dtype=bool)
    width = space.values(code).get("width")
    return Pair(number=number, code=code, width=None if width is None else float(width),
                networks=tuple(each for each, keep in zip(made, kept, strict=True) if keep))  # fmt: skip


def _archs(space: SearchSpace, design: Design, code: Codes) -> Iterator[Arch | None]:
    """The network of each treatment; None where its MAdds cannot be made those of the first."""
    first: int | None = None
    for treatment in design.treatments:
        arch = treated(space, code, design.sets(treatment))
        if first is None or design.match == "none":
            first = int(count(arch, ("madds",))["madds"])
            yield arch
        else:
            yield matched(arch, first)


def differences(one: Arch, other: Arch) -> set[str]:
    """The fields in which two networks differ: "resolution", "stem.act", "bottleneck" (of any stage), "depth"."""
    told = {"resolution"} if one.resolution != other.resolution else set()
    for part in ("stem", "head"):
        a, b = getattr(one, part), getattr(other, part)
        told |= {f"{part}.{name}" for name in a.__slots__ if getattr(a, name) != getattr(b, name)}
    if len(one.stages) != len(other.stages):
        return told | {"depth"}
    for a, b in zip(one.stages, other.stages, strict=True):
        told |= {name for name in a.__slots__ if getattr(a, name) != getattr(b, name)}
    return told


def by_cost(made: list[Pair]) -> list[Pair]:
    """The smallest, the median and the largest pair by MAdds: what is timed before a plan is told."""
    order = sorted(made, key=lambda each: (each.madds, each.number))
    return list({each.number: each for each in (order[0], order[len(order) // 2], order[-1])}.values())
