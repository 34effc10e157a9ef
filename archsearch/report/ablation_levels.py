"""Figures of whole levels of an ablation: top-1 against MAdds, distribution functions, means of two factors' cells."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from archsearch.report.ablation_data import cells_data, edf_curves, levels_data
from archsearch.report.ablation_figures import madds_ticks
from archsearch.report.edf import COLORS, edf_data, edf_plot
from archsearch.report.theme import percent, scaled, styled

ALIKE = 1.15  # dearest over cheapest up to which networks count as equally dear
CURVED, STRAIGHT = 8, 3  # pairs from which a level's line is a parabola, a straight line
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "x", "cross")
ACROSS = 2  # figures of two factors side by side


def edf_figure(networks: pd.DataFrame, factor: str, levels: Sequence[str]) -> go.Figure:
    """The distribution function of the error of each level's networks, with its band; no pairs here."""
    curves = edf_curves(levels_data(networks, factor), levels)
    return edf_plot(edf_data(curves), edf_data({})) if curves else styled(go.Figure(), height=300)


def levels_plot(data: pd.DataFrame, levels: Sequence[str]) -> go.Figure:
    """Top-1 against MAdds, one mark a network and one line a level (as arXiv:1801.04381, Figure 6, sets levels apart).

    data     as `ablation_data.levels_data` makes it
    The line is the mean where all networks cost about the same; else a parabola over log MAdds (least squares).
    """
    figure, data = go.Figure(), data[data["madds"] > 0]
    low, high = (float(data["madds"].min()), float(data["madds"].max())) if len(data) else (1e6, 1e7)
    pad = max((high / low) ** 0.04, 1.02)
    for place, name in enumerate(levels):
        own, color = data[data["level"] == name], COLORS[place % len(COLORS)]
        hover = [f"pair {escape(str(row['pair']))}<br>{percent(row['top1'])}, {scaled('madds', row['madds'])} MAdds"
                 for row in own.to_dict("records")]  # fmt: skip
        figure.add_scatter(
            x=own["madds"].tolist(), y=own["top1"].tolist(), mode="markers", name=escape(name), legendgroup=name,
            marker={"size": 6, "color": color, "symbol": SYMBOLS[place % len(SYMBOLS)]}, opacity=0.7,
            hovertext=hover,
            hovertemplate="%{hovertext}<extra>" + escape(name) + "</extra>",
        )  # fmt: skip
        x, y = trend(own, flat=high / low <= ALIKE)
        figure.add_scatter(x=x, y=y, mode="lines", line={"color": color, "width": 2.5}, showlegend=False,
                           legendgroup=name, hoverinfo="skip")  # fmt: skip
    figure.update_xaxes(title="MAdds (log scale)", type="log", range=[math.log10(low / pad), math.log10(high * pad)],
                        **madds_ticks((low / pad, high * pad)))  # fmt: skip
    figure.update_yaxes(title="top-1", tickformat=".3~%", nticks=8)
    return styled(figure, height=420, hovermode="closest")


def trend(own: pd.DataFrame, *, flat: bool) -> tuple[list[float], list[float]]:
    """The line of one level: its mean if `flat`; a parabola or a straight line over log MAdds; nothing of too few."""
    if own.empty or len(own) < STRAIGHT and not flat:
        return [], []
    logs = np.log2(own["madds"].to_numpy(dtype=float))
    x = np.linspace(logs.min(), logs.max(), 40)
    degree = 0 if flat or np.ptp(logs) == 0 else 2 if len(np.unique(logs)) >= CURVED else 1
    line = np.polynomial.Polynomial.fit(logs, own["top1"].to_numpy(dtype=float), degree)
    return (2.0**x).tolist(), np.asarray(line(x)).tolist()


def interaction_plot(networks: pd.DataFrame, factors: Mapping[str, Sequence[str]]) -> go.Figure:
    """Means of the cells of every two factors with 95 % intervals: lines that are not parallel interact.

    factors  name -> levels, in the order in which they are drawn
    """
    data = cells_data(networks, factors)
    couples = list(dict.fromkeys(zip(data["lines"], data["across"], strict=True)))
    deep, wide = max(1, math.ceil(len(couples) / ACROSS)), max(1, min(ACROSS, len(couples)))
    height = 60 + 360 * deep
    figure = make_subplots(rows=deep, cols=wide, horizontal_spacing=0.12, vertical_spacing=min(0.4, 150 / height))
    for place, (lines, across) in enumerate(couples):
        own = data[(data["lines"] == lines) & (data["across"] == across)]
        _cells(figure, own, factors[lines], factors[across], divmod(place, wide))
    made = styled(figure, height=height, hovermode="closest")
    made.update_layout(margin={"t": 60})
    made.update_yaxes(tickformat=".3~%", nticks=7)
    for place, (lines, _) in enumerate(couples):
        made.update_layout({_legend(place): _above(made, place, lines)})
    return made


def _cells(
    figure: go.Figure, own: pd.DataFrame, lines: Sequence[str], across: Sequence[str], where: tuple[int, int]
) -> None:
    """The means of two factors: one line a level of the first, the levels of the second side by side."""
    row, col = where
    for place, name in enumerate(lines):
        rows = own[own["line"] == name].set_index("place")
        rows = rows.loc[[each for each in across if each in rows.index]]
        shift = 0.05 * (place - (len(lines) - 1) / 2)  # so that intervals do not hide each other
        at = [list(across).index(each) + shift for each in rows.index]
        color = COLORS[place % len(COLORS)]
        figure.add_scatter(
            x=at, y=rows["mean"].tolist(), mode="lines+markers", name=escape(name), line={"color": color, "width": 2.2},
            marker={"size": 8, "symbol": SYMBOLS[place % len(SYMBOLS)]}, legend=_legend(row * ACROSS + col),
            error_y={"type": "data", "array": rows["half"].fillna(0).tolist(), "thickness": 1.2, "width": 4},
            hovertemplate="%{y:.2%}<extra>" + escape(name) + "</extra>", row=row + 1, col=col + 1,
        )  # fmt: skip
    factor = escape(own["across"].iloc[0])
    figure.update_xaxes(title=factor, tickvals=list(range(len(across))), ticktext=[escape(each) for each in across],
                        range=[-0.4, len(across) - 0.6], row=row + 1, col=col + 1)  # fmt: skip
    if col == 0:
        figure.update_yaxes(title="top-1, mean", row=row + 1, col=1)


def _legend(place: int) -> str:
    return "legend" if place == 0 else f"legend{place + 1}"


def _above(figure: go.Figure, place: int, lines: str) -> dict[str, Any]:
    """Where a small figure's own legend stands, and what it is of."""
    axes = "" if place == 0 else str(place + 1)
    return {"orientation": "h", "xanchor": "left", "yanchor": "bottom", "title": {"text": f"{escape(lines)}: "},
            "x": figure.layout[f"xaxis{axes}"].domain[0],
            "y": figure.layout[f"yaxis{axes}"].domain[1] + 0.01}  # fmt: skip
