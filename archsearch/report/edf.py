"""Distribution functions of the error of design spaces: one step line a space with its band, and the differences."""

from collections.abc import Mapping
from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from archsearch.report.theme import BARS, FRONT, GRID, TEST, TRIAL, styled

COLORS = (TRIAL, FRONT, TEST, *BARS[3:])
UPPER = 0.66  # of the height, for the distribution functions
COLUMNS = ("space", "error", "share", "low", "high")


def edf_data(curves: Mapping[str, Any]) -> pd.DataFrame:
    """One row a step: space, error (a fraction), share of its networks at or below it, ends of the band.

    curves   label -> an object with x, share, low, high (as `explore.statistics.edf` makes them)
    """
    return _rows(curves, "share")


def gap_data(gaps: Mapping[str, Any]) -> pd.DataFrame:
    """The same of each space's function less the first one's; `share` is the difference of the shares."""
    return _rows(gaps, "gap")


def edf_plot(data: pd.DataFrame, gaps: pd.DataFrame, *, confidence: float = 0.95) -> go.Figure:
    """Above the distribution functions: further left is better. Below each one less the first: above 0 is better."""
    rows = 2 if len(gaps) else 1
    figure = make_subplots(rows=rows, cols=1, shared_xaxes=True, vertical_spacing=0.07,
                           row_heights=[UPPER, 1 - UPPER][:rows])  # fmt: skip
    names = list(dict.fromkeys(data["space"]))
    ends = _ends(data)
    colors = {name: COLORS[i % len(COLORS)] for i, name in enumerate(names)}
    for row, (told, last) in enumerate([(data, 1.0), (gaps, 0.0)][:rows], start=1):
        own = {name: _stretched(told[told["space"] == name], ends, last=last) for name in dict.fromkeys(told["space"])}
        for name, steps in own.items():
            _band(figure, steps, colors[name], name, row)
        for name, steps in own.items():  # over all bands
            _line(figure, steps, colors[name], name, row)
    _titled(figure, rows, confidence)
    figure.update_xaxes(range=ends, tickformat=".3~%")
    return styled(figure, height=300 + 190 * rows)


def _titled(figure: go.Figure, rows: int, confidence: float) -> None:
    """Axis titles; the line at 0 stands for the first space."""
    figure.update_xaxes(title=f"validation error, {100 * confidence:g} % bands", row=rows, col=1)
    figure.update_yaxes(title="share of networks", range=[-0.02, 1.02], tickformat=".0%", row=1, col=1)
    if rows == 2:
        figure.update_yaxes(title="less the first", tickformat="+.0%", row=2, col=1)
        figure.add_hline(y=0, line={"color": GRID, "width": 2}, row=2, col=1)


def _band(figure: go.Figure, own: pd.DataFrame, color: str, name: str, row: int) -> None:
    """The shade between the ends of a band; the legend hides it with its line."""
    shade = [own["low"].tolist(), own["high"].tolist()]
    for y, fill in zip(shade, (None, "tonexty"), strict=True):
        figure.add_scatter(
            x=own["error"].tolist(), y=y, mode="lines", line={"width": 0, "shape": "hv"}, fill=fill,
            fillcolor=_pale(color), legendgroup=name, showlegend=False, hoverinfo="skip", row=row, col=1,
        )  # fmt: skip


def _line(figure: go.Figure, own: pd.DataFrame, color: str, name: str, row: int) -> None:
    """One step line; the legend names it once."""
    figure.add_scatter(
        x=own["error"].tolist(),
        y=own["share"].tolist(),
        mode="lines",
        name=escape(name),
        line={"color": color, "width": 2.2, "shape": "hv"},
        legendgroup=name,
        showlegend=row == 1,
        hovertemplate="error %{x:.2%}: %{y:.1%}<extra>" + escape(name) + "</extra>",
        row=row,
        col=1,
    )


def _stretched(own: pd.DataFrame, ends: list[float], *, last: float) -> pd.DataFrame:
    """A curve's steps with what comes before the first and after the last.

    last     what the curve ends at: 1 for a distribution function, which is drawn from its first network to its last;
             0 for a difference, which spans the figure
    """
    name, eps = own["space"].iloc[0], float(own["high"].sub(own["share"]).max())
    rows = list(own[list(COLUMNS)].itertuples(index=False, name=None))
    if last:
        return pd.DataFrame([(name, own["error"].iloc[0], 0.0, 0.0, eps), *rows], columns=list(COLUMNS))
    outside = [(name, x, 0.0, -eps, eps) for x in ends]
    return pd.DataFrame([outside[0], *rows, outside[1]], columns=list(COLUMNS))


def _ends(data: pd.DataFrame) -> list[float]:
    """A little more than the errors' range."""
    low, high = float(data["error"].min()), float(data["error"].max())
    pad = 0.04 * (high - low) or 0.005
    return [low - pad, high + pad]


def _rows(curves: Mapping[str, Any], value: str) -> pd.DataFrame:
    made = [
        pd.DataFrame({"space": name, "error": each.x, "share": getattr(each, value), "low": each.low,
                      "high": each.high})
        for name, each in curves.items()
    ]  # fmt: skip
    return pd.concat(made, ignore_index=True) if made else pd.DataFrame(columns=list(COLUMNS))


def _pale(color: str) -> str:
    """A colour as a shade of a band."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.16)"
