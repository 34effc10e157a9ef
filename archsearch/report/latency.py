"""Latency on the page: predicted against measured, how far the table was off, and which networks were struck out."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from archsearch.report.frame import Budgets
from archsearch.report.markup import Markup, tag
from archsearch.report.summary import pairs_table
from archsearch.report.theme import BUDGET, FAILED, FRONT, INK, styled
from archsearch.report.timed import LATENCY, struck
from archsearch.report.view import View, shown_budget

if TYPE_CHECKING:
    from archsearch.report.sections import Charts

FEWEST = 3  # networks from which a rank correlation is told


def latency_data(frame: pd.DataFrame, budgets: Budgets) -> pd.DataFrame:
    """One row a network that was measured: number, the columns LATENCY, and struck: over budget by its measurement."""
    columns = ["number", *LATENCY, "struck"]
    if not {*LATENCY} <= set(frame.columns):
        return pd.DataFrame(columns=columns)
    rows = frame[frame["latency_ms"].notna() & frame["stands"].astype(bool)].drop_duplicates("key")
    return rows.assign(struck=struck(rows, budgets))[columns].sort_values("latency_ms", ignore_index=True)


def agreement(data: pd.DataFrame) -> dict[str, float]:
    """How well the table foretold: `mape`, mean distance as a share of what was measured; `tau`, Kendall's, of order.

    `above_expected`, `above_upper`: shares of the networks whose median is above the expectation, and whose interval
    ends above the table's. NaN where there are too few networks to say.
    """
    from scipy.stats import kendalltau

    if data.empty:
        return dict.fromkeys(("mape", "tau", "above_expected", "above_upper"), math.nan)
    expected, ms = (data[name].to_numpy(dtype=float) for name in ("latency_ms_predicted", "latency_ms"))
    return {
        "mape": float(np.mean(np.abs(expected / ms - 1))),
        "tau": float(kendalltau(expected, ms).statistic) if len(data) >= FEWEST else math.nan,
        "above_expected": float(np.mean(ms > expected)),
        "above_upper": float(np.mean(data["latency_ms_high"] > data["latency_ms_upper"])),
    }


def latency_plot(data: pd.DataFrame, limit: float | None = None) -> go.Figure:
    """Measured over predicted, with both intervals, the line where they are equal, and the budget."""
    figure = go.Figure()
    ends = [data[list(LATENCY)].min().min(), data[list(LATENCY)].max().max()]
    ends = [min(ends[0], limit or ends[0]) * 0.95, max(ends[1], limit or ends[1]) * 1.05]
    figure.add_scatter(x=ends, y=ends, mode="lines", line={"color": INK, "width": 1, "dash": "dot"},
                       name="as predicted", hoverinfo="skip")  # fmt: skip
    for out, color, name in ((False, FRONT, "holds the budget"), (True, FAILED, "struck out")):
        _add(figure, data[data["struck"] == out], color, name)
    if limit is not None:
        figure.add_hline(y=limit, line={"color": BUDGET, "width": 1.5}, annotation_text="budget",
                         annotation_font_color=INK)  # fmt: skip
    figure.update_xaxes(title="predicted latency [ms], up to the upper end", range=ends)
    figure.update_yaxes(title="measured latency [ms]", range=ends)
    return styled(figure, height=420)


def _add(figure: go.Figure, rows: pd.DataFrame, color: str, name: str) -> None:
    if rows.empty:
        return
    ms, expected = rows["latency_ms"], rows["latency_ms_predicted"]
    figure.add_scatter(
        x=expected.tolist(), y=ms.tolist(), mode="markers", name=name, marker={"color": color, "size": 8},
        error_x={"type": "data", "array": (rows["latency_ms_upper"] - expected).tolist(),
                 "arrayminus": [0.0] * len(rows), "thickness": 1, "width": 3, "color": color},
        error_y={"type": "data", "array": (rows["latency_ms_high"] - ms).tolist(),
                 "arrayminus": (ms - rows["latency_ms_low"]).tolist(), "thickness": 1, "width": 3, "color": color},
        customdata=rows["number"].tolist(),
        hovertemplate="trial %{customdata}<br>predicted %{x:.4g} ms<br>measured %{y:.4g} ms<extra></extra>",
    )  # fmt: skip


def latency_section(seen: View, charts: "Charts") -> Markup:
    """Predicted against measured; nothing for a run without a latency table."""
    if "latency_ms_upper" not in seen.frame:
        return Markup("")
    data = latency_data(seen.frame, seen.budgets)
    missing = unmeasured(seen)
    parts = [tag("p", f"{_networks(missing)} not measured: {AGAIN}", class_="note")] if missing else []
    if len(data):
        limit = shown_budget(seen.budgets, "latency")[1]
        parts = [charts.add(latency_plot(data, limit)), tag("p", _note(data), class_="note"), *parts, _gone(data)]
    device = seen.manifest.get("latency")
    shown = tag("details", tag("summary", "the device"), pairs_table(device)) if isinstance(device, Mapping) else ""
    return tag("section", tag("h2", "Latency, predicted and measured"), *parts, shown)


AGAIN = "the run was stopped before it came to that, or its device was not at hand. The same command goes on."


def unmeasured(seen: View) -> int:
    """Networks listed as the front whose latency is only predicted."""
    listed = seen.listed
    return int(listed["latency_ms"].isna().sum()) if "latency_ms_upper" in listed else 0


def _networks(n: int) -> str:
    return "1 network of the front was" if n == 1 else f"{n} networks of the front were"


def _note(data: pd.DataFrame) -> str:
    told, n = agreement(data), len(data)
    tau = f", Kendall's tau of the order is {told['tau']:.2f}" if told["tau"] == told["tau"] else ""
    return (
        f"What would have been reported was timed on the device first, {n} network(s) in all. The table is off by "
        f"{100 * told['mape']:.1f} % on average{tau}. Its expectation was too low for {told['above_expected'] * n:.0f} "
        f"of them, its upper end for {told['above_upper'] * n:.0f}; {int(data['struck'].sum())} were over budget "
        "although predicted within, and left the front. Bars: up to the table's upper end, and the 95 % interval of "
        "the measured median."
    )


def _gone(data: pd.DataFrame) -> Markup:
    """The networks that were struck out, one line each."""
    rows: list[dict[str, Any]] = data[data["struck"].astype(bool)].to_dict("records")
    lines = [
        f"Trial {row['number']} is struck out: measured {row['latency_ms']:.4g} ms, up to "
        f"{row['latency_ms_high']:.4g}; predicted {row['latency_ms_predicted']:.4g}, up to "
        f"{row['latency_ms_upper']:.4g}."
        for row in rows
    ]
    return tag("ul", *(tag("li", line) for line in lines)) if lines else Markup("")
