"""From rank correlations and costs to the rows of the report, and to a recommendation in words. Pure."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsearch.cost.duration import duration
from archsearch.trust import statistics as st
from archsearch.trust.judge import Scores
from archsearch.trust.truth import Truth

Floats = NDArray[np.float64]
SEED = "one more seed"
SEED_ROW = f"{SEED} of the truth"
SPREAD = 1_000  # networks that a search judges: what is spent once is spread over so many
BASELINES = ("madds", "params")
SURE = 0.975  # share of the resamples from which one evaluator is said to beat another


@dataclass(frozen=True, kw_only=True, eq=False)
class Row:
    """One evaluator's worth; NaN = not known."""

    name: str
    networks: int
    tau: st.Tau
    top: st.Tau
    band: st.Tau
    front_regret: float
    best_regret: float
    each_s: float
    once_s: float = 0.0
    labels: int = 0
    labels_s: float = 0.0  # what training these labels takes
    failed: str | None = None
    draws: Floats  # tau in each resample

    @property
    def cost_s(self) -> float:
        """Per network, with its share of what is spent once: making the evaluator, training its labels.

        Where nobody told what a training takes, labels count nothing.
        """
        return self.each_s + (self.once_s + (self.labels_s if math.isfinite(self.labels_s) else 0.0)) / SPREAD

    def to_dict(self) -> dict[str, Any]:
        """Plain values; what is not known is None."""
        taus = {name: {end: plain(getattr(getattr(self, name), end)) for end in ("value", "low", "high")}
                for name in ("tau", "top", "band")}  # fmt: skip
        figures = {name: plain(getattr(self, name))
                   for name in ("front_regret", "best_regret", "cost_s", "each_s", "once_s", "labels_s")}  # fmt: skip
        return {"name": self.name, "networks": self.networks, **taus, **figures, "labels": self.labels,
                "failed": self.failed}  # fmt: skip


def plain(value: float) -> float | None:
    """A number for JSON; None where it is not known."""
    return float(value) if math.isfinite(value) else None


@dataclass(frozen=True, kw_only=True, eq=False)
class Ground:
    """What all rows are measured on: the truth, the resamples, the pairs."""

    truth: Truth
    counts: Floats
    best: st.Mask
    close: st.Mask


def ground(truth: Truth, rng: np.random.Generator) -> Ground:
    """The truth with its resamples and pairs."""
    return Ground(truth=truth, counts=st.resamples(len(truth.networks), rng), best=st.top(truth.mean),
                  close=st.near(truth.madds))  # fmt: skip


def row(scores: Scores, on: Ground) -> Row:
    """What an evaluator is worth."""
    truth = on.truth
    trained = truth.cost_s * float((~np.isnan(truth.top1)).sum(axis=1).mean())  # all seeds of one label
    known = _ranked(lambda among: st.taus(scores.values, truth.mean, on.counts, among), on)
    regrets = (math.nan, math.nan)
    if scores.failed is None:
        regrets = (st.front_regret(scores.values, truth.mean, truth.madds), st.best_regret(scores.values, truth.mean))
    return Row(
        name=scores.name, networks=int((~np.isnan(scores.values)).sum()), **known, front_regret=regrets[0],
        best_regret=regrets[1], each_s=scores.each_s, once_s=scores.once_s, labels=scores.labels,
        labels_s=scores.labels * trained if scores.labels else 0.0, failed=scores.failed,
    )  # fmt: skip


def seed_row(on: Ground) -> Row:
    """One more training of each network, judged by the mean of its other seeds; every seed is left out once."""
    truth, pairs = on.truth, st.left_out(on.truth.top1)
    known = _ranked(lambda among: st.seed_taus(truth.top1, on.counts, among), on)
    fronts = [st.front_regret(alone, rest, truth.madds) for alone, rest in pairs]
    bests = [st.best_regret(alone, rest) for alone, rest in pairs]
    return Row(
        name=SEED_ROW, networks=len(truth.networks) if pairs else 0, **known,
        front_regret=float(np.mean(fronts)) if pairs else math.nan,
        best_regret=float(np.mean(bests)) if pairs else math.nan, each_s=truth.cost_s,
        failed=None if pairs else "it needs a second seed: give --seeds 2",
    )  # fmt: skip


def _ranked(taus: Callable[[st.Mask | None], Floats], on: Ground) -> dict[str, Any]:
    """Rank correlation of all, of the best, within bands."""
    draws = taus(None)
    return {"draws": draws, "tau": st.interval(draws), "top": st.interval(taus(on.best)),
            "band": st.interval(taus(on.close))}  # fmt: skip


def differences(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Each pair of evaluators: by how much the first has the higher tau, with a paired 95 % interval."""
    fine = [each for each in rows if not math.isnan(each.tau.value)]
    found = []
    for place, first in enumerate(fine):
        for second in fine[place + 1 :]:
            gap = st.interval(first.draws - second.draws)
            found.append({"first": first.name, "second": second.name, "tau": plain(gap.value), "low": plain(gap.low),
                          "high": plain(gap.high), "ahead": plain(st.ahead(first.draws, second.draws))})  # fmt: skip
    return found


def sentences(told: Sequence[Mapping[str, Any]], rows: Sequence[Row]) -> list[str]:
    """What each evaluator adds to the better one of the two baselines."""
    fine = {each.name: each.tau.value for each in rows if not math.isnan(each.tau.value)}
    base = max((name for name in BASELINES if name in fine), key=lambda name: fine[name], default=None)
    lines = []
    for gap in told:
        if base not in (gap["first"], gap["second"]) or {gap["first"], gap["second"]} <= {*BASELINES}:
            continue
        sign = -1 if gap["first"] == base else 1
        other = gap["second"] if sign < 0 else gap["first"]
        value, *ends = (None if gap[name] is None else sign * gap[name] for name in ("tau", "low", "high"))
        lines.append(_sentence(other, str(base), value, sorted(end for end in ends if end is not None)))
    return lines


def _sentence(name: str, base: str, value: float | None, ends: Sequence[float]) -> str:
    if value is None or len(ends) < 2:
        return f"{name} against {base}: too few networks to say."
    between = f"[{signed(ends[0])}, {signed(ends[1])}]"
    if ends[0] > 0:
        return f"{name} beats {base} by {abs(value):.2f} {between} in tau."
    if ends[1] < 0:
        return f"{name} is worse than {base} by {abs(value):.2f} {between} in tau."
    return f"{name} against {base}: no difference shown, tau {signed(value)} {between}."


def signed(value: float) -> str:
    """A difference with its sign, two places; nothing is -0.00."""
    return f"{round(value, 2) + 0.0:+.2f}"


# which one to use ---------------------------------------------------------------------------------------------------


def steps(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows that no cheaper one matches in tau, cheapest first; `sure`: share of resamples above the one before.

    A rank correlation of 0 or less is no reason to use anything.
    """
    fine = [each for each in rows if each.tau.value > 0 and (math.isfinite(each.cost_s) or each.name == SEED_ROW)]
    found: list[Row] = []
    for each in sorted(fine, key=lambda one: (_place(one), -one.tau.value)):
        if not found or each.tau.value > found[-1].tau.value:
            found.append(each)
    before = [None, *found][: len(found)]
    return [
        {"name": each.name, "from_s": plain(each.cost_s), "tau": each.tau.value,
         "sure": plain(st.ahead(each.draws, last.draws)) if last else None}
        for each, last in zip(found, before, strict=True)
    ]  # fmt: skip


def _place(row: Row) -> float:
    """Its cost; a training whose time nobody told is the dearest."""
    return row.cost_s if math.isfinite(row.cost_s) else math.inf


def advice(found: Sequence[Mapping[str, Any]], unit: str) -> str:
    """Which evaluator to use for a given time, in one line.

    unit     of the costs, like "core"
    """
    if not found:
        return "No evaluator ranks these networks better than chance: train them."
    parts = []
    for here, after in zip(found, [*found[1:], None], strict=True):
        parts.append(f"{_bound(after)}: {_shown(here)}")
    return f"By {unit} time a network, {'; '.join(parts)}."


def _bound(after: Mapping[str, Any] | None) -> str:
    """Up to which time a step is the one, given the next step."""
    if after is None:
        return "else"
    return "where training is too dear" if after["from_s"] is None else f"under {duration(after['from_s'])}"


def _shown(step: Mapping[str, Any]) -> str:
    name = "train" if step["name"] == SEED_ROW else step["name"]
    doubt = step["sure"] is not None and step["sure"] < SURE
    sure = f", above the one before in {100 * step['sure']:.0f} % of resamples only" if doubt else ""
    return f"{name} (tau {step['tau']:.2f}{sure})"
