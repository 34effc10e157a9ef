"""Every asked evaluator over the same networks: its values and what they cost, cached; learners are cross-validated."""

import hashlib
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archsearch.cost.count import count
from archsearch.errors import ArchSearchError, TrainingError, first_line
from archsearch.evaluate.base import Evaluator, Job, Known, Progress
from archsearch.trust.sample import Network
from archsearch.trust.store import Claims, Journal, Row, share
from archsearch.trust.truth import CHECKPOINTS, Truth, job_seed

Floats = NDArray[np.float64]
SCORES = "scores.jsonl"
COSTS = ("madds", "params")  # baselines that are counted
FOLDS = 5  # of the cross-validation of an evaluator that learns
ONCE = "supernet_seconds"  # of what an evaluation tells beside its value: what was spent before, for all networks
APART = 1_000  # the seed's place of evaluators: no training of the truth has it

Labels = Callable[[], Sequence[Known]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidate:
    """One evaluator to be judged."""

    name: str
    make: Callable[[Labels, Progress], Evaluator]  # given the labels that it may learn from; tells how far it is
    of: str = ""  # what else its values depend on; others' cached values do not count


@dataclass(frozen=True, kw_only=True, eq=False)
class Scores:
    """What an evaluator said of the networks of the truth."""

    name: str
    values: Floats  # higher is better, float[n]; NaN = it failed on that network
    each_s: float = math.nan  # for one network, in the clock's seconds
    once_s: float = 0.0  # for all networks: making it, what its first network took beyond the others, a supernet
    labels: int = 0  # trained networks that it learns from
    failed: str | None = None  # why there are no values at all


@dataclass(frozen=True, kw_only=True, eq=False)
class Judge:
    """The sample, where values are kept, and how time is told."""

    truth: Truth
    folder: Path
    claims: Claims
    seed: int
    clock: Callable[[], float]
    wait: Callable[[], None]
    progress: Progress

    @cached_property
    def known(self) -> list[Known]:
        """The truth as labels, one a network."""
        return self.truth.known()

    @cached_property
    def digests(self) -> list[str]:
        """Of each fold, what tells the labels outside it from any others."""
        told = [(net.key, each.top1) for net, each in zip(self.truth.networks, self.known, strict=True)]
        sets = [sorted(each for i, each in enumerate(told) if i % FOLDS != fold) for fold in range(FOLDS)]
        return [hashlib.sha256(repr(each).encode()).hexdigest()[:12] for each in sets]


def counted(truth: Truth, clock: Callable[[], float]) -> list[Scores]:
    """The baselines: what a network costs, as a value; counting one is counting all."""
    begun = clock()
    costs = [count(net.arch, COSTS) for net in truth.networks]
    each_s = max(clock() - begun, 0.0) / len(costs)
    return [Scores(name=name, values=np.array([cost[name] for cost in costs], dtype=float), each_s=each_s)
            for name in COSTS]  # fmt: skip


def judged(candidates: Sequence[Candidate], judge: Judge) -> list[Scores]:
    """The scores of each, in order; what is cached is not asked again, and what fails says why."""
    journal, failed = Journal(judge.folder / SCORES), dict[str, str]()
    by_name = {each.name: each for each in candidates}

    def done() -> list[str]:
        known = journal.rows()
        return [each.name for each in candidates if not _missing(each, judge, known)]

    def do(name: str) -> None:
        place = [*by_name].index(name)
        judge.progress(place, len(by_name), name)
        try:
            _ask(by_name[name], judge, journal, partial(_within, judge.progress, (place, len(by_name), name)))
        except Exception as error:  # others' plug-ins may fail in any way, and that is a row of the report
            kind = "" if isinstance(error, ArchSearchError) else f"{type(error).__name__}: "
            failed[name] = kind + first_line(error)

    share([*by_name], judge.claims, done=done, do=do, wait=judge.wait)
    judge.progress(len(by_name), len(by_name), "")
    rows = journal.rows()
    return [_scores(each, judge, rows, failed.get(each.name)) for each in candidates]


def _within(progress: Progress, outer: tuple[int, int, str], done: int, total: int, text: str) -> None:
    progress(outer[0], outer[1], f"{outer[2]} {done}/{total} {text}")


def _ask(candidate: Candidate, judge: Judge, journal: Journal, progress: Progress) -> None:
    """Ask for what is not known yet, fold by fold; one evaluator does for all folds unless it learns."""
    networks, evaluator = judge.truth.networks, None
    left = _missing(candidate, judge, journal.rows())
    for fold in range(FOLDS):
        asked, made_s, begun = list[int](), None, judge.clock()
        wanted = [i for i in left if i % FOLDS == fold]
        if wanted and evaluator is None:
            show = partial(_inside, progress, (len(networks) - len(left), len(networks)))
            evaluator = candidate.make(partial(_labels, judge, fold, asked), show)
            made_s = judge.clock() - begun
        for i in wanted:
            assert evaluator is not None
            show = partial(_inside, progress, (len(networks) - len(left), len(networks)))
            show(0, 1, "")
            row = _value(candidate, evaluator, judge, networks[i], show)
            learnt = {"labels": asked[-1], "learnt": judge.digests[fold]} if asked else {}
            journal.add({**row, "made_s": made_s, **learnt})
            made_s = None  # it is made once
            left.remove(i)
        if asked:
            evaluator = None


def _labels(judge: Judge, fold: int, asked: list[int]) -> list[Known]:
    """The networks outside a fold; notes that somebody asked."""
    made = [each for i, each in enumerate(judge.known) if i % FOLDS != fold]
    asked.append(len(made))
    return made


def _inside(progress: Progress, outer: tuple[int, int], done: int, total: int, text: str) -> None:
    progress(*outer, f"{done}/{total} {text}" if text else "")


def _value(candidate: Candidate, evaluator: Evaluator, judge: Judge, net: Network, show: Progress) -> Row:
    """One evaluation as a row."""
    row: Row = {"evaluator": candidate.name, "of": candidate.of, "key": net.key}
    words = "".join(letter if letter.isalnum() else "_" for letter in candidate.name)
    folder = judge.folder / CHECKPOINTS / f"{words}-{net.key}"
    job = Job(number=0, seed=job_seed(judge.seed, net.key, APART), folder=folder, progress=show)
    begun, fresh = judge.clock(), not folder.exists()
    try:
        found = evaluator.evaluate(net.arch, job)
        if not math.isfinite(found.top1):
            raise TrainingError(f"it gave {found.top1}", reason="nan")
        row |= {
            "value": found.top1,
            "cost_s": judge.clock() - begun if fresh else None,
            "once_s": found.extra.get(ONCE),
        }
    except TrainingError as error:
        row |= {"failed": f"{error.reason}: {first_line(error)}"}
    shutil.rmtree(folder, ignore_errors=True)
    return row


def _rows(candidate: Candidate, judge: Judge, rows: Sequence[Row]) -> dict[int, Row]:
    """Place of a network -> what is known of it; values learnt from other labels do not count."""
    places = {net.key: i for i, net in enumerate(judge.truth.networks)}
    return {
        places[row["key"]]: row
        for row in rows
        if row["evaluator"] == candidate.name and row["of"] == candidate.of and row["key"] in places
        and row.get("learnt") in (None, judge.digests[places[row["key"]] % FOLDS])
    }  # fmt: skip


def _missing(candidate: Candidate, judge: Judge, rows: Sequence[Row]) -> list[int]:
    """Places of the networks that are not judged yet."""
    return sorted(set(range(len(judge.truth.networks))) - _rows(candidate, judge, rows).keys())


def _scores(candidate: Candidate, judge: Judge, rows: Sequence[Row], why: str | None) -> Scores:
    """The rows of one evaluator as its scores."""
    known = _rows(candidate, judge, rows)
    values = np.array([known.get(i, {}).get("value", np.nan) for i in range(len(judge.truth.networks))], dtype=float)
    failures = [row["failed"] for row in known.values() if "failed" in row]
    if np.isnan(values).all():
        return Scores(name=candidate.name, values=values, failed=why or (failures or ["nothing was judged"])[0])
    fine = [row for row in known.values() if row.get("cost_s") is not None]
    later = [row["cost_s"] for row in fine if row.get("made_s") is None] or [row["cost_s"] for row in fine]
    each_s = float(np.mean(later)) if later else math.nan
    once_s = max((row["made_s"] + max((row.get("cost_s") or each_s) - each_s, 0.0)
                  for row in known.values() if row.get("made_s") is not None), default=0.0)  # fmt: skip
    once_s = max([once_s, *(row["once_s"] for row in known.values() if row.get("once_s") is not None)])
    labels = max((row.get("labels", 0) for row in known.values()), default=0)
    return Scores(name=candidate.name, values=values, each_s=each_s, once_s=once_s, labels=labels)
