"""The page of a comparison of design spaces: the figure, the difference in words and numbers, what made it."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from archsearch.report.edf import edf_plot
from archsearch.report.markup import Markup, table, tag
from archsearch.report.page import head
from archsearch.report.sections import Charts
from archsearch.report.summary import pairs_table
from archsearch.report.theme import percent, scaled

SPACES = ("space", "networks", "failed", "median MAdds", "best error", "median error", "mean error")
TESTS = ("space", "median", "interval", "better in", "KS", "KS p", "Mann-Whitney p")


def compared_page(
    told: Mapping[str, Any], curves: pd.DataFrame, gaps: pd.DataFrame, *, command: Mapping[str, Any],
    manifest: Mapping[str, Any],
) -> str:  # fmt: skip
    """The whole HTML document.

    told     the document that `archsearch space compare --json` prints
    curves   as `edf_data` makes it; gaps as `gap_data` does
    """
    title = _title([each["space"] for each in told["spaces"]])
    charts = Charts()
    header = tag("header", tag("p", "archsearch space compare", class_="eyebrow"), tag("h1", title),
                 tag("p", _lead(told), class_="lead"), _warnings(told))  # fmt: skip
    main = tag(
        "main",
        tag("section", tag("h2", "What the networks of each space reach"),
            charts.add(edf_plot(curves, gaps, confidence=told["confidence"])), _reading(told)),
        tag("section", tag("h2", "The difference"), tag("ul", *(tag("li", line) for line in sentences(told))),
            _tests(told)),
        tag("section", tag("h2", "The spaces"), _spaces(told["spaces"])),
        tag("section", tag("h2", "To repeat it"), _command(manifest),
            tag("details", tag("summary", "the resolved command (compare.toml)"), pairs_table(command)),
            tag("details", tag("summary", "versions, device, data (manifest.json)"), pairs_table(manifest))),
    )  # fmt: skip
    footer = tag("footer", "A view of results.jsonl; the same command rebuilds it.")
    return f'<!doctype html>\n<html lang="en">{head(title)}{tag("body", header, main, footer)}</html>\n'


def _title(names: Sequence[str]) -> str:
    return f"{names[1]} against {names[0]}" if len(names) == 2 else f"{', '.join(names[:-1])} and {names[-1]}"


def sentences(told: Mapping[str, Any]) -> list[str]:
    """What each difference says, one sentence a space, beginning with whether one is shown at all."""
    return [_sentence(each, told["confidence"]) for each in told["differences"]]


def _sentence(row: Mapping[str, Any], confidence: float) -> str:
    level = f"{100 * (1 - confidence):.3g} %"
    figures = (
        f"median error {points(row['median'])}, {100 * confidence:g} % interval {points(row['median_low'])} to "
        f"{points(row['median_high'])}; a network of {row['space']} beats one of {row['against']} in "
        f"{percent(row['better'])} of pairs"
    )
    if not row["shown"]:
        return f"{row['space']} against {row['against']}: no difference shown at the {level} level ({figures})."
    lower = row["better"] > 0.5
    clear = row["mann_whitney_p_adjusted"] <= 1 - confidence
    verdict = (
        f"errors are {'lower' if lower else 'higher'}" if clear else "errors are distributed differently, neither lower"
    )
    return f"{row['space']} against {row['against']}: {verdict} at the {level} level ({figures})."


def points(value: float) -> str:
    """A difference of fractions in percentage points: -0.7 points."""
    return f"{100 * value:+.2f} points"


def _lead(told: Mapping[str, Any]) -> str:
    budget = ", ".join(f"{name} {text}" for name, text in told["budgets"].items())
    evaluator = told["evaluator"] + (f" on {told['data']}" if told["data"] else "")
    return f"{told['number']} networks of each space asked for, {budget}; evaluator {evaluator}, seed {told['seed']}."


def _command(manifest: Mapping[str, Any]) -> Markup:
    argv = manifest.get("argv")
    return tag("pre", shlex.join(map(str, argv))) if isinstance(argv, list) else Markup("")


def _warnings(told: Mapping[str, Any]) -> Markup:
    lines = list(told["warnings"])
    if told["evaluator"] == "synthetic":
        lines.insert(0, "The accuracies here are made by a formula, to try things out: no network was trained.")
    return Markup("".join(tag("p", line, class_="warning") for line in lines))


def _reading(told: Mapping[str, Any]) -> Markup:
    """What the figure shows, and what it does not."""
    level = f"{100 * told['confidence']:g} %"
    return tag(
        "p",
        "A point of a line says which share of the space's networks has at most that error: the further left a line, "
        f"the better the space. With {level} confidence the whole true line of a space lies in its band "
        "(Dvoretzky-Kiefer-Wolfowitz). Below: each space less the first; where the band leaves 0, the "
        "Kolmogorov-Smirnov test rejects. The lines speak of random networks of the space at this budget, as this "
        "evaluator sees them, each from one seed; not of the best network that a search would find. (arXiv:1905.13214)",
        class_="note",
    )


def _tests(told: Mapping[str, Any]) -> Markup:
    rows = [
        [f"{row['space']} less {row['against']}", points(row["median"]),
         f"{100 * row['median_low']:+.2f} to {100 * row['median_high']:+.2f}", percent(row["better"]),
         f"{row['ks']:.3f}", p_value(row["ks_p_adjusted"]), p_value(row["mann_whitney_p_adjusted"])]
        for row in told["differences"]
    ]  # fmt: skip
    note = tag("p", "p values are adjusted for the number of tests on this page (Holm).", class_="note")
    return Markup(_table(TESTS, rows) + note)


def p_value(value: float) -> str:
    """A p value for reading."""
    return f"{value:.3f}" if value >= 0.001 else f"{value:.1e}"


def _spaces(spaces: Sequence[Mapping[str, Any]]) -> Markup:
    rows = [
        [row["space"], str(row["networks"]), str(row["failed"]), scaled("madds", row["madds_median"]),
         *(percent(row[name]) for name in ("error_best", "error_median", "error_mean"))]
        for row in spaces
    ]  # fmt: skip
    return _table(SPACES, rows)


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    return table(names, [tag("tr", *(tag("td", cell) for cell in row)) for row in rows], "spaces")
