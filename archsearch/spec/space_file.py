"""Design spaces as TOML files: a list is an axis, a plain value is fixed.

    about = "..."
    width = [0.5, 1.0]            # width multiplier
    resolution = [192, 224]
    classes = 1000
    [stem]                        # width, kernel, stride, act
    [head]                        # width, act
    [every_stage]                 # defaults of all stages; a list here is one axis that all stages share
    bottleneck = ["linear", "relu6"]
    [[stage]]                     # the fields of a `Stage`
    width = 24
    kernel = [3, 5]               # an axis of this stage: stage1.kernel
    op = ["id", "ir_k3_e3"]       # or several fields chosen together, as block strings
    per_block = true              # each block of the stage has axes of its own: stage1.block2.op
    block2 = {op = ["id"]}        # what one block chooses from, where that is not what the others do

The shipped files are found by name, a user's own by path.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields as dataclass_fields
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from archsearch.errors import SpaceError, SpecError, choices
from archsearch.spec.arch import Head, Stage, Stem
from archsearch.spec.fields import Axis, Chosen, Field, Fixed
from archsearch.spec.space import STAGE_FIELDS, SearchSpace, StageTemplate
from archsearch.spec.space_check import check_space
from archsearch.spec.text import block_fields

TOP_KEYS = ("about", "width", "resolution", "classes", "stem", "head", "every_stage", "stage")
MOST_TEMPLATES = 300  # of a space
DEFAULTS = {field.name: field.default for field in dataclass_fields(Stage) if field.name != "width"}


def shipped_folder() -> Path:
    """Where the shipped spaces lie: inside an installed package, or beside it in a source checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "search_spaces"
    return inside if inside.is_dir() else package.parent / "search_spaces"


def shipped() -> dict[str, Path]:
    """Name -> file of the shipped spaces."""
    return {path.stem: path for path in sorted(shipped_folder().glob("*.toml"))}


def read_space(name: str) -> SearchSpace:
    """A shipped space by name, or any TOML file by path.

    raises   SpaceError naming the key, the value and the choices
    """
    path = shipped().get(name, Path(name))
    if not os.path.isfile(path):  # False, too, for what cannot be a path
        raise SpaceError(
            f"no space or file is called {name!r}; {choices(name, shipped())}, or the path of a .toml file"
        )
    try:
        plain = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SpaceError(f"{path}: not readable as TOML: {error}") from None
    try:
        return parse_space(plain, name=path.stem)
    except (SpaceError, SpecError) as error:
        raise SpaceError(f"{path}: {error}") from None


def parse_space(plain: Mapping[str, Any], *, name: str) -> SearchSpace:
    """The space of a parsed TOML document."""
    _known("the file", plain, TOP_KEYS)
    axes: list[Axis] = []
    width = _field("width", plain.get("width", 1.0), axes, _positive)
    resolution = _field("resolution", plain.get("resolution", 224), axes, _whole)
    shared = _table("every_stage", plain.get("every_stage", {}))
    _known("[every_stage]", shared, STAGE_FIELDS)
    common = {key: _stage_field(key, key, value, axes) for key, value in shared.items()}
    if isinstance(common.get("width"), Chosen):
        raise SpaceError(
            "every_stage.width cannot be a list: the axis `width` is the multiplier; give it to a [[stage]]"
        )
    rows = plain.get("stage", [])
    if not isinstance(rows, list) or not rows:
        raise SpaceError("a space needs at least one [[stage]]")
    stages = tuple(
        stage
        for number, row in enumerate(rows, start=1)
        for stage in _stages(number, _table("stage", row), common, axes)
    )
    for key, source in common.items():
        if isinstance(source, Chosen) and source.axis not in {
            field.axis for stage in stages for field in stage.fields.values() if isinstance(field, Chosen)
        }:
            raise SpaceError(f"every_stage.{key} is an axis that changes nothing: each [[stage]] sets its own {key}")
    classes = _whole("classes", plain.get("classes", 1000))
    if len(stages) > MOST_TEMPLATES:
        raise SpaceError(
            f"the stages make {len(stages):,} templates (one a block with per_block); at most {MOST_TEMPLATES}"
        )
    space = SearchSpace(
        name=name,
        about=str(plain.get("about", "")),
        axes=tuple(axes),
        width=width,
        resolution=resolution,
        stem=_layer(Stem, "stem", plain.get("stem", {})),
        stages=stages,
        head=replace(_layer(Head, "head", plain.get("head", {})), classes=classes),
        source=plain,
    )
    check_space(space)
    return space


def _stages(number: int, row: Mapping[str, Any], common: Mapping[str, Field], axes: list[Axis]) -> list[StageTemplate]:
    """The template of a [[stage]], or with `per_block` one template a block, each with axes of its own."""
    where = f"stage{number}"
    narrower = {key: _table(f"{where}.{key}", value) for key, value in row.items() if re.fullmatch(r"block\d+", key)}
    row = {key: value for key, value in row.items() if key not in narrower}
    _known(f"[[stage]] {number}", row, (*STAGE_FIELDS, "op", "per_block"))
    own = _per_block(where, row)
    if narrower and not own:
        raise SpaceError(f"{where}.{min(narrower)} needs per_block: the blocks of this stage are alike")
    if not own:
        return [_template(where, {key: value for key, value in row.items() if key != "per_block"}, common, axes)]
    defaults = {key: Fixed(value) for key, value in DEFAULTS.items()}
    shared = {key: value for key, value in row.items() if key not in (*own, "op", "per_block")}
    base = {
        **defaults,
        **common,
        **{key: _stage_field(f"{where}.{key}", key, each, axes) for key, each in shared.items()},
    }
    if max(base["repeats"].options) > MOST_TEMPLATES:
        raise SpaceError(
            f"{where} has up to {max(base['repeats'].options):,} blocks; at most {MOST_TEMPLATES} may differ"
        )
    blocks = []
    for block in range(1, max(base["repeats"].options) + 1):
        values = {**{key: row[key] for key in own}, **narrower.pop(f"block{block}", {})}
        _known(f"[[stage]] {number} block{block}", values, own)
        template = _template(f"{where}.block{block}", values, base, axes)
        changes = {"repeats": _present(base["repeats"], block)} | ({"stride": Fixed(1)} if block > 1 else {})
        blocks.append(StageTemplate(template.name, {**template.fields, **changes}))
    if narrower:
        raise SpaceError(f"{where}.{min(narrower)} is no block: the stage has at most {len(blocks)}")
    return blocks


def _per_block(where: str, row: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys of a [[stage]] that each block chooses for itself."""
    asked = row.get("per_block", False)
    of_stage = ("width", "repeats", "stride")
    possible = [key for key in row if key not in (*of_stage, "per_block")]
    if isinstance(asked, bool):
        return tuple(possible) if asked else ()
    if not isinstance(asked, list) or not all(isinstance(key, str) for key in asked) or not asked:
        raise SpaceError(f"{where}.per_block must be true, false or a list of keys, got {asked!r:.80}")
    for key in asked:
        if key in of_stage:
            raise SpaceError(f"{where}.per_block names {key!r}, which belongs to the stage; {choices(key, possible)}")
        if key not in possible:
            raise SpaceError(f"{where}.per_block names {key!r}, which the stage does not set; {choices(key, possible)}")
    return tuple(asked)


def _present(repeats: Field, block: int) -> Field:
    """Repeats of the template of one block: 1 where the stage has so many, else 0."""
    if isinstance(repeats, Fixed) or block <= min(repeats.values):
        return Fixed(1)
    return Chosen(repeats.axis, tuple(int(value >= block) for value in repeats.values))


def _template(where: str, row: Mapping[str, Any], base: Mapping[str, Field], axes: list[Axis]) -> StageTemplate:
    """The template of a stage or of one block: its own keys over those of `base`, over the defaults."""
    found: dict[str, Field] = {**{key: Fixed(value) for key, value in DEFAULTS.items()}, **base}
    for key, value in row.items():
        if key == "op":
            found |= _together(where, row, found, axes)
        else:
            found[key] = _stage_field(f"{where}.{key}", key, value, axes)
    if "width" not in found:
        raise SpaceError(f"{where} has no width")
    _kernels(where, found["block"], found["kernel"])
    return StageTemplate(where, found)


def _kernels(where: str, block: Field, kernel: Field) -> None:
    """Raise SpaceError where a block type could meet a kernel that it cannot have."""
    together = isinstance(block, Chosen) and isinstance(kernel, Chosen) and block.axis == kernel.axis
    pairs = zip(block.options, kernel.options, strict=True) if together else product(block.options, kernel.options)
    for name, size in pairs:
        try:
            Stage(width=8, block=name, kernel=size)
        except SpecError as error:
            raise SpaceError(f"{where}: block {name} with kernel {size}: {error}") from None


def _stage_field(name: str, key: str, value: Any, axes: list[Axis]) -> Field:
    """A field of a stage, each value checked by building a `Stage` with it."""

    def check(where: str, each: Any) -> Any:
        try:
            Stage(**{"width": 8, **({"block": "uib"} if key == "kernel" and each == 0 else {}), key: each})
        except SpecError as error:
            raise SpaceError(f"{where}: {error}") from None
        return each

    return _field(name, value, axes, check)


def _together(where: str, row: Mapping[str, Any], base: Mapping[str, Field], axes: list[Axis]) -> dict[str, Field]:
    """Fields chosen together: each value of the axis is a block string; what one leaves out is as in `base`."""
    strings = row["op"]
    if not isinstance(strings, list) or not all(isinstance(text, str) for text in strings) or not strings:
        raise SpaceError(f"{where}.op must be a list of block strings, got {strings!r:.80}")
    picks = []
    for text in strings:
        try:
            picks.append(block_fields(text))
            Stage(**{"width": 8, **picks[-1]})
        except SpecError as error:
            raise SpaceError(f"{where}.op: {error}") from None
    names = {name for pick in picks for name in pick}
    for name in sorted(names & row.keys()):
        raise SpaceError(f"{where}.op sets {name}, and so does {where}.{name}")
    values = {
        name: tuple(
            pick[name] if name in pick else _left_out(f"{where}.op: {text!r}", name, base)
            for text, pick in zip(_distinct(f"{where}.op", strings), picks, strict=True)
        )
        for name in sorted(names)
    }
    if len(strings) == 1:
        return {name: Fixed(value) for name, (value,) in values.items()}
    axes.append(Axis(f"{where}.op", tuple(strings)))
    return {name: Chosen(len(axes) - 1, each) for name, each in values.items()}


def _left_out(where: str, name: str, base: Mapping[str, Field]) -> Any:
    """The value of a field that one block string leaves out and another sets."""
    source = base.get(name)
    if not isinstance(source, Fixed):
        raise SpaceError(f"{where} must set {name}, as another of the block strings does")
    return source.value


def _field(name: str, value: Any, axes: list[Axis], check: Any) -> Field:
    """A fixed field, or a new axis where the value is a list."""
    if not isinstance(value, list):
        return Fixed(check(name, value))
    values = _distinct(name, [check(name, each) for each in value])
    if len(values) == 1:
        return Fixed(values[0])
    axes.append(Axis(name, values))
    return Chosen(len(axes) - 1, values)


def _distinct(name: str, values: list[Any]) -> tuple[Any, ...]:
    if not values:
        raise SpaceError(f"{name} is an empty list; give at least one value")
    for value in values:
        if values.count(value) > 1:
            raise SpaceError(f"{name} has {value!r} twice")
    return tuple(values)


def _layer(cls: type[Any], where: str, value: Any) -> Any:
    table = _table(where, value)
    known = [field.name for field in dataclass_fields(cls) if field.name != "classes"]
    _known(f"[{where}]", table, known)
    for key, each in table.items():
        if isinstance(each, list):
            raise SpaceError(f"{where}.{key} cannot be an axis; give one value")
    return cls(**table)


def _known(where: str, table: Mapping[str, Any], known: tuple[str, ...] | list[str]) -> None:
    for key in table:
        if key not in known:
            raise SpaceError(f"{where} has no key {key!r}; {choices(key, known)}")


def _table(where: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise SpaceError(f"{where} must be a table, got {value!r:.80}")
    return value


def _positive(name: str, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 100:
        raise SpaceError(f"{name} must be a number above 0, at most 100 (1.0 = the full width), got {value!r}")
    return value


def _whole(name: str, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise SpaceError(f"{name} must be a whole number, at least 1, got {value!r}")
    return value
