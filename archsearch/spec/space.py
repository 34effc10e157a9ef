"""Design spaces: a set of networks spelled out by named axes.

A space holds a template of a network in which some fields are axes. A code is one choice per axis, int[axes]; n codes
become n networks' fields at once (`population`), which `lower` reads exactly as it reads one `Arch`.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsearch.errors import SpaceError, choices
from archsearch.spec.arch import Arch, Head, Stage, Stem, head_at, scaled, stem_at
from archsearch.spec.fields import Axis, Chosen, Codes, Field, Fixed, cut, gather, masks, take
from archsearch.spec.member import encode, outside

STAGE_FIELDS = tuple(field.name for field in fields(Stage))


@dataclass(frozen=True, slots=True)
class StageTemplate:
    """One stage: where each field of a `Stage` comes from. Its repeats may be 0 (absent) where no shape changes."""

    name: str  # stage3, or stage3.block2 where each block has choices of its own
    fields: Mapping[str, Field]


@dataclass(slots=True, kw_only=True)
class Population:
    """n networks at once, in the shape of an `Arch`: a field is a scalar, or an array [n]."""

    resolution: Any
    stem: Any  # the fields of a Stem
    stages: tuple[Any, ...]  # those of a Stage each; `block` is a mapping name -> mask
    head: Any  # those of a Head


@dataclass(frozen=True, kw_only=True, eq=False)  # equal only to itself: tables are kept for each
class SearchSpace:
    """A set of networks; read one from a file with `spec.space_file.read_space`."""

    name: str
    about: str
    axes: tuple[Axis, ...]
    width: Field  # the width multiplier
    resolution: Field
    stem: Stem  # before the multiplier
    stages: tuple[StageTemplate, ...]
    head: Head
    source: Mapping[str, Any] | None = None  # the parsed file it was read from, before any narrowing; see space_text

    @property
    def size(self) -> int:
        """How many codes the space has, exactly (distinct networks can be fewer)."""
        return math.prod(len(axis.values) for axis in self.axes)

    @cached_property
    def radix(self) -> Codes:
        """Number of choices of each axis, int64[axes]."""
        return np.array([len(axis.values) for axis in self.axes], dtype=np.int64)

    @cached_property
    def shared_axes(self) -> tuple[int, ...]:
        """Numbers of the axes that set fields of more than one part: of two stages, or of the whole network."""
        of_parts = [{s.axis for s in stage.fields.values() if isinstance(s, Chosen)} for stage in self.stages]
        whole = {s.axis for s in (self.width, self.resolution) if isinstance(s, Chosen)}
        return tuple(a for a in range(len(self.axes)) if a in whole or sum(a in part for part in of_parts) > 1)

    # one network ------------------------------------------------------------------------------------------------

    def decode(self, code: Codes) -> Arch:
        """The network of one code int[axes]."""
        pick = [int(choice) for choice in code]
        multiplier = float(take(self.width, pick))
        stages = []
        for template in self.stages:
            values = {name: take(source, pick) for name, source in template.fields.items()}
            if values["repeats"]:
                stages.append(Stage(**{**values, "width": scaled(values["width"], multiplier)}))
        return Arch(
            resolution=take(self.resolution, pick),
            stem=stem_at(self.stem, multiplier),
            stages=tuple(stages),
            head=head_at(self.head, multiplier),
        )

    def values(self, code: Codes) -> dict[str, Any]:
        """Axis name -> value of one code."""
        return {axis.name: axis.values[int(choice)] for axis, choice in zip(self.axes, code, strict=True)}

    def code(self, values: Mapping[str, Any]) -> Codes:
        """The code int64[axes] of named values.

        raises   SpaceError naming the axis that is missing or the value that is no choice
        """
        picks = []
        for axis in self.axes:
            if axis.name not in values:
                raise SpaceError(f"space {self.name}: axis {axis.name!r} has no value")
            if values[axis.name] not in axis.values:
                raise SpaceError(f"space {self.name}: {axis.name} = {values[axis.name]!r} is none of {axis.values}")
            picks.append(axis.values.index(values[axis.name]))
        return np.array(picks, dtype=np.int64)

    # many networks ----------------------------------------------------------------------------------------------

    def sample(self, n: int, rng: np.random.Generator) -> Codes:
        """n codes, uniform over the space, with replacement: int64[n, axes]."""
        return rng.integers(0, self.radix, size=(n, len(self.axes)), dtype=np.int64)

    def sample_compact(self, n: int, rng: np.random.Generator) -> NDArray[np.unsignedinteger[Any]]:
        """n codes, uniform as those of `sample`, for millions: uint8[n, axes] (wider if need be), each axis contiguous.

        The codes are not those that `sample` draws with the same `rng`.
        """
        kind = np.min_scalar_type(max((len(axis.values) - 1 for axis in self.axes), default=0))
        columns = np.empty((len(self.axes), n), dtype=kind)
        for column, radix in zip(columns, self.radix, strict=True):
            column[:] = rng.integers(0, radix, size=n, dtype=kind)
        return columns.T

    def enumerate(self, chunk: int = 65536, *, start: int = 0) -> Iterator[Codes]:
        """All codes from number `start` on, in order, in chunks int64[<=chunk, axes]; any size of space."""
        while start < self.size:
            yield self._run(start, min(chunk, self.size - start))
            start += chunk

    def _run(self, start: int, n: int) -> Codes:
        """The n codes from number `start` on: added to its digits, so that no number grows beyond int64."""
        codes = np.empty((n, len(self.axes)), dtype=np.int64)
        carry = np.arange(n, dtype=np.int64)
        for axis in range(len(self.axes) - 1, -1, -1):
            choices = len(self.axes[axis].values)
            start, digit = divmod(start, choices)
            carry, codes[:, axis] = np.divmod(carry + digit, choices)
        return codes

    def population(self, codes: Codes) -> Population:
        """The fields of n networks at once, for `lower`; codes int[n, axes]."""
        return Population(
            resolution=gather(self.resolution, codes),
            stem=self._layer([stem_at(self.stem, multiplier) for multiplier in self.width.options], codes),
            stages=tuple(self._stage(template, codes) for template in self.stages),
            head=self._layer([head_at(self.head, multiplier) for multiplier in self.width.options], codes),
        )

    def _stage(self, template: StageTemplate, codes: Codes) -> SimpleNamespace:
        values = {name: gather(source, codes) for name, source in template.fields.items()}
        values["width"] = self._widths(template.fields["width"], codes)
        values["block"] = masks(template.fields["block"], codes)
        return SimpleNamespace(**values)

    def _layer(self, made: Sequence[Stem] | Sequence[Head], codes: Codes) -> SimpleNamespace:
        """The fields of a stem or head, given what it is at each choice of the width multiplier."""
        values = {}
        axis = self.width.axis if isinstance(self.width, Chosen) else 0
        for field in fields(made[0]):
            options = tuple(getattr(layer, field.name) for layer in made)
            values[field.name] = gather(Chosen(axis, options) if len(set(options)) > 1 else Fixed(options[0]), codes)
        return SimpleNamespace(**values)

    def _widths(self, source: Field, codes: Codes) -> Any:
        """Channels under the width multiplier: a table [multipliers, widths] made by the scalar rule, then gathered."""
        table = np.array(
            [[scaled(width, multiplier) for width in source.options] for multiplier in self.width.options],
            dtype=np.int64,
        )
        if table.size == 1:
            return int(table[0, 0])
        row = codes[:, self.width.axis] if isinstance(self.width, Chosen) else 0
        column = codes[:, source.axis] if isinstance(source, Chosen) else 0
        return table[row, column]

    # membership -------------------------------------------------------------------------------------------------

    def encode(self, arch: Arch) -> Codes:
        """A code of this network, int64[axes]; of several spellings, the first.

        raises   SpaceError with the reason why it is not in the space
        """
        return encode(self, arch)

    def contains(self, arch: Arch) -> str | None:
        """None where the network is in the space, else the reason why not."""
        return outside(self.encode, arch)

    # narrowing --------------------------------------------------------------------------------------------------

    def with_classes(self, classes: int) -> "SearchSpace":
        """The same space for another number of classes."""
        return replace(self, head=replace(self.head, classes=classes))

    def restrict(self, name: str, keep: tuple[Any, ...]) -> "SearchSpace":
        """The space with one axis narrowed to the values in `keep`, its order kept.

        raises   SpaceError for an unknown axis, or when nothing would be left
        """
        known = [axis.name for axis in self.axes]
        if name not in known:
            raise SpaceError(f"space {self.name} has no axis {name!r}; {choices(name, known)}")
        axis = known.index(name)
        old = self.axes[axis]
        left = [index for index, value in enumerate(old.values) if value in keep]
        if not left:
            raise SpaceError(f"space {self.name}: {name} would have no value left of {old.values}")
        axes = list(self.axes)
        axes[axis] = Axis(name, tuple(old.values[index] for index in left))
        stages = tuple(
            replace(stage, fields={field: cut(source, axis, left) for field, source in stage.fields.items()})
            for stage in self.stages
        )
        width, resolution = cut(self.width, axis, left), cut(self.resolution, axis, left)
        return replace(self, axes=tuple(axes), width=width, resolution=resolution, stages=stages)
