"""What the page says in words: headline, counts, tables, manifest."""

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import pandas as pd

from archsearch import plugins
from archsearch.evaluate.landscapes import FAMILIES
from archsearch.report.frame import STATUSES, Budgets
from archsearch.report.markup import Markup, table, tag
from archsearch.report.theme import percent, scaled, short

COLUMNS = (
    "trial", "validation top-1", "believed", "p(front)", "group", "front", "test top-1", "MAdds", "parameters",
    "peak memory",
)  # fmt: skip
TIMED = ("latency predicted", "at most", "measured")  # behind them where a latency table was in use [ms]
MADE_UP = ("synthetic", *FAMILIES)  # evaluators
LOOKED_UP = ("table", "table-mean")
FORETOLD = ("predictor", "ensemble")
SHARING = "supernet"
LISTED = 20  # entries of a list that are written out
MEANING = {
    "trained": "trained and measured on the validation images",
    "given": "trained by an earlier run that this one began from; nothing was trained here",
    "replayed": "the same network as an earlier trial: its result was taken again, nothing was trained",
    "stopped": "judged at a rung and not trained on; what was expected of it informed the sampler",
    "waiting": "judged at a rung when this page was written; it may be trained on",
    "over_budget": "over budget by the counters: never trained, cost microseconds",
    "skipped": "not trained: the same network as one that failed or was still running, or one that the table lacks",
    "failed": "went wrong; the run went on",
    "running": "not finished when this page was written",
}


def not_measured(evaluator: object) -> str | None:
    """What an evaluator's values are where they are neither measured nor made up; None for all others."""
    if evaluator in plugins.names("proxies"):
        return f"scores of the zero-cost proxy {evaluator}, squashed into 0 to 100 %: their order is all they say"
    ranks = ", or mean ranks of proxies where too little was measured to learn from" if evaluator == "ensemble" else ""
    return f"foretold by the {evaluator}, not measured{ranks}" if evaluator in FORETOLD else None


def headline(run: Mapping[str, Any], manifest: Mapping[str, Any], budgets: Budgets) -> str:
    """One line: the space, the images or the table where there are any, the budget."""
    space = f"Space {PurePath(str(run.get('space', 'unnamed'))).stem}"
    return " · ".join(filter(None, [space, _source(run, manifest), budget_words(budgets)]))


def _source(run: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """What accuracies were measured on: images, or a table; nothing where they were made up."""
    if run.get("evaluator") in MADE_UP:
        return ""
    dataset = manifest.get("dataset")
    dataset = dataset if isinstance(dataset, Mapping) else {}
    data = str(dataset.get("name") or run.get("data") or "unnamed data")
    if run.get("evaluator") in LOOKED_UP:
        size = f" ({dataset['networks']:,} networks)" if "networks" in dataset else ""
        return f"table {PurePath(data).name}{size}"
    counts = [f"{dataset[name]:,} {word}" for name, word in (("n_train", "training images"),) if name in dataset]
    classes = dataset.get("classes")
    counts += [f"{len(classes) if isinstance(classes, list) else classes} classes"] if classes else []
    return f"images {data} ({', '.join(counts)})" if counts else f"images {data}"


def budget_words(budgets: Budgets) -> str:
    """`MAdds up to 300M`, `parameters 1M to 2M`; every budget."""
    words = []
    for metric, (low, high) in budgets.items():
        ends = [scaled(metric, end) for end in (low, high) if end is not None]
        middle = " to ".join(ends) if len(ends) == 2 else f"{'up to' if low is None else 'from'} {''.join(ends)}"
        words.append(f"{short(metric)} {middle}")
    return "budget: " + ", ".join(words) if words else "no budget"


def tiles(frame: pd.DataFrame, handed: pd.DataFrame) -> Markup:
    """The run in a few numbers; the best network is the one believed best of those handed over, one row each."""
    best = handed.loc[handed["believed"].idxmax()] if len(handed) else None
    numbers = [
        (str(len(frame)), "trials"),
        (str(int((frame["status"] == "trained").sum())), "networks trained"),
        (str(len(handed)), "handed over"),
    ]
    if best is not None:
        numbers.append((percent(best["top1"]), f"the best on validation, {scaled('madds', best['madds'])} MAdds"))
        if best["top1_test"] == best["top1_test"]:
            numbers.append((percent(best["top1_test"]), "the same network on test"))
        if "latency_ms_upper" in best:
            _, upper, measured = latency_cells(best)
            numbers.append((measured, f"its measured latency; predicted up to {upper}"))
    return tag("div", *(tag("div", tag("b", n), tag("span", word)) for n, word in numbers), class_="tiles")


def front_table(front: pd.DataFrame, extra: Sequence[str] = ()) -> Markup:
    """The networks of `listed`, cheapest first, each with its text form below; `extra` are further metrics to show."""
    head = [*COLUMNS, *(short(name) for name in extra), *(TIMED if "latency_ms_upper" in front else ())]
    rows = []
    for row in front.to_dict("records"):
        rows.append(tag("tr", *(tag("td", cell) for cell in _front_cells(row, extra))))
        rows.append(tag("tr", tag("td", tag("code", row["arch"] or ""), colspan=len(head)), class_="arch"))
    return table(head, rows, "front")


def count_table(frame: pd.DataFrame) -> Markup:
    """How the trials ended; a status that no trial has is left out."""
    counts = frame["status"].value_counts().to_dict()
    order = [*STATUSES, *(name for name in counts if name not in STATUSES)]
    rows = []
    for name in order:
        if counts.get(name) or name == "trained":
            cells = name.replace("_", " "), counts.get(name, 0), MEANING.get(name, "")
            rows.append(tag("tr", *(tag("td", cell) for cell in cells)))
    return table(["status", "trials", "meaning"], rows, "counts")


def failures(frame: pd.DataFrame) -> Markup:
    """Each trial that failed, and each failed retraining, and why."""
    lines = [
        tag("li", f"Trial {row['number']}: its full training failed: {row['test_failed']}")
        for row in frame[frame["test_failed"].notna()].to_dict("records")
    ]
    for row in frame[frame["status"] == "failed"].to_dict("records"):
        reason = row["reason"] if isinstance(row["reason"], str) else "no reason recorded"
        lines.append(tag("li", f"Trial {row['number']} failed: {reason}"))
    return tag("ul", *lines) if lines else Markup("")


def pairs_table(values: Mapping[str, Any]) -> Markup:
    """A nested mapping as rows `a.b  value`."""
    rows = [tag("tr", tag("th", name), tag("td", shown)) for name, shown in flat(values)]
    return tag("div", tag("table", tag("tbody", *rows), class_="pairs"), class_="scroll")


def flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """(dotted name, text) of everything in a nested mapping; lists on one line."""
    found: list[tuple[str, str]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            found += flat(value, f"{prefix}{name}.")
        else:
            found.append((f"{prefix}{name}", _listed(value) if isinstance(value, list) else str(value)))
    return found


def _listed(values: Sequence[Any]) -> str:
    words = ", ".join(map(str, values[:LISTED]))
    return words if len(values) <= LISTED else f"{words}, … ({len(values):,} in all)"


def _front_cells(row: Mapping[str, Any], extra: Sequence[str]) -> list[str]:
    return [
        str(row["number"]),
        percent(row["top1"], row["top1_se"]),
        percent(row["believed"], row["believed_sd"]),
        f"{100 * row['p_front']:.0f} %",
        str(row["group"]),
        chosen_by(row),
        percent(row["top1_test"], row["top1_test_se"]),
        *(scaled(name, row[name]) for name in ("madds", "params", "peak_memory", *extra)),
        *(latency_cells(row) if "latency_ms_upper" in row else ()),
    ]


def latency_cells(row: Mapping[str, Any]) -> list[str]:
    """A network's latency: what the table expects, the upper end of that, and what was measured with its interval."""
    expected, upper, ms = (row[name] for name in ("latency_ms_predicted", "latency_ms_upper", "latency_ms"))
    measured = "–" if ms != ms else f"{ms:.3g} ({row['latency_ms_low']:.3g} to {row['latency_ms_high']:.3g}) ms"
    return [f"{expected:.3g} ms", f"{upper:.3g} ms", measured]


def chosen_by(row: Mapping[str, Any]) -> str:
    """Why a network is listed: it is on the front as measured, as believed or both, is likely to be, or was tested."""
    if row["observed"] and row["handed_over"]:
        return "both"
    if row["observed"] or row["handed_over"]:
        return "measured" if row["observed"] else "believed"
    return "likely" if row["p_front"] >= 0.5 else "tested"
