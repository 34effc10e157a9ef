"""Is a network in a space? Its code, or the reason why not.

Networks are compared block by block by what is computed, so a ratio that a block type ignores, an "auto" or the word
it stands for, two stages or one of two repeats, make no difference.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from archsearch.errors import SpaceError
from archsearch.spec.arch import Arch, Stage, head_at, scaled, stem_at
from archsearch.spec.canon import contents
from archsearch.spec.fields import Chosen, Codes
from archsearch.spec.trunk import Door

if TYPE_CHECKING:
    from archsearch.spec.space import SearchSpace, StageTemplate

Allowed = tuple[frozenset[int], ...]  # choices still possible, for each axis
COMBINATIONS = 20_000  # of one stage's fields that are tried before it is called different


@dataclass(slots=True)
class Reason:
    """Why the search for a code failed where it came furthest."""

    depth: int = -1
    text: str = ""

    def note(self, depth: int, text: str) -> None:
        """Keep the reason that was found furthest into the network."""
        if depth > self.depth:
            self.depth, self.text = depth, text


def encode(space: "SearchSpace", arch: Arch) -> Codes:
    """A code of a network, int64[axes]; of several spellings, one whose choices come first.

    raises   SpaceError with the reason why it is not in the space
    """
    furthest, at = Reason(), space.width.options[0]
    for exact in (True, False):  # as it is spelled, else what computes the same
        for number, multiplier in enumerate(space.width.options):
            reason = Reason()
            found = next(_whole(space, arch, number, reason, exact=exact), None)
            if found is not None:
                return np.array([min(choices) for choices in found], dtype=np.int64)
            if reason.depth > furthest.depth:
                furthest, at = reason, multiplier
    raise SpaceError(f"not in space {space.name}: {furthest.text} (at width {at})")


def _whole(space: "SearchSpace", arch: Arch, width: int, reason: Reason, *, exact: bool) -> Iterator[Allowed]:
    """Choices that give the network under one choice of the width multiplier."""
    multiplier = space.width.options[width]
    stem, head = stem_at(space.stem, multiplier), head_at(space.head, multiplier)
    for name, value, offered in (*_layer("stem", stem, arch.stem), *_layer("head", head, arch.head)):
        if value != offered:
            reason.note(int(name != "stem width"), f"{name} is {value!r}, the space has {offered!r}")
            return
    sizes = {i for i, value in enumerate(space.resolution.options) if value == arch.resolution}
    if not sizes:
        offer = ", ".join(map(repr, space.resolution.options))
        reason.note(1, f"resolution is {arch.resolution!r}, the space has {offer}")
        return
    allowed = tuple(frozenset(range(len(axis.values))) for axis in space.axes)
    for source, left in ((space.width, {width}), (space.resolution, sizes)):
        if isinstance(source, Chosen):
            allowed = _narrowed(allowed, source.axis, left)
    search = _Search(space, _blocks(arch, idle=exact), multiplier, exact, reason)
    yield from search.go(0, 0, arch.stem.width, allowed)


def _layer(where: str, offered: Any, wanted: Any) -> list[tuple[str, Any, Any]]:
    """(name, wanted, offered) of every field of stem or head."""
    return [
        ("classes" if name == "classes" else f"{where} {name}", getattr(wanted, name), getattr(offered, name))
        for name in type(offered).__dataclass_fields__
    ]


def _blocks(arch: Arch, *, idle: bool) -> list[tuple[str, Stage]]:
    """A network block by block, each with the name of its stage; `idle`: with those that do nothing."""
    single: list[tuple[str, Stage]] = []
    c_in = arch.stem.width
    for number, stage in enumerate(arch.stages, start=1):
        for nth in range(stage.repeats):
            block = replace(stage, repeats=1, stride=stage.stride if nth == 0 else 1)
            if idle or computed(block, c_in):
                single.append((f"stage {number}", block))
            c_in = stage.width
    return single


@lru_cache(maxsize=65536)
def computed(block: Stage, c_in: int) -> str:
    """What one block of a given input computes, whatever its size; "" where it computes nothing."""
    return contents(block, Door(c_in=c_in, size=64, stride=block.stride))


@dataclass(frozen=True, slots=True)
class _Search:
    """The walk through templates and blocks side by side; it remembers where it has been."""

    space: "SearchSpace"
    blocks: list[tuple[str, Stage]]
    multiplier: float
    exact: bool
    reason: Reason
    been: set[tuple[object, ...]] = field(default_factory=set)

    def go(self, template: int, block: int, c_in: int, allowed: Allowed) -> Iterator[Allowed]:
        """Choices under which the templates from `template` on give the blocks from `block` on."""
        place = (template, block, c_in, tuple(allowed[axis] for axis in self.space.shared_axes))
        if place in self.been:
            return
        self.been.add(place)
        if template == len(self.space.stages):
            if block == len(self.blocks):
                yield allowed
            else:
                self.reason.note(block + 2, f"{self.blocks[block][0]} is behind the last one of the space")
            return
        for used, width, left in self._fits(self.space.stages[template], block, c_in, allowed):
            yield from self.go(template + 1, block + used, width, left)

    def _fits(
        self, template: "StageTemplate", block: int, c_in: int, allowed: Allowed
    ) -> Iterator[tuple[int, int, Allowed]]:
        """(blocks used, channels behind, choices left) of each way in which a template can go on from a block."""
        if block < len(self.blocks):
            for used, left in self._by_field(template, block, allowed):
                yield used, self.blocks[block][1].width, left
        elif min(template.fields["repeats"].options):
            self.reason.note(block + 2, f"it lacks {template.name} of the space")
        absent = self._narrow(template, "repeats", 0, allowed)
        if absent is not None:
            yield 0, c_in, absent
        if not self.exact:
            yield from self._by_content(template, block, c_in, allowed)

    def _by_field(self, template: "StageTemplate", block: int, allowed: Allowed) -> Iterator[tuple[int, Allowed]]:
        """Ways in which every field of a template is that of the next blocks; longest first."""
        wanted = self.blocks[block][1]
        for name in template.fields:
            if name != "repeats":
                narrowed = self._narrow(template, name, getattr(wanted, name), allowed)
                if narrowed is None:
                    self._say(template, name, block)
                    return
                allowed = narrowed
        run = 1
        while block + run < len(self.blocks) and self.blocks[block + run][1] == replace(wanted, stride=1):
            run += 1
        for used in sorted({count for count in template.fields["repeats"].options if 0 < count <= run}, reverse=True):
            left = self._narrow(template, "repeats", used, allowed)
            if left is not None:
                yield used, left
        if run < min(template.fields["repeats"].options):
            self._say(template, "repeats", block, run)

    def _narrow(self, template: "StageTemplate", name: str, value: Any, allowed: Allowed) -> Allowed | None:
        """The choices left when a field has a value; None where there are none."""
        source = template.fields[name]
        offered = [self._scaled(name, option) for option in source.options]
        if not isinstance(source, Chosen):
            return allowed if offered[0] == value else None
        left = allowed[source.axis] & {index for index, option in enumerate(offered) if option == value}
        return _narrowed(allowed, source.axis, left) if left else None

    def _scaled(self, name: str, option: Any) -> Any:
        return scaled(option, self.multiplier) if name == "width" else option

    def _say(self, template: "StageTemplate", name: str, block: int, value: Any = None) -> None:
        where, wanted = self.blocks[block]
        value = getattr(wanted, name) if value is None else value
        offered = dict.fromkeys(self._scaled(name, option) for option in template.fields[name].options)
        if value in offered:
            self.reason.note(block + 2, f"{where} {name} = {value!r} does not go with its other fields")
            return
        self.reason.note(block + 2, f"{where} {name} is {value!r}, the space has {', '.join(map(repr, offered))}")

    def _by_content(
        self, template: "StageTemplate", block: int, c_in: int, allowed: Allowed
    ) -> Iterator[tuple[int, int, Allowed]]:
        """Ways in which a template computes what the next blocks compute, or nothing, under other names."""
        axes = sorted({source.axis for source in template.fields.values() if isinstance(source, Chosen)})
        if np.prod([float(len(allowed[axis])) for axis in axes]) > COMBINATIONS:
            return
        seen: set[tuple[object, ...]] = set()
        told = [computed(stage, width) for stage, width in self._ahead(block, c_in)]
        for picks in product(*(sorted(allowed[axis]) for axis in axes)):
            chosen = dict(zip(axes, picks, strict=True))
            values = {
                name: source.values[chosen[source.axis]] if isinstance(source, Chosen) else source.value
                for name, source in template.fields.items()
            }
            repeats, width = values.pop("repeats"), scaled(values["width"], self.multiplier)
            used = self._used(values | {"width": width}, repeats, c_in, told)
            outside = (used, width, *(chosen[axis] for axis in axes if axis in self.space.shared_axes))
            if used is not None and outside not in seen:
                seen.add(outside)
                left = allowed
                for axis, pick in chosen.items():
                    left = _narrowed(left, axis, {pick})
                yield used, width if repeats else c_in, left

    def _ahead(self, block: int, c_in: int) -> Iterator[tuple[Stage, int]]:
        """The blocks from `block` on, each with the channels that it finds."""
        for _, stage in self.blocks[block:]:
            yield stage, c_in
            c_in = stage.width

    @staticmethod
    def _used(values: Mapping[str, Any], repeats: int, c_in: int, told: list[str]) -> int | None:
        """How many of the blocks ahead these are (those that do nothing use none); None where they are not."""
        used = 0
        for nth in range(repeats):
            stage = Stage(**{**values, "stride": values["stride"] if nth == 0 else 1})
            made = computed(stage, c_in)
            c_in = stage.width
            if not made:
                continue
            if used >= len(told) or made != told[used]:
                return None
            used += 1
        return used


def _narrowed(allowed: Allowed, axis: int, left: set[int] | frozenset[int]) -> Allowed:
    return (*allowed[:axis], frozenset(left) & allowed[axis], *allowed[axis + 1 :])
