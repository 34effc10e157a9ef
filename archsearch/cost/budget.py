"""Hard limits: what a network may cost, read from `300M`, `200M..300M`, `60%`, `512KiB`."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from archsearch.errors import BudgetError

SCALES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}
BYTE_METRICS = ("peak_memory", "weight_bytes")
LATENCIES = EXPECTED, UPPER = ("latency", "latency_upper")  # in nanoseconds
TIMES = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9}
NS = TIMES["ms"]  # in a millisecond
FORMS = "write 300M, 200M..300M or 60%"
BYTE_FORMS = "write 512KiB, 1MiB..4MiB or 60%"
TIME_FORMS = "write 15ms, 800us, 5ms..10ms or 60%"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """An interval of one metric, both ends allowed [the metric's unit]."""

    low: float = 0
    high: float = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Limits on any number of metrics; a network fits when it holds them all."""

    limits: Mapping[str, Limit] = field(default_factory=dict)

    def fits(self, costs: Mapping[str, Any]) -> Any:
        """True where every limit holds.

        costs    metric name -> int, or int64[n]
        returns  bool, or bool[n]
        """
        inside: Any = True
        for name, limit in self.limits.items():
            inside = inside & (costs[name] >= limit.low) & (costs[name] <= limit.high)
        return inside

    def excess(self, costs: Mapping[str, Any]) -> dict[str, Any]:
        """How far each limit is broken, as a share of it: at most 0 where it holds (Optuna's sign).

        costs    metric name -> int, or int64[n]
        returns  "madds<=high" and "madds>=low" -> (cost - high) / high, (low - cost) / low
        """
        broken = {}
        for name, limit in self.limits.items():
            if math.isfinite(limit.high):
                broken[f"{name}<={_told(limit.high)}"] = (costs[name] - limit.high) / max(limit.high, 1)
            if limit.low > 0:
                broken[f"{name}>={_told(limit.low)}"] = (limit.low - costs[name]) / limit.low
        return broken

    def to_dict(self) -> dict[str, list[float | None]]:
        """{"madds": [low or null, high or null]}."""
        return {
            name: [limit.low or None, limit.high if math.isfinite(limit.high) else None]
            for name, limit in self.limits.items()
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, list[float | None]]) -> "Budget":
        """The budget that `to_dict` wrote."""
        return cls(
            limits={
                name: Limit(low=low or 0, high=math.inf if high is None else high)
                for name, (low, high) in plain.items()
            }
        )


def lower_by_expectation(budget: Budget) -> Budget:
    """The budget with the lower end of a latency range on what is expected: only its upper end is for the slowest."""
    limit = budget.limits.get(UPPER)
    if limit is None or not limit.low:
        return budget
    low = Limit(low=limit.low)
    there = budget.limits.get(EXPECTED, low)
    limits = {**budget.limits, UPPER: Limit(high=limit.high)}
    return Budget(limits=limits | {EXPECTED: Limit(low=max(low.low, there.low), high=there.high)})


def parse_limit(text: str, name: str, largest: Callable[[], float], *, whole: bool = True) -> Limit:
    """One limit from its text.

    name     the metric, for its unit and the message
    largest  the largest value in the space; called only for a percentage
    whole    limits are rounded down to whole numbers, as counts are
    raises   BudgetError naming the text and the forms that are right
    """
    low, dots, high = text.strip().partition("..")
    if not dots:
        return Limit(high=_value(low, text, name, largest, whole))
    limit = Limit(low=_value(low, text, name, largest, whole), high=_value(high, text, name, largest, whole))
    if limit.low > limit.high:
        raise BudgetError(f"budget {text!r} for {name} is empty: the lower end comes first")
    return limit


def _value(word: str, text: str, name: str, largest: Callable[[], float], whole: bool) -> float:
    timed = name in LATENCIES
    units = "%|ns|us|ms|s" if timed else "%|[kmg]?i?b?"
    told = word.strip().lower().replace("µ", "u")
    match = re.fullmatch(rf"(\d{{1,15}}(?:\.\d{{0,9}})?|\.\d{{1,9}})\s*({units})", told)
    forms = TIME_FORMS if timed else BYTE_FORMS if name in BYTE_METRICS else FORMS
    if match is None:
        raise BudgetError(f"budget {text!r} for {name} cannot be read; {forms}")
    number, unit = float(match[1]), match[2]
    if not timed and unit.endswith(("b", "i")) and name not in BYTE_METRICS:
        raise BudgetError(f"budget {text!r} for {name} is in bytes; {forms}")
    scale = largest() if unit == "%" else TIMES.get(unit) if timed else SCALES.get(unit.removesuffix("b"))
    if scale is None:
        raise BudgetError(f"budget {text!r} for {name} cannot be read; {forms}")
    value = number * scale / (100 if unit == "%" else 1)
    value = math.floor(value + 1e-6) if whole else value
    if value <= 0:
        raise BudgetError(f"budget {text!r} for {name} must be above 0")
    return value


def show(value: float, name: str) -> str:
    """A cost for people: 300.8M, 1.50MiB, 12.4ms."""
    if name in LATENCIES:
        return f"{value / TIMES['ms']:.3g}ms" if value < 99.95 * TIMES["ms"] else f"{value / TIMES['ms']:.1f}ms"
    steps = (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)) if name in BYTE_METRICS else (
        ("G", 10**9), ("M", 10**6), ("k", 10**3))  # fmt: skip
    for unit, step in steps:
        if value >= 0.99995 * step:  # 999,960 is 1M, not 1000.0k
            return f"{value / step:.3g}{unit}" if value < 99.95 * step else f"{value / step:.1f}{unit}"
    return _told(value) if value < 100 else f"{value:.0f}"


def exactly(value: int, name: str) -> str:
    """A cost in full, so that it can be given as a limit: 12,345,678; 0.096541ms."""
    return f"{value / TIMES['ms']:.9g}ms" if name in LATENCIES else f"{value:,}"


def _told(value: float) -> str:
    """A whole number as it is, any other with six digits."""
    return f"{value:.0f}" if value == round(value) else f"{value:.6g}"
