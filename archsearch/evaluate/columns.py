"""Tables on disk as named columns: CSV, parquet, JSON; text stays text until somebody says what it means."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from archsearch.errors import DataError, choices
from archsearch.surrogate.domain import Floats

SUFFIXES = (".csv", ".tsv", ".parquet", ".json")
KEY = "arch"  # the column that holds the keys of a JSON object
MISSING = ("", "nan", "na", "none", "null")


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The cells of a file, column by column; rows are counted from 1 in what is said of them."""

    name: str  # of the file
    cells: Mapping[str, list[Any]]

    def __len__(self) -> int:
        return len(next(iter(self.cells.values()), []))

    def column(self, name: str) -> list[Any]:
        """One column; raises DataError naming the nearest."""
        if name not in self.cells:
            raise DataError(f"{self.name} has no column {name!r}: {choices(name, self.cells)}")
        return self.cells[name]

    def numbers(self, name: str, *, gaps: bool = False) -> Floats:
        """A column of numbers, float64[n]; where `gaps` are allowed, an empty cell is NaN.

        raises   DataError naming the row of what is no number
        """
        cells = self.column(name)
        try:
            values = np.array(cells, dtype=object).astype(float)  # each cell as `float` reads it
        except (TypeError, ValueError):
            values = np.full(len(cells), np.nan)
        if np.isfinite(values).all() and not any(isinstance(cell, bool) for cell in cells):
            return values
        return np.array([self._number(name, row, cell, gaps) for row, cell in enumerate(cells, start=1)])

    def texts(self, name: str) -> list[str]:
        """A column of texts; whole numbers lose their `.0`. raises DataError naming the row of an empty cell."""
        told = [plain_text(cell) for cell in self.column(name)]
        for row, text in enumerate(told, start=1):
            if text.lower() in MISSING[:2]:
                raise DataError(f"{self.name}, row {row}: {name} is empty")
        return told

    def _number(self, name: str, row: int, cell: Any, gaps: bool) -> float:
        try:
            if isinstance(cell, bool):  # float would take it for 1
                raise TypeError
            value = math.nan if plain_text(cell).lower() in MISSING else float(cell)
        except (TypeError, ValueError):
            raise DataError(f"{self.name}, row {row}: {name} is {cell!r}, not a number") from None
        if math.isinf(value) or (math.isnan(value) and not gaps):
            told = "missing" if math.isnan(value) else repr(cell)
            raise DataError(f"{self.name}, row {row}: {name} is {told}")
        return value


def read_columns(path: Path) -> Columns:
    """The columns of a .csv, .tsv, .parquet or .json file (the first two also compressed, as .csv.gz).

    A cell that is a list becomes columns name1, name2 ...; one that is an object, columns name.key.
    raises   DataError for a file that is not there, not readable, of another kind, or without rows
    """
    kind = next((suffix for suffix in SUFFIXES if suffix in path.suffixes[-2:]), None)
    if kind is None:
        raise DataError(f"{path}: a table is a file ending in {', '.join(SUFFIXES)}")
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    try:
        cells = _json(path) if kind == ".json" else _frame(path, kind)
    except DataError:
        raise
    except Exception as error:  # each reader has its own
        raise DataError(f"{path}: not readable as {kind[1:]}: {str(error).splitlines()[0]}") from None
    if not cells or not len(next(iter(cells.values()))):
        raise DataError(f"{path}: no rows")
    return Columns(name=path.name, cells=cells)


def plain(text: str) -> Any:
    """A cell as a value: a whole number, another number, else the text."""
    try:
        number = float(text)
    except ValueError:
        return text
    if not math.isfinite(number) or "_" in text:
        return text
    return int(number) if number.is_integer() else number


def plain_text(cell: Any) -> str:
    """A cell as text, the same from every kind of file."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _frame(path: Path, kind: str) -> dict[str, list[Any]]:
    import pandas  # type: ignore[import-untyped]

    if kind == ".parquet":
        frame = pandas.read_parquet(path)
        if any(pandas.api.types.is_object_dtype(kind) for kind in frame.dtypes):  # lists may be among them
            return _columns([_flat(row) for row in frame.to_dict("records")])
        return {str(name): frame[name].tolist() for name in frame.columns}
    try:
        frame = pandas.read_csv(
            path, dtype=str, keep_default_na=False, sep="\t" if kind == ".tsv" else ",", header=None, index_col=False
        )
    except pandas.errors.EmptyDataError:
        return {}
    names = [str(name).strip() for name in frame.iloc[0]]
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{path}: two columns are called {twice!r}")
    # a column without a name says nothing: pandas writes its row numbers so
    return {name: frame[number].tolist()[1:] for number, name in enumerate(names) if name}


def _json(path: Path) -> dict[str, list[Any]]:
    """An object of objects (its keys become column `arch`), or a list of objects."""
    plain = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(plain, Mapping):
        plain = [{KEY: key, **(row if isinstance(row, Mapping) else {"value": row})} for key, row in plain.items()]
    if not isinstance(plain, list) or not all(isinstance(row, Mapping) for row in plain):
        raise DataError(f"{path}: JSON must be an object of objects, or a list of objects")
    return _columns([_flat(row) for row in plain])


def _flat(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {name: cell for key, value in row.items() for name, cell in _leaves(str(key), value)}


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(f"{name}.{key}", inner)
    elif isinstance(value, list | tuple | np.ndarray):
        for number, inner in enumerate(value, start=1):
            yield from _leaves(f"{name}_{number}" if name[-1:].isdigit() else f"{name}{number}", inner)
    else:
        yield name, value


def _columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}
