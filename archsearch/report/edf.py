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
    for name in names:
        own = _stretched(data[data["space"] == name], ends, last=1.0)
        _steps(figure, own, colors[name], name, 1)
    for name in dict.fromkeys(gaps["space"]):
        own = _stretched(gaps[gaps["space"] == name], ends, last=0.0)
        _steps(figure, own, colors[name], name, 2)
    _titled(figure, rows, names[0], confidence)
    figure.update_xaxes(range=ends, tickformat=".3~%")
    return styled(figure, height=300 + 190 * rows)


def _titled(figure: go.Figure, rows: int, first: str, confidence: float) -> None:
    """Axis titles; the line at 0 stands for the first space."""
    figure.update_xaxes(title=f"validation error (bands: {100 * confidence:g} %, simultaneous)", row=rows, col=1)
    figure.update_yaxes(title="share of networks", range=[-0.02, 1.02], tickformat=".0%", row=1, col=1)
    if rows == 2:
        figure.update_yaxes(title=f"less {escape(_short(first))}", tickformat="+.0%", row=2, col=1)
        figure.add_hline(y=0, line={"color": GRID, "width": 2}, row=2, col=1)


def _steps(figure: go.Figure, own: pd.DataFrame, color: str, name: str, row: int) -> None:
    """One step line over its band; the legend names it once and hides both together."""
    x = own["error"].tolist()
    common = {"x": x, "line_shape": "hv", "legendgroup": name, "mode": "lines"}
    edge = {"line": {"width": 0, "shape": "hv"}, "showlegend": False, "hoverinfo": "skip"}
    figure.add_scatter(**common | edge, y=own["low"].tolist(), row=row, col=1)
    figure.add_scatter(**common | edge, y=own["high"].tolist(), fill="tonexty", fillcolor=_pale(color), row=row, col=1)
    figure.add_scatter(
        **common,
        y=own["share"].tolist(),
        name=escape(name),
        line={"color": color, "width": 2.2, "shape": "hv"},
        showlegend=row == 1,
        hovertemplate="error %{x:.2%}: %{y:.1%}<extra>" + escape(name) + "</extra>",
        row=row,
        col=1,
    )


def _stretched(own: pd.DataFrame, ends: list[float], *, last: float) -> pd.DataFrame:
    """A curve's steps with one at either end of the figure, so that all curves and bands span it."""
    eps = own["high"].sub(own["share"]).max(), own["share"].sub(own["low"]).max()
    upper = last if last == 1.0 else eps[0]
    row = own.iloc[0]["space"]
    low = -eps[1] if last == 0.0 else 0.0
    left = pd.DataFrame([(row, ends[0], 0.0, low, eps[0])], columns=COLUMNS)
    right = pd.DataFrame([(row, ends[1], last, last - eps[1], upper)], columns=COLUMNS)
    return pd.concat([left, own, right], ignore_index=True)


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


def _short(name: str) -> str:
    return name if len(name) <= 24 else f"{name[:23]}…"
