"""What an ablation compares: factors, which of their combinations each network gets, ready-made questions by name."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsearch.ablate.factor import Factor, Level
from archsearch.errors import RunError, choices

Treatments = NDArray[np.int64]
MOST = 64  # combinations of levels
MATCHES = ("none", "madds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """A question put to networks."""

    name: str
    about: str  # one sentence
    factors: tuple[Factor, ...]
    held: Mapping[str, Any] = field(default_factory=dict)  # fields that are the same in all networks
    match: str = "none"  # "madds": each combination gets the MAdds of the bases by its width

    @property
    def treatments(self) -> Treatments:
        """All combinations of levels, the bases first: int64[treatments, factors]."""
        return np.array(list(itertools.product(*(range(len(each.levels)) for each in self.factors))), dtype=np.int64)

    def sets(self, treatment: Sequence[int]) -> dict[str, Any]:
        """The fields that one combination sets."""
        chosen = (each.levels[int(level)] for each, level in zip(self.factors, treatment, strict=True))
        return dict(self.held) | {name: value for level in chosen for name, value in level.sets.items()}

    def label(self, treatment: Sequence[int]) -> str:
        """The names of one combination's levels."""
        return ", ".join(each.levels[int(n)].name for each, n in zip(self.factors, treatment, strict=True))


def own_design(factors: Sequence[Factor], *, match: str) -> Design:
    """The design of factors that were named by hand.

    raises   RunError for too many combinations
    """
    names = [each.name for each in factors]
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        raise RunError(f"--factor {min(doubled)} is given twice")
    told = " and ".join(f"{each.name} ({', '.join(level.name for level in each.levels)})" for each in factors)
    made = Design(name="factors", about=f"What does {told} change?", factors=tuple(factors), match=match)
    if len(made.treatments) > MOST:
        raise RunError(f"these factors have {len(made.treatments)} combinations, at most {MOST} are taken")
    return made


def fraction(treatments: Treatments, pair: int, parts: int) -> NDArray[np.bool_]:
    """Which treatments a pair gets where each gets one in `parts`: bool[treatments].

    By the sum of the levels' numbers modulo `parts`, turned on by one from pair to pair, so that over `parts` pairs in
    a row every treatment comes once. With three factors or more of `parts` levels each this is the regular fraction
    that confounds a part of the highest interaction alone with the pairs (all of it with two levels), and inside a pair
    every two factors are balanced (Yates, The design and analysis of factorial experiments, 1937). With two factors a
    level of one comes with a single level of the other: `check_fraction` refuses that.
    """
    return np.asarray((treatments.sum(axis=1) + pair) % parts == 0)


def check_fraction(design: Design, parts: int) -> None:
    """Raise RunError where a fraction would leave a factor without a fair comparison inside a pair.

    Each pair must have every level of every factor, and those of any two factors in balance: else what one factor does
    would be in the other one's difference. Three factors whose numbers of levels are multiples of `parts` are enough.
    """
    if parts == 1:
        return
    if parts < 1 or parts > MOST:
        raise RunError(f"--fraction must be a whole number from 1 to {MOST}, got {parts}")
    possible = f" or take at least three factors whose numbers of levels are multiples of {parts}"
    cure = "leave it out" + (possible if parts**3 <= MOST else "")
    for pair in range(parts):
        rows = design.treatments[fraction(design.treatments, pair, parts)]
        for number, each in enumerate(design.factors):
            if len(set(rows[:, number])) < len(each.levels):
                raise RunError(f"--fraction {parts} is too small a part: some networks would lack a level of "
                               f"{each.name}; {cure}")  # fmt: skip
        for a, b in itertools.combinations(range(len(design.factors)), 2):
            if not _balanced(rows[:, a], rows[:, b]):
                raise RunError(f"--fraction {parts} would mix up {design.factors[a].name} and {design.factors[b].name} "
                               f"inside a network's set of combinations; {cure}")  # fmt: skip


def _balanced(first: Treatments, second: Treatments) -> bool:
    """Whether each level of one factor comes with the levels of the other in the same proportions."""
    table = np.array([[((first == a) & (second == b)).sum() for b in np.unique(second)] for a in np.unique(first)])
    return bool((table * table.sum() == np.outer(table.sum(axis=1), table.sum(axis=0))).all())


def ready(name: str, *, match: str | None) -> Design:
    """A ready-made design by name, matched as it says itself unless told otherwise.

    raises   RunError naming the designs
    """
    if name not in DESIGNS:
        raise RunError(f"unknown ablation {name!r}; {choices(name, [*DESIGNS, 'relu-embedding'])}")
    made = DESIGNS[name]
    return made if match is None else Design(name=made.name, about=made.about, factors=made.factors, held=made.held,
                                             match=match)  # fmt: skip


def _factor(name: str, **levels: Mapping[str, Any]) -> Factor:
    """A factor with named levels."""
    told = (Level(name=level.replace("_", " "), sets=sets) for level, sets in levels.items())
    return Factor(name=name, levels=tuple(told))


def _fields(name: str, *values: Any) -> Factor:
    return Factor(name=name, levels=tuple(Level(name=f"{value}", sets={name: value}) for value in values))


DESIGNS: dict[str, Design] = {
    "linear-vs-relu": Design(
        name="linear-vs-relu",
        about="Do linear bottlenecks beat ReLU6 ones? (arXiv:1801.04381, section 3.2 and figure 6a)",
        factors=(_fields("bottleneck", "linear", "relu6"),),
        held={"block": "ir"},
    ),
    "shortcut": Design(
        name="shortcut",
        about="Should shortcuts join bottlenecks, expansions, or nothing? (arXiv:1801.04381, figure 6b)",
        factors=(_fields("shortcut", "bottleneck", "expansion", "none"),),
        held={"block": "ir"},
    ),
    "expansion": Design(
        name="expansion",
        about="Which expansion ratio is best at equal MAdds? (arXiv:1801.04381, section 3.4)",
        factors=(_fields("expand", 6, 2, 3, 4, 8, 10),),
        held={"block": "ir"},
        match="madds",
    ),
    "v1-vs-v2": Design(
        name="v1-vs-v2",
        about="Depthwise separable blocks (MobileNetV1, arXiv:1704.04861) or inverted residuals at equal MAdds?",
        factors=(_factor("block", **{"inverted residual": {"block": "ir"}, "depthwise separable": {"block": "ds"}}),),
        match="madds",
    ),
    "block": Design(
        name="block",
        about="Inverted residuals, classic ones (arXiv:1512.03385) or sandglasses (arXiv:2007.02269) at equal MAdds?",
        factors=(
            _factor("block", **{"inverted residual": {"block": "ir"}, "classic residual": {"block": "cr"},
                                "sandglass": {"block": "sg"}}),
        ),
        match="madds",
    ),
}  # fmt: skip
