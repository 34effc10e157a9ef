"""A device that nobody can reach from here: its models as files, and a CSV that its owner fills in."""

import csv
import json
import math
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from archsearch.cost.latency import LatencyTable
from archsearch.errors import LatencyError
from archsearch.export.graph import onnx_bytes
from archsearch.measure.blocks import blocks_of, calibrating, chosen, sampled
from archsearch.measure.build import assemble
from archsearch.measure.method import Measurement
from archsearch.measure.model import Model, block, whole
from archsearch.measure.pick import reference
from archsearch.measure.verify import Trial, judged
from archsearch.spec.arch import Arch
from archsearch.spec.space import SearchSpace
from archsearch.spec.text import from_text

SHEET, NOTE, PLAN = "latency.csv", "README.txt", "plan.json"
COLUMNS = ("file", "kind", "ms", "name")
KINDS = ("reference", "network", "held out", "block")
LEAST = 8  # networks that must be filled in
TEXT = """Each .onnx file in models/ is a whole network or one block of one: batch {batch}, float32, random weights.
Time one inference of each on your device, as your application would run it: warm up first, repeat, and write the
median in milliseconds into the column `ms` of latency.csv. Take the files in the order of the CSV, or in random order,
not one kind at a time on a warm device and the next on a cold one. The row `reference` is required; other rows may stay
empty: {least} networks and some tens of blocks are needed, more make it better. Rows `held out` are used for one thing
only: to judge the table.

Then: archsearch latency import {folder} --device-name NAME
"""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the CSV."""

    file: str
    kind: str
    name: str
    ms: float | None = None


def write_plan(
    space: SearchSpace, folder: Path, *, source: str, most: int, networks: int, batch: int, seed: int
) -> list[Row]:
    """Write the models and the CSV to fill in; the rows.

    source   the space by name, or its file
    raises   LatencyError where the folder holds a CSV already or cannot be written, or for a batch of nothing
    """
    if batch < 1:
        raise LatencyError(f"--batch must be at least 1, got {batch}")
    if (folder / SHEET).exists():
        raise LatencyError(f"{folder / SHEET} is there already; fill it in, or name another folder")
    rows = []
    try:
        (folder / "models").mkdir(parents=True, exist_ok=True)
        for number, (kind, model) in enumerate(_models(space, most=most, networks=networks, seed=seed)):
            row = Row(file=f"models/{number:04d}.onnx", kind=kind, name=model.name)
            (folder / row.file).write_bytes(onnx_bytes(model.ops, model.inputs, batch=batch))
            rows.append(row)
        told = {"source": source, "classes": space.head.classes, "most": most, "networks": networks, "batch": batch,
                "seed": seed}  # fmt: skip
        (folder / PLAN).write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
        (folder / NOTE).write_text(
            TEXT.format(batch=batch, least=LEAST, folder=shlex.quote(str(folder))), encoding="utf-8"
        )
        _write(folder / SHEET, rows)
    except OSError as error:
        raise LatencyError(f"{folder} cannot be written: {error.strerror}") from None
    return rows


@dataclass(frozen=True, kw_only=True)
class Told:
    """What `write_plan` noted: the space with its classes, where it came from, and the batch size."""

    space: SearchSpace
    source: str
    batch: int


def read_plan(folder: Path) -> Told:
    """What a folder was planned for; raises LatencyError where it is none of `latency plan`."""
    from archsearch.spec.space_file import read_space

    try:
        plain = json.loads((folder / PLAN).read_text(encoding="utf-8"))
        source = str(plain["source"])
        return Told(space=read_space(source).with_classes(plain["classes"]), source=source, batch=int(plain["batch"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LatencyError(f"{folder} is no folder of archsearch latency plan: {error}") from None


def _models(space: SearchSpace, *, most: int, networks: int, seed: int) -> list[tuple[str, Model]]:
    blocks = blocks_of(space)
    archs = sampled(space, 2 * networks, seed=seed)
    networks = calibrating(space, networks, networks, seed=seed)
    told = [("reference", reference())]
    told += [("network", whole(arch, text)) for text, arch in archs[:networks]]
    told += [("held out", whole(arch, text)) for text, arch in archs[networks:]]
    return told + [("block", block(blocks[name])) for name in chosen(blocks, most, seed=seed)]


def _write(path: Path, rows: list[Row]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows([row.file, row.kind, "" if row.ms is None else row.ms, row.name] for row in rows)


def read_sheet(path: Path) -> list[Row]:
    """The CSV as it was filled in; raises LatencyError naming the line that cannot be read."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            if not {"kind", "ms", "name"} <= set(reader.fieldnames or ()):
                raise LatencyError(f"{path} must have the columns {', '.join(COLUMNS)}, got {reader.fieldnames}")
            return [_row(plain, f"{path} line {number}") for number, plain in enumerate(reader, start=2)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LatencyError(f"{path} cannot be read: {error}") from None


def _row(plain: dict[str, str], where: str) -> Row:
    kind, text = (plain["kind"] or "").strip(), (plain["ms"] or "").strip()
    if kind not in KINDS:
        raise LatencyError(f"{where}: kind must be one of {', '.join(KINDS)}, got {kind!r}")
    try:
        ms = float(text) if text else None
    except ValueError:
        raise LatencyError(f"{where}: ms must be a number of milliseconds, got {text!r}") from None
    if ms is not None and not (math.isfinite(ms) and ms > 0):
        raise LatencyError(f"{where}: ms must be above 0, got {text!r}")
    return Row(file=plain.get("file") or "", kind=kind, name=plain["name"] or "", ms=ms)


def imported(space: SearchSpace, rows: list[Row], *, device: str, batch: int) -> LatencyTable:
    """The table of a device whose owner filled the CSV in, verified by its held-out networks where these are filled in.

    raises   LatencyError where too little is filled in, or a name is no network or block of the space
    """
    if not device.strip():
        raise LatencyError("--device-name must name the device")
    known = [row for row in rows if row.ms is not None]
    blocks = blocks_of(space)
    alone = {row.name: _measured(row) for row in known if row.kind == "block"}
    if strange := sorted(set(alone) - set(blocks)):
        raise LatencyError(f"{strange[0]!r} is no block of space {space.name}")
    archs, networks = _networks(known, "network")
    if len(networks) < LEAST or len(alone) < LEAST:
        raise LatencyError(f"at least {LEAST} networks and {LEAST} blocks must be filled in, "
                           f"got {len(networks)} and {len(alone)}")  # fmt: skip
    base = next((row.ms for row in known if row.kind == "reference"), None)
    if base is None:
        raise LatencyError("the row `reference` must be filled in: it is the scale of all others")
    fingerprint = {"device": device, "threads": None, "batch": batch, "dtype": "float32", "versions": {}}
    table = assemble(space=space, blocks=blocks, alone=alone, networks=networks, archs=archs, fingerprint=fingerprint,
                     reference_ms=base, about={"blocks_of_space": len(blocks), "imported": True})  # fmt: skip
    return verified(table, known)


def verified(table: LatencyTable, known: list[Row]) -> LatencyTable:
    """The table with what its held-out networks say; as it is where too few are filled in."""
    archs, measured = _networks(known, "held out")
    if len(measured) < LEAST:
        return table
    return replace(table, verified=judged(table, Trial(archs=archs, first=measured, second=None, seconds=0.0)))


def _networks(known: list[Row], kind: str) -> tuple[list[Arch], list[Measurement]]:
    found = [row for row in known if row.kind == kind]
    return [from_text(row.name) for row in found], [_measured(row) for row in found]


def _measured(row: Row) -> Measurement:
    """A number that somebody measured: nothing is known of its spread."""
    ms: Any = row.ms
    return Measurement(name=row.name, ms=ms, low=ms, high=ms, raw_ms=ms, q25_ms=ms, q75_ms=ms)
