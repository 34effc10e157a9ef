"""A run that was stopped, killed or joined ends as one that was not."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from optuna.trial import TrialState

from archsearch import plugins
from archsearch.records import TESTED
from archsearch.report.open import open_run
from tests.search.conftest import Noting, Silent, make_run, story
from tests.search.workers import finish, kill, start

ROOT = Path(__file__).resolve().parents[2]
REAL = """
import sys
from pathlib import Path
from archsearch.cli.main import code
print("ready", flush=True)
words = "--epochs 4 --trial-images 300 --final-epochs 4 --trials 4 --finalists 2 --threads 1 --sampler nsga2".split()
sys.exit(code(["run", "--space", sys.argv[1], "--out", sys.argv[2], *words]))
"""


KILLS = [(name, 20 if name == "greybox" else 6) for name in plugins.names("samplers") if name != "gp"]
SHORT = {"budgets": {"madds": "20M"}, "finalists": 3}


@pytest.mark.slow
@pytest.mark.parametrize(("sampler", "kills"), KILLS)
def test_sigkill_at_random_moments_changes_nothing(tmp_path, sampler, kills):
    rng, options = random.Random(f"{sampler} {kills}"), {"sampler": sampler, "trials": 60, **SHORT}
    for _ in range(kills):
        worker = start(tmp_path / "killed", delay=0.03, **options)
        time.sleep(rng.uniform(0.0, 3.6 / kills))
        kill(worker)
    assert make_run(tmp_path / "killed", **options).ledger.tally().begun < 60
    finish(start(tmp_path / "killed", **options))
    finish(start(tmp_path / "whole", **options))
    killed, whole = (make_run(tmp_path / name, **options) for name in ("killed", "whole"))
    assert story(killed) == story(whole)
    assert whole.ledger.tally().begun == 60
    tests = [{k: v for k, v in run.ledger.study.user_attrs.items() if "test" in k} for run in (killed, whole)]
    assert tests[0] == tests[1]
    assert len(tests[0]) == 3


@pytest.mark.slow
def test_kills_between_the_tests_of_the_front_change_nothing(tmp_path):
    finish(start(tmp_path / "whole", trials=12, **SHORT))
    whole = make_run(tmp_path / "whole", **SHORT)
    for tested in (1, 2):
        worker = start(tmp_path / "killed", delay=0.1, trials=12, **SHORT)
        run = make_run(tmp_path / "killed", **SHORT)
        while sum(name.startswith("archsearch:test:") for name in run.ledger.study.user_attrs) < tested:
            time.sleep(0.02)
        kill(worker)
    finish(start(tmp_path / "killed", trials=12, **SHORT))
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
            worker.kill()
            worker.communicate()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stderr
        study = open_run(tmp_path / folder)[0]
        trials = [(t.number, t.state.name, t.user_attrs["key"], t.params, t.values) for t in study.trials]
        tests = {k: v["top1_test"] for k, v in study.user_attrs.items() if k.startswith("archsearch:test:")}
        stories.append((trials, tests))
    assert stories[0] == stories[1]
    assert len(stories[0][1]) >= 1


@pytest.mark.parametrize(("sampler", "steps"), [
    ("random", (7, 20, 31)), ("nsga2", (7, 25, 45)), ("nsga3", (9, 30, 45)), ("tpe", (7, 15, 25)), ("gp", (4, 8, 9)),
    ("greybox", (7, 19, 25)),
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
    finish(*[start(tmp_path / "run", delay=0.02, sampler="nsga2", trials=60, **SHORT) for _ in range(2)])
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
    worker = start(tmp_path / "run", delay=30.0, trials=3, **SHORT)
    run = make_run(tmp_path / "run", trials=3, **SHORT)
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
