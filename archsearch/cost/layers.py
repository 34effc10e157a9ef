"""One network op by op: where each stands, its shapes, what it costs; for tables, CSV files and drawings."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from archsearch.cost.count import all_metrics, metric
from archsearch.errors import SpecError
from archsearch.spec.arch import Arch
from archsearch.spec.lower import HEAD, STEM, lower, unroll
from archsearch.spec.ops import Op

MOST = 20_000  # ops that are written out one by one
FIRST = ("name", "stage", "kind", "role", "inputs")  # columns, in this order, before the shapes
INSIDE = ("label", "times", "group", "flat")  # fields of an `Op` that say nothing once it is unrolled


def layers(arch: Arch) -> list[dict[str, Any]]:
    """One row for each op of a network, in the order in which they run.

    returns  name (the module's path), stage ("stem", "1", ..., "head"), kind, role, inputs (names of rows, "input" =
             the image), the other fields of `Op`, then the price in every metric. For most metrics the rows add up to
             the network's cost; peak_memory is what is live while the op runs, and the network's is the largest.
    raises   SpecError for a network of more than `MOST` ops
    """
    ops = lower(arch)
    number = sum(int(op.times) for op in ops)
    if number > MOST:
        raise SpecError(f"the network has {number:,} operations; at most {MOST:,} are listed one by one")
    metrics = [metric(name) for name in all_metrics()]
    return [{**_shapes(op), **{each.name: each.price(op) for each in metrics}} for op in unroll(ops)]


def peak_row(rows: Sequence[Mapping[str, Any]]) -> int:
    """Index of the row with the most live memory; the first of equals."""
    return max(range(len(rows)), key=lambda index: rows[index]["peak_memory"])


def layers_csv(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as CSV with a header, no row of totals; several inputs are parted by blanks."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({**row, "inputs": " ".join(row["inputs"])} for row in rows)
    return text.getvalue()


def stage_name(stage: int) -> str:
    """What people call a part of a network: "stem", "head", and the stages from "1"."""
    return {STEM: "stem", HEAD: "head"}.get(stage, str(stage + 1))


def _shapes(op: Op) -> dict[str, Any]:
    """The fields of an op that say what it is, by the names that users see."""
    known = {field.name: getattr(op, field.name) for field in fields(op) if field.name not in INSIDE}
    known |= {"stage": stage_name(op.stage), "role": op.label, "inputs": list(op.inputs)}
    return {name: known.pop(name) for name in FIRST} | known
