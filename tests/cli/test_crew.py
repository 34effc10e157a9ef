"""run --workers: processes that share a run, and end with it however it ends."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from archsearch.cli.crew import Crew, cores, share, size
from archsearch.cli.watch import ConsoleWatch
from archsearch.cost.budget import Budget
from archsearch.errors import RunError
from archsearch.search.propose import Problem
from archsearch.spec.space_file import read_space

REPOSITORY = Path(__file__).resolve().parents[2]
PATIENCE_S = 140
EVALUATOR = """
import os, pathlib, time
from archsearch.evaluate.synthetic import SyntheticEvaluator

class Slow(SyntheticEvaluator):
    def evaluate(self, arch, job):
        pids = pathlib.Path(os.environ["PIDS"])
        (pids / f"{os.getpid()}-{job.number}").touch()
        while len({name.partition("-")[0] for name in os.listdir(pids)}) < 2:
            time.sleep(0.05)  # for the other worker
        time.sleep(0.1)
        return super().evaluate(arch, job)

def slow(setup):
    return Slow()
"""


class Shell:
    """A folder in which the command can be started with an evaluator that waits until two processes train."""

    def __init__(self, root: Path) -> None:
        self.root, self.pids = root, root / "pids"
        self.pids.mkdir()
        info = root / "site" / "slow-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: slow\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[archsearch.evaluators]\nslow = slow_evaluator:slow\n")
        (root / "site" / "slow_evaluator.py").write_text(EVALUATOR)

    def start(self, *, trials: int) -> "subprocess.Popen[str]":
        """`archsearch run` with two workers."""
        path = os.pathsep.join([str(self.root / "site"), str(REPOSITORY)])
        words = ["run", "--space", "nas_bench_macro", "--budget-madds", "60M", "--evaluator", "slow", "--out", "run",
                 "--sampler", "random", "--trials", str(trials), "--finalists", "2", "--workers", "2",
                 "--json"]  # fmt: skip
        return subprocess.Popen(
            [sys.executable, "-m", "archsearch", *words], cwd=self.root, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path, "PIDS": str(self.pids), "OMP_NUM_THREADS": "1"},
        )  # fmt: skip

    def seen(self) -> dict[int, list[int]]:
        """Process -> the trials that it began."""
        found: dict[int, list[int]] = {}
        for path in self.pids.iterdir():
            pid, number = path.name.split("-")
            found.setdefault(int(pid), []).append(int(number))
        return found

    def log(self) -> str:
        """What the second worker said."""
        return (self.root / "run" / "workers" / "worker-2.log").read_text()

    def forget(self) -> int:
        """How many trials were begun; from now on others are seen."""
        begun = {number for numbers in self.seen().values() for number in numbers}
        for path in self.pids.iterdir():
            path.unlink()
        return len(begun)

    def both_at_work(self, process: "subprocess.Popen[str]") -> int:
        """Wait until two processes train; the one that is not the command's own."""
        soon(lambda: len(self.seen()) == 2 or process.poll() is not None)
        assert process.poll() is None, process.communicate()
        return next(pid for pid in self.seen() if pid != process.pid)


def soon(true) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"  # only not yet waited for
    except (ProcessLookupError, FileNotFoundError):
        return True


@pytest.fixture
def shell(tmp_path) -> Shell:
    return Shell(tmp_path)


@pytest.mark.slow
def test_an_interrupted_command_ends_its_workers_and_tells_what_there_is(shell):
    process = shell.start(trials=1000)
    other = shell.both_at_work(process)
    process.send_signal(signal.SIGINT)  # to the command alone: a terminal's Ctrl-C does not reach the others
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert is_gone(other)
    assert json.loads(out)["stopped"] == "interrupted"  # one document and nothing else
    assert "Traceback" not in err
    assert "Traceback" not in shell.log()


@pytest.mark.slow
def test_a_killed_worker_or_command_loses_no_trial_and_leaves_nobody_behind(shell):
    process = shell.start(trials=1000)
    other = shell.both_at_work(process)
    process.kill()
    process.communicate(timeout=PATIENCE_S)
    soon(lambda: is_gone(other))
    assert "Traceback" not in shell.log()
    known = shell.forget()
    process = shell.start(trials=known + 20)
    other = shell.both_at_work(process)
    os.kill(other, signal.SIGKILL)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    told = [line for line in err.splitlines() if "worker 2: was killed (signal 9)" in line]
    assert len(told) == 1
    assert "worker-2.log" in told[0]
    assert json.loads(out)["trials"] == {"trained": known + 20}
    assert any(row["top1_test"] is not None for row in json.loads(out)["front"])
    begun = [number for numbers in shell.seen().values() for number in numbers]
    assert len(begun) - len(set(begun)) <= 1  # the trial of the worker that was killed


def test_amounts_of_workers_and_threads():
    assert size("3", "cpu") == 3
    assert size("auto", "cpu") == cores() >= 1
    assert size("auto", "cuda:0") == min(4, cores())
    assert share(None, 1) is None
    assert share(8, 1) == 8
    assert share(8, 3) == 2
    assert share(1, 4) == 1
    assert share(None, 10_000) == 1


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5", ""])
def test_what_is_no_number_of_workers_is_told(cli, text):
    done = cli("run", "--budget-madds", "20M", "--evaluator", "synthetic", "--workers", text)
    assert done.code == 2
    assert f"--workers must be a whole number, at least 1, or auto, got {text!r}" in done.err


def test_one_worker_starts_nobody(tmp_path):
    with Crew([], tmp_path, count=0, tell=lambda number, text: None):
        assert list(tmp_path.iterdir()) == []


def test_a_worker_that_cannot_begin_is_told_and_ends_nothing(tmp_path):
    told: list[tuple[int, str]] = []
    with Crew(["no-such"], tmp_path, count=1, tell=lambda *said: told.append(said)):
        soon(lambda: told)
    assert told[0][0] == 2
    assert told[0][1].startswith("failed (exit code 2); others take its trial over")


def test_a_crew_that_cannot_be_started_is_one_line(tmp_path):
    crew = Crew([], tmp_path / "no", count=1, tell=print)
    with pytest.raises(RunError, match="a worker cannot be started: No such file"):
        crew.__enter__()


@pytest.mark.parametrize("terminal", [True, False])
def test_what_other_workers_say_is_shown(terminal):
    out = io.StringIO()
    problem = Problem(space=read_space("nas_bench_macro"), budget=Budget(), minimize=("madds",))
    log = Console(file=out, force_terminal=terminal, width=200, color_system=None)
    with ConsoleWatch(log, trials=7, problem=problem) as watch:
        watch.others(2, "trial 3: madds 5M: 80.0 %")
        watch.others(3, "failed (exit code 1)")
        shown = Console(file=io.StringIO(), force_terminal=True, width=200, color_system=None)
        shown.print(watch._bars)
    assert "1/7" in shown.file.getvalue() if terminal else "worker 2: trial 3: madds 5M: 80.0 %" in out.getvalue()
    assert "worker 3" in out.getvalue()
    assert "failed (exit code 1)" in out.getvalue()
