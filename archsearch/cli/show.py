"""How results look on a terminal: tables, costs, one JSON document."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from archsearch.cost.budget import show

HEADINGS = {"madds": "MAdds", "params": "params", "activations": "activations", "peak_memory": "peak memory",
            "weight_bytes": "weights", "latency": "latency", "latency_upper": "latency at most"}  # fmt: skip


def print_json(document: Any) -> None:
    """One JSON document on stdout."""
    print(json.dumps(document, indent=2, allow_nan=False))


def console(*, error: bool = False) -> Any:
    """A rich console; what is no terminal gets lines of 200 characters."""
    from rich.console import Console

    stream = sys.stderr if error else sys.stdout
    return Console(stderr=error, highlight=False, width=None if stream.isatty() else 200)


def table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, left: Sequence[int] = (0,), cut_last: bool = False
) -> Any:
    """A plain table; numbers to the right except in the columns `left`; `cut_last` fits the last one to the width."""
    from rich.box import SIMPLE
    from rich.markup import escape
    from rich.table import Table

    made = Table(box=SIMPLE, pad_edge=False, show_edge=False, expand=cut_last)
    for index, name in enumerate(columns):
        fold = name in ("network", "about")
        made.add_column(
            name,
            justify="left" if index in left else "right",
            overflow="fold" if fold else "ellipsis",
            no_wrap=not fold,
            min_width=None if index in left else max(len(cell) for cell in [name, *(row[index] for row in rows)]),
            ratio=1 if cut_last and index == len(columns) - 1 else None,
        )
    for row in rows:
        made.add_row(*(escape(cell) for cell in row))
    return made


def cost_rows(costs: Mapping[str, int]) -> list[list[str]]:
    """Rows (metric, exact value, short form) of a network's costs."""
    return [[HEADINGS.get(name, name), f"{value:,}", show(value, name)] for name, value in costs.items()]


def layer_table(rows: Sequence[Mapping[str, Any]]) -> Any:
    """The operations of a network, as `cost.layers.layers` gives them; the peak of memory is marked."""
    from archsearch.cost.layers import peak_row

    whole, peak = sum(row["madds"] for row in rows) or 1, peak_row(rows)
    cells = [
        [row["stage"], row["name"], row["role"], f"{row['c_in']} > {row['c_out']}", f"{row['kernel']}/{row['stride']}",
         f"{row['size_in']} > {row['size_out']}", row["act"].replace("linear", "-"), show(row["madds"], "madds"),
         f"{100 * row['madds'] / whole:.1f} %", show(row["params"], "params"), show(row["peak_memory"], "peak_memory"),
         "< peak" if index == peak else ""]
        for index, row in enumerate(rows)
    ]  # fmt: skip
    names = ["stage", "module", "role", "channels", "k/s", "pixels", "act", "MAdds", "share", "params", "live memory"]
    return table([*names, ""], cells, left=(1, 2, 6, 11))


def peak_line(rows: Sequence[Mapping[str, Any]]) -> str:
    """Where the memory's peak is, in one line."""
    from archsearch.cost.layers import peak_row

    row = rows[peak_row(rows)]
    place = f"stage {row['stage']}" if row["stage"].isdigit() else f"the {row['stage']}"
    return f"peak memory: {show(row['peak_memory'], 'peak_memory')} at {row['name']} ({row['role']} of {place})"


def percent(value: float | None, error: float | None = None) -> str:
    """A fraction for people: 93.1 %, 93.1 ± 0.4 %, or a dash."""
    if value is None:
        return "-"
    return f"{100 * value:.1f} %" if error is None else f"{100 * value:.1f} ± {100 * error:.1f} %"


def print_ladder(out: Any, rungs: Sequence[Mapping[str, Any]]) -> None:
    """The best network within each rung of a budget ladder, one row a rung; its own cost stands beside the rung."""
    metric = rungs[0]["metric"]
    costs = [metric, *(name for name in ("madds", "params", "peak_memory") if name != metric)]
    own, *others = (HEADINGS.get(name, name) for name in costs)
    timed = "latency_ms_upper" in rungs[0]
    names = [own, "trial", *others, *(["measured ms"] if timed else []), "validation", "believed", "test"]
    rows = [
        [show(row["budget"], metric), *(_rung_cells(row, costs) if row["trial"] is not None else ["-"] * len(names))]
        for row in rungs
    ]
    out.print(table([f"{own} up to", *names], rows, left=()))


def _rung_cells(row: Mapping[str, Any], costs: Sequence[str]) -> list[str]:
    return [
        show(row[costs[0]], costs[0]), str(row["trial"]), *(show(row[name], name) for name in costs[1:]),
        *(_times(row)[2:] if "latency_ms_upper" in row else ()),
        percent(row["top1"], row["top1_se"]), percent(row["believed"], row["believed_sd"]),
        percent(row["top1_test"], row["top1_test_se"]),
    ]  # fmt: skip


def print_front(out: Any, records: Sequence[Mapping[str, Any]]) -> None:
    """The Pareto front, cheapest first: the figures as a table, then each network in its text form."""
    costs, timed = ("madds", "params", "peak_memory"), bool(records) and "latency_ms_upper" in records[0]
    rows = [
        [str(row["trial"]), *(show(row[name], name) for name in costs), *(_times(row) if timed else ()),
         percent(row["top1"], row["top1_se"]), percent(row["believed"], row["believed_sd"]),
         f"{100 * row['p_front']:.0f} %", str(row["group"]), _front(row),
         percent(row["top1_test"], row.get("top1_test_se"))]
        for row in records
    ]  # fmt: skip
    names = ["validation", "believed", "p(front)", "group", "front", "test"]
    latency = ["predicted ms", "at most ms", "measured ms"] if timed else []
    out.print(table(["trial", *(HEADINGS[name] for name in costs), *latency, *names], rows, left=()))
    for row in records:
        out.print(f"#{row['trial']:<4} {row['arch']}", markup=False, style="dim", soft_wrap=True)


def _times(row: Mapping[str, Any]) -> list[str]:
    """Latency as a table predicts it, the upper end of that, and as measured, with its 95 % interval [ms]."""
    measured = [row[name] for name in ("latency_ms", "latency_ms_low", "latency_ms_high")]
    told = "-" if measured[0] is None else "{:.3g} ({:.3g}-{:.3g})".format(*measured)
    return [f"{row['latency_ms_predicted']:.3g}", f"{row['latency_ms_upper']:.3g}", told]


def _front(row: Mapping[str, Any]) -> str:
    """On which front a network is: as measured, as believed or both; else it is likely to be on one, or was tested."""
    if row["observed"] and row["handed_over"]:
        return "both"
    if row["observed"] or row["handed_over"]:
        return "measured" if row["observed"] else "believed"
    return "likely" if row["p_front"] >= 0.5 else "tested"
