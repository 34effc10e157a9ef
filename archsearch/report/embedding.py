"""Figures and page of `relu-embedding`: a spiral behind ReLU in n dimensions, and how much of it survives."""

import math
import shlex
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from archsearch.report.edf import COLORS
from archsearch.report.markup import Markup, table, tag
from archsearch.report.page import head
from archsearch.report.sections import Charts
from archsearch.report.summary import pairs_table
from archsearch.report.theme import BUDGET, percent, styled

NAMES = {"relu": "ReLU", "relu6": "ReLU6", "linear": "no activation"}
LOOKS = {"linear": ("dot", 2.4), "relu": ("solid", 4.0), "relu6": ("dash", 2.0)}  # of lines that may lie on each other
LINEAR_MAP = "kept_linear_map"  # what the best linear map gives back, beside the pseudo-inverse
ACROSS = 3  # spirals side by side
KEPT = (
    "Kept: 1 less the squared error of what comes back over the input's own, both about the mean; where the mean alone "
    "is nearer, nothing. Bars: 95 % intervals over random matrices. Projected back by the pseudo-inverse of the "
    "matrix, which does not know that a ReLU halves what many units add up to, and so comes to 75 % with ever more of "
    "them; best linear map: by least squares. Unique: share of points that enough active units determine (appendix A). "
    "Random matrices are not trained ones: this shows what an activation can destroy, not what a network loses."
)
COLUMNS = ("dimensions", "activation", "kept", "95 % interval", "kept, best linear map", "unique")


def spirals_plot(curves: Sequence[Mapping[str, Any]], original: Sequence[Sequence[float]]) -> go.Figure:
    """The original and, one small figure each, what comes back from n dimensions (as arXiv:1801.04381, Figure 1).

    curves   each with n and points: float[points, 2]; of several activations (`act`) ReLU is drawn
    original float[points, 2]; it is in the first figure, and pale behind the others
    """
    acts = {each.get("act") for each in curves}
    drawn = [each for each in curves if len(acts) < 2 or each.get("act") == "relu"]
    shown = [("input", original), *((f"n = {each['n']}", each["points"]) for each in drawn)]
    deep = math.ceil(len(shown) / ACROSS)
    height = 30 + 250 * deep
    figure = make_subplots(rows=deep, cols=ACROSS, subplot_titles=[escape(name) for name, _ in shown],
                           horizontal_spacing=0.04, vertical_spacing=36 / height)  # fmt: skip
    for place, (_, points) in enumerate(shown):
        row, col = divmod(place, ACROSS)
        if place:
            _curve(figure, original, BUDGET, row + 1, col + 1, pale=True)
        _curve(figure, points, COLORS[0], row + 1, col + 1)
    made = styled(figure, height=height, showlegend=False, hovermode=False)
    made.update_layout(margin={"l": 8, "r": 8, "t": 34, "b": 8})
    made.update_xaxes(visible=False)
    made.update_yaxes(visible=False)
    for place in range(len(shown)):  # each keeps its own shape
        axis = "" if place == 0 else str(place + 1)
        made.update_layout({f"yaxis{axis}": {"scaleanchor": f"x{axis}", "scaleratio": 1}})
    return made


def _curve(
    figure: go.Figure, points: Sequence[Sequence[float]], color: str, row: int, col: int, *, pale: bool = False
) -> None:
    x, y = [float(point[0]) for point in points], [float(point[1]) for point in points]
    figure.add_scatter(x=x, y=y, mode="lines", line={"color": color, "width": 1.2 if pale else 2.2},
                       opacity=0.45 if pale else 1.0, row=row, col=col)  # fmt: skip


def kept_plot(rows: Sequence[Mapping[str, Any]]) -> go.Figure:
    """The share of information that survives against n, one line an activation; thin: the best linear map.

    rows     each with n, act, kept, low, high (ends of a 95 % interval), and kept_linear_map; null = not known
    """
    figure, data = go.Figure(), _frame(rows)
    for place, act in enumerate(dict.fromkeys(data["act"])):
        own, color = data[data["act"] == act], COLORS[place % len(COLORS)]
        name, (dash, wide) = escape(NAMES.get(act, act)), LOOKS.get(act, ("solid", 2.4))
        ends = {"array": (own["high"] - own["kept"]).fillna(0).tolist(),
                "arrayminus": (own["kept"] - own["low"]).fillna(0).tolist()}  # fmt: skip
        figure.add_scatter(
            x=own["n"].tolist(), y=own["kept"].tolist(), mode="lines+markers", name=name, marker={"size": 7},
            line={"color": color, "width": wide, "dash": dash},
            error_y={"type": "data", "symmetric": False, "thickness": 1.2, "width": 4, **ends},
            hovertemplate="n = %{x}: %{y:.1%}<extra>" + name + "</extra>",
        )  # fmt: skip
        if act != "linear" and own[LINEAR_MAP].notna().any():
            figure.add_scatter(
                x=own["n"].tolist(), y=own[LINEAR_MAP].tolist(), mode="lines", name=f"{name}, best linear map",
                line={"color": color, "width": wide / 2, "dash": dash},
                hovertemplate="n = %{x}: %{y:.1%}<extra>" + name + ", best linear map</extra>",
            )  # fmt: skip
    ticks = sorted({int(n) for n in data["n"]})
    figure.update_xaxes(title="dimensions n (log scale)", type="log", tickvals=ticks, ticktext=[str(n) for n in ticks],
                        tickangle=0)  # fmt: skip
    figure.update_yaxes(title="share of information kept", tickformat=".0%", range=[_bottom(data), 1.04])
    return styled(figure, height=440, hovermode="closest")


def _frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The rows as a table; what is not told is NaN."""
    names = ["n", "act", "kept", "low", "high", LINEAR_MAP, "unique"]
    data = pd.DataFrame([{name: row.get(name) for name in names} for row in rows], columns=names)
    numbers = dict.fromkeys((name for name in names if name != "act"), float)
    return data.astype(numbers).sort_values(["n"], kind="stable", ignore_index=True)


def _bottom(data: pd.DataFrame) -> float:
    """0, or lower where less than nothing was kept: the error is larger than the input's own spread."""
    lowest = float(data[["kept", "low", LINEAR_MAP]].min().min()) if len(data) else 0.0
    return min(-0.02, 1.05 * lowest) if lowest == lowest else -0.02


def embedding_page(
    rows: Sequence[Mapping[str, Any]], curves: Sequence[Mapping[str, Any]], original: Sequence[Sequence[float]], *,
    manifest: Mapping[str, Any],
) -> str:  # fmt: skip
    """The whole HTML document; rows and curves as `kept_plot` and `spirals_plot` take them."""
    charts, title = Charts(), "What ReLU leaves of a spiral"
    header = tag("header", tag("p", "archsearch ablate relu-embedding", class_="eyebrow"), tag("h1", title),
                 tag("p", "A flat spiral is embedded into n dimensions by a random matrix, passes an activation, and "
                     "is projected back.", class_="lead"))  # fmt: skip
    argv = manifest.get("argv")
    main = tag(
        "main",
        tag("section", tag("h2", "What comes back"), charts.add(spirals_plot(curves, original)),
            tag("p", "One random matrix for each n, ReLU, and back; grey: the input. After arXiv:1801.04381, Figure 1.",
                class_="note")),
        tag("section", tag("h2", "How much survives"), charts.add(kept_plot(rows)), _table(rows),
            tag("p", KEPT, class_="note")),
        tag("section", tag("h2", "To repeat it"),
            tag("pre", shlex.join(map(str, argv))) if isinstance(argv, list) else Markup(""),
            tag("details", tag("summary", "versions, device (manifest.json)"), pairs_table(manifest))),
    )  # fmt: skip
    return f'<!doctype html>\n<html lang="en">{head(title)}{tag("body", header, main)}</html>\n'


def _table(rows: Sequence[Mapping[str, Any]]) -> Markup:
    made = [
        [f"{row['n']:.0f}", NAMES.get(row["act"], row["act"]), percent(row["kept"]),
         f"{percent(row['low'])} to {percent(row['high'])}", percent(row[LINEAR_MAP]), percent(row["unique"])]
        for row in _frame(rows).to_dict("records")
    ]  # fmt: skip
    return table(COLUMNS, [tag("tr", *(tag("td", cell) for cell in row)) for row in made], "spaces")
