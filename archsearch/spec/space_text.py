"""A design space written back as a TOML file, in the words of the file that it was read from."""

import re
from collections.abc import Mapping
from typing import Any

from archsearch.errors import SpaceError
from archsearch.spec.fields import Axis
from archsearch.spec.space import SearchSpace
from archsearch.toml import toml_key, toml_value


def to_toml(space: SearchSpace, *, comment: str = "") -> str:
    """The text of a space file; `parse_space` of it gives the same axes, names and networks.

    What the space was read from is kept word for word, comments apart; each axis gets the values that it has now (an
    axis narrowed to one value is written as a list of one), and `classes` the number that it has now.

    comment  lines to put on top
    raises   SpaceError for a space that came from no file, or an axis that has no place in it
    """
    if space.source is None:
        raise SpaceError(f"space {space.name} was read from no file, so it cannot be written as one")
    plain = _copy(space.source)
    plain["classes"] = space.head.classes
    for axis in space.axes:
        if not _of_block(plain, axis):
            table, key = _place(plain, axis.name, space.name)
            table[key] = list(axis.values)
    _without_absent(plain)
    top = "".join(f"# {line}\n" for line in comment.splitlines())
    return top + _document(plain)


def changed(old: SearchSpace, new: SearchSpace) -> list[tuple[Axis, Axis]]:
    """(before, after) of each axis that has other values in `new`."""
    return [(a, b) for a, b in zip(old.axes, new.axes, strict=True) if a.values != b.values]


def _copy(value: Any) -> Any:
    """Tables and lists copied, so that writing changes nothing that was read."""
    if isinstance(value, Mapping):
        return {key: _copy(each) for key, each in value.items()}
    return [_copy(each) for each in value] if isinstance(value, list | tuple) else value


BLOCK = r"stage(\d+)\.(block\d+)\.(\w+)"


def _of_block(plain: dict[str, Any], axis: Axis) -> bool:
    """Whether an axis is one block's own; written as that block's only where it is not what all blocks have."""
    named = re.fullmatch(BLOCK, axis.name)
    row = _table(plain, f"stage{named[1]}") if named else None
    if named is None or not isinstance(row, dict):
        return False
    block, key = named[2], named[3]
    values = list(axis.values)
    if row.get(block, {}).get(key, row.get(key)) != values:
        row.setdefault(block, {})[key] = values
    return True


def _without_absent(plain: dict[str, Any]) -> None:
    """Drop what is said of blocks that no network of the narrowed space has."""
    shared = plain.get("every_stage", {}).get("repeats", 1)
    for row in plain.get("stage", []):
        repeats = row.get("repeats", shared)
        most = max(repeats) if isinstance(repeats, list) else repeats
        for name in [key for key in row if re.fullmatch(r"block\d+", key) and int(key[5:]) > most]:
            del row[name]


def _place(plain: dict[str, Any], name: str, space: str) -> tuple[dict[str, Any], str]:
    """The table and the key at which an axis stands: `width`, `act` of [every_stage], `stage3.kernel`, `head.width`."""
    *path, key = name.split(".")
    tables = [plain, plain.get("every_stage", {})] if not path else [_table(plain, ".".join(path))]
    for table in tables:
        if isinstance(table, dict) and isinstance(table.get(key), list):
            return table, key
    raise SpaceError(f"space {space}: axis {name!r} has no place in a space file")


def _table(plain: dict[str, Any], path: str) -> Any:
    """The table behind `stage3`, or behind a section's name; None where there is none."""
    number = re.fullmatch(r"stage(\d+)", path)
    if number is None:
        return plain.get(path)
    rows = plain.get("stage", [])
    return rows[int(number[1]) - 1] if 1 <= int(number[1]) <= len(rows) else None


def _document(plain: Mapping[str, Any]) -> str:
    """Plain values first, then tables, then lists of tables, as TOML wants it."""
    lines = [f"{toml_key(key)} = {toml_value(value)}" for key, value in plain.items() if not _nested(value)]
    for key, value in plain.items():
        rows = [value] if isinstance(value, Mapping) else value if _nested(value) else []
        head = f"[{toml_key(key)}]" if isinstance(value, Mapping) else f"[[{toml_key(key)}]]"
        for row in rows:
            lines += ["", head, *(f"{toml_key(name)} = {toml_value(each)}" for name, each in row.items())]
    return "\n".join(lines) + "\n"


def _nested(value: Any) -> bool:
    """Whether a value is a table, or a list of tables."""
    return isinstance(value, Mapping) or (
        isinstance(value, list) and bool(value) and all(isinstance(each, Mapping) for each in value)
    )
