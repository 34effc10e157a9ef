"""What the trainings of an ablation gave: one row each, and as arrays over pairs, treatments and seeds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsearch.ablate.campaign import Campaign, task_of
from archsearch.ablate.pairs import Pair
from archsearch.records import FAILED, TRAINED

Floats = NDArray[np.float64]
OWN = (
    "pair", "seed", "arch", "key", "madds", "params", "multiplier", "top1", "top1_se", "seconds", "status", "reason",
)  # fmt: skip
"""Columns of ablation.csv beside the factors; no factor can have such a name."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """Accuracies of the pairs that have any."""

    numbers: tuple[int, ...]  # of the pairs, in order
    top1: Floats  # float[pairs, treatments, seeds]; NaN = not known
    treatments: NDArray[np.int64]  # numbers of the levels, int64[treatments, factors]
    madds: Floats  # float[pairs, treatments]; NaN where a fraction leaves one out
    width: Floats  # width multiplier of each pair's networks, float[pairs]; NaN where the space has one or they differ
    failed: tuple[str, ...]  # trainings that went wrong, one line each

    @property
    def comparable(self) -> int:
        """Pairs of which at least two networks have a result."""
        return int(((~np.isnan(self.top1)).any(axis=2).sum(axis=1) >= 2).sum())


def rows(campaign: Campaign) -> list[dict[str, Any]]:
    """One row a training that was begun, by pair, treatment and seed; those beyond what is asked for left out."""
    multipliers = {pair.number: _multiplier(campaign, pair) for pair in campaign.pairs}
    made = []
    for trial in campaign.ledger.trials():
        attrs = trial.user_attrs
        task = task_of(attrs)
        if task.pair in multipliers and task.place < campaign.seeds:
            made.append(((task.pair, task.treatment, task.place), _row(campaign, attrs, multipliers[task.pair])))
    return [row for _, row in sorted(made, key=lambda each: each[0])]


def _multiplier(campaign: Campaign, pair: Pair) -> float | None:
    """The width multiplier of a pair's networks; None where the space has one only, or it is what they differ in."""
    varied = any("width" in level.sets for factor in campaign.design.factors for level in factor.levels)
    return None if varied else pair.width


def _row(campaign: Campaign, attrs: Mapping[str, Any], multiplier: float | None) -> dict[str, Any]:
    task = task_of(attrs)
    levels = campaign.design.treatments[task.treatment]
    named = {each.name: each.levels[int(n)].name for each, n in zip(campaign.design.factors, levels, strict=True)}
    told = {"pair": task.pair, "seed": task.place, "multiplier": multiplier, "arch": attrs["arch"],
            "key": attrs["key"], "madds": attrs["costs"]["madds"], "params": attrs["costs"]["params"]}  # fmt: skip
    told |= {name: attrs.get(name) for name in ("top1", "top1_se", "seconds", "status", "reason")}
    return {"pair": told["pair"], **named, **{name: told[name] for name in OWN[1:]}}


def outcome(campaign: Campaign) -> Outcome:
    """The same as arrays; pairs without any result are left out."""
    numbers = [pair.number for pair in campaign.pairs]
    place = {number: row for row, number in enumerate(numbers)}
    treatments = campaign.design.treatments
    top1 = np.full((len(numbers), len(treatments), campaign.seeds), np.nan)
    failed = []
    for trial in campaign.ledger.trials():
        attrs = trial.user_attrs
        task = task_of(attrs)
        if task.pair not in place or task.place >= campaign.seeds:
            continue
        if attrs["status"] == TRAINED:
            top1[place[task.pair], task.treatment, task.place] = attrs["top1"]
        elif attrs["status"] == FAILED:
            label = campaign.design.label(treatments[task.treatment])
            failed.append(f"pair {task.pair}, {label}, seed {task.place}: {attrs['reason']}")
    kept = ~np.isnan(top1).all(axis=(1, 2))
    multipliers = [_multiplier(campaign, pair) for pair in campaign.pairs]
    return Outcome(
        numbers=tuple(number for number, keep in zip(numbers, kept, strict=True) if keep), top1=top1[kept],
        treatments=treatments, madds=_madds(campaign)[kept], failed=tuple(failed),
        width=np.array([np.nan if each is None else each for each in multipliers])[kept],
    )  # fmt: skip


def _madds(campaign: Campaign) -> Floats:
    told = np.full((len(campaign.pairs), len(campaign.design.treatments)), np.nan)
    for row, pair in enumerate(campaign.pairs):
        for each in pair.networks:
            told[row, each.treatment] = each.costs["madds"]
    return told
