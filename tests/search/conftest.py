"""Runs on made-up evaluators that note what they were asked to do."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from archsearch.cost.count import count
from archsearch.cost.feasible import read_budget
from archsearch.errors import TrainingError
from archsearch.evaluate.base import Evaluation, Job
from archsearch.evaluate.synthetic import SyntheticEvaluator
from archsearch.records import RunFolder
from archsearch.search.config import RunConfig
from archsearch.search.propose import Problem
from archsearch.search.run import Run, open_run, space_hash
from archsearch.spec.arch import Arch
from archsearch.spec.canon import key
from archsearch.spec.space_file import read_space


class Silent:
    """A watch that shows nothing."""

    def trial_began(self, number, arch): ...
    def progress(self, done, total, text): ...
    def trial_ended(self, trials, number): ...
    def final_began(self, number, nth, of): ...
    def final_ended(self, number, result): ...
    def waiting(self, text): ...


class Slow(SyntheticEvaluator):
    """The synthetic evaluator, taking its time in finals too."""

    def __init__(self, delay_s: float, epochs: int | None = None) -> None:
        super().__init__(delay_s, epochs)
        self.delay_s = delay_s

    def final(self, arch: Arch, job: Job) -> Evaluation:
        time.sleep(self.delay_s)
        return super().final(arch, job)


class Noting(SyntheticEvaluator):
    """The synthetic evaluator, with a list of what it evaluated; fails where it is told to."""

    def __init__(self, fails: Callable[[Arch], bool] = lambda arch: False) -> None:
        super().__init__()
        self.fails = fails
        self.evaluated: list[tuple[str, dict[str, int]]] = []
        self.tested: list[str] = []

    def evaluate(self, arch: Arch, job: Job) -> Evaluation:
        self.evaluated.append((key(arch), count(arch)))
        if self.fails(arch):
            raise TrainingError("the loss is not a number", reason="nan")
        return super().evaluate(arch, job)

    def final(self, arch: Arch, job: Job) -> Evaluation:
        self.tested.append(key(arch))
        return super().final(arch, job)


def make_run(folder: Path, *, space: str = "mobilenet_v2_small", budgets=None, minimize=("madds",), **options) -> Run:
    """A run in a folder, opened or opened again."""
    read = read_space(space)
    budgets = {"madds": "60M"} if budgets is None else budgets
    problem = Problem(space=read, budget=read_budget(budgets, read), minimize=tuple(minimize),
                      repeats=options.get("repeats", False))  # fmt: skip
    config = RunConfig(
        space=space, space_hash=space_hash(read), data="none", data_hash="", budgets=budgets, minimize=tuple(minimize),
        evaluator="synthetic", **options,
    )  # fmt: skip
    return open_run(config, problem, RunFolder(folder))


def story(run: Run) -> list[tuple]:
    """What must be the same however often a run was stopped: numbers, architectures, values, states."""
    return [
        (t.number, t.state.name, t.user_attrs["status"], t.user_attrs["key"], t.params, t.values)
        for t in run.ledger.trials()
    ]


@pytest.fixture
def silent() -> Silent:
    return Silent()
