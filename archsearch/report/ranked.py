"""The page of a trust report: the recommendation, every evaluator's worth, the figures, what made it."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from archsearch.cost.duration import duration
from archsearch.report.markup import Markup, table, tag
from archsearch.report.page import head
from archsearch.report.ranking import agreement_plot, ranking_data, ranking_plot
from archsearch.report.sections import Charts
from archsearch.report.summary import pairs_table
from archsearch.report.theme import percent

COLUMNS = (
    "evaluator", "networks", "tau", "95 % interval", "among the best", "at equal MAdds", "cost a network", "each",
    "once", "labels", "front regret", "top-1 regret",
)  # fmt: skip
DASH = "-"


def cells(row: Mapping[str, Any]) -> list[str]:
    """One evaluator for reading, a text for each of COLUMNS; a dash where something is not known."""
    return [
        row["name"], str(row["networks"]), number(row["tau"]["value"]), span(row["tau"]), figure(row["top"]),
        figure(row["band"]), duration(row["cost_s"]), duration(row["each_s"]), duration(row["once_s"] or None),
        str(row["labels"] or DASH), share(row["front_regret"]), points(row["best_regret"]),
    ]  # fmt: skip


def number(value: float | None) -> str:
    """A rank correlation."""
    return DASH if value is None else f"{value:.2f}"


def span(tau: Mapping[str, float | None]) -> str:
    """The ends of its interval."""
    return DASH if tau["low"] is None else f"{tau['low']:.2f} to {tau['high']:.2f}"


def figure(tau: Mapping[str, float | None]) -> str:
    """A rank correlation with its interval."""
    return DASH if tau["value"] is None else f"{tau['value']:.2f} ({span(tau)})"


def share(value: float | None) -> str:
    """A share in percent."""
    return DASH if value is None else f"{100 * value:.1f} %"


def points(value: float | None) -> str:
    """A difference of accuracies in percentage points."""
    return DASH if value is None else f"{100 * value:.2f} points"


def notes(told: Mapping[str, Any]) -> list[str]:
    """What the figures are of, and what the truth itself allows; one sentence each."""
    best, band, limit = told["top"], told["band"], told["ceiling"]
    lines = [
        f"{told['networks']} networks, {told['seeds']} seed{'s' if told['seeds'] != 1 else ''} each"
        + (f", {len(told['failed'])} more failed" if told["failed"] else "")
        + f"; among the best: the {best['networks']} best; at equal MAdds: {band['pairs']} pairs that differ by at "
        f"most {100 * band['share']:.0f} %.",
    ]
    if told["truth"]["cost_s"] is None and any(row["labels"] for row in told["rows"]):
        lines.append("The table does not tell what a training takes: the labels of those that learn cost nothing here.")
    if limit["tau"] is None:
        lines.append("With one seed nothing is known of the truth's noise: give --seeds 2.")
    else:
        lines.append(
            f"The truth's own noise ({100 * told['truth']['noise']:.2f} points between seeds) allows a "
            f"tau of {limit['tau']:.2f} at most, {number(limit['top'])} among the best, {number(limit['band'])} at "
            "equal MAdds."
        )
    return lines


def rows_data(told: Mapping[str, Any]) -> pd.DataFrame:
    """One row an evaluator, as the document has them; of a rank correlation value and ends as columns of their own."""
    return pd.json_normalize(list(told["rows"]), sep="_")


def values_data(truth: Any, scores: Sequence[Any]) -> pd.DataFrame:
    """One row a network: its key as `network`, madds, params, each seed, `truth` (their mean), each evaluator's value.

    truth    a `trust.truth.Truth`; scores: `trust.judge.Scores`, of which those without any value are left out
    """
    data = pd.DataFrame({"network": [net.key for net in truth.networks], "madds": truth.madds.astype(np.int64),
                         "params": truth.params.astype(np.int64)})  # fmt: skip
    for place in range(truth.top1.shape[1]):
        data[f"seed{place}"] = truth.top1[:, place]
    data["truth"] = truth.mean
    for each in scores:
        if each.failed is None and each.name not in data:
            data[each.name] = each.values
    return data


def ranked_page(
    told: Mapping[str, Any], values: pd.DataFrame, *, command: Mapping[str, Any], manifest: Mapping[str, Any]
) -> str:
    """The whole HTML document.

    told     the document that `archsearch trust --json` prints; values as `values_data` makes it
    """
    charts, title = Charts(), f"Which evaluator to trust on {told['data'] or told['table']}"
    names = [row["name"] for row in told["rows"] if row["name"] in values]
    plot = ranking_plot(ranking_data(told["rows"]), ceiling=told["ceiling"]["tau"], unit=told["unit"])
    header = tag("header", tag("p", "archsearch trust", class_="eyebrow"), tag("h1", title),
                 tag("p", _lead(told), class_="lead"), _failures(told))  # fmt: skip
    main = tag(
        "main",
        tag("section", tag("h2", "Which one to use"), tag("p", told["advice"]),
            tag("ul", *(tag("li", line) for line in told["sentences"]))),
        tag("section", tag("h2", "Rank correlation against cost"), charts.add(plot), _table(told),
            *(tag("p", line, class_="note") for line in (*notes(told), _reading(told)))),
        tag("section", tag("h2", "Each evaluator against the truth"), charts.add(agreement_plot(values, names)),
            tag("p", "Up: mean top-1 of the network's seeds. Right: the evaluator's value. Dark: few MAdds.",
                class_="note")),
        tag("section", tag("h2", "To repeat it"), _command(manifest),
            tag("details", tag("summary", "the resolved command (trust.toml)"), pairs_table(command)),
            tag("details", tag("summary", "versions, device, data (manifest.json)"), pairs_table(manifest))),
    )  # fmt: skip
    footer = tag("footer", "A view of truth.jsonl and scores.jsonl; the same command rebuilds it.")
    return f'<!doctype html>\n<html lang="en">{head(title)}{tag("body", header, main, footer)}</html>\n'


def _lead(told: Mapping[str, Any]) -> str:
    budget = ", ".join(f"{name} {text}" for name, text in told["budgets"].items()) or "no budget"
    truth = told["truth"]
    how = f"trained alone for {truth['epochs']} epochs of {truth['images']:,} images" if "epochs" in truth else (
        f"as table {told['table']} has them")  # fmt: skip
    return (
        f"Space {told['space']}, {budget}. Truth: {told['networks']} networks with {told['seeds']} seeds, {how}; "
        f"{percent(truth['lowest'])} to {percent(truth['highest'])}."
    )


def _failures(told: Mapping[str, Any]) -> Markup:
    """Evaluators that could not be judged, and networks that could not be trained."""
    lines = [f"{row['name']}: {row['failed']}" for row in told["rows"] if row["failed"]]
    return Markup("".join(tag("p", line, class_="warning") for line in [*lines, *told["failed"]]))


def _table(told: Mapping[str, Any]) -> Markup:
    return table(COLUMNS, [tag("tr", *(tag("td", cell) for cell in cells(row))) for row in told["rows"]], "spaces")


def _reading(told: Mapping[str, Any]) -> str:
    """What the columns mean."""
    return (
        "Tau: Kendall's tau-b between an evaluator's values and the mean top-1 of each network's seeds (1 = the same "
        "order, 0 = chance); intervals by a bootstrap over networks. One more seed: one training against the mean of "
        f"the network's other seeds. Cost: {told['unit']}-seconds for one network, and a share of what is spent once "
        f"(making the evaluator, training the labels of one that learns), spread over {told['spread']:,} networks. "
        "Evaluators that learn were cross-validated: no network is among its own labels. Front regret: hypervolume "
        "lost (over log MAdds and error) when as many networks as the true front has are picked by the evaluator; "
        "top-1 regret: what its favourite lacks to the best network."
    )


def _command(manifest: Mapping[str, Any]) -> Markup:
    argv = manifest.get("argv")
    return tag("pre", shlex.join(map(str, argv))) if isinstance(argv, list) else Markup("")
