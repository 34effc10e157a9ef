"""Latencies that were measured of a run's networks, as costs that must hold the budget as the predicted ones do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from optuna.trial import FrozenTrial

from archsearch.cost.budget import LATENCIES, NS, Budget
from archsearch.records import TIMED, TIMED_ON


@dataclass(frozen=True, kw_only=True)
class Times:
    """What was measured, by the networks' keys."""

    results: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # key -> ms, low, high, ...

    def holds(self, key: str, budget: Budget) -> bool:
        """Whether a network holds all limits on latency by its measurement, too; one that was not measured does."""
        limits = {name: limit for name, limit in budget.limits.items() if name in LATENCIES}
        return key not in self.results or bool(Budget(limits=limits).fits(measured_costs(self.results[key])))

    def worst(self, trial: FrozenTrial, metric: str) -> float:
        """A trial's cost as a ladder's rungs limit it: of a latency the predicted or the measured one, the longer."""
        cost, result = float(trial.user_attrs["costs"][metric]), self.results.get(trial.user_attrs["key"])
        return cost if result is None or metric not in LATENCIES else max(cost, measured_costs(result)[metric])


NONE = Times()


def measured_costs(result: Mapping[str, Any]) -> dict[str, float]:
    """A measurement in the place of what a table predicts: its median, and its interval's upper end [ns]."""
    return dict(zip(LATENCIES, (result["ms"] * NS, result["high"] * NS), strict=True))


def times_of(attrs: Mapping[str, Any], trials: Sequence[FrozenTrial]) -> Times:
    """The measurements that a study's attributes hold of the device in use; others do not count."""
    found = {t.user_attrs["key"]: attrs[name] for t in trials if counts(attrs, name := TIMED.format(t.number))}
    return Times(results=found)


def counts(attrs: Mapping[str, Any], name: str) -> bool:
    """Whether a study's attributes hold a measurement of this name that was made on the device in use."""
    place = attrs.get(TIMED_ON)
    return name in attrs and (place is None or attrs[name].get("fingerprint") == place)
