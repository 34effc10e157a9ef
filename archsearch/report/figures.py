"""The figures of the page, in pairs: `x_data` makes a frame and is tested, `x_plot` draws it and is thin."""

import math
import warnings
from collections.abc import Sequence
from html import escape

import numpy as np
import optuna
import pandas as pd
import plotly.graph_objects as go
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, create_trial

from archsearch.pareto import front, hypervolume
from archsearch.report.frame import Budgets, minimised, within
from archsearch.report.scatter import front_data, front_plot
from archsearch.report.theme import BARS, FRONT, label, styled

__all__ = ["front_data", "front_plot", "hypervolume_data", "hypervolume_plot", "importance_data", "importance_plot"]

ENOUGH_TRIALS = 10  # PED-ANOVA compares the best trials with all of them; with fewer it says nothing


def importance_data(study: optuna.Study, objectives: Sequence[str]) -> pd.DataFrame:
    """How much each axis matters for each objective: columns axis, objective, importance (sums to 1 per objective).

    Trained trials only; empty if there are fewer than `ENOUGH_TRIALS`. Axes with one choice are left out.
    Source: PED-ANOVA, arXiv:2304.10255, as in Optuna; the best `top_share` of the trials against all.
    """
    trained = [t for t in study.get_trials(deepcopy=False) if t.user_attrs.get("status") == "trained" and t.values]
    columns = ["axis", "objective", "importance"]
    if len(trained) < ENOUGH_TRIALS:
        return pd.DataFrame(columns=columns)
    rows = []
    for i, objective in enumerate(objectives):
        shares = _importances(trained, i, "maximize" if objective == "top1" else "minimize")
        rows += [(axis, objective, share) for axis, share in shares.items()]
    return pd.DataFrame(rows, columns=columns)


def top_share(n: int) -> float:
    """The share of `n` trials that counts as the best: a tenth, but five trials where that is more, at most half."""
    return max(0.1, min(5 / n, 0.5))


def importance_plot(data: pd.DataFrame, most: int = 16) -> go.Figure:
    """Bars per axis, the `most` important for the first objective at the top."""
    objectives = list(dict.fromkeys(data["objective"]))
    table = data.pivot(index="axis", columns="objective", values="importance").fillna(0)
    table = table.sort_values(objectives[0], ascending=False).head(most)
    figure = go.Figure()
    for color, objective in zip([FRONT, *BARS], objectives, strict=False):
        name = escape(label(objective))
        figure.add_bar(
            x=table[objective].tolist(),
            y=[escape(axis) for axis in table.index],
            name=name,
            orientation="h",
            marker_color=color,
            hovertemplate=f"%{{y}}: %{{x:.0%}}<extra>{name}</extra>",
        )
    figure.update_xaxes(title="share of importance", tickformat=".0%", rangemode="tozero")
    figure.update_yaxes(autorange="reversed")  # the first on top
    height = 130 + len(table) * (10 + 12 * len(objectives))
    return styled(figure, barmode="group", bargap=0.3, height=height)


def reference_point(frame: pd.DataFrame, objectives: Sequence[str], budgets: Budgets) -> dict[str, float]:
    """The worst corner of the hypervolume: top1 0, and per cost the budget's upper end or the dearest result."""
    trained = frame[frame["stands"].astype(bool)]
    ends = {name: budgets.get(name, (None, None))[1] for name in objectives if name != "top1"}
    return {"top1": 0.0} | {name: float(trained[name].max() if end is None else end) for name, end in ends.items()}


def hypervolume_data(frame: pd.DataFrame, objectives: Sequence[str], budgets: Budgets) -> pd.DataFrame:
    """The hypervolume after each result of the run's own: columns evaluated (1, 2, ...), number, hypervolume in [0, 1].

    Costs are divided by the reference point, so with one cost it is the mean, over all budgets from 0 to the
    reference, of the best top1 that the budget buys.
    """
    trained = frame[frame["stands"].astype(bool) & within(frame, budgets)]
    corner = reference_point(frame, objectives, budgets)
    scale = [1.0 if name == "top1" else corner[name] or 1.0 for name in objectives]
    points = minimised(trained, objectives) / scale if len(trained) else []
    reference = minimised(pd.DataFrame([corner]), objectives)[0] / scale
    history, volume = [], 0.0
    kept = np.empty((0, len(objectives)))
    for point in points:
        inside = bool((point <= reference).all()) and not (kept == point).all(axis=1).any()
        candidates = np.vstack([kept, point])
        alive = front(candidates)
        if inside and alive[-1]:
            kept = candidates[alive]
            volume = float(hypervolume(kept, reference))
        history.append(volume)
    numbers = trained["number"].tolist()
    return pd.DataFrame({"evaluated": range(1, len(history) + 1), "number": numbers, "hypervolume": history})


def hypervolume_plot(data: pd.DataFrame) -> go.Figure:
    """A rising line: flat means that more trials of this kind bring little."""
    figure = go.Figure()
    figure.add_scatter(
        x=data["evaluated"].tolist(),
        y=data["hypervolume"].tolist(),
        customdata=data["number"].tolist(),
        mode="lines" if len(data) > 1 else "markers",
        line={"shape": "hv", "color": FRONT, "width": 2},
        hovertemplate="after %{x} trained networks (trial %{customdata})<br>hypervolume %{y:.4f}<extra></extra>",
        showlegend=False,
    )
    figure.update_xaxes(title="networks trained", rangemode="tozero", tickformat="d")
    figure.update_yaxes(title="hypervolume")
    return styled(figure, height=320)


def _importances(trials: Sequence[FrozenTrial], column: int, direction: str) -> dict[str, float]:
    """Importances for one objective; none where the best trials cannot be told from the others, or nothing varied."""
    varied = {name for trial in trials for name, choice in trial.distributions.items() if not choice.single()}
    values = sorted((trial.values[column] for trial in trials), reverse=direction == "maximize")
    share = top_share(len(trials))
    if not varied or values[math.ceil(share * len(values)) - 1] == values[-1]:
        return {}
    single = _one_objective(trials, column, direction)
    evaluator = PedAnovaImportanceEvaluator(target_quantile=share)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that an axis which few trials have is judged by few
        return get_param_importances(single, evaluator=evaluator, params=sorted(varied))


def _one_objective(trials: Sequence[FrozenTrial], column: int, direction: str) -> optuna.Study:
    """A study in memory that holds these trials with one of their values, and nothing else."""
    storage = InMemoryStorage()
    goal = optuna.study.StudyDirection[direction.upper()]
    told_before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # a new study is nothing to tell the user of
    storage.create_new_study([goal], study_name="one objective")
    optuna.logging.set_verbosity(told_before)
    study = optuna.load_study(study_name="one objective", storage=storage)
    for trial in trials:
        told = create_trial(params=trial.params, distributions=trial.distributions, value=trial.values[column])
        study.add_trial(told)
    return study
