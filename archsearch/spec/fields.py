"""Where a field of a design space comes from: fixed, or chosen by an axis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]


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

    @property
    def options(self) -> tuple[Any, ...]:
        """The one value."""
        return (self.value,)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A field set by an axis: `values[choice]`."""

    axis: int
    values: tuple[Any, ...]

    @property
    def options(self) -> tuple[Any, ...]:
        """All values, by choice."""
        return self.values


Field = Fixed | Chosen


def take(source: Field, pick: Sequence[int]) -> Any:
    """The value of a field under one code."""
    return source.values[pick[source.axis]] if isinstance(source, Chosen) else source.value


def gather(source: Field, codes: Codes) -> Any:
    """The values of a field under n codes: a scalar, or an array [n]."""
    if isinstance(source, Fixed):
        return source.value
    return np.array(source.values)[codes[:, source.axis]]


def masks(source: Field, codes: Codes) -> Mapping[str, Any]:
    """Name -> 0/1 int64[n] where a field of names is that name (or 1 where only one is possible)."""
    if len(set(source.options)) == 1:
        return {source.options[0]: 1}
    assert isinstance(source, Chosen)
    names = np.array(source.values)
    picked = codes[:, source.axis]
    return {str(name): (names == name).astype(np.int64)[picked] for name in dict.fromkeys(source.values)}


def cut(source: Field, axis: int, left: Sequence[int]) -> Field:
    """A field's source when only the choices `left` of one axis stay."""
    if isinstance(source, Chosen) and source.axis == axis:
        return Chosen(axis, tuple(source.values[index] for index in left))
    return source
