"""A run that was stopped, killed or joined ends as one that was not."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from optuna.trial import TrialState

from archsearch.records import TESTED
from archsearch.report.open import open_run
from archsearch.search.propose import is_first
from tests.search.conftest import Noting, Silent, make_run, story

ROOT = Path(__file__).resolve().parents[2]
WORKER = """
import sys
from pathlib import Path
from tests.search.conftest import Silent, Slow, make_run
run = make_run(Path(sys.argv[1]), sampler=sys.argv[2], trials=int(sys.argv[3]), budgets={"madds": "20M"}, finalists=3)
print("ready", flush=True)
run.search(Slow(float(sys.argv[4])), Silent())
run.finish(Slow(4 * float(sys.argv[4])), Silent())
"""
REAL = """
import sys
from pathlib import Path
from archsearch.cli.main import code
print("ready", flush=True)
words = "--epochs 4 --trial-images 300 --final-epochs 4 --trials 4 --finalists 2 --threads 1 --sampler nsga2".split()
sys.exit(code(["run", "--space", sys.argv[1], "--out", sys.argv[2], *words]))
"""


def start(folder: Path, sampler: str, trials: int, delay: float) -> subprocess.Popen:
    """A worker process that has opened the run."""
    command = [sys.executable, "-c", WORKER, str(folder), sampler, str(trials), str(delay)]
    worker = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert worker.stdout is not None
    worker.stdout.readline()
    return worker


def kill(worker: subprocess.Popen) -> None:
    """SIGKILL, as the kernel does it when memory is short."""
    worker.send_signal(signal.SIGKILL)
    worker.communicate()


def finish(worker: subprocess.Popen) -> None:
    """Wait for a worker's clean end."""
    worker.communicate(timeout=120)
    assert worker.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize(("sampler", "kills"), [("nsga3", 10), ("random", 3), ("tpe", 3)])
def test_sigkill_at_random_moments_changes_nothing(tmp_path, sampler, kills):
    rng = random.Random(f"{sampler} {kills}")
    for _ in range(kills):
        worker = start(tmp_path / "killed", sampler, 60, 0.03)
        time.sleep(rng.uniform(0.0, 0.4))
        kill(worker)
    assert (
        sum(map(is_first, make_run(tmp_path / "killed", sampler=sampler, budgets={"madds": "20M"}).ledger.trials()))
        < 60
    )
    finish(start(tmp_path / "killed", sampler, 60, 0.0))
    finish(start(tmp_path / "whole", sampler, 60, 0.0))
    killed = make_run(tmp_path / "killed", sampler=sampler, budgets={"madds": "20M"})
    whole = make_run(tmp_path / "whole", sampler=sampler, budgets={"madds": "20M"})
    assert story(killed) == story(whole)
    assert sum(map(is_first, whole.ledger.trials())) == 60
    tests = [{k: v for k, v in run.ledger.study.user_attrs.items() if "test" in k} for run in (killed, whole)]
    assert tests[0] == tests[1]
    assert len(tests[0]) == 3


@pytest.mark.slow
def test_kills_between_the_tests_of_the_front_change_nothing(tmp_path):
    finish(start(tmp_path / "whole", "random", 12, 0.0))
    whole = make_run(tmp_path / "whole", sampler="random", budgets={"madds": "20M"})
    for tested in (1, 2):
        worker = start(tmp_path / "killed", "random", 12, 0.1)
        run = make_run(tmp_path / "killed", sampler="random", budgets={"madds": "20M"})
        while sum(name.startswith("archsearch:test:") for name in run.ledger.study.user_attrs) < tested:
            time.sleep(0.02)
        kill(worker)
    finish(start(tmp_path / "killed", "random", 12, 0.0))
    assert run.ledger.study.user_attrs == whole.ledger.study.user_attrs
    assert story(run) == story(whole)


@pytest.mark.slow
def test_kills_in_real_trainings_change_nothing(tmp_path):
    space = tmp_path / "tiny.toml"
    space.write_text(
        "width = [0.5, 1.0]\nresolution = 24\n[stem]\nwidth = 16\n[head]\nwidth = 32\n"
        "[[stage]]\nwidth = 16\nexpand = [1, 2]\nstride = 2\n[[stage]]\nwidth = 24\nstride = 2\nexpand = [2, 3]\n"
    )
    rng = random.Random(7)
    stories = []
    for folder, kills in (("killed", 4), ("whole", 0)):
        command = [sys.executable, "-c", REAL, str(space), str(tmp_path / folder)]
        for _ in range(kills):
            worker = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            time.sleep(6 + rng.uniform(0, 2))
            kill(worker)
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stderr
        study = open_run(tmp_path / folder)[0]
        trials = [(t.number, t.state.name, t.user_attrs["key"], t.params, t.values) for t in study.trials]
        tests = {k: v["top1_test"] for k, v in study.user_attrs.items() if k.startswith("archsearch:test:")}
        stories.append((trials, tests))
    assert stories[0] == stories[1]
    assert len(stories[0][1]) >= 1


@pytest.mark.parametrize(("sampler", "steps"), [
    ("random", (7, 20, 31)), ("nsga2", (7, 25, 45)), ("nsga3", (9, 30, 45)), ("tpe", (7, 15, 25)), ("gp", (5, 11, 13)),
])  # fmt: skip
def test_stopping_and_going_on_gives_the_same_trials(tmp_path, silent, sampler, steps):
    for trials in steps:
        make_run(tmp_path / "parts", sampler=sampler, trials=trials, budgets={"madds": "20M"}).search(Noting(), silent)
    for folder in ("parts", "whole"):
        run = make_run(tmp_path / folder, sampler=sampler, trials=steps[-1], budgets={"madds": "20M"})
        run.search(Noting(), silent)
    parts = make_run(tmp_path / "parts", sampler=sampler, budgets={"madds": "20M"})
    assert story(parts) == story(run)


@pytest.mark.slow
def test_two_workers_lose_nothing_and_repeat_nothing(tmp_path):
    workers = [start(tmp_path / "run", "nsga2", 60, 0.02) for _ in range(2)]
    for worker in workers:
        finish(worker)
    run = make_run(tmp_path / "run", sampler="nsga2", budgets={"madds": "20M"})
    trials = run.ledger.trials()
    trained = [t for t in trials if t.user_attrs["status"] == "trained"]
    assert [t.number for t in trials] == list(range(len(trials)))
    assert len(trained) == 60
    assert len({t.user_attrs["key"] for t in trained}) == 60
    assert all(t.state.is_finished() for t in trials)
    assert len({t.user_attrs["worker"] for t in trained}) == 2
    assert sum(TESTED.format("") in name for name in run.ledger.study.user_attrs) == 3


@pytest.mark.slow
def test_a_living_worker_takes_over_the_trial_of_a_dead_one(tmp_path, silent):
    worker = start(tmp_path / "run", "random", 3, 30.0)
    run = make_run(tmp_path / "run", sampler="random", trials=3, budgets={"madds": "20M"})
    while not run.ledger.trials():
        time.sleep(0.05)
    assert run.ledger.trials()[0].state == TrialState.RUNNING
    kill(worker)
    evaluator = Noting()
    run.search(evaluator, silent)
    assert [t.user_attrs["status"] for t in run.ledger.trials()] == ["trained"] * 3
    assert len(evaluator.evaluated) == 3


def test_a_finished_run_does_nothing_more(tmp_path, silent):
    for _ in range(2):
        evaluator = Noting()
        run = make_run(tmp_path / "run", trials=5, finalists=2)
        run.search(evaluator, silent)
        run.finish(evaluator, silent)
    assert evaluator.evaluated == []
    assert evaluator.tested == []


def test_more_trials_go_on_where_the_run_ended(tmp_path, silent):
    make_run(tmp_path / "run", trials=4).search(Noting(), silent)
    evaluator = Noting()
    make_run(tmp_path / "run", trials=9).search(evaluator, Silent())
    assert len(evaluator.evaluated) == 5
