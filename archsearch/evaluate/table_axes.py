"""The codes of a file's rows: from a column for each axis, or from one column that holds them all."""

from typing import Any

import numpy as np

from archsearch.errors import DataError, choices
from archsearch.evaluate.columns import Columns, plain
from archsearch.evaluate.table_map import AxisSource, CodeSource, TableMap
from archsearch.spec.fields import Axis, Codes
from archsearch.spec.space import SearchSpace

SEPARATORS = "-_,;:|/ "


def axes_and_codes(columns: Columns, told: TableMap, space: SearchSpace | None) -> tuple[tuple[Axis, ...], Codes]:
    """The axes, and a code for each row: int64[n, axes].

    raises   DataError naming row, column and value of what is no choice
    """
    if told.code is not None:
        texts = _split(columns, told.code, space)
    else:
        sources = _sources(columns, told, space)
        texts = {name: columns.texts(source.column) for name, source in sources.items()}
        for axis in space.axes if space is not None else ():  # an axis of one value needs no column
            texts.setdefault(axis.name, [str(axis.values[0])] * len(columns))
    symbols = told.code.symbols if told.code is not None else ()
    fixed = {axis.name: axis for axis in space.axes} if space is not None else {}
    axes, codes = [], []
    for name in fixed or texts:
        cells = texts[name]
        values = told.axes[name].values if name in told.axes else {}
        axis = fixed[name] if name in fixed else _free_axis(name, cells, values, symbols)
        axes.append(axis)
        codes.append(_choices(columns, axis, cells, _meaning(axis, cells, values, symbols)))
    return tuple(axes), np.stack(codes, axis=1) if codes else np.zeros((len(columns), 0), dtype=np.int64)


def _sources(columns: Columns, told: TableMap, space: SearchSpace | None) -> dict[str, AxisSource]:
    """The column of each axis, in the order of the space."""
    if space is None:
        if not told.axes:
            raise DataError(f"{columns.name}: no column holds a code (arch, code): name the axes in a mapping, "
                            f"or give a space; columns: {', '.join(columns.cells)}")  # fmt: skip
        return dict(told.axes)
    names = [axis.name for axis in space.axes]
    for name in told.axes:
        if name not in names:
            raise DataError(f"{columns.name}: space {space.name} has no axis {name!r}: {choices(name, names)}")
    for axis in space.axes:
        if axis.name not in told.axes and len(axis.values) > 1:
            raise DataError(f"{columns.name}: no column is mapped to axis {axis.name!r} of space {space.name}; "
                            f"columns: {', '.join(columns.cells)}")  # fmt: skip
    return {name: told.axes[name] for name in names if name in told.axes}


def _split(columns: Columns, source: CodeSource, space: SearchSpace | None) -> dict[str, list[str]]:
    """The symbols of each axis out of one column."""
    cells = columns.texts(source.column)
    separator = source.separator or _separator(cells)
    rows = [cell.split(separator) if separator else list(cell) for cell in cells]
    wanted = len(space.axes) if space is not None else len(source.axes) or len(rows[0])
    for number, row in enumerate(rows, start=1):
        if len(row) != wanted:
            raise DataError(f"{columns.name}, row {number}: {source.column} = {cells[number - 1]!r} has {len(row)} "
                            f"symbols, not {wanted}")  # fmt: skip
    given = source.axes or tuple(f"{source.column}{number}" for number in range(1, wanted + 1))
    names = [axis.name for axis in space.axes] if space is not None else given
    return dict(zip(names, ([each.strip() for each in column] for column in zip(*rows, strict=True)), strict=True))


def _separator(cells: list[str]) -> str:
    """The separator that stands in every cell equally often, if there is one."""
    for each in SEPARATORS:
        counts = {cell.count(each) for cell in cells}
        if len(counts) == 1 and counts != {0}:
            return each
    return ""


def _free_axis(name: str, cells: list[str], values: Any, symbols: tuple[str, ...]) -> Axis:
    """An axis made of what stands in a column: in the order of its translations or symbols, else sorted."""
    if values or symbols:
        return Axis(name, tuple(dict.fromkeys(values.values())) if values else tuple(map(plain, symbols)))
    found = {plain(cell) for cell in cells}
    numbers = all(not isinstance(value, str) for value in found)
    return Axis(name, tuple(sorted(found if numbers else map(str, found))))


def _meaning(axis: Axis, cells: list[str], values: Any, symbols: tuple[str, ...]) -> dict[str, int]:
    """What stands in a column -> choice of the axis."""
    if values:
        return {str(text): axis.values.index(value) for text, value in values.items() if value in axis.values}
    if symbols:
        return {symbol: choice for choice, symbol in enumerate(symbols) if choice < len(axis.values)}
    by_value = {cell: choice for cell in set(cells) for choice, value in enumerate(axis.values)
                if cell == str(value) or plain(cell) == value}  # fmt: skip
    if by_value:
        return by_value
    return {str(choice): choice for choice in range(len(axis.values))}  # no value of the axis, so its choices' numbers


def _choices(columns: Columns, axis: Axis, cells: list[str], meaning: dict[str, int]) -> Codes:
    for row, cell in enumerate(cells, start=1):
        if cell not in meaning:
            known = ", ".join(dict.fromkeys([*meaning, *map(str, axis.values)]))
            raise DataError(f"{columns.name}, row {row}: {cell!r} is no choice of axis {axis.name} ({known})")
    return np.array([meaning[cell] for cell in cells], dtype=np.int64)
