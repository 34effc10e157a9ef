"""Reads a table of trained networks: NAS-Bench-Macro as published or as CSV, and any other by a mapping.

docs/tables.md has the whole form with examples.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from archsearch.errors import DataError
from archsearch.evaluate.columns import Columns, read_columns
from archsearch.evaluate.table import Table, counted
from archsearch.evaluate.table_axes import axes_and_codes
from archsearch.evaluate.table_map import CodeSource, TableMap, filled, matching, parse_map, read_map
from archsearch.evaluate.table_merge import merged
from archsearch.spec.space import SearchSpace
from archsearch.spec.space_file import read_space
from archsearch.surrogate.domain import Floats

MACRO = "nas_bench_macro"  # the space of the one table that is recognised without a mapping
ALWAYS = ("madds", "params")  # counted at once where there is a space; other metrics when they are asked for


def read_table(
    path: Path | str, space: SearchSpace | None = None, mapping: TableMap | Mapping[str, Any] | Path | str | None = None
) -> Table:  # fmt: skip
    """The table in a .csv, .tsv, .parquet or .json file.

    space    whose axes the columns are; else the one that the mapping names, NAS-Bench-Macro's where the file is that
             table, or none: then the axes are what stands in the columns
    mapping  which column means what: a TOML file, its parsed content, or a TableMap; names are guessed without it
    raises   DataError, one line naming file, row and column
    """
    path = Path(path)
    columns = read_columns(path)
    given = _mapping(mapping)
    if space is None and given.space is not None:
        space = read_space(given.space)
    if space is None and mapping is None and _is_macro(columns):
        macro = read_space(MACRO)
        table = _table(columns, macro, replace(given, code=_digits(), costs_from="table"), "")
        if all((table.cost(name) == counted(macro, table.codes, name)).all() for name in ALWAYS):
            return merged(replace(table, name=path.stem))
    elif space is not None and space.name == MACRO and mapping is None and _is_macro(columns):
        given = replace(given, code=_digits())
    return merged(_table(columns, space, given, path.stem), average=given.duplicates == "average")


def _table(columns: Columns, space: SearchSpace | None, given: TableMap, stem: str) -> Table:
    """The rows of a file as a table, one row each."""
    told, notes = filled(given, columns.cells, [axis.name for axis in space.axes] if space is not None else [])
    axes, codes = axes_and_codes(columns, told, space)
    table = Table(
        name=told.name or stem, axes=axes, codes=codes, top1=_accuracy(columns, told), space=space, notes=notes,
        costs={name: columns.numbers(each.column) * each.factor for name, each in told.costs.items()},
        seconds=None if told.seconds is None else columns.numbers(told.seconds.column) * told.seconds.factor,
        curves=None if told.curves is None else _curves(columns, told),
    )  # fmt: skip
    for name, values in {**table.costs, "seconds": table.seconds}.items():
        if values is not None and (values < 0).any():
            raise DataError(f"{columns.name}, row {int((values < 0).argmax()) + 1}: {name} is below 0")
    return table if space is None else _with_counts(table, columns.name, told)


def _with_counts(table: Table, file: str, told: TableMap) -> Table:
    """MAdds and parameters counted where the table has none; where it has, they must agree unless they are trusted."""
    assert table.space is not None
    costs = dict(table.costs)
    for name in [name for name in dict.fromkeys([*ALWAYS, *costs]) if name in table.countable]:
        ours = counted(table.space, table.codes, name)
        theirs = costs.get(name)
        if theirs is not None and told.costs_from == "table":
            continue
        if theirs is not None and told.costs_from == "checked" and (theirs != ours).any():
            raise DataError(_differ(file, name, theirs, ours))
        costs[name] = ours
    return replace(table, costs=costs)


def _differ(file: str, name: str, theirs: Floats, ours: Floats) -> str:
    """How far a table's cost is from the counted one."""
    ratio = theirs / np.maximum(ours, 1)
    worst = int(np.abs(ratio - 1).argmax())
    factor = 1 / ratio[worst]
    hint = f"a factor of {factor:g} in the mapping would make them agree" if np.allclose(theirs * factor, ours) else (
        'costs_from = "table" in the mapping trusts the table, "counted" the counters')  # fmt: skip
    return (
        f"{file}: {name} differs from what is counted in {(theirs != ours).sum():,} of {len(ours):,} rows, most in row "
        f"{worst + 1}: {theirs[worst]:,.10g} there, {ours[worst]:,.0f} counted ({ratio[worst] - 1:+.3%}); {hint}"
    )


def _accuracy(columns: Columns, told: TableMap) -> Floats:
    """Fractions of right answers, float64[n, seeds]."""
    names = list(told.accuracy)
    if len(names) == 1 and "{seed}" in names[0]:
        names = [name for name, _ in matching(names[0], columns.cells)]
        if not names:
            raise DataError(
                f"{columns.name} has no column like {told.accuracy[0]!r}; columns: {', '.join(columns.cells)}"
            )
    values = np.stack([columns.numbers(name, gaps=True) for name in names], axis=1)
    if told.unit is None:
        _check_one_unit(columns.name, names, values)
    top1 = _fractions(values, told.unit)
    _check_fractions(columns.name, names[0], top1, told.unit)
    nothing = np.isnan(top1).all(axis=1)
    if nothing.any():
        raise DataError(f"{columns.name}, row {int(nothing.argmax()) + 1}: no accuracy in {', '.join(names)}")
    return top1


def _curves(columns: Columns, told: TableMap) -> Floats:
    """Accuracies after each epoch, float64[n, epochs], or [n, seeds, epochs] where the pattern says {seed}."""
    assert told.curves is not None
    found = matching(told.curves, columns.cells)
    if not found or "{epoch}" not in told.curves:
        raise DataError(f"{columns.name} has no column like {told.curves!r}; write a pattern like acc_epoch{{epoch}}")
    values = _fractions(np.stack([columns.numbers(name, gaps=True) for name, _ in found], axis=1), told.unit)
    _check_fractions(columns.name, told.curves, values, told.unit)
    seeds = len({numbers.get("seed", 0) for _, numbers in found})
    if len(found) % seeds or len({numbers["epoch"] for _, numbers in found}) * seeds != len(found):
        raise DataError(f"{columns.name}: columns {told.curves!r} have not the same epochs for each seed")
    return values.reshape(len(values), seeds, -1) if "{seed}" in told.curves else values


def _fractions(values: Floats, unit: str | None) -> Floats:
    """Accuracies in a unit as fractions; without a unit they are percent where any is above 1."""
    unit = unit or ("percent" if np.nanmax(values, initial=0.0) > 1 else "fraction")
    scaled = values / 100 if unit in ("percent", "error") else values
    return 1 - scaled if unit.startswith("error") else scaled


def _check_one_unit(file: str, names: list[str], values: Floats) -> None:
    """Raise DataError where some accuracies look like percent and others like fractions: only a mapping can tell."""
    small = (values > 0) & (values < 1)
    if np.nanmax(values, initial=0.0) <= 1 or not small.any():
        return
    (row, column), (other, beside) = np.argwhere(values > 1)[0], np.argwhere(small)[0]
    raise DataError(
        f"{file}: {names[column]} is {values[row, column]:g} in row {row + 1}, {names[beside]} is "
        f"{values[other, beside]:g} in row {other + 1}: percent, or fractions? "
        'Let the mapping say unit = "percent" under [accuracy]'
    )


def _check_fractions(file: str, name: str, values: Floats, unit: str | None) -> None:
    wrong = (values < 0) | (values > 1)
    if wrong.any():
        row = int(wrong.reshape(len(values), -1).any(axis=1).argmax())
        shown = np.nanmax(np.abs(values[row])) * (100 if unit in (None, "percent", "error") else 1)
        raise DataError(
            f"{file}, row {row + 1}: {name} is no accuracy in {unit or 'percent'} ({shown:g}); set its unit"
        )
    if unit in ("percent", "error") and np.nanmax(values if unit == "percent" else 1 - values, initial=0.0) <= 0.01:
        raise DataError(f"{file}: no {name} is above 1 percent; is the unit {unit.replace('percent', 'fraction')}?")


def _mapping(mapping: TableMap | Mapping[str, Any] | Path | str | None) -> TableMap:
    if mapping is None:
        return TableMap()
    if isinstance(mapping, TableMap):
        return mapping
    return parse_map(mapping) if isinstance(mapping, Mapping) else read_map(Path(mapping))


def _is_macro(columns: Columns) -> bool:
    """Whether this looks like NAS-Bench-Macro, whose digits 0, 1, 2 are the choices of eight layers."""
    sizes = {"params"} <= set(columns.cells) and {"macs", "flops"} & set(columns.cells)
    return bool(sizes) and all(re.fullmatch("[012]{8}", str(cell)) for cell in columns.cells.get("arch", ["-"]))


def _digits() -> CodeSource:
    return CodeSource(column="arch", symbols=("0", "1", "2"))
