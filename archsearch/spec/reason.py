"""Why a network is not in a space: the stage and the field where the walk through both came furthest."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from archsearch.errors import SpecError
from archsearch.spec.arch import scaled
from archsearch.spec.fields import Chosen
from archsearch.spec.retell import COMBINATIONS, Miss, Walk
from archsearch.spec.runs import Placed, first_block
from archsearch.spec.trunk import Door

if TYPE_CHECKING:
    from archsearch.spec.space import StageTemplate


def why(walk: Walk, blocks: Sequence[Placed]) -> tuple[int, str]:
    """(rows that agree, what differs then) after a walk that found nothing, or nothing that is the same network."""
    if not walk.misses:
        return len(walk.rows), "its head reads another feature map"
    at = max(miss.at for miss in walk.misses)
    misses = [miss for miss in walk.misses if miss.at == at]
    block = next((block for block in blocks if block.start == at and block.rows), None)
    stages = walk.space.stages
    if block is None and at == len(walk.rows):
        lacks = [stages[miss.template].name for miss in misses if miss.stuck and miss.template < len(stages)]
        return at, f"it lacks {lacks[0]} of the space" if lacks else "its blocks do not go together in the space"
    if block is None:
        return at, f"stage {[block.stage for block in blocks if block.start < at][-1]} is cut by no stage of the space"
    if block.nth:
        return at, f"stage {block.stage} repeats is too large: the space has no place for its block {block.nth + 1}"
    inside = [miss for miss in misses if miss.template < len(stages) and any(_repeats(walk, miss))]
    if not inside:
        return at, f"stage {block.stage} is behind the last one of the space"
    return at, min((_differences(walk, miss, block, blocks) for miss in inside), key=lambda found: found[0])[1]


def _differences(walk: Walk, miss: Miss, block: Placed, blocks: Sequence[Placed]) -> tuple[int, str]:
    """(how many fields differ, which one to name) between a block and a template that has no run for it."""
    template = walk.space.stages[miss.template]
    if not walk.offers(miss.template, miss.c_in):
        return 0, f"stage {block.stage}: {template.name} has more than {COMBINATIONS:,} choices, too many to compare"
    values = {name: getattr(block.block, name) for name in template.fields if name != "repeats"}
    strange = [name for name, value in values.items() if value not in _offered(walk, template, name)]
    single = next((name for name in strange if _explains(walk, miss, block, name)), None)
    if single is not None or strange:
        name = single or strange[0]
        return (1 if single else 1 + len(strange)), _told(block, name, values[name], _offered(walk, template, name))
    run = sum(1 for other in blocks if other.stage == block.stage)
    repeats = [value for value in _repeats(walk, miss) if value]
    if run < min(repeats):
        return 0, _told(block, "repeats", run, repeats)
    return 1, f"stage {block.stage} {_conflict(walk, miss, values)} does not go with its other fields"


def _repeats(walk: Walk, miss: Miss) -> tuple[int, ...]:
    """The repeats that a template can have; 0 alone where a narrower depth has left a block out."""
    return walk.space.stages[miss.template].fields["repeats"].options


def _explains(walk: Walk, miss: Miss, block: Placed, name: str) -> bool:
    """Whether the template has a run for the block once this one field is as the space has it."""
    runs = walk.offers(miss.template, miss.c_in)
    return any(run[: len(rows)] == rows for rows in _mended(walk, miss, block, name) for run in runs)


def _mended(walk: Walk, miss: Miss, block: Placed, name: str) -> Iterator[tuple[str, ...]]:
    template = walk.space.stages[miss.template]
    for option in _offered(walk, template, name):
        other = _stage(block, name, option)
        if other is not None:
            door = Door(c_in=miss.c_in, size=1, stride=other.stride)
            if walk.entrances is not None:
                door = replace(walk.entrances[miss.template], c_in=miss.c_in)
            rows = tuple(row for _, row in first_block(other, door))
            if rows:
                yield rows


def _stage(block: Placed, name: str, option: Any) -> Any:
    """The block with one field changed; None where no such block can be."""
    try:
        return replace(block.block, **{name: option})
    except SpecError:
        return None


def _offered(walk: Walk, template: "StageTemplate", name: str) -> list[Any]:
    options = template.fields[name].options
    return list(dict.fromkeys(scaled(option, walk.multiplier) if name == "width" else option for option in options))


def _told(block: Placed, name: str, value: Any, offered: Sequence[Any]) -> str:
    return f"stage {block.stage} {name} is {value!r}, the space has {', '.join(map(repr, offered))}"


def _conflict(walk: Walk, miss: Miss, values: dict[str, Any]) -> str:
    """The first field whose value is left to no choice after the fields before it."""
    template, allowed = walk.space.stages[miss.template], list(miss.allowed)
    for name, value in values.items():
        source = template.fields[name]
        if isinstance(source, Chosen):
            options = [scaled(option, walk.multiplier) if name == "width" else option for option in source.options]
            allowed[source.axis] &= {index for index, option in enumerate(options) if option == value}
            if not allowed[source.axis]:
                return f"{name} = {value!r}"
    return f"repeats = {values.get('repeats', 'its')}"
