"""Design spaces: a set of networks spelled out by named axes.

A space holds a template of a network in which some fields are axes. A code is one choice per axis, int[axes]; n codes
become n networks' fields at once (`population`), which `lower` reads exactly as it reads one `Arch`.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsearch.errors import SpaceError, choices
from archsearch.spec.arch import Arch, Head, Stage, Stem, scaled, scaled_head

Codes = NDArray[np.int64]
STAGE_FIELDS = ("width", "repeats", "stride", "kernel", "expand", "block", "act", "bottleneck", "shortcut")


@dataclass(frozen=True, slots=True)
class Axis:
    """One choice: a name like `width` or `stage3.kernel`, and its values in order."""

    name: str
    values: tuple[Any, ...]

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers, so that their order means something."""
        return all(isinstance(value, int | float) for value in self.values)


@dataclass(frozen=True, slots=True)
class Fixed:
    """A field that no axis changes."""

    value: Any


@dataclass(frozen=True, slots=True)
class Chosen:
    """A field set by an axis: `values[choice]`."""

    axis: int
    values: tuple[Any, ...]


Field = Fixed | Chosen


@dataclass(frozen=True, slots=True)
class StageTemplate:
    """One stage: where each of its fields comes from."""

    fields: Mapping[str, Field]


@dataclass(slots=True, kw_only=True)
class StageFields:
    """Fields of one stage of n networks: scalars, or arrays [n]; `block` is a mapping name -> mask."""

    width: Any
    repeats: Any
    stride: Any
    kernel: Any
    expand: Any
    block: Any
    act: Any
    bottleneck: Any
    shortcut: Any


@dataclass(slots=True, kw_only=True)
class LayerFields:
    """Fields of stem or head of n networks."""

    width: Any
    act: str
    kernel: int = 1
    stride: int = 1
    classes: int = 0


@dataclass(slots=True, kw_only=True)
class Population:
    """n networks at once, in the shape of an `Arch`."""

    resolution: Any
    stem: LayerFields
    stages: tuple[StageFields, ...]
    head: LayerFields


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

    # one network ------------------------------------------------------------------------------------------------

    def decode(self, code: Codes) -> Arch:
        """The network of one code int[axes]."""
        pick = [int(choice) for choice in code]
        multiplier = float(_take(self.width, pick))
        stages = []
        for template in self.stages:
            values = {name: _take(source, pick) for name, source in template.fields.items()}
            values["width"] = scaled(values["width"], multiplier)
            stages.append(Stage(**values))
        return Arch(
            resolution=_take(self.resolution, pick),
            stem=Stem(width=scaled(self.stem.width, multiplier), kernel=self.stem.kernel,
                      stride=self.stem.stride, act=self.stem.act),
            stages=tuple(stages),
            head=Head(width=scaled_head(self.head.width, multiplier), classes=self.head.classes, act=self.head.act),
        )  # fmt: skip

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

    def enumerate(self, chunk: int = 65536) -> Iterator[Codes]:
        """All codes, in order, in chunks int64[<=chunk, axes]."""
        for start in range(0, self.size, chunk):
            numbers = np.arange(start, min(start + chunk, self.size), dtype=np.int64)
            codes = np.empty((len(numbers), len(self.axes)), dtype=np.int64)
            for axis in range(len(self.axes) - 1, -1, -1):
                codes[:, axis] = numbers % self.radix[axis]
                numbers = numbers // self.radix[axis]
            yield codes

    def population(self, codes: Codes) -> Population:
        """The fields of n networks at once, for `lower`; codes int[n, axes]."""
        return Population(
            resolution=_gather(self.resolution, codes),
            stem=LayerFields(width=self._scaled(Fixed(self.stem.width), codes, scaled), act=self.stem.act,
                             kernel=self.stem.kernel, stride=self.stem.stride),
            stages=tuple(self.stage_fields(template, codes) for template in self.stages),
            head=LayerFields(width=self._scaled(Fixed(self.head.width), codes, scaled_head), act=self.head.act,
                             classes=self.head.classes),
        )  # fmt: skip

    def stage_fields(self, template: StageTemplate, codes: Codes) -> StageFields:
        """The fields of one stage of n networks."""
        fields = {name: _gather(source, codes) for name, source in template.fields.items()}
        fields["width"] = self._scaled(template.fields["width"], codes, scaled)
        fields["block"] = _masks(template.fields["block"], codes)
        return StageFields(**fields)

    def _scaled(self, source: Field, codes: Codes, rule: Any) -> Any:
        """Channels under the width multiplier: a table [multipliers, widths] made by the scalar rule, then gathered."""
        multipliers = self.width.values if isinstance(self.width, Chosen) else (self.width.value,)
        widths = source.values if isinstance(source, Chosen) else (source.value,)
        table = np.array([[rule(width, multiplier) for width in widths] for multiplier in multipliers], dtype=np.int64)
        if table.size == 1:
            return int(table[0, 0])
        row = codes[:, self.width.axis] if isinstance(self.width, Chosen) else 0
        column = codes[:, source.axis] if isinstance(source, Chosen) else 0
        return table[row, column]

    # membership -------------------------------------------------------------------------------------------------

    def encode(self, arch: Arch) -> Codes:
        """A code of this network, int64[axes].

        raises   SpaceError with the reason why it is not in the space
        """
        multipliers = self.width.values if isinstance(self.width, Chosen) else (self.width.value,)
        reasons = []
        for index, multiplier in enumerate(multipliers):
            code = np.zeros(len(self.axes), dtype=np.int64)
            if isinstance(self.width, Chosen):
                code[self.width.axis] = index
            reason = self._fill(code, arch, multiplier)
            if reason is None:
                return code
            reasons.append((reason, multiplier))
        furthest = max(reasons, key=lambda pair: pair[0][0])
        raise SpaceError(f"not in space {self.name}: {furthest[0][1]} (at width {furthest[1]})")

    def _fill(self, code: Codes, arch: Arch, multiplier: float) -> tuple[int, str] | None:
        """Write the choices that give `arch` into `code`; else (how far it came, why not)."""
        wanted = self._wanted(arch)
        for depth, (where, source, value, scale) in enumerate(wanted):
            options = source.values if isinstance(source, Chosen) else (source.value,)
            offered = [scale(option, multiplier) if scale else option for option in options]
            if value not in offered:
                return depth, f"{where} is {value!r}, the space has {', '.join(map(repr, offered))}"
        if len(arch.stages) != len(self.stages):
            return len(wanted), f"it has {len(arch.stages)} stages, the space has {len(self.stages)}"
        return self._settle(code, wanted, multiplier)

    def _settle(
        self, code: Codes, wanted: list[tuple[str, Field, Any, Any]], multiplier: float
    ) -> tuple[int, str] | None:
        """Choose for every axis a value that all of its fields agree on."""
        allowed = [set(range(len(axis.values))) for axis in self.axes]
        for depth, (where, source, value, scale) in enumerate(wanted):
            if isinstance(source, Chosen):
                offered = [scale(option, multiplier) if scale else option for option in source.values]
                allowed[source.axis] &= {i for i, option in enumerate(offered) if option == value}
                if not allowed[source.axis]:
                    return depth, f"{where} = {value!r} does not go with its other fields"
        for axis, picks in enumerate(allowed):
            if isinstance(self.width, Chosen) and axis == self.width.axis:
                continue
            code[axis] = min(picks)
        return None

    def _wanted(self, arch: Arch) -> list[tuple[str, Field, Any, Any]]:
        """(where, source, value, scale rule) of every field that must agree."""
        rows: list[tuple[str, Field, Any, Any]] = [
            ("resolution", self.resolution, arch.resolution, None),
            ("stem width", Fixed(self.stem.width), arch.stem.width, scaled),
            ("stem stride", Fixed(self.stem.stride), arch.stem.stride, None),
            ("stem kernel", Fixed(self.stem.kernel), arch.stem.kernel, None),
            ("stem act", Fixed(self.stem.act), arch.stem.act, None),
            ("head act", Fixed(self.head.act), arch.head.act, None),
            ("classes", Fixed(self.head.classes), arch.head.classes, None),
        ]
        for number, (template, stage) in enumerate(zip(self.stages, arch.stages, strict=False), start=1):
            for name in STAGE_FIELDS:
                rule = scaled if name == "width" else None
                rows.append((f"stage {number} {name}", template.fields[name], getattr(stage, name), rule))
        return [*rows, ("head width", Fixed(self.head.width), arch.head.width, scaled_head)]

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
            StageTemplate({field: _cut(source, axis, left) for field, source in stage.fields.items()})
            for stage in self.stages
        )
        width, resolution = _cut(self.width, axis, left), _cut(self.resolution, axis, left)
        return replace(self, axes=tuple(axes), width=width, resolution=resolution, stages=stages)


def _cut(source: Field, axis: int, left: list[int]) -> Field:
    """A field's source when only the choices `left` of one axis stay."""
    if isinstance(source, Chosen) and source.axis == axis:
        return Chosen(axis, tuple(source.values[index] for index in left))
    return source


def _take(source: Field, pick: list[int]) -> Any:
    return source.values[pick[source.axis]] if isinstance(source, Chosen) else source.value


def _gather(source: Field, codes: Codes) -> Any:
    """A scalar, or an array [n] of the chosen values."""
    if isinstance(source, Fixed):
        return source.value
    return np.array(source.values)[codes[:, source.axis]]


def _masks(source: Field, codes: Codes) -> dict[str, Any]:
    """Block name -> 0/1 int64[n] (or 1 where only one block is possible)."""
    if isinstance(source, Fixed) or len(set(source.values)) == 1:
        return {source.value if isinstance(source, Fixed) else source.values[0]: 1}
    names = np.array(source.values)
    picked = codes[:, source.axis]
    return {str(name): (names == name).astype(np.int64)[picked] for name in dict.fromkeys(source.values)}
