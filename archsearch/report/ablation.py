"""The page of an ablation: what was shown and what was not, every comparison, the figures, what made it."""

import re
import shlex
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from archsearch.report import ablation_words as words
from archsearch.report.ablation_data import comparison_data, levels_data
from archsearch.report.ablation_figures import MOST_LINES, cost_plot, paired_plot
from archsearch.report.ablation_forest import forest_data, forest_plot
from archsearch.report.ablation_levels import edf_figure, interaction_plot, levels_plot
from archsearch.report.markup import Markup, table, tag
from archsearch.report.page import head
from archsearch.report.sections import Charts
from archsearch.report.summary import pairs_table

MADE_BY_A_FORMULA = "The accuracies here are made by a formula, to try things out: no network was trained."
LISTED = 5  # failures that are written out


def ablation_page(
    told: Mapping[str, Any], networks: pd.DataFrame, *, command: Mapping[str, Any], manifest: Mapping[str, Any]
) -> str:
    """The whole HTML document.

    told     the document that `archsearch ablate --json` prints
    networks as `ablation_data.networks_data` makes it
    """
    charts, title = Charts(), _title(told)
    header = tag("header", tag("p", "archsearch ablate", class_="eyebrow"), tag("h1", title),
                 tag("p", _lead(told, networks), class_="lead"), _warnings(told))  # fmt: skip
    main = tag(
        "main",
        tag("section", tag("h2", "What this run shows"), tag("ul", *(tag("li", line) for line in _verdicts(told))),
            _table(words.COLUMNS, [words.cells(each) for each in told["comparisons"]]), _reading(),
            charts.add(forest_plot(forest_data(told["comparisons"]))),
            *(_note(line) for line in words.notes(told))),
        *(_comparison(told, each, networks, charts) for each in told["comparisons"]),
        *(_levels(told, factor, networks, charts) for factor in told["factors"]),
        _interactions(told, networks, charts),
        tag("section", tag("h2", "What such a run can and cannot show"),
            tag("ul", *(tag("li", line) for line in words.limits(told, networks)))),
        tag("section", tag("h2", "To repeat it"), _command(manifest),
            tag("details", tag("summary", "the resolved command (ablation.toml)"), pairs_table(command)),
            tag("details", tag("summary", "versions, device, data (manifest.json)"), pairs_table(manifest))),
    )  # fmt: skip
    footer = tag("footer", "A view of ablation.csv; the same command rebuilds it.")
    return f'<!doctype html>\n<html lang="en">{head(title)}{tag("body", header, main, footer)}</html>\n'


def pngs(told: Mapping[str, Any], networks: pd.DataFrame) -> dict[str, go.Figure]:
    """Name of a file without its ending -> figure: forest; paired, cost and edf, one each or one a comparison, factor.

    The figures' own heights (`figure.layout.height`) suit their content.
    """
    made = {"forest": forest_plot(forest_data(told["comparisons"]))}
    for each in told["comparisons"]:
        end = f"{each['factor']}-{each['level']}" if len(told["comparisons"]) > 1 else ""
        data = comparison_data(networks, each["factor"], each["base"], each["level"])
        made[_file("paired", end)] = paired_plot(data, each)
        made[_file("cost", end)] = cost_plot(data, each)
    for factor in told["factors"]:
        end = factor["name"] if len(told["factors"]) > 1 else ""
        made[_file("edf", end)] = edf_figure(networks, factor["name"], factor["levels"])
    if len(told["factors"]) > 1:
        made["interactions"] = interaction_plot(networks, _levels_of(told))
    return made


def _file(name: str, end: str) -> str:
    return "-".join(filter(None, [name, re.sub(r"[^A-Za-z0-9_-]", "_", end)]))


def _title(told: Mapping[str, Any]) -> str:
    names = [factor["name"] for factor in told["factors"]]
    if len(names) == 1:
        base, *others = told["factors"][0]["levels"]
        return f"Does it matter? {names[0]}: {base} against {', '.join(others)}"
    return f"Does it matter? {', '.join(names[:-1])} and {names[-1]}"


def _lead(told: Mapping[str, Any], networks: pd.DataFrame) -> str:
    about = told["about"].rstrip(".")
    known = networks["madds"][networks["top1"].notna()]
    costs = f" of {words.range_words(float(known.min()), float(known.max()))}" if len(known) else ""
    if words.made_up(told):
        how = "accuracies made by a formula"
    else:
        how = (f"{words.count(told['epochs'], 'epoch')} of {words.count(told['images'], 'image')} of {told['data']} on "
               f"{told['device']}")  # fmt: skip
    return (
        f"{about}. {words.count(told['pairs'], 'pair')} of networks{costs} from space {told['space']}, "
        f"{words.count(told['seeds'], 'seed')} each, {how}."
    )


def _warnings(told: Mapping[str, Any]) -> Markup:
    """That nothing was trained, where so; what went wrong, the first few in full."""
    failed, lines = told["failed"], [MADE_BY_A_FORMULA] if words.made_up(told) else []
    lines += failed[:LISTED]
    if len(failed) > LISTED:
        more = words.count(len(failed) - LISTED, "further training")
        lines.append(f"{more} failed; ablation.csv has them all.")
    return Markup("".join(tag("p", line, class_="warning") for line in lines))


def _verdicts(told: Mapping[str, Any]) -> list[str]:
    """The document's verdicts; where it has none, each comparison's own sentence."""
    sentences = [each["sentence"] for each in told["comparisons"]]
    return list(told["verdicts"]) or sentences or ["Nothing can be compared yet."]


def _reading() -> Markup:
    return _note(
        "Differences are points of top-1, level minus base, within pairs: each pair is one random network in both "
        "forms, with the same seeds, first weights and order of images. Mean and interval: bootstrap over pairs. p: "
        "paired t test; Holm: adjusted for the number of comparisons. Higher in: pairs in which the level is better. "
        "Smallest: the effect that as many pairs would show in four of five such runs. Shown: the interval leaves zero "
        "out and, with several comparisons, the adjusted p value is below 0.05."
    )


def _comparison(told: Mapping[str, Any], each: Mapping[str, Any], networks: pd.DataFrame, charts: Charts) -> Markup:
    """The pairs of one comparison, two figures."""
    data = comparison_data(networks, each["factor"], each["base"], each["level"])
    name = words.named(told, each)
    if data.empty:
        return tag("section", tag("h2", name), tag("p", "no pair has a result on both sides", class_="empty"))
    mean = "Each line is a pair, from its base to the level. " if len(data) <= MOST_LINES else ""
    return tag(
        "section", tag("h2", name), tag("p", each["sentence"]),
        tag("h3", "Pair by pair"), charts.add(paired_plot(data, each)),
        _note(mean + "Points above the dotted line are networks that are better with the level."),
        tag("h3", "The difference against cost"), charts.add(cost_plot(data, each)), _note(_cost_words(each)),
    )  # fmt: skip


def _cost_words(each: Mapping[str, Any]) -> str:
    lines = []
    trend = each.get("trend")
    if trend and trend.get("slope") is not None:
        ends = "" if trend.get("low") is None else f" [{words.signed(trend['low'])}, {words.signed(trend['high'])}]"
        lines.append(f"Trend: {words.signed(trend['slope'])} points{ends} for each doubling of MAdds, p "
                     f"{words.p_value(trend.get('p'))}.")  # fmt: skip
    if any(band.get("low") is not None for band in each.get("bands") or []):
        lines.append("Parts: the pairs by their MAdds, equally many in each.")
    return " ".join([*lines, "Bars at points are ± 1 standard error over seeds, where there are several."])


def _levels(told: Mapping[str, Any], factor: Mapping[str, Any], networks: pd.DataFrame, charts: Charts) -> Markup:
    """All networks of one factor's levels, pairs left aside."""
    several = len(told["factors"]) > 1
    title = f"The levels of {factor['name']}" if several else "The levels side by side"
    data = levels_data(networks, factor["name"])
    if data.empty:
        return tag("section", tag("h2", title), tag("p", "no network has a result", class_="empty"))
    means = " Each mark is a pair's mean over the other factors." if several else ""
    return tag(
        "section", tag("h2", title), tag("h3", "Top-1 against MAdds"), charts.add(levels_plot(data, factor["levels"])),
        _note(f"Lines: least squares over log MAdds, or the mean where all cost the same.{means}"),
        tag("h3", "Distribution of errors"), charts.add(edf_figure(networks, factor["name"], factor["levels"])),
        _note("Further left is better. The bands do not know which networks make a pair: they are wider than what the "
              "pairs say, and may overlap where a difference is shown."),
    )  # fmt: skip


def _interactions(told: Mapping[str, Any], networks: pd.DataFrame, charts: Charts) -> Markup:
    """Whether factors change each other's effects; nothing with one factor."""
    if len(told["factors"]) < 2:
        return Markup("")
    terms = told.get("interactions") or []
    rows = [words.interaction_cells(term) for term in terms]
    couples = [
        dict(couple) for couple in combinations(_levels_of(told).items(), 2)
    ]  # one figure each: phones are narrow
    shown = [charts.add(interaction_plot(networks, couple)) for couple in couples] if _any(networks) else []
    tests = _table(words.INTERACTIONS, rows) if rows else tag("p", "no interaction can be tested", class_="empty")
    return tag(
        "section", tag("h2", "Do the factors change each other's effects?"), tests, *shown,
        _note("Lines that are parallel: each factor does the same whatever the other is. Bars: 95 % intervals of the "
              f"means, differences between pairs taken out.{words.errors_of(terms)}"),
    )  # fmt: skip


def _any(networks: pd.DataFrame) -> bool:
    return bool(networks["top1"].notna().any())


def _levels_of(told: Mapping[str, Any]) -> dict[str, list[str]]:
    return {factor["name"]: list(factor["levels"]) for factor in told["factors"]}


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    return table(names, [tag("tr", *(tag("td", cell) for cell in row)) for row in rows], "spaces")


def _note(line: str) -> Markup:
    return tag("p", line, class_="note")


def _command(manifest: Mapping[str, Any]) -> Markup:
    argv = manifest.get("argv")
    return tag("pre", shlex.join(map(str, argv))) if isinstance(argv, list) else Markup("")
