"""Samplers side by side: what is missing of the best hypervolume after each evaluation, one line and band a sampler."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from archsearch.report.markup import tag
from archsearch.report.page import head
from archsearch.report.sections import Charts
from archsearch.report.theme import BARS, FRONT, TEST, TRIAL, styled

COLUMNS = ("sampler", "evaluations", "low", "median", "high")
COLORS = (FRONT, TRIAL, TEST, BARS[1], *BARS[3:], "#332288", "#882255", "#999933")
DASHES = ("solid", "dash", "dot")  # told apart where there are more samplers than colours
TICKS = [digit * 10.0**power for power in range(-4, 1) for digit in (1, 2, 5)]
FLOOR = 1e-4  # what is drawn of nothing missing; the axis has no 0


def race_data(curves: Mapping[str, Sequence[NDArray[np.float64]]]) -> pd.DataFrame:
    """One row a sampler and number of evaluations: quartiles and median over seeds of the share of hypervolume.

    curves   sampler -> for each seed the share after 1, 2, ... evaluations, all of one length
    """
    made = []
    for name, each in curves.items():
        low, median, high = np.quantile(np.stack(each), (0.25, 0.5, 0.75), axis=0)
        made.append(pd.DataFrame({"sampler": name, "evaluations": np.arange(1, len(median) + 1), "low": low,
                                  "median": median, "high": high}))  # fmt: skip
    return pd.concat(made, ignore_index=True) if made else pd.DataFrame(columns=list(COLUMNS))


def race_plot(data: pd.DataFrame, *, counted: str = "evaluations of distinct networks") -> go.Figure:
    """What is missing, on a logarithmic axis: lower and further left is better.

    counted  what the other axis counts
    """
    figure = go.Figure()
    names = list(dict.fromkeys(data["sampler"]))
    looks = {name: (COLORS[i % len(COLORS)], DASHES[i // len(COLORS) % len(DASHES)]) for i, name in enumerate(names)}
    for name in names:
        own = data[data["sampler"] == name]
        _band(figure, own, name, looks[name][0])
    for name in names:  # over all bands
        own = data[data["sampler"] == name]
        color, dash = looks[name]
        figure.add_scatter(
            x=own["evaluations"].tolist(), y=_missing(own["median"]), mode="lines", name=escape(name),
            line={"color": color, "width": 2.2, "dash": dash}, legendgroup=name, customdata=own["median"].tolist(),
            hovertemplate="after %{x} evaluations %{customdata:.2%}<extra>" + escape(name) + "</extra>",
        )  # fmt: skip
    figure.update_xaxes(title=counted)
    figure.update_yaxes(title="missing of the best hypervolume", type="log", tickformat=".2~%", tickvals=TICKS)
    return styled(figure, height=520)


def race_page(title: str, lead: str, sections: Mapping[str, go.Figure], *, command: str = "bench search") -> str:
    """A self-contained HTML document with one figure for each reference point."""
    charts = Charts()
    parts = [tag("section", tag("h2", name), charts.add(figure)) for name, figure in sections.items()]
    header = tag("header", tag("p", f"archsearch {command}", class_="eyebrow"), tag("h1", title),
                 tag("p", lead, class_="lead"))  # fmt: skip
    note = tag("p", "Lines are medians over seeds, bands reach from quartile to quartile; what is below the axis has "
               f"less than {FLOOR:.2%} missing.", class_="note")  # fmt: skip
    body = tag("body", header, tag("main", *parts, note))
    return f'<!doctype html>\n<html lang="en">{head(title)}{body}</html>\n'


def _band(figure: go.Figure, own: pd.DataFrame, name: str, color: str) -> None:
    """The shade between the quartiles; the legend hides it with its line."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    for column, fill in (("low", None), ("high", "tonexty")):
        figure.add_scatter(
            x=own["evaluations"].tolist(), y=_missing(own[column]), mode="lines", line={"width": 0}, fill=fill,
            fillcolor=f"rgba({red},{green},{blue},0.12)", legendgroup=name, showlegend=False, hoverinfo="skip",
        )  # fmt: skip


def _missing(share: pd.Series) -> list[float]:
    return [float(value) for value in np.maximum(1 - share, FLOOR)]
