"""A run read once: everything that its page and figures show."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
import plotly.graph_objects as go

from archsearch.cost.budget import EXPECTED, UPPER
from archsearch.report import figures
from archsearch.report.beliefs import Beliefs, beliefs, listed
from archsearch.report.frame import Budgets, budgets_of, front_frame, objectives_of, trials_frame
from archsearch.report.open import open_run
from archsearch.report.theme import on_axis


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """Everything the page shows of a run, read once; equal to itself alone."""

    name: str  # of the run's folder
    study: optuna.Study
    run: Mapping[str, Any]
    manifest: Mapping[str, Any]
    frame: pd.DataFrame
    front: pd.DataFrame  # as measured
    beliefs: Beliefs
    objectives: list[str]
    budgets: Budgets

    @property
    def metrics(self) -> list[str]:
        """The costs that get a figure: those the run minimises, else MAdds."""
        return self.objectives[1:] or ["madds"]

    @property
    def listed(self) -> pd.DataFrame:
        """The front as measured and as believed, cheapest first, with what is believed of each network."""
        return listed(self.frame, self.beliefs, self.objectives)


def view(run_dir: Path) -> View:
    """A run's folder, read; raises RunError where it is none."""
    study, run, manifest = open_run(run_dir)
    frame, objectives, budgets = trials_frame(study), objectives_of(study), budgets_of(study)
    front = front_frame(frame, objectives, budgets)
    told = beliefs(study, run, frame, objectives=objectives, budgets=budgets)
    return View(name=Path(run_dir).resolve().name, study=study, run=run, manifest=manifest, frame=frame, front=front,
                beliefs=told, objectives=objectives, budgets=budgets)  # fmt: skip


def front_figure(seen: View, metric: str) -> tuple[go.Figure, pd.DataFrame]:
    """The front against one cost, and the data that it shows."""
    data = figures.front_data(seen.frame, objectives=seen.objectives, budgets=seen.budgets, metric=metric)
    return figures.front_plot(data, metric=metric, budget=shown_budget(seen.budgets, metric)), data


def shown_budget(budgets: Budgets, metric: str) -> tuple[float | None, float | None]:
    """The limits of a metric as the axis of its figure shows them; the limit on latency is on its upper end."""
    low, high = budgets.get(metric, (None, None))
    if metric == EXPECTED and high is None:
        high = budgets.get(UPPER, (None, None))[1]
    return on_axis(metric, low), on_axis(metric, high)
