"""Costs of the parts of networks, stem, each stage, head, for every combination of the axes that matter there.

Made by the same `lower_part` and prices as everything else.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsearch import plugins
from archsearch.cost.count import metric
from archsearch.errors import SpaceError
from archsearch.spec.fields import Chosen, Codes, Field, Fixed
from archsearch.spec.lower import HEAD, STEM, lower_part
from archsearch.spec.space import SearchSpace

ROWS = 2_000_000  # of one part's table; a space whose single stage has more choices is refused


@dataclass(frozen=True)
class Part:
    """One part's costs for every combination of the axes it depends on."""

    axes: tuple[int, ...]
    strides: NDArray[np.int64]  # of the mixed-radix row number, int64[len(axes)]
    costs: dict[str, NDArray[np.int64]]  # metric -> int64[rows]

    def rows(self, codes: Codes) -> NDArray[np.int64]:
        """Row of the table of each code: int64[n]."""
        number = np.zeros(len(codes), dtype=np.int64)
        for axis, stride in zip(self.axes, self.strides, strict=True):
            number += codes[:, axis] * stride
        return number


def depends(space: SearchSpace, part: int) -> tuple[int, ...]:
    """Numbers of the axes on which a part's cost depends, ascending."""
    sources: list[Field] = [space.width, space.resolution]
    if part != STEM:
        last = len(space.stages) if part == HEAD else part
        sources += [stage.fields["stride"] for stage in space.stages[:last]]
        sources += [space.stages[last - 1].fields["width"]] if last else []
    if part >= 0:
        sources += list(space.stages[part].fields.values())
    tapped = tap_stage(space)
    if tapped is not None and (part == HEAD or part > tapped):  # the tapped map waits while they run
        sources += list(space.stages[tapped].fields.values())
        sources += [space.stages[tapped - 1].fields["width"]] if tapped else []
    return tuple(sorted({source.axis for source in sources if isinstance(source, Chosen)}))


def tap_stage(space: SearchSpace) -> int | None:
    """Number of the stage whose map the head reads besides the last one; None where it reads that alone.

    raises   SpecError where a stride is an axis
    """
    tap = plugins.load("heads", space.head.kind).tap
    if tap is None:
        return None
    strides = [source.value if isinstance(source := stage.fields["stride"], Fixed) else None for stage in space.stages]
    number: int = tap.stage(space.stem.stride, strides)
    return number


def part_costs(space: SearchSpace, part: int, names: tuple[str, ...]) -> Part:
    axes = depends(space, part)
    radix = space.radix[list(axes)] if axes else np.ones(0, dtype=np.int64)
    strides = np.concatenate([np.cumprod(radix[::-1])[::-1][1:], [1]]).astype(np.int64) if axes else radix
    rows = int(np.prod(radix)) if axes else 1
    if rows > ROWS:
        raise SpaceError(
            f"space {space.name}: one stage has {rows:,} combinations, more than {ROWS:,} cannot be counted"
        )
    codes = np.zeros((rows, len(space.axes)), dtype=np.int64)
    for axis, stride in zip(axes, strides, strict=True):
        codes[:, axis] = np.arange(rows) // stride % space.radix[axis]
    ops = lower_part(space.population(codes), part)
    costs = {name: np.broadcast_to(np.asarray(metric(name).total(ops), dtype=np.int64), (rows,)) for name in names}
    return Part(axes, strides, costs)
