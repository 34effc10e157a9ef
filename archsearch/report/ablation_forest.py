"""Every comparison of an ablation, and every part of its pairs, as an interval on one axis."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from archsearch.report.ablation_figures import interval, minus
from archsearch.report.theme import BUDGET, FRONT, TRIAL, styled

ROW = 40  # height of an interval [pixels]
GAP = 0.35  # between a comparison's last part and the next comparison [rows]


def forest_data(comparisons: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row an interval, in reading order: name, kind, mean, low, high, pairs, words.

    kind     "shown", "not shown", or "part" (bands of MAdds, widths); fractions of top-1, NaN where not known
    """
    several = len({each["factor"] for each in comparisons}) > 1
    made = []
    for each in comparisons:
        name = f"{each['factor']}: {minus(each)}" if several else minus(each)
        made.append({"name": name, "kind": "shown" if each.get("shown") else "not shown", **_parts(each)})
        for part in [*(each.get("bands") or []), *(each.get("widths") or [])]:
            if part.get("mean") is not None:
                made.append({"name": part["name"], "kind": "part", **_parts(part)})
    data = pd.DataFrame(made, columns=["name", "kind", "mean", "low", "high", "pairs", "words"])
    return data.astype(dict.fromkeys(("mean", "low", "high"), float))


def _parts(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row.get(name) for name in ("mean", "low", "high", "pairs")} | {"words": interval(row)}


def forest_plot(data: pd.DataFrame) -> go.Figure:
    """Every mean with its 95 % interval on one axis [points]: what is shown strong, what is not hollow, parts thin."""
    looks = {"shown": (FRONT, 11, "circle", 3.0), "not shown": (TRIAL, 11, "circle-open", 2.0),
             "part": (BUDGET, 6, "circle", 1.2)}  # fmt: skip
    names = {"shown": "shown", "not shown": "not shown", "part": "a part of the pairs"}
    figure = go.Figure()
    places = pd.Series(np.arange(len(data)) + GAP * ((data["kind"] != "part").cumsum() - 1), index=data.index)
    for kind, (color, size, symbol, thick) in looks.items():
        rows = data[data["kind"] == kind]
        marker = {"color": color, "size": size, "symbol": symbol, "line": {"width": 2, "color": color}}
        ends = {"array": (100 * (rows["high"] - rows["mean"])).fillna(0).tolist(),
                "arrayminus": (100 * (rows["mean"] - rows["low"])).fillna(0).tolist()}  # fmt: skip
        figure.add_scatter(
            x=(100 * rows["mean"]).tolist(), y=places[rows.index].tolist(), mode="markers", name=names[kind],
            marker=marker, showlegend=len(rows) > 0,
            error_x={"type": "data", "symmetric": False, "thickness": thick, "width": 0, "color": color, **ends},
            hovertext=[escape(f"{name}: {words}, pairs: {pairs}") for name, words, pairs in
                       zip(rows["name"], rows["words"], rows["pairs"], strict=True)],
            hovertemplate="%{hovertext}<extra></extra>",
        )  # fmt: skip
    for place, row in zip(places, data.to_dict("records"), strict=True):  # above its interval, so that both have room
        name = escape(row["name"]) if row["kind"] == "part" else f"<b>{escape(row['name'])}</b>"
        figure.add_annotation(x=0, xref="paper", xanchor="left", y=place, yshift=13, showarrow=False, align="left",
                              text=f"{name}  {escape(row['words'])}", font={"size": 12})  # fmt: skip
    deep = 1 + (float(places.iloc[-1]) if len(data) else 0.0)
    figure.add_vline(x=0, line={"color": BUDGET, "width": 1.5, "dash": "dot"})
    figure.update_xaxes(title="points of top-1, 95 % intervals", tickformat="+.3~f", nticks=8, range=_across(data))
    figure.update_yaxes(tickvals=places.tolist(), showticklabels=False, range=[deep - 0.5, -0.9])
    made = styled(figure, height=round(110 + ROW * deep), hovermode="closest")
    made.update_layout(margin={"l": 16})
    return made


def _across(data: pd.DataFrame) -> list[float]:
    """All intervals and the zero."""
    values = 100 * data[["mean", "low", "high"]].to_numpy(dtype=float)
    low, high = min(0.0, float(np.nanmin([*values.flat, 0.0]))), max(0.0, float(np.nanmax([*values.flat, 0.0])))
    pad = 0.06 * (high - low) or 1.0
    return [low - pad, high + pad]
