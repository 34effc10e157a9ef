"""Factors of an ablation: what is changed in a network while all else stays.

A factor has levels, the first of which is the base. A level sets fields of a network: a field of its stages
("bottleneck", "expand", ...), of stem or head ("stem.act"), or an axis of the space ("width", "stage2.kernel").
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from archsearch.errors import RunError, SpaceError, choices
from archsearch.spec.arch import Arch, Head, Stem
from archsearch.spec.fields import Chosen, Codes, Fixed
from archsearch.spec.space import STAGE_FIELDS, SearchSpace, StageTemplate

PARTS = {"stem": Stem, "head": Head}
MOST_LEVELS = 12  # of one factor


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One setting of a factor."""

    name: str
    sets: Mapping[str, Any]  # field -> value


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """What is varied; levels[0] is the base that the others are compared with."""

    name: str
    levels: tuple[Level, ...]

    @property
    def text(self) -> str:
        """Its levels, and what each sets where its name does not say it."""
        levels = (
            level.name
            if level.sets == {self.name: value_of(level.name)}
            else f"{level.name} ({', '.join(f'{name}={value}' for name, value in level.sets.items())})"
            for level in self.levels
        )
        return f"{self.name}={','.join(levels)}"

    def to_dict(self) -> dict[str, Any]:
        """Its name and the names of its levels."""
        return {"name": self.name, "levels": [level.name for level in self.levels]}


def read_factor(text: str) -> Factor:
    """The factor that `bottleneck=linear,relu6` names.

    raises   RunError where it cannot be read, has fewer than two levels, or one twice
    """
    name, equals, rest = text.partition("=")
    words = [word.strip() for word in rest.split(",")]
    if not equals or not name.strip() or not all(words):
        raise RunError(f"--factor {text!r} cannot be read; write NAME=BASE,LEVEL like bottleneck=linear,relu6")
    if not 2 <= len(words) <= MOST_LEVELS:
        raise RunError(f"--factor {text!r} needs 2 to {MOST_LEVELS} levels, it has {len(words)}")
    values = [value_of(word) for word in words]
    if len(set(map(repr, values))) < len(values):
        raise RunError(f"--factor {text!r} has a level twice")
    levels = (Level(name=word, sets={name.strip(): value}) for word, value in zip(words, values, strict=True))
    return Factor(name=name.strip(), levels=tuple(levels))


def value_of(word: str) -> int | float | str:
    """A word as a number where it is a finite one; 6.0 and 6 are one."""
    try:
        number = float(word)
    except ValueError:
        return word
    if not math.isfinite(number):
        return word
    return int(number) if number == int(number) else number


def check_factors(space: SearchSpace, factors: Sequence[Factor]) -> None:
    """Raise where a field cannot be set in this space, or two factors set the same one.

    raises   SpaceError with the choices, RunError
    """
    seen: dict[str, str] = {}
    for factor in factors:
        for name in dict.fromkeys(name for level in factor.levels for name in level.sets):
            if name in seen:
                raise RunError(f"{name} is set by {'one factor twice' if seen[name] == factor.name else 'two factors'}")
            seen[name] = factor.name
            check_field(space, name)
    for name in seen:
        stage, dot, field = name.partition(".")
        if dot and stage not in PARTS and field in seen:
            raise RunError(f"{field} of all stages and {name} are both factors: one would undo the other")


def check_field(space: SearchSpace, name: str) -> None:
    """Raise SpaceError where neither an axis nor a field has this name."""
    axes = [axis.name for axis in space.axes]
    inside = [f"{part}.{field.name}" for part, kind in PARTS.items() for field in fields(kind)]
    if name in ("width", "resolution") and name not in axes:
        raise SpaceError(f"space {space.name} has one {name} only: it cannot be a factor there")
    if name not in (*axes, *STAGE_FIELDS, *inside):
        raise SpaceError(f"space {space.name} has no axis or field {name!r}; {choices(name, [*axes, *STAGE_FIELDS])}")


def treated(space: SearchSpace, code: Codes, sets: Mapping[str, Any]) -> Arch:
    """The network of a code int64[axes] with some fields set.

    A field of stages is set where the space lets it vary; where it varies nowhere, in all stages.
    raises   SpaceError for a value that is none of an axis, SpecError for one that no network has
    """
    axes = {axis.name: axis for axis in space.axes}
    changed = space
    for name, value in sets.items():
        part, dot, field = name.partition(".")
        if name in axes:
            code = _chosen(space, code, name, value)
        elif dot and part in PARTS:
            changed = replace(changed, **{part: replace(getattr(changed, part), **{field: value})})
        else:
            changed = replace(changed, stages=_fixed(changed.stages, name, value))
    return changed.decode(code)


def _chosen(space: SearchSpace, code: Codes, name: str, value: Any) -> Codes:
    """The code with another choice on one axis."""
    number = next(n for n, axis in enumerate(space.axes) if axis.name == name)
    values = space.axes[number].values
    if value not in values:
        raise SpaceError(f"space {space.name}: {name} = {value!r} is none of {', '.join(map(str, values))}")
    made = code.copy()
    made[number] = values.index(value)
    return made


def _fixed(stages: Sequence[StageTemplate], name: str, value: Any) -> tuple[StageTemplate, ...]:
    """Stages with one field at a value: those where it varies, else all."""
    varies = [isinstance(stage.fields[name], Chosen) for stage in stages]
    return tuple(
        replace(stage, fields={**stage.fields, name: Fixed(value)}) if free or not any(varies) else stage
        for stage, free in zip(stages, varies, strict=True)
    )
