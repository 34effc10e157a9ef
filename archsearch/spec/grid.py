"""The axes on which a part of a space's networks depends, and their combinations as the rows of a table, both ways."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from archsearch import plugins
from archsearch.errors import SpaceError
from archsearch.spec.fields import Chosen, Codes, Field, Fixed
from archsearch.spec.lower import HEAD, STEM
from archsearch.spec.space import SearchSpace

ROWS = 2_000_000  # of one part's table; a space whose single stage has more combinations is refused


@dataclass(frozen=True)
class Grid:
    """Every combination of some axes, numbered: the last axis counts fastest."""

    axes: tuple[int, ...]  # ascending
    sizes: tuple[int, ...]  # choices of each

    @property
    def count(self) -> int:
        """How many combinations there are."""
        return math.prod(self.sizes)

    @cached_property
    def strides(self) -> NDArray[np.int64]:
        """What one step of each axis adds to the row number: int64[len(axes)]."""
        return np.array([math.prod(self.sizes[place + 1 :]) for place in range(len(self.sizes))], dtype=np.int64)

    def rows(self, codes: Codes) -> NDArray[np.int64]:
        """Row of each code: int64[n]; codes of any integer type."""
        return np.asarray(codes[:, list(self.axes)] @ self.strides)

    def codes(self, rows: NDArray[np.int64], axes: int) -> Codes:
        """Codes of a space of `axes` axes that have these rows, first choices elsewhere: int64[n, axes]."""
        codes = np.zeros((len(rows), axes), dtype=np.int64)
        for axis, stride, size in zip(self.axes, self.strides, self.sizes, strict=True):
            codes[:, axis] = rows // stride % size
        return codes


def grid(space: SearchSpace, part: int, *, sized: bool) -> Grid:
    """The combinations of the axes on which a part (`STEM`, a stage's number, `HEAD`) depends.

    sized    asks for its costs, which depend on the size of its map and on a map that waits for the head, too; else
             for what it computes, whatever the size
    raises   SpaceError where they are more than a table can have
    """
    axes = depends(space, part, sized=sized)
    found = Grid(axes, tuple(len(space.axes[axis].values) for axis in axes))
    if found.count > ROWS:
        raise SpaceError(f"space {space.name}: one stage has {found.count:,} combinations, more than {ROWS:,}")
    return found


def depends(space: SearchSpace, part: int, *, sized: bool) -> tuple[int, ...]:
    """Numbers of the axes on which a part depends, ascending; `sized` as of `grid`."""
    fields = [space.width, *_own(space, part), *(_sizes(space, part) if sized else ())]
    tapped = tap_stage(space)
    if tapped is not None and (part == HEAD or (sized and part > tapped)):  # the tapped map waits while they run
        fields += _own(space, tapped)
    return tuple(sorted({source.axis for source in fields if isinstance(source, Chosen)}))


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


def _own(space: SearchSpace, part: int) -> Iterator[Field]:
    """The fields of a part, and the width of the stage before it."""
    before = _before(space, part)
    if before:
        yield space.stages[before - 1].fields["width"]
    if part >= 0:
        yield from space.stages[part].fields.values()


def _sizes(space: SearchSpace, part: int) -> Iterator[Field]:
    """The fields that make the size of the map at a part's input."""
    yield space.resolution
    yield from (stage.fields["stride"] for stage in space.stages[: _before(space, part)])


def _before(space: SearchSpace, part: int) -> int:
    """How many stages stand before a part."""
    return {STEM: 0, HEAD: len(space.stages)}.get(part, part)
