"""The front figure: every trial once, the front as a staircase, the budget as shade."""

import math
from collections.abc import Sequence
from html import escape

import pandas as pd
import plotly.graph_objects as go

from archsearch.report.frame import COSTS, Budgets, front_frame
from archsearch.report.theme import (
    BUDGET,
    FAILED,
    FRONT,
    INK,
    RUNNING,
    SKIPPED,
    STOPPED,
    TEST,
    TRIAL,
    WAITING,
    label,
    on_axis,
    percent,
    scaled,
    short,
    styled,
    tick_format,
)

UNTRAINED = {
    "running": RUNNING,
    "waiting": WAITING,
    "stopped": STOPPED,
    "failed": FAILED,
    "skipped": SKIPPED,
    "over_budget": BUDGET,
}  # rows under the figure, from the top
WORDS = {
    "front": "on the front",
    "over_budget": "over budget, not trained",
    "given": "trained by an earlier run",
    "failed": "failed",
    "skipped": "skipped",
    "running": "unfinished",
    "stopped": "stopped at a rung",
    "waiting": "waits at a rung",
}
MARKS = {
    "given": {"symbol": "square-open", "size": 7, "color": TRIAL, "opacity": 0.75},
    "replayed": {"symbol": "circle-open", "size": 11, "color": TRIAL, "line": {"width": 1}},
    "trained": {"symbol": "circle", "size": 7, "color": TRIAL, "opacity": 0.75},
    "front": {"symbol": "circle", "size": 10, "color": FRONT, "line": {"width": 1.5, "color": "#ffffff"}},
}
RANKS = {"front": 1, "trained": 3, "replayed": 4, "given": 5}  # in the legend; tests are 2
LOG_FROM = 8  # dearest over cheapest from which the cost axis is logarithmic


def front_data(frame: pd.DataFrame, *, objectives: Sequence[str], budgets: Budgets, metric: str) -> pd.DataFrame:
    """One row a trial: number, role, cost (of `metric`), top1 and top1_test with standard errors, hover (HTML).

    role is the trial's status, or "front" for the members of the front over all objectives.
    """
    members = set(front_frame(frame, objectives, budgets)["number"])
    role = frame["status"].where(~frame["number"].isin(members), "front")
    data = frame[["number", "top1", "top1_se", "top1_test", "top1_test_se"]].assign(
        role=role, cost=on_axis(metric, frame[metric])
    )
    extra = [name for name in objectives if name not in COSTS and name != "top1"]
    hover = [_hover(row, row_role, extra) for row, row_role in zip(frame.to_dict("records"), role, strict=True)]
    return data.assign(hover=pd.Series(hover, index=data.index, dtype=object))


def stairs(data: pd.DataFrame, right: float) -> pd.DataFrame:
    """The best top1 that each cost buys, as the corners of a line (cost, top1) drawn on to cost `right`."""
    trained = data[data["role"].isin(["trained", "front"])].sort_values(["cost", "top1"], ascending=[True, False])
    best = trained[trained["top1"] > trained["top1"].cummax().shift(fill_value=-math.inf)][["cost", "top1"]]
    if len(best) and right > best["cost"].iloc[-1]:
        best.loc[len(data)] = [right, best["top1"].iloc[-1]]
    return best.reset_index(drop=True)


def front_plot(data: pd.DataFrame, *, metric: str, budget: Sequence[float | None] = (None, None)) -> go.Figure:
    """The figure of `front_data`: accuracy over cost above, the trials that have no accuracy in rows below.

    Traces of trials carry `meta="trials"` and the trial numbers as customdata; together they hold each trial once.
    """
    low, high = span(data["cost"], budget)
    inside = [end for end in budget if end is not None and low <= end <= high]
    figure = go.Figure()
    trained = data.loc[data["role"].isin(["trained", "front"]), "cost"]
    limit = budget[1] if budget[1] in inside else trained.max()
    line = stairs(data, limit)
    line_style = {"shape": "hv", "color": FRONT, "width": 2}
    figure.add_scatter(
        x=line["cost"].tolist(),
        y=line["top1"].tolist(),
        mode="lines",
        line=line_style,
        hoverinfo="skip",
        showlegend=False,
    )
    for role in [role for role in MARKS if role != "given" or (data["role"] == role).any()]:
        _add_accuracies(figure, data[data["role"] == role], role)
    _add_tests(figure, data[data["top1_test"].notna()])
    rows = [role for role in UNTRAINED if (data["role"] == role).any()]
    for role in rows:
        _add_row(figure, data[data["role"] == role], role)
    for left, right in _outside(budget, low, high):
        _shade(figure, left, right)
    return _laid_out(figure, metric=metric, span=(low, high), rows=rows, empty=data["top1"].isna().all())


def log_ticks(low: float, high: float) -> list[float]:
    """1, 2, 5, 10, 20, ... between `low` and `high`; powers of ten alone over four decades or more."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if high / low < 1e4 else (1,)
    return [step * 10.0**d for d in decades for step in steps if low <= step * 10.0**d <= high]


def beyond(data: pd.DataFrame, budget: Sequence[float | None]) -> bool:
    """Whether the budget's upper end lies too far right of all trials to be drawn."""
    return budget[1] is not None and budget[1] > span(data["cost"], budget)[1]


def _hover(row: dict, role: str, extra: Sequence[str]) -> str:
    lines = [f"<b>trial {row['number']}</b>" + (f" · {WORDS[role]}" if role in WORDS else "")]
    if role == "replayed" and row["replay_of"] == row["replay_of"]:
        lines[0] += f" · same network as trial {row['replay_of']:.0f}, not trained again"
    if row["top1"] == row["top1"]:
        lines.append(f"validation top-1 {percent(row['top1'], row['top1_se'])}")
    if row["top1_test"] == row["top1_test"]:
        lines.append(f"test top-1 {percent(row['top1_test'], row['top1_test_se'])}")
    if isinstance(row["reason"], str):
        lines.append(f"reason: {escape(row['reason'])}")
    lines += [f"{escape(short(name))} {scaled(name, row[name])}" for name in ("madds", "params", "peak_memory", *extra)]
    if row.get("latency_ms_high", math.nan) == row.get("latency_ms_high", math.nan):
        lines.append(f"measured latency {row['latency_ms']:.3g} ms")
    stages = row["arch"].replace("|", " ").split() if isinstance(row["arch"], str) else []
    return "<br>".join([*lines, "", *map(escape, stages)])


def span(cost: pd.Series, budget: Sequence[float | None]) -> tuple[float, float]:
    """The costs shown: all trials, and the budget's ends where they are near enough to say something."""
    low, high = (cost.min(), cost.max()) if cost.notna().any() else (1.0, 1.0)
    for end in budget:
        if end is not None and low / 2 <= end <= 2 * high:
            low, high = min(low, end), max(high, end)
    pad = (high / low) ** 0.04 if low > 0 and high / low >= LOG_FROM else None
    return (low / pad, high * pad) if pad else (low - 0.04 * (high - low or high), high + 0.04 * (high - low or high))


def _outside(budget: Sequence[float | None], low: float, high: float) -> list[tuple[float, float]]:
    left = [(low, budget[0])] if budget[0] is not None and low < budget[0] else []
    return left + ([(budget[1], high)] if budget[1] is not None and budget[1] < high else [])


def _add_accuracies(figure: go.Figure, rows: pd.DataFrame, role: str) -> None:
    error = {"type": "data", "array": rows["top1_se"].fillna(0).tolist(), "thickness": 1.5, "width": 4, "color": FRONT}
    figure.add_scatter(
        x=rows["cost"].tolist(),
        y=rows["top1"].tolist(),
        error_y=error if role == "front" else None,
        name={"front": "front (validation, ± 1 SE)", "given": "from an earlier run"}.get(role, role),
        mode="markers",
        marker=MARKS[role],
        legendrank=RANKS[role],
        **_trials(rows),
    )


def _add_tests(figure: go.Figure, rows: pd.DataFrame) -> None:
    error = {"type": "data", "array": rows["top1_test_se"].fillna(0).tolist(), "thickness": 1.5, "width": 4}
    figure.add_scatter(
        x=rows["cost"].tolist(),
        y=rows["top1_test"].tolist(),
        error_y={**error, "color": TEST},
        name="test, after full training",
        mode="markers",
        marker={"symbol": "diamond", "size": 9, "color": TEST},
        legendrank=2,
        **{**_trials(rows), "meta": "tests"},
    )


def _add_row(figure: go.Figure, rows: pd.DataFrame, role: str) -> None:
    figure.add_scatter(
        x=rows["cost"].tolist(),
        y=[role.replace("_", " ")] * len(rows),
        yaxis="y2",
        name=role.replace("_", " "),
        mode="markers",
        marker={"symbol": "line-ns", "size": 9, "line": {"width": 1.5, "color": UNTRAINED[role]}},
        **{**_trials(rows), "showlegend": False},
    )


def _trials(rows: pd.DataFrame) -> dict:
    return {
        "meta": "trials",
        "customdata": rows["number"].tolist(),
        "hovertext": rows["hover"].tolist(),
        "hovertemplate": "%{hovertext}<extra></extra>",
        "showlegend": bool(len(rows)),
    }


def _shade(figure: go.Figure, left: float, right: float) -> None:
    figure.add_shape(
        type="rect", xref="x", yref="paper", x0=left, x1=right, y0=0, y1=1,
        fillcolor=BUDGET, opacity=0.14, line_width=0, layer="below",
    )  # fmt: skip


def _laid_out(
    figure: go.Figure, *, metric: str, span: tuple[float, float], rows: Sequence[str], empty: bool
) -> go.Figure:
    low, high = span
    log = low > 0 and high / low >= LOG_FROM
    figure.update_xaxes(
        title=escape(label(metric)) + (" (log scale)" if log else ""),
        type="log" if log else "linear",
        range=[math.log10(low), math.log10(high)] if log else [low, high],
        tickformat=tick_format(metric),
        tickvals=log_ticks(low, high) if log else None,
        tickangle=0,
    )
    bottom = 0.04 + 0.05 * len(rows) if rows else 0
    figure.update_yaxes(title="top-1", tickformat=".2~%", domain=[bottom, 1])
    below = {"domain": [0, bottom - 0.04], "type": "category", "showgrid": False, "fixedrange": True, "title": None}
    figure.update_layout(
        yaxis2={"categoryorder": "array", "categoryarray": [r.replace("_", " ") for r in reversed(rows)], **below}
        if rows
        else None,
        xaxis={"anchor": "y2" if rows else "y"},
        hovermode="closest",
        height=520,
    )
    if empty:
        figure.add_annotation(
            text="no finished trial yet", xref="paper", yref="y domain", x=0.5, y=0.5, showarrow=False
        )
        figure.update_layout(yaxis={"range": [0, 1]})
    figure.update_layout(font={"color": INK})
    return styled(figure)
