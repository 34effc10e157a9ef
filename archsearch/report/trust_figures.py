"""Figures of what to believe, in pairs: the front with its groups, predictions against measurements, gain a trial."""

import math
from collections.abc import Sequence
from html import escape
from typing import Any

import optuna
import pandas as pd
import plotly.graph_objects as go

from archsearch.report.scatter import LOG_FROM, log_ticks, span
from archsearch.report.theme import BARS, BUDGET, FRONT, TRIAL, label, percent, scaled, short, styled, tick_format

GAIN = "archsearch:gain"  # system attribute of a trial: expected gain of hypervolume, as a share of what there was
COLORS = (FRONT, TRIAL, "#009e73", "#cc79a7", *BARS[4:])  # of groups, in turn
STEEP = 50  # largest over smallest gain from which its axis is logarithmic


def believed_data(listed: pd.DataFrame, *, metric: str) -> pd.DataFrame:
    """One row a listed network: number, cost, top1, believed, believed_sd, p_front, group, handed_over, hover."""
    names = ["number", "top1", "believed", "believed_sd", "p_front", "group", "handed_over"]
    hover = [
        f"<b>trial {row['number']}</b> · group {row['group']}"
        f"<br>believed {percent(row['believed'], row['believed_sd'])}"
        f"<br>measured {percent(row['top1'], row['top1_se'])}<br>on the front with {100 * row['p_front']:.0f} %"
        f"<br>{escape(short(metric))} {scaled(metric, row[metric])}"
        for row in listed.to_dict("records")
    ]
    return listed[names].assign(cost=listed[metric], hover=pd.Series(hover, index=listed.index, dtype=object))


def believed_plot(data: pd.DataFrame, *, metric: str) -> go.Figure:
    """Believed accuracies with ± 1 sd, members of a group joined by a line; grey crosses as measured."""
    figure = go.Figure()
    _marks(figure, data, "measured", y="top1", marker={"symbol": "x-thin", "size": 7, "line": {"width": 1.5,
           "color": BUDGET}}, legendrank=3)  # fmt: skip
    for number, rows in data.groupby("group"):
        color = COLORS[(int(number) - 1) % len(COLORS)]
        figure.add_scatter(x=rows["cost"].tolist(), y=rows["believed"].tolist(), mode="lines", hoverinfo="skip",
                           line={"color": color, "width": 7}, opacity=0.28, showlegend=False)  # fmt: skip
    colors = [COLORS[(int(number) - 1) % len(COLORS)] for number in data["group"]]
    for chosen, name, symbol in ((True, "believed, to hand over", "circle"), (False, "not handed over", "circle-open")):
        rows = data[data["handed_over"] == chosen]
        paint = [color for color, kept in zip(colors, data["handed_over"] == chosen, strict=True) if kept]
        error = {"type": "data", "array": rows["believed_sd"].tolist(), "thickness": 1.2, "width": 3, "color": BUDGET}
        _marks(figure, rows, name, y="believed", marker={"symbol": symbol, "size": 9, "color": paint},
               error_y=error, legendrank=1 if chosen else 2)  # fmt: skip
    low, high = span(data["cost"], (None, None))
    log = low > 0 and high / low >= LOG_FROM
    figure.update_xaxes(title=escape(label(metric)) + (" (log scale)" if log else ""), tickangle=0,
                        tickformat=tick_format(metric),
                        range=[math.log10(low), math.log10(high)] if log else [low, high],
                        type="log" if log else "linear", tickvals=log_ticks(low, high) if log else None)  # fmt: skip
    figure.update_yaxes(title="top-1", tickformat=".2~%")
    return styled(figure, height=440, hovermode="closest")


def predicted_plot(data: pd.DataFrame) -> go.Figure:
    """Measured over predicted (`Checked.predictions`) with the predictions' intervals; those outside stand out."""
    outside = (data["top1"] < data["low"]) | (data["top1"] > data["high"])
    ends = [float(data[["top1", "predicted"]].min().min()), float(data[["top1", "predicted"]].max().max())]
    figure = go.Figure()
    figure.add_scatter(x=ends, y=ends, mode="lines", line={"color": BUDGET, "width": 1.5, "dash": "dot"},
                       name="as predicted", hoverinfo="skip")  # fmt: skip
    for flag, name, color in ((False, "inside its interval", TRIAL), (True, "outside", FRONT)):
        rows = data[outside == flag]
        error = {"type": "data", "array": (rows["high"] - rows["predicted"]).tolist(), "thickness": 1, "width": 0,
                 "color": color}  # fmt: skip
        figure.add_scatter(
            x=rows["predicted"].tolist(), y=rows["top1"].tolist(), error_x=error, mode="markers", name=name,
            customdata=rows["number"].tolist(), marker={"size": 7, "color": color}, showlegend=bool(len(rows)),
            hovertemplate="trial %{customdata}<br>predicted %{x:.2%}<br>measured %{y:.2%}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="predicted, not seen", tickformat=".2~%")
    figure.update_yaxes(title="measured", tickformat=".2~%")
    return styled(figure, height=420, hovermode="closest")


def gain_data(study: optuna.Study) -> pd.DataFrame:
    """Of each proposal whose sampler told what it expects: number, gain (a share of the hypervolume so far)."""
    told = [
        (trial.number, float(trial.system_attrs[GAIN]))
        for trial in study.get_trials(deepcopy=False)
        if GAIN in trial.system_attrs
    ]
    return pd.DataFrame(told, columns=["number", "gain"])


def gain_plot(data: pd.DataFrame) -> go.Figure:
    """The expected gain of each trial; a falling line means that there is less and less left to find."""
    known = data["gain"][data["gain"] > 0]
    log = len(known) == len(data) and len(data) > 0 and known.max() / known.min() >= STEEP
    figure = go.Figure()
    figure.add_scatter(
        x=data["number"].tolist(), y=data["gain"].tolist(), mode="lines+markers", line={"color": TRIAL, "width": 1.5},
        marker={"size": 5, "color": TRIAL}, showlegend=False,
        hovertemplate="trial %{x}: %{y:.3~%} expected<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title="trial", tickformat="d")
    figure.update_yaxes(title="expected gain" + (" (log scale)" if log else ""), tickformat=".2~%",
                        type="log" if log else "linear", rangemode="normal" if log else "tozero",
                        dtick=1 if log else None)  # fmt: skip
    return styled(figure, height=300)


def _marks(figure: go.Figure, rows: pd.DataFrame, name: str, *, y: str, **look: Any) -> None:
    figure.add_scatter(
        x=rows["cost"].tolist(), y=rows[y].tolist(), mode="markers", name=name, customdata=rows["number"].tolist(),
        hovertext=rows["hover"].tolist(), hovertemplate="%{hovertext}<extra></extra>", showlegend=bool(len(rows)),
        **look,
    )  # fmt: skip


def group_words(groups: Sequence[int]) -> str:
    """How many groups the listed networks make."""
    counts = {"network": len(groups), "group": len(set(groups))}
    return " in ".join(f"{n} {word}{'s' if n != 1 else ''}" for word, n in counts.items())
