"""The truth: what each network of the sample reaches when it is trained alone with several seeds; cached, resumable."""

import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archsearch.errors import CheckpointError, RunError, TrainingError
from archsearch.evaluate.base import Evaluation, Evaluator, Job, Known, Progress
from archsearch.evaluate.table import Table
from archsearch.spec.arch import Arch
from archsearch.spec.text import from_text, to_text
from archsearch.trust.sample import Network
from archsearch.trust.store import Claims, Journal, Row, share

Floats = NDArray[np.float64]
TRUTH = "truth.jsonl"
CHECKPOINTS = "checkpoints"
LEAST = 3  # networks with a result, of which an order is told


@dataclass(frozen=True, kw_only=True, eq=False)
class Truth:
    """What is known of the networks that were trained; NaN = no such seed."""

    networks: tuple[Network, ...]
    top1: Floats  # fractions, float[n, seeds]
    se: Floats  # standard error of each for the number of images, float[n, seeds]
    cost_s: float  # of one training, in the clock's seconds; NaN = not known
    failed: tuple[str, ...] = ()  # of each network without a result, why

    @property
    def mean(self) -> Floats:
        """Over the seeds of each network, float[n]."""
        return np.asarray(np.nanmean(self.top1, axis=1))

    @property
    def madds(self) -> Floats:
        """float[n]."""
        return np.array([each.madds for each in self.networks], dtype=float)

    @property
    def params(self) -> Floats:
        """float[n]."""
        return np.array([each.params for each in self.networks], dtype=float)

    def known(self) -> list[Known]:
        """The means as labels; their standard error is that of one seed: all seeds are judged on the same images."""
        errors = np.sqrt(np.nanmean(self.se**2, axis=1))
        return [Known(arch=net.arch, top1=float(mean), top1_se=float(error))
                for net, mean, error in zip(self.networks, self.mean, errors, strict=True)]  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class Maker:
    """What trains: an evaluator, where it does so, and how the time it takes is told."""

    evaluator: Evaluator
    folder: Path
    claims: Claims
    seed: int
    clock: Callable[[], float]  # core-seconds of this process, or GPU-seconds
    wait: Callable[[], None]  # while others are at work on what is left


def job_seed(seed: int, key: str, place: int) -> int:
    """The seed of a network's training: a function of the report's seed, the network and which of its seeds it is."""
    return int(np.random.SeedSequence([seed, int(key, 16), place]).generate_state(1)[0])


def make(networks: Sequence[Network], seeds: int, maker: Maker, progress: Progress) -> None:
    """Train what is not in the folder's journal yet; a training that fails is kept as a failure.

    All networks get their first seed before any gets its second. A kill at any moment loses at most an epoch.
    """
    journal = Journal(maker.folder / TRUTH)
    jobs = {f"{net.key}-{place}": (net, place) for place in range(seeds) for net in networks}

    def done() -> list[str]:
        return [f"{row['key']}-{row['seed']}" for row in journal.rows()]

    def do(name: str) -> None:
        net, place = jobs[name]
        count = len(jobs.keys() & set(done()))

        def told(epoch: int, epochs: int, text: str) -> None:
            progress(count, len(jobs), f"{net.key} seed {place}: {epoch}/{epochs} {text}")

        told(0, 1, "")
        journal.add(_trained(net, place, maker, told))
        progress(count + 1, len(jobs), "")

    share(list(jobs), maker.claims, done=done, do=do, wait=maker.wait)


def _trained(net: Network, place: int, maker: Maker, progress: Progress) -> Row:
    """One training as a row; checkpoints that cannot be trusted are thrown away once."""
    folder = maker.folder / CHECKPOINTS / f"{net.key}-{place}"
    job = Job(number=place, seed=job_seed(maker.seed, net.key, place), folder=folder, progress=progress)
    begun, fresh = maker.clock(), not folder.exists()
    row: Row = {"key": net.key, "seed": place, "arch": to_text(net.arch), "madds": net.madds, "params": net.params}
    try:
        try:
            found = maker.evaluator.evaluate(net.arch, job)
        except CheckpointError:
            shutil.rmtree(folder, ignore_errors=True)
            found = maker.evaluator.evaluate(net.arch, job)
        row |= _plain(found) | {"cost_s": maker.clock() - begun if fresh else None}
    except TrainingError as error:
        row |= {"failed": f"{error.reason}: {error}"}
    shutil.rmtree(folder, ignore_errors=True)
    return row


def _plain(found: Evaluation) -> Row:
    if not math.isfinite(found.top1):
        return {"failed": f"the evaluator gave a top-1 of {found.top1}"}
    return {"top1": found.top1, "top1_se": found.top1_se, "seconds": found.seconds}


def from_table(networks: Sequence[Network], rows: Sequence[int], table: Table, folder: Path) -> None:
    """The truth that a table tells of its networks, written where trainings would stand."""
    journal = Journal(folder / TRUTH)
    known = {(row["key"], row["seed"]) for row in journal.rows()}
    made = []
    for net, row in zip(networks, rows, strict=True):
        cost = {} if table.seconds is None else {"cost_s": float(table.seconds[row])}
        plain = {"key": net.key, "arch": to_text(net.arch), "madds": net.madds, "params": net.params}
        made += [{**plain, "seed": place, "top1": float(value), "top1_se": table.noise, **cost}
                 for place, value in enumerate(table.top1[row])
                 if not np.isnan(value) and (net.key, place) not in known]  # fmt: skip
    if made:
        journal.add(*made)


def read(networks: Sequence[Network], seeds: int, folder: Path) -> Truth:
    """What the folder knows of these networks; those without any result are left out and told.

    raises   RunError where fewer than three networks have a result
    """
    told = {(row["key"], row["seed"]): row for row in Journal(folder / TRUTH).rows()}
    rows = [[told.get((net.key, place), {}) for place in range(seeds)] for net in networks]
    top1, se = (np.array([[row.get(name, np.nan) for row in each] for each in rows], dtype=float).reshape(-1, seeds)
                for name in ("top1", "top1_se"))  # fmt: skip
    kept = ~np.isnan(top1).all(axis=1)
    lost = [f"{net.key}: {_why(each)}" for net, each, fine in zip(networks, rows, kept, strict=True) if not fine]
    if kept.sum() < LEAST:
        raise RunError(f"{int(kept.sum())} networks have a result, at least {LEAST} are needed" + "".join(
            f"; {why}" for why in lost[:1]))  # fmt: skip
    costs = [row["cost_s"] for each in rows for row in each if row.get("cost_s") is not None]
    return Truth(
        networks=tuple(net for net, fine in zip(networks, kept, strict=True) if fine), top1=top1[kept], se=se[kept],
        cost_s=float(np.mean(costs)) if costs else math.nan, failed=tuple(lost),
    )  # fmt: skip


def _why(rows: Sequence[Row]) -> str:
    return next((str(row["failed"]) for row in rows if "failed" in row), "not trained yet")


def known(folder: Path) -> list[Known]:
    """All networks whose truth lies in a folder, as labels for evaluators that learn: mean over the seeds of each.

    raises   RunError where the folder holds no truth, or a damaged one
    """
    path = Path(folder) / TRUTH
    if not path.is_file():
        raise RunError(f"{folder} holds no truth ({TRUTH}); archsearch trust --out {folder} makes one")
    told: dict[str, list[Row]] = {}
    for row in Journal(path).rows():
        if "top1" in row:
            told.setdefault(row["key"], []).append(row)
    return [_label(from_text(rows[0]["arch"]), rows) for rows in told.values()]


def _label(arch: Arch, rows: Sequence[Row]) -> Known:
    errors = np.array([row["top1_se"] for row in rows], dtype=float)
    return Known(arch=arch, top1=float(np.mean([row["top1"] for row in rows])),
                 top1_se=float(np.sqrt(np.mean(errors**2))))  # fmt: skip
