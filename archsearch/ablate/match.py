"""Equal MAdds by width: the channels of all stages are scaled by one number until the cost is as wanted."""

from collections.abc import Iterator
from dataclasses import replace

from archsearch.cost.count import count
from archsearch.spec.arch import Arch, make_divisible

TOLERANCE = 0.02  # share of the wanted MAdds
DIVISORS = (8, 4, 2, 1)  # channels are multiples of the first one with which the MAdds can be met
LEAST, MOST = 1 / 16, 16.0  # factors on the channels
STEPS = 40  # halvings


def matched(arch: Arch, madds: int, *, tolerance: float = TOLERANCE) -> Arch | None:
    """The network with the channels of its stages scaled to so many MAdds; None where that cannot be.

    Everything else stays: stem, head, depths, kernels, ratios. Channels are multiples of 8 where that comes near
    enough, else of 4, 2 or 1.
    tolerance   share of the MAdds by which it may differ
    """
    for divisor in DIVISORS:
        found = min(_near(arch, madds, divisor), key=lambda made: abs(_madds(made) - madds), default=None)
        if found is not None and abs(_madds(found) - madds) <= tolerance * madds:
            return found
    return None


def scaled_stages(arch: Arch, factor: float, divisor: int) -> Arch:
    """The network with each stage's channels times a factor, at multiples of a divisor (never below 90 % of it)."""
    widths = (int(make_divisible(max(1, round(stage.width * factor)), divisor)) for stage in arch.stages)
    stages = (replace(stage, width=width) for stage, width in zip(arch.stages, widths, strict=True))
    return replace(arch, stages=tuple(stages))


def _near(arch: Arch, madds: int, divisor: int) -> Iterator[Arch]:
    """Networks just below and above so many MAdds: the ends of a bisection, and all it came by."""
    low, high = LEAST, MOST
    for _ in range(STEPS):
        middle = (low * high) ** 0.5
        made = scaled_stages(arch, middle, divisor)
        yield made
        if _madds(made) < madds:
            low = middle
        else:
            high = middle
        if high / low < 1 + 1e-4:
            return


def _madds(arch: Arch) -> int:
    return int(count(arch, ("madds",))["madds"])
