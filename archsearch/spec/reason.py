"""Why a network is not in a space: the stage and the field where the walk through both came furthest."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from archsearch.errors import SpecError
from archsearch.spec.arch import scaled
from archsearch.spec.fields import Chosen
from archsearch.spec.retell import COMBINATIONS, Visit, Walk
from archsearch.spec.runs import Placed, first_block
from archsearch.spec.trunk import Door

if TYPE_CHECKING:
    from archsearch.spec.space import StageTemplate


def why(walk: Walk, blocks: Sequence[Placed]) -> tuple[int, str]:
    """(rows that agree, what differs then) after a walk that found nothing, or nothing that is the same network."""
    starts = {block.start: block for block in reversed(blocks) if block.rows}
    at = max(visit.at for visit in walk.visits if visit.at in starts or visit.at == len(walk.rows))
    visits = [visit for visit in walk.visits if visit.at == at]
    stages = walk.space.stages
    if at == len(walk.rows):
        lacks = [stages[visit.template].name for visit in visits if visit.stuck]
        return at, f"it lacks {lacks[0]} of the space" if lacks else "its head reads another feature map"
    block = starts[at]
    if block.nth:
        return at, _continued(walk, block, blocks)
    inside = [visit for visit in visits if visit.template < len(stages) and any(_repeats(walk, visit))]
    if not inside:
        return at, f"stage {block.stage} is behind the last one of the space"
    return at, min((_differences(walk, visit, block, blocks) for visit in inside), key=lambda found: found[0])[1]


def _continued(walk: Walk, block: Placed, blocks: Sequence[Placed]) -> str:
    """Why a stage whose first blocks are in the space cannot go on."""
    first = next(other for other in blocks if other.stage == block.stage)
    stages = [
        walk.space.stages[visit.template : visit.template + 1] for visit in walk.visits if visit.at == first.start
    ]
    strides = {option for stage in stages for template in stage for option in template.fields["stride"].options}
    if first.block.stride not in strides:  # where an output stride is held, it shows as dilation of the later blocks
        return _told(first, "stride", first.block.stride, sorted(strides))
    return f"stage {block.stage} repeats is too large: the space has no place for its block {block.nth + 1}"


def _differences(walk: Walk, visit: Visit, block: Placed, blocks: Sequence[Placed]) -> tuple[int, str]:
    """(how many fields differ, which one to name) between a block and a template that has no run for it."""
    template = walk.space.stages[visit.template]
    if not walk.offers(visit.template, visit.c_in):
        return 0, f"stage {block.stage}: {template.name} has more than {COMBINATIONS:,} choices, too many to compare"
    values = {name: getattr(block.block, name) for name in template.fields if name != "repeats"}
    strange = [name for name, value in values.items() if value not in _offered(walk, template, name)]
    single = next((name for name in strange if _explains(walk, visit, block, name)), None)
    if single is not None or strange:
        name = single or strange[0]
        return (1 if single else 1 + len(strange)), _told(block, name, values[name], _offered(walk, template, name))
    run = sum(1 for other in blocks if other.stage == block.stage)
    repeats = [value for value in _repeats(walk, visit) if value]
    if run < min(repeats):
        return 0, _told(block, "repeats", run, repeats)
    return 1, f"stage {block.stage} {_conflict(walk, visit, values)} does not go with its other fields"


def _repeats(walk: Walk, visit: Visit) -> tuple[int, ...]:
    """The repeats that a template can have; 0 alone where a narrower depth has left a block out."""
    return walk.space.stages[visit.template].fields["repeats"].options


def _explains(walk: Walk, visit: Visit, block: Placed, name: str) -> bool:
    """Whether the template has a run for the block once this one field is as the space has it."""
    runs = walk.offers(visit.template, visit.c_in)
    return any(run[: len(rows)] == rows for rows in _mended(walk, visit, block, name) for run in runs)


def _mended(walk: Walk, visit: Visit, block: Placed, name: str) -> Iterator[tuple[str, ...]]:
    template = walk.space.stages[visit.template]
    for option in _offered(walk, template, name):
        other = _stage(block, name, option)
        if other is not None:
            door = Door(c_in=visit.c_in, size=1, stride=other.stride)
            if walk.entrances is not None:
                door = replace(walk.entrances[visit.template], c_in=visit.c_in)
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


def _conflict(walk: Walk, visit: Visit, values: dict[str, Any]) -> str:
    """The first field whose value is left to no choice after the fields before it."""
    template, allowed = walk.space.stages[visit.template], list(visit.allowed)
    for name, value in values.items():
        source = template.fields[name]
        if isinstance(source, Chosen):
            options = [scaled(option, walk.multiplier) if name == "width" else option for option in source.options]
            allowed[source.axis] &= {index for index, option in enumerate(options) if option == value}
            if not allowed[source.axis]:
                return f"{name} = {value!r}"
    return f"repeats = {values.get('repeats', 'its')}"
