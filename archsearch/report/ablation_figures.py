"""Figures of one comparison of an ablation: pair by pair, against cost; and all comparisons as intervals."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from archsearch.report.ablation_data import bands_data
from archsearch.report.scatter import log_ticks
from archsearch.report.theme import BARS, BUDGET, FRONT, TEST, TRIAL, percent, scaled, styled

MOST_LINES = 60  # pairs drawn as lines; more of them are points alone
SIGNS = {"higher": (1, TEST), "lower": (-1, FRONT), "equal": (0, BUDGET)}
PALE = "rgba(76,143,189,0.18)"  # TRIAL
BAND = BARS[1]


def paired_plot(data: pd.DataFrame, comparison: Mapping[str, Any]) -> go.Figure:
    """Each pair from its base to the level as a line, coloured by sign, and the mean; beside it level over base.

    data     as `ablation_data.comparison_data` makes it; with more than MOST_LINES pairs the lines are left out
    """
    lines = len(data) <= MOST_LINES
    figure = make_subplots(rows=1, cols=1 + lines, horizontal_spacing=0.12)
    signs = np.sign(data["difference"])
    for name, (sign, color) in SIGNS.items():
        rows = data[signs == sign]
        if len(rows):
            _signed(figure, rows, f"{name} ({len(rows)})", color, lines=lines)
    _diagonal(figure, data, 1 + lines)
    base, level = escape(comparison["base"]), escape(comparison["level"])
    if lines:
        _mean(figure, data)
        figure.update_xaxes(tickvals=[0, 1], ticktext=[base, level], range=[-0.15, 1.15], row=1, col=1)
        figure.update_yaxes(title="top-1", row=1, col=1)
        figure.update_xaxes(title=f"{level} over {base}", row=1, col=2)
    else:
        figure.update_xaxes(title=f"top-1, {base}")
        figure.update_yaxes(title=f"top-1, {level}")
    figure.update_xaxes(tickformat=".3~%", nticks=6, title_font_size=13, row=1, col=1 + lines)
    figure.update_yaxes(tickformat=".3~%", nticks=7)
    return styled(figure, height=440, hovermode="closest")


def _mean(figure: go.Figure, data: pd.DataFrame) -> None:
    """The mean of all lines; of one it would hide it."""
    if len(data) > 1:
        y = [float(data["base"].mean()), float(data["level"].mean())]
        figure.add_scatter(x=[0, 1], y=y, mode="lines+markers", name="mean", line={"color": TRIAL, "width": 5},
                           marker={"size": 10}, hovertemplate="mean %{y:.2%}<extra></extra>", row=1, col=1)  # fmt: skip


def _signed(figure: go.Figure, rows: pd.DataFrame, name: str, color: str, *, lines: bool) -> None:
    """The pairs whose difference has one sign: as lines where wanted, and as points over the diagonal."""
    hover = [_hover(row) for row in rows.to_dict("records")]
    if lines:
        nothing = [None] * len(rows)
        y = [end for row in zip(rows["base"], rows["level"], nothing, strict=True) for end in row]
        texts = [text for text in hover for _ in range(3)]
        figure.add_scatter(
            x=[0, 1, None] * len(rows), y=y, mode="lines+markers", line={"color": color, "width": 1.1}, opacity=0.75,
            marker={"size": 4, "color": color}, hovertext=texts, hovertemplate="%{hovertext}<extra></extra>",
            legendgroup=name, name=escape(name), row=1, col=1,
        )  # fmt: skip
    figure.add_scatter(
        x=rows["base"].tolist(), y=rows["level"].tolist(), mode="markers", marker={"size": 7, "color": color},
        hovertext=hover, hovertemplate="%{hovertext}<extra></extra>", legendgroup=name, name=escape(name),
        showlegend=not lines, row=1, col=1 + lines,
    )  # fmt: skip


def _diagonal(figure: go.Figure, data: pd.DataFrame, col: int) -> None:
    """Where both sides are equal; above it the level is better."""
    if len(data):
        both = data[["base", "level"]]
        pad = 0.04 * float(both.max().max() - both.min().min()) or 0.005
        ends = [float(both.min().min()) - pad, float(both.max().max()) + pad]
        line = {"color": BUDGET, "width": 1.5, "dash": "dot"}
        figure.add_scatter(
            x=ends, y=ends, mode="lines", name="no difference", line=line, hoverinfo="skip", row=1, col=col
        )


def cost_plot(data: pd.DataFrame, comparison: Mapping[str, Any]) -> go.Figure:
    """The difference [points] of each pair against its MAdds, with the mean's 95 % band.

    data     as `ablation_data.comparison_data` makes it; bars at points are ± 1 standard error over seeds
    comparison  an entry of the document's `comparisons`: its mean, bands and trend are drawn where they are known
    """
    figure, shown = go.Figure(), data[data["madds"] > 0]
    ends = _ends(shown["madds"])
    _mean_band(figure, ends, comparison)
    error = {"type": "data", "array": (100 * shown["se"]).fillna(0).tolist(), "thickness": 1, "width": 0,
             "color": "rgba(128,128,128,0.6)", "visible": bool(shown["se"].notna().any())}  # fmt: skip
    figure.add_scatter(
        x=shown["madds"].tolist(), y=(100 * shown["difference"]).tolist(), mode="markers", error_y=error, name="a pair",
        hovertext=[_hover(row) for row in shown.to_dict("records")], hovertemplate="%{hovertext}<extra></extra>",
        marker={"size": 7, "color": BUDGET},
    )  # fmt: skip
    _trend_line(figure, shown, comparison.get("trend"))
    _band_marks(figure, bands_data(shown, comparison.get("bands") or []))
    figure.add_hline(y=0, line={"color": BUDGET, "width": 1.5, "dash": "dot"})
    figure.update_xaxes(title="MAdds of the pair (log scale)", type="log", range=[math.log10(end) for end in ends],
                        **madds_ticks(ends))  # fmt: skip
    figure.update_yaxes(title=f"{escape(minus(comparison))} [points]", tickformat="+.3~f", nticks=8)
    return styled(figure, height=440, hovermode="closest")


def minus(comparison: Mapping[str, Any]) -> str:
    """What a difference is of: `relu6 minus linear`."""
    return f"{comparison['level']} minus {comparison['base']}"


def madds_ticks(ends: Sequence[float]) -> dict[str, Any]:
    """Where an axis of MAdds (log scale) has its numbers; a narrow one leaves them to plotly."""
    ticks = log_ticks(*ends)
    if len(ticks) < 4:
        power = 10.0 ** math.floor(math.log10(ends[0]))
        fine = [step * power for step in (1, 1.5, 2, 3, 4, 5, 7, 10, 15, 20, 30, 40, 50, 70)]
        ticks = [each for each in fine if ends[0] <= each <= ends[1]]
    if len(ticks) < 3:  # a narrow range
        ticks = list(dict.fromkeys(float(f"{each:.3g}") for each in np.linspace(ends[0], ends[1], 6)[1:-1]))
    return {"tickvals": ticks, "ticktext": [scaled("madds", each) for each in ticks], "tickangle": 0}


def _ends(madds: pd.Series) -> list[float]:
    """A little more than the range of the costs."""
    low, high = (float(madds.min()), float(madds.max())) if len(madds) else (1e6, 1e7)
    pad = max((high / low) ** 0.05, 1.02)
    return [low / pad, high * pad]


def _mean_band(figure: go.Figure, ends: Sequence[float], comparison: Mapping[str, Any]) -> None:
    mean, low, high = (comparison.get(name) for name in ("mean", "low", "high"))
    if low is not None and high is not None:
        y = [100 * low] * 2 + [100 * high] * 2
        figure.add_scatter(x=[*ends, *reversed(ends)], y=y, fill="toself", mode="lines", fillcolor=PALE,
                           line={"width": 0}, name="its 95 % interval", hoverinfo="skip", legendrank=1002)  # fmt: skip
    if mean is not None:
        figure.add_scatter(x=list(ends), y=[100 * mean] * 2, mode="lines", line={"color": TRIAL, "width": 2.5},
                           name="mean", hoverinfo="skip", legendrank=1001)  # fmt: skip


def _trend_line(figure: go.Figure, data: pd.DataFrame, trend: Mapping[str, Any] | None) -> None:
    """The line of least squares; it goes through the means of both, so its slope is all that must be told."""
    if not trend or trend.get("slope") is None or len(data) < 2:
        return
    logs = np.log2(data["madds"].to_numpy(dtype=float))
    x = np.array([logs.min(), logs.max()])
    y = 100 * (float(data["difference"].mean()) + trend["slope"] * (x - logs.mean()))
    figure.add_scatter(x=(2.0**x).tolist(), y=y.tolist(), mode="lines", name="trend", hoverinfo="skip",
                       line={"color": TEST, "width": 2, "dash": "dash"}, legendrank=1004)  # fmt: skip


def _band_marks(figure: go.Figure, bands: pd.DataFrame) -> None:
    """Each band's mean from its first network to its last, with the interval in the middle."""
    for place, band in enumerate(bands.to_dict("records")):
        middle = math.sqrt(band["left"] * band["right"])
        up, down = (100 * abs(band[end] - band["mean"]) for end in ("high", "low"))
        error = {"type": "data", "symmetric": False, "array": [0, up, 0], "arrayminus": [0, down, 0], "thickness": 2,
                 "width": 5, "color": BAND}  # fmt: skip
        figure.add_scatter(
            x=[band["left"], middle, band["right"]], y=[100 * band["mean"]] * 3, mode="lines",
            line={"color": BAND, "width": 3}, legendgroup="bands", showlegend=place == 0, legendrank=1003,
            name="mean of a part, 95 % interval", error_y=error,
            hovertemplate=escape(f"{band['name']}: {interval(band)}") + "<extra></extra>",
        )  # fmt: skip


def _hover(row: Mapping[str, Any]) -> str:
    se = f" ± {100 * row['se']:.2f}" if row["se"] == row["se"] else ""
    return (
        f"<b>pair {escape(str(row['pair']))}</b> · {scaled('madds', row['madds'])} MAdds<br>"
        f"{percent(row['base'])} to {percent(row['level'])}<br>{100 * row['difference']:+.2f}{se} points"
    )


def interval(row: Mapping[str, Any]) -> str:
    """`-1.20 [-1.70, -0.71]`, in points; what is not known is left out."""
    if row.get("mean") is None:
        return "not known"
    ends = "" if row.get("low") is None else f" [{100 * row['low']:+.2f}, {100 * row['high']:+.2f}]"
    return f"{100 * row['mean']:+.2f}{ends}"
