"""`run --workers N`: further processes on the same run, started, heard and ended by the one that the user started."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from archsearch.errors import RunError

if TYPE_CHECKING:
    from archsearch.cli.request import Request

AUTO = "auto"
ON_CUDA = 4  # processes that share one GPU by default, where there are as many cores
POLL_S = 0.3  # between looks at the others
GRACE_S = 20.0  # to end after being asked to
STOPS = (signal.SIGINT, signal.SIGTERM)
Tell = Callable[[int, str], None]  # number of the worker, what it says


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def size(text: str, device: str) -> int:
    """How many processes `--workers` asks for.

    auto: one for each core, on CUDA at most 4.
    raises   RunError for what is neither a whole number from 1 nor auto
    """
    if text == AUTO:
        return min(ON_CUDA, cores()) if device.startswith("cuda") else cores()
    if not text.isdecimal() or int(text) < 1:
        raise RunError(f"--workers must be a whole number, at least 1, or {AUTO}, got {text!r}")
    return int(text)


def share(threads: int | None, workers: int) -> int | None:
    """CPU threads of each of the workers; None, which leaves torch's choice, counts as all cores."""
    return threads if workers == 1 else max(1, (threads or cores()) // workers)


@dataclass(kw_only=True)
class _Member:
    number: int
    process: "subprocess.Popen[bytes]"
    log: Path
    heard: int  # bytes of the log that were read
    over: bool = False  # its end was seen


class Crew:
    """The other processes: alive inside its own `with` block, at whose end none is left.

    The block's normal end waits for them; an exception, Ctrl-C too, has them stop. Each holds a pipe of ours, and stops
    by itself when that closes, so that none outlives us even when we are killed.
    """

    def __init__(self, words: Sequence[str], folder: Path, *, count: int, tell: Tell) -> None:
        """words: the command line after the program's name; folder: for logs; count: processes besides this one."""
        self._words, self._folder, self._count, self._tell = words, folder, count, tell
        self._members: list[_Member] = []
        self._ending = threading.Event()
        self._ear = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> "Crew":
        try:
            for number in range(2, self._count + 2):
                self._members.append(self._started(number))
        except OSError as error:
            self._stop()
            raise RunError(f"a worker cannot be started: {error.strerror or error}") from None
        self._ear.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            if kind is None:
                for member in self._members:
                    member.process.wait()
        finally:
            self._stop()
            self._ending.set()
        self._ear.join()

    def _started(self, number: int) -> _Member:
        log = self._folder / f"worker-{number}.log"
        with log.open("ab") as out:
            heard = out.tell()
            process = subprocess.Popen(
                [sys.executable, "-m", "archsearch", *self._words, "--member", str(number)],
                stdin=subprocess.PIPE, stdout=out, stderr=out, start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )  # fmt: skip
        return _Member(number=number, process=process, log=log, heard=heard)

    def _stop(self) -> None:
        """End whoever still runs, and close our ends of the pipes."""
        running = [member.process for member in self._members if member.process.poll() is None]
        if running:
            self._ending.set()  # deaths from here on are our doing
            self._end(running)
        for member in self._members:
            assert member.process.stdin is not None
            member.process.stdin.close()

    def _end(self, running: "list[subprocess.Popen[bytes]]") -> None:
        """Ask processes to end, then kill them. Ctrl-C does not interrupt this."""
        before = [signal.signal(number, signal.SIG_IGN) for number in STOPS]
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for number, handler in zip(STOPS, before, strict=True):
            signal.signal(number, handler)

    def _listen(self) -> None:
        """Pass on what the others print of their trials, and tell of those that died."""
        while not self._ending.wait(POLL_S):
            for member in self._members:
                code = member.process.poll()
                self._hear(member)
                if code and not member.over and not self._ending.is_set():
                    how = f"was killed (signal {-code})" if code < 0 else f"failed (exit code {code})"
                    self._tell(member.number, f"{how}; others take its trial over; {member.log} says more")
                member.over = code is not None
        for member in self._members:
            self._hear(member)

    def _hear(self, member: _Member) -> None:
        with member.log.open("rb") as file:
            file.seek(member.heard)
            whole, end, _ = file.read().rpartition(b"\n")
        member.heard += len(whole + end)
        for line in whole.decode(errors="replace").splitlines():
            if line.startswith("["):  # the time, then what became of a trial
                self._tell(member.number, line.partition("] ")[2])


def hold_on(end: Callable[[], None]) -> None:
    """Call `end` when the process that started this one is gone, however it went: then our standard input closes."""

    def wait() -> None:
        while os.read(0, 1):
            pass
        end()

    threading.Thread(target=wait, daemon=True).start()


def work_along(request: "Request") -> None:
    """One worker that another process started: it searches and tests, and writes neither tables nor page.

    raises   typer.Exit(130) after a clean stop
    """
    import typer

    from archsearch.cli.watch import ConsoleWatch
    from archsearch.records import SINCE, RunFolder
    from archsearch.search.run import open_run
    from archsearch.train.tuning import tune_process

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    hold_on(lambda: os.kill(os.getpid(), signal.SIGTERM))
    try:
        tune_process(request.threads)
        evaluator = request.evaluator
        run = open_run(request.config, request.problem, RunFolder(request.folder))
        since = run.ledger.recall(SINCE, 0)
        with ConsoleWatch(request.log, trials=run.trials, problem=request.problem, since=since) as watch:
            watch.resumed(run.ledger.trials())
            run.search(evaluator, watch)
            if request.timing and request.timing.stopwatch:
                run.time(request.timing.stopwatch, watch)
            run.finish(evaluator, watch)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
