"""Workers as processes of their own that can be killed; a server that has imported everything forks them at once."""

import multiprocessing
import os
import signal
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.search.conftest import Silent, Slow, make_run

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.search.workers", "optuna.samplers", "scipy.stats", "torch"])
PATIENCE_S = 240


def start(folder: Path, *, delay: float = 0.0, **options) -> BaseProcess:
    """A worker process that has opened the run; each training takes `delay` seconds, each test four times that."""
    here, there = CONTEXT.Pipe()
    worker = CONTEXT.Process(target=_work, args=(folder, delay, options, there))
    worker.start()
    there.close()
    assert here.recv() == "ready"  # EOFError where it died before
    here.close()
    return worker


def kill(worker: BaseProcess) -> None:
    """SIGKILL, as the kernel does it when memory is short."""
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()


def finish(*workers: BaseProcess) -> None:
    """Wait for the clean end of all."""
    for worker in workers:
        worker.join(PATIENCE_S)
        assert worker.exitcode == 0


def _work(folder: Path, delay: float, options: dict, pipe) -> None:
    run = make_run(folder, **options)
    pipe.send("ready")
    pipe.close()
    run.search(Slow(delay, options.get("epochs")), Silent())
    run.finish(Slow(4 * delay), Silent())
