"""One contender of `bench training`: a process that trains epoch by epoch, when it is told to.

A process of its own each, because settings of the allocator and of threads hold for a whole process.
"""

import signal
import time
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

EPOCHS = 10_000  # more than anybody waits for
PEAK_SIDE, PEAK_S = 2048, 1.0  # of the matrices whose product is the peak; how long it is measured


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Work:
    """What a process trains with.

    images  uint8[n, 3, size, size];  labels int64[n]
    """

    plain: bool
    threads: int | None  # None: torch's choice
    device: str
    batch: int
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    compile: bool = False


class _Stop(Exception):
    """The parent has seen enough of this network."""


def serve(pipe: Connection, work: Work) -> None:
    """Answers until the pipe closes.

    "threads" -> how many; "peak" -> FLOP/s; (network as JSON, images) -> seconds of an epoch, then "go" -> of another,
    until it is sent something else.
    """
    import torch

    if work.plain:
        if work.threads is not None:
            torch.set_num_threads(work.threads)
    else:
        from archsearch.train.tuning import tune_process

        tune_process(work.threads)
    try:
        while True:
            asked = pipe.recv()
            if asked == "threads":
                pipe.send(torch.get_num_threads())
            elif asked == "peak":
                pipe.send(peak(work.device))
            else:
                _train(pipe, work, *asked)
    except EOFError:
        return


def process(pipe: Connection, work: Work) -> None:
    """`serve` as a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, which ends its children
    serve(pipe, work)


def peak(device: str) -> float:
    """Floating-point operations a second of float32 matrix products: the median over a second."""
    import torch

    a = torch.randn(PEAK_SIDE, PEAK_SIDE, device=device)
    times, began = [], time.perf_counter()
    while time.perf_counter() - began < PEAK_S or len(times) < 4:
        start = time.perf_counter()
        torch.mm(a, a)
        if torch.device(device).type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return float(2 * PEAK_SIDE**3 / np.median(times[1:]))


def _train(pipe: Connection, work: Work, arch: str, images: int) -> None:
    """Trains one network; after each epoch tells its seconds and waits."""

    def told(log: Any) -> None:
        pipe.send(log.seconds)
        if pipe.recv() != "go":
            raise _Stop

    from archsearch.bench.plain_loop import plain_train
    from archsearch.nn.build import build
    from archsearch.spec.arch import Arch
    from archsearch.train.job import TrainRun
    from archsearch.train.loop import train
    from archsearch.train.recipe import Recipe
    from archsearch.train.seed import seeded

    network = Arch.from_json(arch)
    recipe = Recipe(epochs=EPOCHS, batch=work.batch, compile=work.compile)
    run = TrainRun(device=work.device, size=network.resolution)
    with seeded(0):
        model = build(network)
    try:
        chosen = np.arange(images) % len(work.labels)
        data = data_of(replace(work, images=work.images[chosen], labels=work.labels[chosen]))
        (plain_train if work.plain else train)(model, data, recipe, run=run, on_epoch=told)
    except _Stop:
        return


def data_of(work: Work) -> Any:
    """The images to train on, which are also those that nobody is judged by."""
    import torch

    from archsearch.data.dataset import DEFAULT_MEAN, DEFAULT_STD, Split
    from archsearch.train.job import TrainData

    split = Split(images=torch.from_numpy(work.images), labels=torch.from_numpy(work.labels))
    return TrainData(train=split, eval=split, mean=DEFAULT_MEAN, std=DEFAULT_STD, flip=True)
