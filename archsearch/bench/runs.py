"""Finished runs side by side: what each sampler's hypervolume was after so many trained networks.

The truth of a real run is not known. Hypervolumes are shares of that of the front of everything that any of the runs
trained: as measured on validation images, where a network trained by two runs stands with both results; or as a
surrogate of all runs believes, and then what counts of a run is the front that it measured.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from archsearch.bench.course import joined_values
from archsearch.bench.goal import Goal, best_known
from archsearch.bench.race import Log, Rules
from archsearch.bench.score import Score, figures_at, first, median_of, quantile, quartiles_of, score
from archsearch.errors import RunError
from archsearch.records import FAILED, GIVEN, OVER, REPLAYED, TRAINED
from archsearch.report.kept import Kept
from archsearch.surrogate.domain import Floats

SAME = ("space_hash", "data_hash", "minimize", "evaluator", "recipe", "epochs", "batch", "trial_images")
PARTS = (0.25, 0.5, 0.75, 1.0)  # of the trained networks after which figures are told
CLOSE = 1e-12  # of rounding in sums of volumes


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One run as a race's log: one evaluation is one training, those that failed among them."""

    folder: str
    sampler: str
    seed: int
    log: Log
    keys: tuple[str, ...]  # of the networks
    top1: Floats  # of each training, NaN where it failed; the log has a network's first result only
    statuses: Mapping[str, int]  # fate of a proposal -> how many until the last training that counts
    left_out: int  # trainings beyond those that count


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Runs by sampler, each sampler's in the order of their seeds."""

    settings: Mapping[str, Any]  # what all runs share
    judged: str  # "measured" or "believed"
    trained: int  # networks of each run that count: as many as the shortest one has
    goal: Goal
    entries: Mapping[str, list[Entry]]
    scores: Mapping[str, list[Score]]


def compare(runs: Sequence[Kept], truth: Mapping[str, float] | None = None) -> Comparison:
    """The runs by sampler, over as many trainings as the shortest of them has.

    truth    key -> accuracy to judge each network by; None: what its training measured
    raises   RunError where they are not alike, one is named twice, began from others' results or has trained nothing
    """
    check(runs)
    trained = min(len(_trainings(run)) for run in runs)
    entries: dict[str, list[Entry]] = {}
    for run in sorted(runs, key=lambda run: _seed(run)):
        entries.setdefault(_sampler(run), []).append(_entry(run, trained, truth))
    every = [entry for name in entries for entry in entries[name]]
    known = [(value, key) for each in every for value, key in zip(_values(each.log), each.keys, strict=True)
             if np.isfinite(value).all()]  # fmt: skip
    if not known:
        raise RunError("every training of these runs failed")
    goal = best_known(np.array([value for value, _ in known]), [name_of(key).tobytes() for _, key in known])
    rules = Rules(budget=trained, noisy=truth is not None)
    order = dict.fromkeys(_sampler(run) for run in runs)  # as they were named
    return Comparison(
        settings=settings(runs[0]), judged="measured" if truth is None else "believed", trained=trained, goal=goal,
        entries={name: entries[name] for name in order},
        scores={name: [score(entry.log, goal, rules) for entry in entries[name]] for name in order},
    )  # fmt: skip


def check(runs: Sequence[Kept]) -> None:
    """Raise RunError, one line, unless the runs may be compared."""
    seen: dict[tuple[str, int], str] = {}
    for run in runs:
        there, here = settings(runs[0]), settings(run)
        wrong = [f"{name} is {there[name]!r} there, {here[name]!r} here" for name in here if here[name] != there[name]]
        if wrong:
            raise RunError(f"{run.folder} cannot be compared with {runs[0].folder}: {'; '.join(wrong)}")
        who = (_sampler(run), _seed(run))
        if who in seen:
            raise RunError(
                f"{run.folder} and {seen[who]} are both of sampler {who[0]}, seed {who[1]}: name one of them"
            )
        seen[who] = run.folder
        if (run.frame["status"] == GIVEN).any():
            raise RunError(f"{run.folder} began from earlier runs (--from); runs that start alike can be compared")
        if not len(_trainings(run)):
            raise RunError(f"{run.folder} has trained no network yet")


def settings(run: Kept) -> dict[str, Any]:
    """What runs must share to be compared."""
    limits = {name: list(ends) for name, ends in sorted(run.budgets.items())}
    return {name: run.run.get(name) for name in SAME} | {"minimize": run.objectives[1:], "budgets": limits}


def document(made: Comparison) -> dict[str, Any]:
    """What `archsearch bench runs --json` prints."""
    aim = made.goal
    repeats, spread = repeated(made)
    return {
        "settings": dict(made.settings),
        "judged": made.judged,
        "trained": made.trained,
        "runs": [_told(entry) for each in made.entries.values() for entry in each],
        "networks": aim.networks,
        "best_front": len(aim.front),
        "best_top1": aim.best,
        "repeated": {"networks": repeats, "top1_sd": spread},
        "references": {name: {"top1": -float(at[0]), "costs": at[1:].tolist()} for name, at in aim.references.items()},
        "samplers": {name: _figures(made, name) for name in made.entries},
    }  # fmt: skip


def to_best_other(made: Comparison, name: str, reference: str) -> dict[str, Any] | None:
    """How many trainings a sampler needs for what the best other one has at the end; None without another one.

    returns  "other": the best other's name; "hypervolume": its median at the end; "trained": median over seeds of the
             trainings until there, None where half of the seeds never are; "quartiles"; "ratio": all trainings by
             that; "seeds": how many get there
    """
    ends = {who: float(np.median([each.volume[reference][-1] for each in scores]))
            for who, scores in made.scores.items() if who != name}  # fmt: skip
    if not ends:
        return None
    other = max(ends, key=lambda who: ends[who])
    reached = [first(each.volume[reference] >= ends[other] - CLOSE) for each in made.scores[name]]
    middle = median_of(reached)
    ratio = None if middle is None else made.trained / middle
    return {"other": other, "hypervolume": ends[other], "trained": middle, "quartiles": quartiles_of(reached),
            "ratio": ratio, "seeds": int(np.isfinite(reached).sum())}  # fmt: skip


def repeated(made: Comparison) -> tuple[int, float | None]:
    """Networks that were trained several times, and the standard deviation of one result of theirs, pooled."""
    results: dict[str, list[float]] = {}
    for entry in (entry for each in made.entries.values() for entry in each):
        for key, top1 in zip(entry.keys, entry.top1.tolist(), strict=True):
            if np.isfinite(top1):
                results.setdefault(key, []).append(top1)
    many = [values for values in results.values() if len(values) > 1]
    free = sum(len(values) - 1 for values in many)
    return len(many), float(np.sqrt(sum(np.var(each) * len(each) for each in many) / free)) if free else None


def rows(made: Comparison) -> Iterator[dict[str, Any]]:
    """One row a sampler, seed and training."""
    for name, entries in made.entries.items():
        for entry, marks in zip(entries, made.scores[name], strict=True):
            for i in range(made.trained):
                yield {
                    "sampler": name, "seed": entry.seed, "trained": i + 1, "proposals": int(entry.log.proposals[i]),
                    "key": entry.keys[i], "top1": _number(entry.top1[i]), "judged": _number(entry.log.truth[i]),
                    **dict(zip(made.settings["minimize"], entry.log.costs[i].tolist(), strict=True)),
                    **{f"hypervolume_{reference}": float(each[i]) for reference, each in marks.volume.items()},
                    "best_top1": float(marks.best[i]), "best_front_found": float(marks.front_share[i]),
                }  # fmt: skip


def name_of(key: str) -> np.void:
    """A network's key as the name that logs hold."""
    return np.void(key.encode())


def _told(entry: Entry) -> dict[str, Any]:
    return {"folder": entry.folder, "sampler": entry.sampler, "seed": entry.seed, "left_out": entry.left_out,
            "repeats": entry.log.repeats, "statuses": dict(entry.statuses)}  # fmt: skip


def _figures(made: Comparison, name: str) -> dict[str, Any]:
    entries, scores = made.entries[name], made.scores[name]
    counts = sorted({max(1, round(part * made.trained)) for part in PARTS})
    told = figures_at(scores, made.goal, counts)
    told["best_front_found_at"] = told.pop("true_front_found_at")
    fates = sorted({status for entry in entries for status in entry.statuses})
    return {
        "seeds": [entry.seed for entry in entries],
        **told,
        "hypervolume_of_seeds": {reference: [float(each.volume[reference][-1]) for each in scores]
                                 for reference in made.goal.references},
        "to_best_other": {reference: to_best_other(made, name, reference) for reference in made.goal.references},
        "statuses": {fate: quantile([float(entry.statuses.get(fate, 0)) for entry in entries], 0.5) for fate in fates},
        "statuses_all_seeds": {fate: sum(entry.statuses.get(fate, 0) for entry in entries) for fate in fates},
    }  # fmt: skip


def _entry(run: Kept, trained: int, truth: Mapping[str, float] | None) -> Entry:
    """The first trainings of a run, and what else was proposed until the last of them."""
    whole = _trainings(run)
    counted = whole.iloc[:trained]
    until = run.frame[run.frame["number"] <= counted["number"].max()]
    statuses = {str(fate): int(n) for fate, n in until["status"].value_counts().items()}
    done = (counted["status"] == TRAINED) & counted["top1"].notna()
    top1 = np.where(done, counted["top1"].to_numpy(dtype=float), np.nan)
    keys = tuple(map(str, counted["key"]))
    again = (done & counted["key"].where(done).duplicated()).to_numpy(dtype=bool)
    shown = np.where(again, np.nan, top1)
    judged = shown if truth is None else np.where(np.isnan(shown), np.nan, [truth.get(key, np.nan) for key in keys])
    log = Log(
        codes=np.zeros((trained, 0), dtype=np.int64), names=np.array([name_of(key) for key in keys]),
        costs=counted[run.objectives[1:]].to_numpy(dtype=float).reshape(trained, -1), truth=judged, shown=shown,
        proposals=counted["number"].to_numpy(dtype=np.int64) + 1, ask_ms=np.zeros(0), handed={}, ended="budget",
        duplicates=statuses.get(REPLAYED, 0), repeats=int(again.sum()),
        over_budget=statuses.get(OVER, 0), missing=0,
    )  # fmt: skip
    return Entry(folder=run.folder, sampler=_sampler(run), seed=_seed(run), log=log, keys=keys, top1=top1,
                 statuses=statuses, left_out=len(whole) - trained)  # fmt: skip


def _trainings(run: Kept) -> Any:
    """The rows of the networks that were trained, whatever came of it, in the order in which they were begun."""
    return run.frame[run.frame["status"].isin((TRAINED, FAILED))].sort_values("number")


def _values(log: Log) -> np.ndarray:
    return joined_values(log.truth, log.costs)


def _number(top1: float) -> float | None:
    return float(top1) if np.isfinite(top1) else None


def _sampler(run: Kept) -> str:
    return str(run.run.get("sampler", "?"))


def _seed(run: Kept) -> int:
    return int(run.run.get("seed", 0))
