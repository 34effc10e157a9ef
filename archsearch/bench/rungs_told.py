"""Hypervolume against epochs spent: what one search gave, and ways of searching side by side."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from archsearch.bench.goal import Goal
from archsearch.bench.score import median_of, quartiles_of
from archsearch.pareto import growth
from archsearch.surrogate.domain import Floats

WHOLE = "whole"  # the way without rungs
REAL = "of real trainings"  # learning curves
SHARES = (0.8, 0.9, 0.95, 0.98)  # of the true front's hypervolume
PARTS = (0.25, 0.5, 1.0)  # of all epochs, at which hypervolume is told


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One run: after how many epochs each whole training ended, and what it gave."""

    spent: Floats  # epochs, rising, float[n]
    points: Floats  # objectives that are minimised, float[n, m]
    networks: int  # that were begun
    dry: bool = False  # whether there were no more networks before all epochs were spent

    def volume(self, reference: Floats, epochs: Floats) -> Floats:
        """Hypervolume after so many epochs, float[k]."""
        grown = np.concatenate([[0.0], growth(self.points, reference) if len(self.points) else []])
        return np.asarray(grown[np.searchsorted(self.spent, epochs, side="right")])


def figures(
    stories: Mapping[str, Sequence[Story]], goal: Goal, *, epochs: int, beside: str = WHOLE
) -> dict[str, Any]:  # fmt: skip
    """Medians and quartiles over seeds; None stands for what half of the seeds did not reach.

    beside   the way whose hypervolume at the end the others are asked for
    """
    told: dict[str, Any] = {"epochs": epochs, "ways": {}}
    for way, runs in stories.items():
        told["ways"][way] = {
            "networks": median_of([float(each.networks) for each in runs]),
            "trained_whole": median_of([float(len(each.spent)) for each in runs]),
            "ran_dry": sum(each.dry for each in runs),
            "references": {name: _against(runs, stories[beside], goal, name, epochs) for name in goal.references},
        }
    return told


def _against(
    runs: Sequence[Story], whole: Sequence[Story], goal: Goal, name: str, epochs: int
) -> dict[str, Any]:  # fmt: skip
    """One way beside whole trainings, for one reference point."""
    at, full = goal.references[name], goal.volumes[name] or 1.0
    ends = np.array([part * epochs for part in PARTS])
    volumes = [each.volume(at, ends) / full for each in runs]
    reached = {str(share): [needed(each, at, share * full) for each in runs] for share in SHARES}
    finish = [float(each.volume(at, np.array([epochs]))[0]) for each in whole]
    fewer = [needed(other, at, volume) / needed(each, at, volume) if volume > 0 else 0.0  # nothing to be reached
             for each, other, volume in zip(runs, whole, finish, strict=True)]  # fmt: skip
    parts = {f"{part:g}": [float(volume[i]) for volume in volumes] for i, part in enumerate(PARTS)}
    return {
        "volume_at": {part: median_of(each) for part, each in parts.items()},
        "volume_at_quartiles": {part: quartiles_of(each) for part, each in parts.items()},
        "epochs_to": {share: median_of(each) for share, each in reached.items()},
        "epochs_to_quartiles": {share: quartiles_of(each) for share, each in reached.items()},
        "times_fewer": median_of(fewer) or None, "times_fewer_quartiles": [end or None for end in quartiles_of(fewer)],
    }  # fmt: skip


def needed(story: Story, reference: Floats, volume: float) -> float:
    """Epochs until a hypervolume is reached; infinite where it never is."""
    grown = growth(story.points, reference) if len(story.points) else np.zeros(0)
    reached = grown >= volume - 1e-12 * abs(volume)
    return float(story.spent[np.argmax(reached)]) if reached.any() else math.inf
