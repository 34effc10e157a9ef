"""Which column of a table means what: a mapping file (TOML), and what is guessed where it says nothing."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from archsearch.errors import DataError, choices

UNITS = ("percent", "fraction", "error", "error_fraction")
COSTS_FROM = ("checked", "counted", "table")
DUPLICATES = ("error", "average")
KEYS = ("name", "space", "axes", "code", "accuracy", "costs", "costs_from", "seconds", "curves", "duplicates")

CODES = ("arch", "code", "architecture")  # columns that may hold a whole code
TOP1 = r"(?:(?:test|val|valid|validation)_?)?(?:acc|accuracy|top_?1)(?:_?(?:seed)?_?{seed})?"
MEAN1 = ("mean_acc", "acc_mean", "mean_accuracy", "accuracy_mean", "mean_top1", "top1_mean")
CURVE = r"(?:(?:acc|accuracy|top_?1)_?)?epoch_?{epoch}"
MADDS = ("madds", "macs", "multiply_adds", "flops")
PARAMS = ("params", "parameters", "n_params", "num_params")
OTHER = r"activations|peak_memory|weight_bytes|latency\w*|energy\w*|\w+_ms|\w+_mj|\w+_bytes"
NO_AXIS = r"name|id|key|index|hash|source|std|\w+_std|std_\w+|mean\w*|\w+_mean|\w*top_?5\w*|\w*loss\w*"
SECONDS = ("seconds", "train_seconds", "training_seconds", "train_time_s", "training_time_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A column, times a factor."""

    column: str
    factor: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisSource:
    """The column of an axis; `values` says what stands in it for which value of the axis."""

    column: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSource:
    """One column that holds the choices of all axes, one character each, or fields between separators."""

    column: str
    separator: str = ""
    symbols: tuple[str, ...] = ()  # symbol k stands for choice k of each axis
    axes: tuple[str, ...] = ()  # names, where no space gives them


@dataclass(frozen=True, slots=True, kw_only=True)
class TableMap:
    """What each column means; empty or None = not said."""

    name: str | None = None
    space: str | None = None
    axes: Mapping[str, AxisSource] = field(default_factory=dict)
    code: CodeSource | None = None
    accuracy: tuple[str, ...] = ()  # columns, one a seed; or one pattern with {seed}
    unit: str | None = None  # None: percent where any is above 1
    costs: Mapping[str, Source] = field(default_factory=dict)
    costs_from: str = "checked"
    seconds: Source | None = None
    curves: str | None = None  # a pattern with {epoch}, and {seed} where there is one for each seed
    duplicates: str = "error"


def read_map(path: Path) -> TableMap:
    """The mapping in a TOML file; a space file that it names may lie beside it.

    raises   DataError naming the file, the key and what would be right
    """
    try:
        plain = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataError(f"{path}: not readable as TOML: {error}") from None
    try:
        read = parse_map(plain)
        beside = path.parent / (read.space or "")
        return replace(read, space=str(beside)) if beside.is_file() else read
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def parse_map(plain: Mapping[str, Any]) -> TableMap:
    """The mapping of a parsed TOML document."""
    _known("the mapping", plain, KEYS)
    accuracy = _table("accuracy", plain.get("accuracy", {}), ("columns", "unit"))
    code = _table("code", plain["code"], ("column", "separator", "symbols", "axes")) if "code" in plain else None
    columns, costs = accuracy.get("columns", ()), _table("costs", plain.get("costs", {}))
    return TableMap(
        name=_text("name", plain.get("name")),
        space=_text("space", plain.get("space")),
        axes={name: _axis(name, value) for name, value in _table("axes", plain.get("axes", {})).items()},
        code=None if code is None else _code(code),
        accuracy=(columns,) if isinstance(columns, str) else _texts("accuracy.columns", columns),
        unit=_one_of("accuracy.unit", accuracy["unit"], UNITS) if "unit" in accuracy else None,
        costs={name: _source(f"costs.{name}", value) for name, value in costs.items()},
        costs_from=_one_of("costs_from", plain.get("costs_from", "checked"), COSTS_FROM),
        seconds=_source("seconds", plain["seconds"]) if "seconds" in plain else None,
        curves=_text("curves", plain.get("curves")),
        duplicates=_one_of("duplicates", plain.get("duplicates", "error"), DUPLICATES),
    )  # fmt: skip


def filled(given: TableMap, columns: Iterable[str], axes: Iterable[str]) -> tuple[TableMap, tuple[str, ...]]:
    """The mapping with what it does not say guessed from the names of the columns, and notes on what was guessed.

    axes     names of the space's axes; none without a space
    raises   DataError where no accuracy can be found
    """
    names, wanted, made = list(columns), list(axes), given
    notes: list[str] = []
    if not made.accuracy:
        made = replace(made, accuracy=_accuracies(names))
    if not made.costs:
        costs, notes = _costs(names)
        made = replace(made, costs=costs)
    if made.seconds is None and any(name in names for name in SECONDS):
        made = replace(made, seconds=Source(column=next(name for name in SECONDS if name in names)))
    if made.curves is None:
        made = replace(made, curves=next((_pattern_of(name) for name in names if _is(CURVE, name)), None))
    if not made.axes and made.code is None:
        made = _with_axes(made, names, wanted)
        if made.axes and not wanted:
            notes.append(f"columns taken for axes: {', '.join(made.axes)}")
    return made, tuple(notes)


def _with_axes(made: TableMap, names: list[str], wanted: list[str]) -> TableMap:
    """The mapping with axes: columns named like them, else a column of codes, else whatever is nothing else."""
    same = [name for name in wanted if name in names]
    whole = next((name for name in CODES if name in names), None)
    if whole is not None and not same:
        return replace(made, code=CodeSource(column=whole))
    if not wanted:
        taken = {source.column for source in [*made.costs.values(), made.seconds] if source is not None}
        for pattern in [*made.accuracy, *filter(None, [made.curves])]:
            taken |= {name for name, _ in matching(pattern, names)}
        low = "|".join((TOP1.replace("{seed}", r"\d+"), CURVE.replace("{epoch}", r"\d+"), NO_AXIS, *MADDS, *PARAMS))
        same = [name for name in names if name not in taken and not re.fullmatch(low, name.lower())]
    return replace(made, axes={name: AxisSource(column=name) for name in same})


def matching(pattern: str, columns: Iterable[str]) -> list[tuple[str, dict[str, int]]]:
    """The columns that a pattern with {seed} or {epoch} means, with those numbers, in their order."""
    parts = re.split(r"\{(seed|epoch)\}", pattern)
    shape = "".join(f"(?P<{part}>\\d+)" if i % 2 else re.escape(part) for i, part in enumerate(parts))
    found = [(name, match.groupdict()) for name in columns if (match := re.fullmatch(shape, name))]
    numbered = [(name, {key: int(number) for key, number in numbers.items()}) for name, numbers in found]
    return sorted(numbered, key=lambda each: [each[1].get("seed", 0), each[1].get("epoch", 0)])


def _accuracies(names: list[str]) -> tuple[str, ...]:
    """The columns that look like accuracies, one a seed."""
    found = [name for name in names if _is(TOP1, name)]
    kinds = {re.sub(r"[_\d]*$", "", re.sub(r"_?seed_?\d+$", "", name.lower())) for name in found}
    if len(kinds) > 1:
        raise DataError(f"columns {', '.join(found)} may all be accuracies: name those that are in a mapping")
    if found:
        return tuple(sorted(found, key=lambda name: [int(number) for number in re.findall(r"\d+$", name)]))
    mean = next((name for name in names if name.lower() in MEAN1), None)
    if mean is None:
        raise DataError(f"no column looks like an accuracy (acc1, top1, accuracy ...); columns: {', '.join(names)}")
    return (mean,)


def _costs(names: list[str]) -> tuple[dict[str, Source], list[str]]:
    """The columns that look like costs, and notes on what their names leave open."""
    low = {name.lower(): name for name in reversed(names)}
    costs, notes = {}, []
    for metric, words in (("madds", MADDS), ("params", PARAMS)):
        found = [low[word] for word in words if word in low]
        if found:
            costs[metric] = Source(column=found[0])
        if found and found[0].lower() == "flops":
            notes.append("column flops is read as multiply-adds, one each; where it counts two, map it with factor 0.5")
        if len(found) > 1:
            notes.append(f"{metric} is column {found[0]}; left out: {', '.join(found[1:])}")
    costs |= {name: Source(column=name) for name in names if re.fullmatch(OTHER, name) and name not in costs}
    return costs, notes


def _is(shape: str, name: str) -> bool:
    return re.fullmatch(shape.replace("{seed}", r"\d+").replace("{epoch}", r"\d+"), name.lower()) is not None


def _pattern_of(name: str) -> str:
    return re.sub(r"\d+$", "{epoch}", name)


# reading ------------------------------------------------------------------------------------------------------------


def _axis(name: str, value: Any) -> AxisSource:
    if isinstance(value, str):
        return AxisSource(column=value)
    table = _table(f"axes.{name}", value, ("column", "values"))
    values = _table(f"axes.{name}.values", table.get("values", {}))
    return AxisSource(column=_named(f"axes.{name}", table), values=values)


def _code(table: Mapping[str, Any]) -> CodeSource:
    return CodeSource(
        column=_named("code", table), separator=_text("code.separator", table.get("separator", "")) or "",
        symbols=_texts("code.symbols", table.get("symbols", ())), axes=_texts("code.axes", table.get("axes", ())),
    )  # fmt: skip


def _source(where: str, value: Any) -> Source:
    if isinstance(value, str):
        return Source(column=value)
    table = _table(where, value, ("column", "factor"))
    factor = table.get("factor", 1.0)
    if isinstance(factor, bool) or not isinstance(factor, int | float) or not factor > 0:
        raise DataError(f"{where}.factor must be a number above 0, got {factor!r}")
    return Source(column=_named(where, table), factor=float(factor))


def _named(where: str, table: Mapping[str, Any]) -> str:
    column = _text(f"{where}.column", table.get("column"))
    if column is None:
        raise DataError(f"{where} needs a column")
    return column


def _table(where: str, value: Any, known: tuple[str, ...] = ()) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise DataError(f"{where} must be a table, got {value!r}")
    if known:
        _known(where, value, known)
    return value


def _known(where: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            raise DataError(f"{where} has no key {key!r}: {choices(key, known)}")


def _text(where: str, value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise DataError(f"{where} must be text, got {value!r}")
    return value


def _texts(where: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise DataError(f"{where} must be a list of texts, got {value!r}")
    return tuple(value)


def _one_of(where: str, value: Any, known: tuple[str, ...]) -> str:
    if value not in known:
        raise DataError(f"{where} = {value!r}: {choices(str(value), known)}")
    return str(value)
