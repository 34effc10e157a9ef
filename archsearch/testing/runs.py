"""Checks of what takes part in runs: evaluators and samplers."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsearch.testing.common import SPACE, hold

if TYPE_CHECKING:
    from archsearch.evaluate.base import Evaluation, Evaluator
    from archsearch.search.run import Run
    from archsearch.spec.arch import Arch


def check_evaluator(evaluator: "Evaluator", arch: "Arch", folder: Path) -> None:
    """An evaluator: fractions with a standard error, progress told to its end, the same again in another folder.

    arch     a network that it can evaluate, the cheaper the better
    folder   an empty folder to work in
    raises   AssertionError
    """
    from archsearch.evaluate.base import Job

    told: list[tuple[int, int]] = []
    jobs = [Job(number=0, seed=7, folder=folder / each, progress=lambda done, total, _: told.append((done, total)))
            for each in ("one", "two")]  # fmt: skip
    first, second = (evaluator.evaluate(arch, job) for job in jobs)
    hold(bool(told) and told[-1][0] == told[-1][1], f"the last progress told was {told[-1:]}, not all of it")
    for result in (first, evaluator.final(arch, jobs[0])):
        _check_evaluation(result)
    same = ("top1", "top1_se", "top5")
    for name in same:
        values = getattr(first, name), getattr(second, name)
        hold(values[0] == values[1], f"{name} of the same network and seed is {values[0]}, then {values[1]}")


def check_sampler(name: str, folder: Path, *, trials: int = 24) -> None:
    """A sampler in a small run: nothing over budget or twice evaluated, repeatable, the same after a stop.

    folder   an empty folder to work in
    raises   AssertionError
    """
    runs = [_small_run(name, folder / each, trials=trials) for each in ("whole", "again")]
    stopped = _small_run(name, folder / "stopped", trials=trials // 2)
    runs.append(_small_run(name, folder / "stopped", trials=trials))
    lists = [[(t.params, t.values, t.user_attrs["status"]) for t in run.ledger.trials()] for run in runs]
    hold(lists[0] == lists[1], f"sampler {name!r}: the same seed gives other trials")
    hold(lists[0] == lists[2], f"sampler {name!r}: stopped and resumed it gives other trials")
    hold(stopped.folder.root == runs[2].folder.root, "the resumed run has a folder of its own")
    for run in runs:
        evaluated = [t for t in run.ledger.trials() if t.user_attrs["status"] == "trained"]
        keys = [t.user_attrs["key"] for t in evaluated]
        over = [t.number for t in evaluated if not run.problem.budget.fits(t.user_attrs["costs"])]
        hold(len(evaluated) == trials, f"sampler {name!r} evaluated {len(evaluated)} networks instead of {trials}")
        hold(not over, f"sampler {name!r}: trials {over} are over budget")
        hold(len(set(keys)) == len(keys), f"sampler {name!r}: some network was evaluated twice")


def _check_evaluation(result: "Evaluation") -> None:
    for name in ("top1", "top5", "top1_se"):
        value: Any = getattr(result, name)
        hold(isinstance(value, float) and 0 <= value <= 1, f"{name} must be a fraction, got {value!r}")
    hold(result.top5 >= result.top1, f"top5 {result.top5} is below top1 {result.top1}")
    hold(result.seconds >= 0, f"seconds are {result.seconds}")


class _Silent:
    """A watch that shows nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


def _small_run(sampler: str, folder: Path, *, trials: int) -> "Run":
    """A run of a small space under a budget on made-up accuracies, searched to its end."""
    from archsearch.cost.feasible import read_budget
    from archsearch.evaluate.synthetic import SyntheticEvaluator
    from archsearch.records import RunFolder
    from archsearch.search.config import RunConfig
    from archsearch.search.propose import Problem
    from archsearch.search.run import open_run, space_hash
    from archsearch.spec.space_file import parse_space

    space = parse_space(SPACE, name="testing")
    config = RunConfig(space="testing", space_hash=space_hash(space), data="none", data_hash="none",
                       evaluator="synthetic", sampler=sampler, trials=trials, seed=5,
                       budgets={"madds": "60%"})  # fmt: skip
    problem = Problem(space=space, budget=read_budget(config.budgets, space))
    run = open_run(config, problem, RunFolder(folder))
    run.search(SyntheticEvaluator(), _Silent())
    return run
