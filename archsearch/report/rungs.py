"""Trainings that halt at rungs: how many were stopped where, the epochs that saved, and the learning curves."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import optuna
import pandas as pd
import plotly.graph_objects as go

from archsearch.report.markup import Markup, table, tag
from archsearch.report.theme import FAILED, FRONT, RUNNING, STOPPED, TRIAL, WAITING, styled
from archsearch.report.view import View

if TYPE_CHECKING:
    from archsearch.report.sections import Charts

FATES = {  # fate -> colour; those drawn last lie on top
    "stopped": STOPPED, "failed": FAILED, "running": RUNNING, "waiting": WAITING, "trained": TRIAL, "front": FRONT,
}  # fmt: skip
WORDS = {"trained": "trained to the end", "front": "on the front"}


def rung_frame(frame: pd.DataFrame, rungs: list[int]) -> pd.DataFrame:
    """One row a rung: its epochs, how many reached it, how many were stopped there, how many wait there.

    frame    as `trials_frame` makes it
    """
    reached = frame["epochs"] if "epochs" in frame else pd.Series(dtype=float)
    rows = []
    for rung in rungs:
        here = frame[reached == rung]
        rows.append({
            "epochs": rung, "reached": int((reached >= rung).sum()),
            **{fate: int((here["status"] == fate).sum()) for fate in ("stopped", "waiting")},
        })  # fmt: skip
    return pd.DataFrame(rows, columns=["epochs", "reached", "stopped", "waiting"])


def epochs_spent(frame: pd.DataFrame, whole: int) -> tuple[int, int]:
    """Epochs trained, and what whole trainings of the same networks would have taken."""
    done = frame["epochs"].dropna()
    return int(done.sum()), whole * len(done)


def curves_data(study: optuna.Study, frame: pd.DataFrame, front: pd.DataFrame) -> pd.DataFrame:
    """Learning curves as they were judged: columns number, fate, epochs, top1; one row a rung that a trial reached.

    frame    as `trials_frame` makes it; front: those of its rows that no other beats
    """
    members = set(front["number"])
    fates = dict(zip(frame["number"], frame["status"], strict=True))
    rows = [
        (trial.number, "front" if trial.number in members else fates[trial.number], epochs, top1)
        for trial in study.get_trials(deepcopy=False) for epochs, top1 in sorted(trial.intermediate_values.items())
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["number", "fate", "epochs", "top1"])


def curves_plot(data: pd.DataFrame) -> go.Figure:
    """One line a network, coloured by what became of it; one that reached a single rung is a point."""
    figure = go.Figure()
    for fate, colour in FATES.items():
        rows = data[data["fate"] == fate]
        if rows.empty:
            continue
        x: list[Any] = []
        y: list[Any] = []
        numbers: list[Any] = []
        for number, curve in rows.groupby("number"):
            x += [*curve["epochs"].tolist(), None]
            y += [*curve["top1"].tolist(), None]
            numbers += [number] * (len(curve) + 1)
        figure.add_scatter(
            x=x, y=y, customdata=numbers, mode="lines+markers", name=WORDS.get(fate, fate),
            line={"color": colour, "width": 2 if fate == "front" else 1}, marker={"size": 5, "color": colour},
            opacity=1.0 if fate == "front" else 0.6,
            hovertemplate="trial %{customdata}<br>%{y:.1%} after %{x} epochs<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="epochs", rangemode="tozero", tickformat="d")
    figure.update_yaxes(title="validation top-1", tickformat=".0%")
    return styled(figure, height=360)


def rung_section(seen: View, charts: "Charts") -> Markup:
    """What the rungs did; nothing in a run without them."""
    rungs = _rungs(seen.run)
    if not rungs or "epochs" not in seen.frame:
        return Markup("")
    spent, whole = epochs_spent(seen.frame, rungs[-1])
    told = rung_frame(seen.frame, rungs)
    rows = [tag("tr", *(tag("td", cell) for cell in row)) for row in told.to_dict("split")["data"]]
    share = seen.run.get("eta", 3)
    rule = (
        f"Of the networks at a rung one in {share} goes on; one that is not likely to reach the front at its own cost "
        "is stopped."
        if share > 1
        else "All go on from each rung."
    )
    note = (
        f"{spent:,} epochs were trained; whole trainings of the same networks would have taken {whole:,}. {rule} Only "
        "networks trained to the end are results."
    )
    data = curves_data(seen.study, seen.frame, seen.front)
    return tag(
        "section", tag("h2", "Trainings that halt"), tag("p", note, class_="note"),
        table(["epochs", "networks that reached them", "stopped there", "waiting there"], rows, "counts"),
        charts.add(curves_plot(data)),
    )  # fmt: skip


def _rungs(run: Mapping[str, Any]) -> list[int]:
    rungs = run.get("rungs")
    return [int(rung) for rung in rungs] if isinstance(rungs, list) else []
