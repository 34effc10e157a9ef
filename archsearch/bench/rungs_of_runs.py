"""Finished runs with trainings that halt beside runs with whole ones: hypervolume against epochs spent."""

from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np

from archsearch.bench.goal import best_known
from archsearch.bench.rungs_told import REAL, WHOLE, Story, figures
from archsearch.bench.runs import SAME
from archsearch.errors import RunError
from archsearch.records import FAILED, SPENT, STOPPED, TRAINED, WAITING
from archsearch.report.kept import Kept
from archsearch.search.rungs import ETA
from archsearch.surrogate.domain import Floats


def from_runs(runs: Sequence[Kept]) -> dict[str, Any]:
    """The same of real runs: whole trainings' hypervolume against epochs, those with rungs beside those without.

    The truth is not known: volumes are shares of that of the front of everything that any of them trained to the end.
    Samplers may differ; the first run without rungs tells the way that the others are set beside.
    raises   RunError where they are not alike, or none of them is without rungs
    """
    samplers = {each.run.get("sampler") for each in runs}
    first = next((each for each in runs if each.run.get("rungs") is None), None)
    if first is None:
        raise RunError("none of these runs is without rungs: name one to compare with")
    beside = _way(first, samplers)
    ways: dict[str, list[Kept]] = {beside: []}
    for each in sorted(runs, key=lambda one: int(one.run.get("seed", 0))):
        ways.setdefault(_way(each, samplers), []).append(each)
    _check(runs, ways)
    stories = {way: [_story(each) for each in members] for way, members in ways.items()}
    if not any(len(story.points) for told in stories.values() for story in told):
        raise RunError("no network of these runs was trained to the end")
    points = np.concatenate([story.points for told in stories.values() for story in told])
    goal = best_known(points, [point.tobytes() for point in points])
    epochs = min(int(_spent(each)) for each in runs)
    return figures(stories, goal, epochs=epochs, beside=beside) | {
        "sampler": ", ".join(sorted(map(str, samplers))), "beside": beside, "runs": [each.folder for each in runs],
        "curves": REAL, "whole": int(runs[0].run["epochs"]),
    }  # fmt: skip


def _way(run: Kept, samplers: Set[Any]) -> str:
    """What tells runs of one comparison apart: the rungs, and the sampler where there are several."""
    rungs = run.run.get("rungs")
    way = WHOLE if rungs is None else f"rungs {','.join(map(str, rungs))}, eta {run.run.get('eta', ETA)}"
    return way if len(samplers) == 1 else f"{run.run.get('sampler')}, {way}"


def _check(runs: Sequence[Kept], ways: Mapping[str, Sequence[Kept]]) -> None:
    for each in runs:
        wrong = [name for name in SAME if each.run.get(name) != runs[0].run.get(name)]
        if wrong:
            raise RunError(f"{each.folder} cannot be compared with {runs[0].folder}: {', '.join(wrong)} differ")
    seeds = {way: [str(each.run.get("seed", 0)) for each in members] for way, members in ways.items()}
    if len({tuple(each) for each in seeds.values()}) > 1:
        told = "; ".join(f"{way}: {', '.join(each)}" for way, each in seeds.items())
        raise RunError(f"each way needs runs with the same seeds as the others ({told})")


def _story(run: Kept) -> Story:
    """A run's whole trainings in the order in which they ended; without rungs one after another."""
    begun = run.frame[run.frame["status"].isin((TRAINED, FAILED, STOPPED, WAITING))]
    begun = begun.assign(spent=_clock(begun, run)).sort_values(["spent", "number"])
    done = begun[begun["status"] == TRAINED]
    points = np.column_stack([-done["top1"], *(done[name] for name in run.objectives[1:])]).astype(float)
    return Story(spent=done["spent"].to_numpy(dtype=float), points=points, networks=len(begun))


def _clock(begun: Any, run: Kept) -> Floats:
    """Epochs that the run had trained when each of these trials was judged last."""
    if SPENT in begun:
        return np.asarray(begun[SPENT].to_numpy(dtype=float))
    return np.arange(1, len(begun) + 1) * float(run.run["epochs"])


def _spent(run: Kept) -> float:
    """All epochs of a run."""
    begun = run.frame[run.frame["status"].isin((TRAINED, FAILED, STOPPED, WAITING))]
    return float(begun["epochs"].sum()) if SPENT in begun else len(begun) * float(run.run["epochs"])
