"""Is a network in a space? Its code, or the reason why not.

First the network is looked for as it is spelled, stage by stage, so that a decoded code comes back as the same `Arch`;
then by what it computes (`retell.py`), so that a ratio that a block type ignores, an "auto" or the word it stands for,
two stages or one of two repeats, make no difference.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from archsearch.errors import SpaceError
from archsearch.spec.arch import Arch, Stage, scaled
from archsearch.spec.canon import canonical
from archsearch.spec.fields import Chosen, Codes
from archsearch.spec.reason import why
from archsearch.spec.retell import Allowed, first_code, walk_of
from archsearch.spec.runs import ends, placed

if TYPE_CHECKING:
    from archsearch.spec.space import SearchSpace, StageTemplate


def encode(space: "SearchSpace", arch: Arch) -> Codes:
    """A code of a network, int64[axes]; of several spellings, one whose choices come first.

    raises   SpaceError with the reason why it is not in the space
    """
    frames = []
    for number in range(len(space.width.options)):
        allowed = _frame(space, arch, number)
        if allowed is not None:
            frames.append((space.width.options[number], allowed))
    for multiplier, allowed in frames:
        found = next(_Spelled(space, arch.stages, multiplier).go(0, 0, allowed), None)
        if found is not None:
            return first_code(found)
    blocks = placed(arch)
    rows = tuple(row for block in blocks for row in block.rows)
    told = _outside(space, arch) if not frames else (-1, "")
    for multiplier, allowed in frames:
        walk = walk_of(space, rows, multiplier)
        for found in walk.go(0, 0, arch.stem.width, allowed):
            if canonical(space.decode(first_code(found))) == canonical(arch):
                return first_code(found)
        at, text = why(walk, blocks)
        text += f" (at width {multiplier})" if len(space.width.options) > 1 else ""
        told = max(told, (at, text), key=lambda reason: reason[0])
    raise SpaceError(f"not in space {space.name}: {told[1]}")


def outside(encode: Callable[[Arch], object], arch: Arch) -> str | None:
    """The reason why a set of networks, given by its `encode`, has not this one; None where it has."""
    try:
        encode(arch)
    except SpaceError as error:
        return str(error)
    return None


def _frame(space: "SearchSpace", arch: Arch, width: int) -> Allowed | None:
    """The choices that give the network's stem, head and resolution under one width multiplier; None without any."""
    multiplier = space.width.options[width]
    stem, head = ends(space.stem, space.head, multiplier)
    sizes = {index for index, value in enumerate(space.resolution.options) if value == arch.resolution}
    if (stem, head) != (arch.stem, arch.head) or not sizes:
        return None
    allowed = [frozenset(range(len(axis.values))) for axis in space.axes]
    for source, left in ((space.width, {width}), (space.resolution, sizes)):
        if isinstance(source, Chosen):
            allowed[source.axis] &= left
    return tuple(allowed) if all(allowed) else None


def _outside(space: "SearchSpace", arch: Arch) -> tuple[int, str]:
    """What of stem, head or resolution no choice of the space gives."""
    stems, heads = zip(*(ends(space.stem, space.head, by) for by in space.width.options), strict=True)
    for where, wanted, offered in (("stem", arch.stem, stems), ("head", arch.head, heads)):
        for name in type(wanted).__dataclass_fields__:
            possible = list(dict.fromkeys(getattr(each, name) for each in offered))
            if getattr(wanted, name) not in possible:
                title = name if name == "classes" else f"{where} {name}"
                return 0, _differs(title, getattr(wanted, name), possible)
    if arch.resolution not in space.resolution.options:
        return 0, _differs("resolution", arch.resolution, list(space.resolution.options))
    return 0, "its stem and head go with different widths"


def _differs(title: str, value: Any, possible: list[Any]) -> str:
    return f"{title} is {value!r}, the space has {', '.join(map(repr, possible))}"


# as it is spelled ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Spelled:
    """The walk through templates and stages side by side, field by field; it remembers where it has been."""

    space: "SearchSpace"
    stages: tuple[Stage, ...]
    multiplier: float
    been: set[tuple[object, ...]] = field(default_factory=set)

    def go(self, template: int, stage: int, allowed: Allowed) -> Iterator[Allowed]:
        """Choices under which each template from `template` on is the next stage from `stage` on, or absent."""
        place = (template, stage, tuple(allowed[axis] for axis in self.space.shared_axes))
        if place in self.been:
            return
        self.been.add(place)
        if template == len(self.space.stages):
            if stage == len(self.stages):
                yield allowed
            return
        here = self.space.stages[template]
        spelled = self._spells(here, self.stages[stage], allowed) if stage < len(self.stages) else None
        if spelled is not None:
            yield from self.go(template + 1, stage + 1, spelled)
        absent = self._narrow(here, "repeats", 0, allowed)
        if absent is not None:
            yield from self.go(template + 1, stage, absent)

    def _spells(self, template: "StageTemplate", stage: Stage, allowed: Allowed) -> Allowed | None:
        """The choices left when every field of a template is that of a stage; None where there are none."""
        for name in template.fields:
            left = self._narrow(template, name, getattr(stage, name), allowed)
            if left is None:
                return None
            allowed = left
        return allowed

    def _narrow(self, template: "StageTemplate", name: str, value: Any, allowed: Allowed) -> Allowed | None:
        """The choices left when a field has a value; None where there are none."""
        source = template.fields[name]
        offered = [scaled(option, self.multiplier) if name == "width" else option for option in source.options]
        if not isinstance(source, Chosen):
            return allowed if offered[0] == value else None
        left = allowed[source.axis] & {index for index, option in enumerate(offered) if option == value}
        return (*allowed[: source.axis], left, *allowed[source.axis + 1 :]) if left else None
