"""How a study bears many trials and several workers: time of a proposal, memory, trials lost or trained twice."""

import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from archsearch.cost.feasible import read_budget
from archsearch.errors import RunError
from archsearch.evaluate.base import Evaluation, Job
from archsearch.evaluate.synthetic import SyntheticEvaluator
from archsearch.records import TRAINED, RunFolder
from archsearch.search.config import RunConfig
from archsearch.search.propose import Problem, Proposer
from archsearch.search.run import Run, open_run, space_hash
from archsearch.search.worker import Limits, Worker
from archsearch.spec.arch import Arch
from archsearch.spec.space_file import read_space

MARKS = (100, 1_000, 5_000, 10_000)  # trials at which the time of a proposal is told
WINDOW = 0.1  # share of the trials before a mark over which its median is taken
WARM_UP = 100  # trials after which memory is compared: before, libraries are still being loaded
POLL_S = 0.2
Told = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What the workers do together."""

    space: str = "mobilenet_v2"
    sampler: str = "random"
    trials: int = 2_000
    workers: int = 4
    budget: str = "60%"  # of MAdds
    minimize: tuple[str, ...] = ("madds",)
    seed: int = 0


def measure(load: Load, told: Told) -> dict[str, Any]:
    """Let processes share one run in a folder of its own, with made-up accuracies; what came of it, for JSON.

    raises   RunError where a worker did not come to its end
    """
    with tempfile.TemporaryDirectory(prefix="archsearch-") as place:
        root = Path(place)
        began = time.monotonic()
        ended = _let_work(load, root, told)
        seconds = time.monotonic() - began
        notes = [_notes(path) for path in sorted(root.glob("notes-*.jsonl"))]
        errors = [path.read_text(encoding="utf-8") for path in sorted(root.glob("error-*.txt"))]
        if len(errors) < sum(code != 0 for code in ended):
            raise RunError(f"workers ended with exit codes {ended}")
        whys = sorted({path.read_text(encoding="utf-8") for path in root.glob("why-*.txt")})
        return {
            **asdict(load), "cores": os.cpu_count(), "seconds": round(seconds, 2),
            "proposal_ms": _proposals(notes), "memory": _memory(notes),
            "journal_mb": round((root / "run" / "study.journal").stat().st_size / 2**20, 2),
            **_checked(_opened(load, root), notes), "stopped": whys, "errors": errors,
        }  # fmt: skip


def _let_work(load: Load, root: Path, told: Told) -> list[int | None]:
    """Start the workers and wait for their ends; their exit codes."""
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=work, args=(load, root, nth)) for nth in range(load.workers)]
    for worker in workers:
        worker.start()
    try:
        while any(worker.is_alive() for worker in workers):
            told(sum(path.stat().st_size // LINE for path in root.glob("notes-*.jsonl")), load.trials, "trials")
            time.sleep(POLL_S)
    finally:
        for worker in workers:
            worker.kill()
            worker.join()
    return [worker.exitcode for worker in workers]


LINE = 64  # bytes of a note, so that a file's size tells how many it holds


def work(load: Load, root: Path, nth: int) -> None:
    """One worker process: a line for each trial that it evaluated; an error's text in a file of its own."""
    path = root / f"notes-{nth}.jsonl"
    try:
        run = _opened(load, root)
        proposers: list[_Timed] = []

        def proposer(name: str) -> Proposer:
            timed = _Timed(run.problem, run.ledger, sampler=load.sampler, seed=load.seed, worker=name)
            proposers.append(timed)
            return timed

        with path.open("w", encoding="ascii") as file:
            judge = _Noting(lambda job: _note(file, job.number, proposers[0].ms))
            worker = Worker(run.folder, run.ledger, judge, proposer=proposer, seed=load.seed, watch=_Silent())
            why = worker.search(run.problem, Limits(trials=load.trials))
            worker.leave()
        (root / f"why-{nth}.txt").write_text(why, encoding="utf-8")
    except BaseException as error:
        (root / f"error-{nth}.txt").write_text(f"{type(error).__name__}: {error}", encoding="utf-8")
        sys.exit(1)


class _Timed(Proposer):
    """A proposer that knows how long its last proposal took."""

    ms = 0.0

    def next(self) -> tuple[int, Arch] | None:
        began = time.perf_counter()
        found = super().next()
        self.ms = (time.perf_counter() - began) * 1000
        return found


class _Noting(SyntheticEvaluator):
    """The synthetic evaluator; tells each job."""

    def __init__(self, note: Callable[[Job], None]) -> None:
        super().__init__()
        self._note = note

    def evaluate(self, arch: Arch, job: Job) -> Evaluation:
        self._note(job)
        return super().evaluate(arch, job)


class _Silent:
    """A watch that shows nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: None


def _opened(load: Load, root: Path) -> Run:
    space = read_space(load.space)
    budgets = {"madds": load.budget}
    config = RunConfig(
        space=load.space, space_hash=space_hash(space), data="none", data_hash="", budgets=budgets,
        minimize=load.minimize, evaluator="synthetic", sampler=load.sampler, seed=load.seed, trials=load.trials,
    )  # fmt: skip
    problem = Problem(space=space, budget=read_budget(budgets, space), minimize=load.minimize)
    return open_run(config, problem, RunFolder(root / "run"))


def _note(file: Any, number: int, ms: float) -> None:
    """Write what is known of one trial: its number, the proposal's time, the process's memory."""
    file.write(json.dumps([number, round(ms, 3), resident()]).ljust(LINE - 1) + "\n")
    file.flush()


def resident() -> int:
    """Memory that this process holds [bytes]."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _notes(path: Path) -> np.ndarray:
    """float[n, 3]: number, milliseconds, bytes."""
    lines = path.read_text(encoding="ascii").splitlines()
    return np.array([json.loads(line) for line in lines], dtype=float).reshape(-1, 3)


def _proposals(notes: Sequence[np.ndarray]) -> dict[str, float]:
    """Mark -> median time of a proposal just before it [ms], over all workers."""
    rows = np.concatenate(notes)
    marks = [mark for mark in MARKS if mark <= len(rows)] or [len(rows)]
    near = {mark: rows[(rows[:, 0] < mark) & (rows[:, 0] >= mark * (1 - WINDOW))] for mark in marks}
    return {str(mark): round(median(part[:, 1]), 3) for mark, part in near.items() if len(part)}


def _memory(notes: Sequence[np.ndarray]) -> dict[str, float]:
    """Of the worker that needs most: memory at the end, and growth for each 100 trials of the study (line fitted)."""
    kept = [part[part[:, 0] >= WARM_UP] for part in notes]
    slopes = [np.polyfit(part[:, 0], part[:, 2], 1)[0] * 100 for part in kept if len(part) > 1]
    return {
        "at_end_mb": round(max((part[-1, 2] for part in notes if len(part)), default=0) / 2**20, 1),
        "mb_per_100_trials": round(max(slopes, default=0.0) / 2**20, 3),
    }


def _checked(run: Run, notes: Sequence[np.ndarray]) -> dict[str, Any]:
    """Lost: evaluated and not trained in the study, or the other way. Repeated: evaluated twice, or one network twice.

    A number that the study skips would be lost, too: numbers are counted from 0.
    """
    trials = run.ledger.trials()
    trained = [t for t in trials if t.user_attrs["status"] == TRAINED and t.state.is_finished()]
    evaluated = Counter(int(number) for part in notes for number in part[:, 0])
    keys = Counter(t.user_attrs["key"] for t in trained)
    over = [t for t in trained if not run.problem.budget.fits(t.user_attrs["costs"])]
    return {
        "trained": len(trained),
        "lost": len(set(evaluated) ^ {t.number for t in trained}) + sum(t.number != i for i, t in enumerate(trials)),
        "repeated": sum(evaluated.values()) - len(evaluated) + len(trained) - len(keys),
        "over_budget": len(over),
        "statuses": dict(Counter(str(t.user_attrs["status"]) for t in trials)),
    }
