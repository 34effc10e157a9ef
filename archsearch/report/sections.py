"""The page's sections, one function each, in reading order."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from archsearch.cost.budget import LATENCIES
from archsearch.errors import ArchSearchError
from archsearch.report import figures
from archsearch.report.draw import SLOT, drawing, parts, stage_table
from archsearch.report.frame import COSTS
from archsearch.report.markup import Markup, tag
from archsearch.report.scatter import beyond
from archsearch.report.summary import (
    LOOKED_UP,
    MADE_UP,
    SHARING,
    count_table,
    failures,
    front_table,
    not_measured,
    pairs_table,
)
from archsearch.report.theme import STEPS, percent, scaled, short
from archsearch.report.view import View, front_figure, shown_budget
from archsearch.spec.arch import Arch

CONFIG = {"displaylogo": False, "responsive": True, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}
NOTHING = "no finished trial yet"
OF_IMAGES = (
    "± is one binomial standard error for the number of images measured on: how exactly this network was measured, "
    "not how much another seed would change. Each network was trained once, from one seed."
)
MOST = 6  # networks drawn openly; the others fold away


class Charts:
    """Figures as HTML: plotly's script goes in once, with the first; ids count up."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, figure: go.Figure) -> Markup:
        """One figure; everything in its JSON that could end the script element is written as an escape by plotly."""
        self.count += 1
        chart = figure.to_html(
            full_html=False, include_plotlyjs=self.count == 1, div_id=f"chart-{self.count}", config=CONFIG
        )
        return tag("div", Markup(chart), class_="chart")


def warning(seen: View) -> Markup:
    """What a reader must know first, if anything: accuracies that no training made."""
    evaluator = seen.run.get("evaluator")
    if evaluator in LOOKED_UP:
        words = f"The accuracies here come from a table, {_table(seen)}: nothing was trained."
        return tag("p", words, class_="warning")
    if told := not_measured(evaluator):
        words = f"What is called top-1 on validation here is no accuracy of a trained network. The values are {told}."
        return tag("p", words, class_="warning")
    if evaluator not in MADE_UP:
        return Markup("")
    return tag(
        "p",
        "The accuracies here are made by a formula, to try the search out: no network was trained.",
        class_="warning",
    )


def front_section(seen: View, charts: Charts) -> Markup:
    """One figure per cost, and the front as a table."""
    if seen.frame.empty:
        return _section("The front", _empty(NOTHING))
    shown = []
    for metric in seen.metrics:
        figure, data = front_figure(seen, metric)
        title = tag("h3", f"top-1 against {short(metric)}") if len(seen.metrics) > 1 else Markup("")
        shown += [title, charts.add(figure), _front_note(seen, metric, data)]
    shown_anyway = (*COSTS[:2], "peak_memory", *LATENCIES)
    extra = [metric for metric in seen.metrics if metric not in shown_anyway]
    listed = front_table(seen.listed, extra) if len(seen.front) else _empty(NOTHING)
    return _section("The front", *shown, listed)


def _front_note(seen: View, metric: str, data: pd.DataFrame) -> Markup:
    words = ["Each trial is one mark. The line is the best validation top-1 that each cost buys."]
    if len(seen.metrics) > 1:
        words.append("A network on the front is beaten by none in all objectives together; in one figure it may be.")
    budget = shown_budget(seen.budgets, metric)
    if (data["role"] == "over_budget").any():
        words.append("Networks over budget were counted, never trained: they have no accuracy.")
    if any(end is not None for end in budget) and not beyond(data, budget):
        words.append("Grey: outside the budget.")
    if beyond(data, budget):
        limit = scaled(metric, budget[1] * STEPS.get(metric, 1))
        words.append(f"The budget, {limit}, lies right of the figure: no network came near it.")
    hidden = int(data["cost"].isna().sum())
    if hidden:
        words.append(f"{hidden} trial(s) whose cost is not known yet are not drawn.")
    return _note(" ".join(words))


def network_section(seen: View) -> Markup:
    """What is handed over drawn, at most `MOST` openly: the best, and others from one end to the other."""
    listed = seen.listed
    handed = listed[listed["handed_over"].astype(bool)].reset_index(drop=True)
    if handed.empty:
        return Markup("")
    archs = {trial.number: trial.user_attrs.get("arch_json") for trial in seen.study.get_trials(deepcopy=False)}
    best = int(handed["believed"].idxmax())
    rows = handed.to_dict("records")
    drawn = [_network(row, archs[row["number"]], i == best) for i, row in enumerate(rows)]
    shown = spread(len(drawn), best)
    folded = [net for i, net in enumerate(drawn) if i not in shown]
    rest = tag("details", tag("summary", f"{len(folded)} more"), _nets(folded)) if folded else Markup("")
    legend = _note(
        "A column is a stage, a bar a block: its height is the side of its output map, its thickness the channels. "
        "ir inverted residual, ds depthwise separable, cr classic residual, id identity; k kernel, e expansion, "
        "s stride, c channels. The orange bar is the stage's share of the network's MAdds."
    )
    return _section("The networks to hand over", legend, _nets([drawn[i] for i in shown]), rest)


def spread(n: int, best: int) -> list[int]:
    """At most `MOST` of the positions 0..n-1: both ends, evenly between them, and `best` for certain."""
    chosen = {round(i) for i in np.linspace(0, n - 1, min(n, MOST))}
    if best not in chosen:
        chosen.remove(min(chosen, key=lambda i: abs(i - best)))
        chosen.add(best)
    return sorted(chosen)


def _nets(articles: Sequence[Markup]) -> Markup:
    return tag("div", *articles, class_="nets")


def _network(row: Mapping[str, Any], plain: Any, is_best: bool) -> Markup:
    costs = f"{scaled('madds', row['madds'])} MAdds · {scaled('params', row['params'])} parameters"
    best = tag("em", "believed best") if is_best else Markup("")
    title = tag("h3", tag("b", f"Trial {row['number']}"), tag("span", f"{percent(row['top1'])} · {costs}"), best)
    try:
        drawn = parts(Arch.from_dict(plain))
    except (ArchSearchError, TypeError) as error:  # written by another version: the text is still true
        return tag("article", title, _note(f"Cannot be drawn ({error})."), tag("code", row["arch"] or ""))
    table = tag("details", tag("summary", "stage by stage"), stage_table(drawn))
    wide = f"--wide: {SLOT * len(drawn)}px"
    return tag("article", title, tag("div", drawing(drawn), class_="scroll"), table, style=wide)


def importance_section(seen: View, charts: Charts) -> Markup:
    """Which axes decide, as far as the trained networks tell."""
    title = "How each axis matters"
    n = int((seen.frame["status"] == "trained").sum())
    if n < figures.ENOUGH_TRIALS:
        return _section(title, _empty(f"Too few trained networks to say: {n} of at least {figures.ENOUGH_TRIALS}."))
    data = figures.importance_data(seen.study, seen.objectives)
    if data.empty:
        return _section(title, _empty("The trained networks do not differ enough to say."))
    note = (
        f"PED-ANOVA (arXiv:2304.10255) on the {n} trained networks: how differently the best "
        f"{100 * figures.top_share(n):.0f} % for each objective choose on an axis than all of them do. "
        "Shares add up to 100 % per objective. A tendency of these trials, not a law: a search that looked mostly at "
        "one region says little about the others."
    )
    return _section(title, charts.add(figures.importance_plot(data)), _note(note))


def history_section(seen: View, charts: Charts) -> Markup:
    """How the hypervolume grew, and what it is measured against."""
    title = "Progress of the search"
    data = figures.hypervolume_data(seen.frame, seen.objectives, seen.budgets)
    if data.empty:
        return _section(title, _empty(NOTHING))
    corner = figures.reference_point(seen.frame, seen.objectives, seen.budgets)
    ends = ", ".join(f"{short(m)} {scaled(m, v)}" for m, v in corner.items() if m != "top1")
    mean = "It is the mean, over all budgets up to that cost, of the best top-1 found. " if len(corner) == 2 else ""
    note = (
        f"Hypervolume of the front, as a share of the box from the reference point (top-1 0, {ends}) to top-1 100 % at "
        f"no cost. {mean}It never falls; a long flat end means that more trials of this kind would bring little."
    )
    return _section(title, charts.add(figures.hypervolume_plot(data)), _note(note))


def trial_section(seen: View) -> Markup:
    """How the trials ended."""
    return _section("All trials", count_table(seen.frame), failures(seen.frame))


def reading_section(run: Mapping[str, Any]) -> Markup:
    """What the numbers mean, and what they do not."""
    lines = (
        *_measured(run),
        *([] if run.get("evaluator") in (*LOOKED_UP, *MADE_UP) or not_measured(run.get("evaluator")) else [OF_IMAGES]),
        "The front as measured is chosen by validation, so its validation numbers are a little too good: the best of "
        "many is partly luck. What is handed over and tested is chosen by what is believed after all trials.",
        "MAdds are multiply-adds of convolutions and linear layers; one multiply-add counts 1, and is often called two "
        "FLOPs. Parameters include batch norm. Peak memory is the largest sum of tensors alive at once, as float32.",
    )
    return _section("How to read this", tag("ul", *(tag("li", line) for line in lines)))


def repeat_section(seen: View) -> Markup:
    """The command and everything else that made the run."""
    command = seen.manifest.get("argv")
    shown = tag("pre", shlex.join(map(str, command)) if isinstance(command, list) else command) if command else ""
    return _section(
        "To repeat it",
        shown,
        tag("details", tag("summary", "the resolved command (run.toml)"), pairs_table(seen.run)),
        tag("details", tag("summary", "versions, device, seeds, data (manifest.json)"), pairs_table(seen.manifest)),
    )


def _measured(run: Mapping[str, Any]) -> tuple[str, str]:
    """What validation and test top-1 are."""
    if run.get("evaluator") in LOOKED_UP:
        mean = run["evaluator"] == LOOKED_UP[1]
        return (
            f"Validation top-1 is {'the mean of all seeds' if mean else 'that of one seed'} in the table.",
            "Test top-1 belongs to networks handed over: the mean of all seeds in the table. A dash: not looked up.",
        )
    if run.get("evaluator") in MADE_UP:
        return (
            "Validation top-1 is a formula's value with made-up noise.",
            "Test top-1 belongs to networks handed over: what the formula makes of a full training. A dash: not asked.",
        )
    if run.get("evaluator") == SHARING:
        return (
            "Validation top-1 is that of a supernet's shared weights, batch norm measured anew for each network: it "
            "orders networks, and is below what they reach when trained alone.",
            "Test top-1 belongs to networks handed over: fine-tuned from the shared weights"
            f"{_amount(run, 'final_epochs')} on training and validation images. A dash: not retrained.",
        )
    if told := not_measured(run.get("evaluator")):
        return (
            f"What is called validation top-1 is no measurement: it is {told}. ± is the evaluator's own error.",
            f"Test top-1 is measured: networks handed over, after a full training{_amount(run, 'final_epochs')} on "
            "training and validation images. A dash: not retrained.",
        )
    return (
        f"Validation top-1 comes from a short training of each network{_amount(run, 'epochs', 'trial_images')}. "
        "It ranks networks; it is not the accuracy to expect after a full training.",
        f"Test top-1 belongs to networks handed over, after a full training{_amount(run, 'final_epochs')} on training "
        "and validation images, measured once at the last epoch. Test images played no part in the search. A dash: not "
        "retrained.",
    )


def _table(seen: View) -> str:
    """The table of a run's accuracies, and how many networks it holds, as far as the manifest says."""
    data = seen.manifest.get("dataset")
    name = data.get("name") if isinstance(data, Mapping) else None
    size = f" ({data['networks']:,} networks)" if isinstance(data, Mapping) and "networks" in data else ""
    return f"{name or PurePath(str(seen.run.get('data', ''))).name}{size}"


def _amount(run: Mapping[str, Any], epochs: str, images: str = "") -> str:
    """` (3 epochs of 4,000 images)`, as far as the run says; else nothing."""
    if epochs not in run:
        return ""
    return f" ({run[epochs]} epochs of {run[images]:,} images)" if images in run else f" ({run[epochs]} epochs)"


def _section(title: str, *children: Any) -> Markup:
    return tag("section", tag("h2", title), *children)


def _note(*words: Any) -> Markup:
    return tag("p", *words, class_="note")


def _empty(words: str) -> Markup:
    return tag("p", words, class_="empty")
