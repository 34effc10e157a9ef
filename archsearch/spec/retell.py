"""Codes of a space whose network computes the same as a given one, however either of them is spelled.

Templates and rows (`runs.py`) are walked side by side. A template offers, for each combination of its axes, a run of
rows; the next rows of the network must be one of those runs. Offers are kept for each kind of template, so that the
walk is a look-up a template.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from math import prod
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from archsearch.spec.arch import scaled
from archsearch.spec.fields import Chosen, Codes
from archsearch.spec.runs import SIZE, Row, stage_rows
from archsearch.spec.trunk import Door, doors

if TYPE_CHECKING:
    from archsearch.spec.space import SearchSpace, StageTemplate

Allowed = tuple[frozenset[int], ...]  # choices still possible, for each axis
Offer = tuple[tuple[int, ...], int]  # choices of the template's axes, and the channels behind it
COMBINATIONS = 20_000  # of one template's axes; beyond that its fields are compared as they are spelled only


@dataclass(frozen=True, slots=True)
class Visit:
    """A place where the walk has been: a template, and the rows ahead."""

    template: int
    at: int  # rows before
    c_in: int
    allowed: Allowed
    stuck: bool  # the template has no run for the rows ahead, and cannot be left out


@dataclass(frozen=True, slots=True)
class Walk:
    """The walk for one width multiplier; it remembers where it has been."""

    space: "SearchSpace"
    rows: tuple[Row, ...]
    multiplier: float
    entrances: tuple[Door, ...] | None  # of each template, where the head's output stride changes their strides
    been: set[tuple[object, ...]] = field(default_factory=set)
    visits: list[Visit] = field(default_factory=list)

    def go(self, template: int, at: int, c_in: int, allowed: Allowed) -> Iterator[Allowed]:
        """Choices under which the templates from `template` on give the rows from `at` on."""
        place = (template, at, c_in, tuple(allowed[axis] for axis in self.space.shared_axes))
        if place in self.been:
            return
        self.been.add(place)
        if template == len(self.space.stages):
            if at == len(self.rows):
                yield allowed
            else:
                self.visits.append(Visit(template, at, c_in, allowed, True))
            return
        ways = 0
        for used, c_out, left in self._fits(template, at, c_in, allowed):
            ways += 1
            yield from self.go(template + 1, at + used, c_out, left)
        self.visits.append(Visit(template, at, c_in, allowed, not ways))

    def offers(self, template: int, c_in: int) -> Mapping[tuple[Row, ...], Sequence[Offer]]:
        """The runs of rows of a template, each with the choices that give it."""
        door = Door(c_in=c_in, size=SIZE, stride=0)
        if self.entrances is not None:
            here = self.entrances[template]
            door = Door(c_in=c_in, size=SIZE, stride=here.stride, dilation=here.dilation,
                        rest_dilation=here.rest_dilation)  # fmt: skip
        return _offers(_shape(self.space.stages[template]), self.multiplier, door)

    def _fits(self, template: int, at: int, c_in: int, allowed: Allowed) -> Iterator[tuple[int, int, Allowed]]:
        """(rows used, channels behind, choices left) of each way on; the longest run first, then the first choices."""
        axes = axes_of(self.space.stages[template])
        offers = self.offers(template, c_in)
        seen: set[tuple[object, ...]] = set()
        for used in sorted({len(run) for run in offers}, reverse=True):
            for picks, c_out in offers.get(self.rows[at : at + used], ()) if at + used <= len(self.rows) else ():
                outside = (used, c_out, *(pick for axis, pick in zip(axes, picks, strict=True)
                                          if axis in self.space.shared_axes))  # fmt: skip
                possible = all(pick in allowed[axis] for axis, pick in zip(axes, picks, strict=True))
                if possible and outside not in seen:
                    seen.add(outside)
                    yield used, c_out, narrowed(allowed, dict(zip(axes, picks, strict=True)))


def walk_of(space: "SearchSpace", rows: tuple[Row, ...], multiplier: float) -> Walk:
    """The walk for the rows of a trunk under one width multiplier."""
    fixed = None
    if space.head.output_stride:
        fixed = tuple(doors(space.population(np.zeros((1, len(space.axes)), dtype=np.int64))))
    return Walk(space, rows, multiplier, fixed)


def axes_of(template: "StageTemplate") -> tuple[int, ...]:
    """Numbers of the axes that set a template's fields, ascending."""
    return tuple(sorted({source.axis for source in template.fields.values() if isinstance(source, Chosen)}))


def narrowed(allowed: Allowed, picks: Mapping[int, int]) -> Allowed:
    """The choices left when some axes are settled."""
    left = list(allowed)
    for axis, pick in picks.items():
        left[axis] = frozenset({pick})
    return tuple(left)


def first_code(allowed: Allowed) -> Codes:
    """The first choice that is left of each axis, int64[axes]."""
    return np.array([min(choices) for choices in allowed], dtype=np.int64)


def _shape(template: "StageTemplate") -> tuple[tuple[str, int, tuple[Any, ...]], ...]:
    """(field, which of the template's axes sets it or -1, values): equal for templates that differ in names only."""
    place = {axis: number for number, axis in enumerate(axes_of(template))}
    return tuple(
        (name, place[source.axis] if isinstance(source, Chosen) else -1, source.options)
        for name, source in template.fields.items()
    )


@lru_cache(maxsize=1024)
def _offers(
    shape: tuple[tuple[str, int, tuple[Any, ...]], ...], multiplier: float, door: Door
) -> Mapping[tuple[Row, ...], Sequence[Offer]]:
    """Runs of rows by the choices that give them; none where there are too many combinations.

    door     with stride 0: the stride is the template's own
    """
    radix = {axis: len(values) for _, axis, values in shape if axis >= 0}
    found: dict[tuple[Row, ...], list[Offer]] = {}
    if prod(radix.values()) > COMBINATIONS:
        return found
    for picks in product(*(range(radix[axis]) for axis in sorted(radix))):
        stage = SimpleNamespace(**{name: values[picks[axis] if axis >= 0 else 0] for name, axis, values in shape})
        stage.width = scaled(stage.width, multiplier)
        here = door if door.stride else Door(c_in=door.c_in, size=SIZE, stride=stage.stride)
        found.setdefault(stage_rows(stage, here), []).append((picks, stage.width))
    return found
