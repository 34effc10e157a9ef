"""Figures of how evaluators rank networks, in pairs: rank correlation against cost; values against the truth."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from archsearch.report.names import offsets
from archsearch.report.theme import BUDGET, FRONT, TEST, TRIAL, percent, scaled, styled

REFERENCES = ("madds", "params", "one more seed of the truth")
KINDS = {"evaluator": (FRONT, "circle"), "reference": (TRIAL, "diamond")}
ACROSS = 3  # scatters side by side
PALE = "rgba(128,128,128,0.55)"
HEIGHT, ROOM = 480, (820, 380)  # of the figure; about what its axes span [pixels]
TICKS = {1e-6: "1 us", 1e-5: "10 us", 1e-4: "100 us", 1e-3: "1 ms", 1e-2: "10 ms", 1e-1: "0.1 s", 1.0: "1 s",
         10.0: "10 s", 100.0: "100 s", 1000.0: "17 min", 1e4: "2.8 h", 1e5: "28 h"}  # fmt: skip


def ranking_data(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row an evaluator whose tau and cost are known: name, kind, cost_s, tau, low, high (NaN = no interval).

    rows     as `archsearch trust --json` has them
    """
    made = [
        {"name": row["name"], "kind": "reference" if row["name"] in REFERENCES else "evaluator",
         "cost_s": row["cost_s"], "tau": row["tau"]["value"], "low": row["tau"]["low"], "high": row["tau"]["high"]}
        for row in rows
        if row["tau"]["value"] is not None and row["cost_s"]
    ]  # fmt: skip
    data = pd.DataFrame(made, columns=["name", "kind", "cost_s", "tau", "low", "high"])
    numbers = ["cost_s", "tau", "low", "high"]
    data[numbers] = data[numbers].astype(float)
    return data.sort_values("cost_s", ignore_index=True)


def ranking_plot(data: pd.DataFrame, *, ceiling: float | None, unit: str) -> go.Figure:
    """Tau against cost per network (log scale) with 95 % intervals; a line at what the truth's own noise allows.

    unit     of the costs, like "core"
    """
    figure, across, up = go.Figure(), _range(data["cost_s"]), [_lowest(data), 1.05]
    for kind, (color, symbol) in KINDS.items():
        rows = data[data["kind"] == kind]
        ends = {"array": (rows["high"] - rows["tau"]).tolist(), "arrayminus": (rows["tau"] - rows["low"]).tolist()}
        figure.add_scatter(
            x=rows["cost_s"].tolist(), y=rows["tau"].tolist(), mode="markers", name=kind,
            hovertext=[escape(name) for name in rows["name"]], showlegend=bool(len(rows)),
            marker={"size": 9, "color": color, "symbol": symbol},
            error_y={"type": "data", "symmetric": False, "thickness": 1, "width": 3, "color": PALE, **ends},
            hovertemplate="%{hovertext}<br>%{x:.3g} s a network<br>tau %{y:.3f}<extra></extra>",
        )  # fmt: skip
    if ceiling is not None:
        line = {"color": TEST, "width": 1.5, "dash": "dot"}
        figure.add_scatter(x=[10**each for each in across], y=[ceiling] * 2, mode="lines", hoverinfo="skip", line=line,
                           name="what the truth's noise allows")  # fmt: skip
    _named(figure, data, across, up)
    figure.add_hline(y=0, line={"color": BUDGET, "width": 1})
    figure.update_xaxes(title=f"{unit}-seconds per network (log scale)", type="log", range=across,
                        tickvals=list(TICKS), ticktext=list(TICKS.values()))  # fmt: skip
    figure.update_yaxes(title="Kendall's tau with the truth", tickformat=".1f", range=up)
    return styled(figure, height=HEIGHT, hovermode="closest")


def _named(figure: go.Figure, data: pd.DataFrame, across: Sequence[float], up: Sequence[float]) -> None:
    """Every point's name beside it, with a thread where it had to go further away."""
    logs = [math.log10(cost) for cost in data["cost_s"]]
    points = [
        (ROOM[0] * (x - across[0]) / (across[1] - across[0]), ROOM[1] * (y - up[0]) / (up[1] - up[0]))
        for x, y in zip(logs, data["tau"], strict=True)
    ]
    names = data["name"].tolist()
    for x, y, name, (right, above) in zip(logs, data["tau"], names, offsets(points, names), strict=True):
        figure.add_annotation(x=x, y=y, text=escape(name), ax=right, ay=-above, showarrow=True, arrowhead=0,
                              arrowwidth=0.7, arrowcolor=BUDGET, standoff=5, borderpad=0)  # fmt: skip


def _range(costs: pd.Series) -> list[float]:
    """From a little left of the cheapest to where the dearest one's name has room, in powers of ten."""
    if costs.empty:
        return [-3.0, 2.0]
    low, high = math.log10(costs.min()), math.log10(costs.max())
    return [low - 0.4, high + 0.15 * (high - low) + 0.8]


def _lowest(data: pd.DataFrame) -> float:
    """A little below the lowest interval, 0 at most."""
    return min(-0.05, float(data[["tau", "low"]].min().min()) - 0.05) if len(data) else -0.05


def agreement_plot(values: pd.DataFrame, names: Sequence[str]) -> go.Figure:
    """One small scatter an evaluator: the truth over its values; colour is MAdds.

    values   a row a network: network, madds, truth, and a column for each name; NaN = no value
    """
    deep = max(1, math.ceil(len(names) / ACROSS))
    figure = make_subplots(rows=deep, cols=ACROSS, subplot_titles=[escape(name) for name in names],
                           horizontal_spacing=0.07, vertical_spacing=min(0.3, 0.32 / deep))  # fmt: skip
    for place, name in enumerate(names):
        known = values[values[name].notna()]
        hover = [f"{row['network']}<br>truth {percent(row['truth'])}<br>{escape(name)} {row[name]:.4g}"
                 f"<br>{scaled('madds', row['madds'])} MAdds" for row in known.to_dict("records")]  # fmt: skip
        figure.add_scatter(
            x=known[name].tolist(), y=known["truth"].tolist(), mode="markers", showlegend=False, hovertext=hover,
            hovertemplate="%{hovertext}<extra></extra>", row=place // ACROSS + 1, col=place % ACROSS + 1,
            marker={"size": 6, "color": known["madds"].tolist(), "colorscale": "Viridis", "showscale": False},
        )  # fmt: skip
    made = styled(figure, height=60 + 230 * deep, hovermode="closest")
    made.update_layout(margin={"l": 62, "r": 16, "t": 40, "b": 40})
    made.update_yaxes(tickformat=".1~%")
    made.update_xaxes(tickformat=".3~g", nticks=4)
    return made
