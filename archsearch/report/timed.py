"""Latencies in the table of trials: as predicted, and as measured on the device."""

from typing import Any

import numpy as np
import optuna
import pandas as pd

from archsearch.cost.budget import EXPECTED, NS, UPPER
from archsearch.records import TIMED, TIMED_ON

PREDICTED, MEASURED = ("latency_ms_predicted", "latency_ms_upper"), ("latency_ms", "latency_ms_low", "latency_ms_high")
LATENCY = (*PREDICTED, *MEASURED)
AS_MEASURED = {EXPECTED: "latency_ms", UPPER: "latency_ms_high"}  # what a limit on a prediction is for a measurement


def with_latencies(frame: pd.DataFrame, study: optuna.Study) -> pd.DataFrame:
    """The trials with the columns LATENCY; as they are where no latency table was in use.

    A measurement belongs to a network: repeated trainings of it have the same one. Only those count that were made on
    the device in use.
    """
    if not {EXPECTED, UPPER} <= set(frame.columns) or "latency_ms" in frame:
        return frame
    attrs: dict[str, Any] = study.user_attrs
    keys = dict(zip(frame["number"], frame["key"], strict=True))
    known = {key: told for number, key in keys.items() if (told := attrs.get(TIMED.format(number))) is not None}
    place = attrs.get(TIMED_ON)
    known = {key: told for key, told in known.items() if place is None or told.get("fingerprint") == place}
    results = [known.get(key, {}) for key in frame["key"]]
    told = {"latency_ms_predicted": frame[EXPECTED] / NS, "latency_ms_upper": frame[UPPER] / NS}
    for column, name in zip(MEASURED, ("ms", "low", "high"), strict=True):
        told[column] = pd.Series([each.get(name, np.nan) for each in results], index=frame.index, dtype=float)
    return frame.assign(**told)


def measured_within(frame: pd.DataFrame, metric: str, low: float, high: float) -> pd.Series:
    """bool[n]: the rows whose measured latency keeps a limit on a predicted one, or that were not measured."""
    column = AS_MEASURED.get(metric, "")
    if not {"latency_ms_predicted", column} <= set(frame.columns):
        return pd.Series(True, index=frame.index)
    return frame[column].isna() | (frame[column] * NS).between(low, high)


def struck(frame: pd.DataFrame, budgets: Any) -> pd.Series:
    """bool[n]: the rows that a measurement alone puts outside the budgets."""
    out = pd.Series(False, index=frame.index)
    for metric, (low, high) in budgets.items():
        out |= ~measured_within(frame, metric, -np.inf if low is None else low, np.inf if high is None else high)
    return out


def worst(frame: pd.DataFrame, metric: str) -> pd.Series:
    """Each row's cost as a ladder's rungs limit it: of a latency the predicted or the measured one, the longer."""
    column = AS_MEASURED.get(metric, "")
    return frame[metric] if column not in frame else frame[metric].combine(frame[column] * NS, np.fmax)
