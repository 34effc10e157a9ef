"""Narrower spaces: axes fixed or cut to some of their values, as Python says it and as `--fix stage3.kernel=3,5` does.

A cut axis stays an axis, with one value where it is fixed: codes keep their columns, and `carried` takes them from the
narrow space to the whole one and back.
"""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from archsearch.errors import SpaceError, choices
from archsearch.spec.fields import Axis, Codes
from archsearch.spec.space import SearchSpace


def restricted(space: SearchSpace, keep: Mapping[str, Any]) -> SearchSpace:
    """The space with axes narrowed to the values in `keep`: a value, or a list of them, for each axis name.

    A name may be a pattern (`stage3.*.kernel`, `*.expand`): then it narrows every axis that it meets. Values are those
    of the axis, or their text. The order of an axis stays.
    raises   SpaceError for an unknown axis or value, or when an axis is named twice
    """
    done: dict[str, str] = {}
    for name, values in keep.items():
        wanted = values if isinstance(values, list | tuple | set | frozenset | range) else [values]
        for axis in _named(space, name):
            if axis.name in done:
                raise SpaceError(f"space {space.name}: {done[axis.name]!r} and {name!r} both narrow {axis.name}")
            done[axis.name] = name
            space = space.restrict(axis.name, tuple(_value(space, axis, value) for value in wanted))
    return space


def fixes(texts: Iterable[str]) -> dict[str, list[str]]:
    """What `AXIS=VALUE[,VALUE]` texts keep of each axis, for `restricted`.

    raises   SpaceError for a text that cannot be read, or an axis named twice
    """
    keep: dict[str, list[str]] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        words = [word.strip() for word in values.split(",")]
        if not equals or not name.strip() or not all(words):
            raise SpaceError(f"{text!r} cannot be read; write AXIS=VALUE or AXIS=VALUE,VALUE, like stage3.kernel=3,5")
        if name.strip() in keep:
            raise SpaceError(f"axis {name.strip()!r} is given twice; write its values with commas")
        keep[name.strip()] = words
    return keep


def carried(codes: Codes, source: SearchSpace, target: SearchSpace) -> Codes:
    """Codes of one space as codes of another with the same axes, by value: int64[n, axes].

    raises   SpaceError where the axes have other names, or a value is no choice in the target
    """
    if [axis.name for axis in source.axes] != [axis.name for axis in target.axes]:
        raise SpaceError(f"spaces {source.name} and {target.name} have different axes, so codes cannot be carried over")
    made = np.empty_like(codes)
    for number, (old, new) in enumerate(zip(source.axes, target.axes, strict=True)):
        places = [new.values.index(value) if value in new.values else -1 for value in old.values]
        made[:, number] = np.array(places, dtype=np.int64)[codes[:, number]]
        if (made[:, number] < 0).any():
            lost = old.values[int(codes[(made[:, number] < 0).argmax(), number])]
            raise SpaceError(f"space {target.name}: {new.name} = {lost!r} is none of {new.values}")
    return made


def matching(space: SearchSpace, name: str) -> list[Axis]:
    """The axes that a name, or a pattern, means; none where it means none."""
    exact = [axis for axis in space.axes if axis.name == name]
    return exact or [axis for axis in space.axes if fnmatchcase(axis.name, name)]


def _named(space: SearchSpace, name: str) -> list[Axis]:
    found = matching(space, name)
    if not found:
        known = [axis.name for axis in space.axes]
        raise SpaceError(f"space {space.name} has no axis {name!r}; {choices(name, known)}")
    return found


def _value(space: SearchSpace, axis: Axis, wanted: Any) -> Any:
    """The value of an axis that is meant: itself, or its text (`1`, `1.0` and `1.00` are one number)."""
    for value in axis.values:
        if value == wanted or (isinstance(wanted, str) and _reads(wanted, value)):
            return value
    offered = ", ".join(map(str, axis.values))
    raise SpaceError(f"space {space.name}: {axis.name} = {wanted} is no choice; it has {offered}")


def _reads(text: str, value: Any) -> bool:
    if isinstance(value, str) or text == str(value):
        return text == value or text == str(value)
    try:
        return bool(float(text) == value)
    except ValueError:
        return False
