"""Images a second of our training loop beside a plain one: same network, data and machine, taking turns in one run."""

import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from archsearch.bench.training_process import Work, process
from archsearch.cost.count import count
from archsearch.errors import TrainingError
from archsearch.spec.arch import Arch, Head, Stage, Stem, scaled

ROWS = ((1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
PLAIN = "plain loop"
PLAIN_SHARE = 0.1  # of the peak: what a plain loop was once measured at; only sizes the turns
PASSES = 3  # multiply-adds of a step for each of the forward pass: the gradient of the input, that of the weights
MOST = 16_384  # different images that processes are handed
NETWORK_IMAGES = 10 * 50_000  # of a training in "networks an hour": ten epochs of CIFAR-10
Told = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is measured."""

    widths: tuple[float, ...] = (0.25, 0.5, 1.0)
    size: int = 32
    batch: int = 128
    device: str = "cpu"
    seconds: float = 3.0  # of a plain loop's turn, about; the others train on as many images
    turns: int = 5
    processes: int = 0  # side by side; 0: one a core, on a GPU 4


def network(width: float, size: int, classes: int = 10) -> Arch:
    """MobileNetV2 for small images: stem and second stage keep the side, so that it is halved three times.

    Source: arXiv:1801.04381, table 2, without the first two of its five halvings.
    """
    stages = tuple(Stage(width=scaled(c, width), repeats=n, stride=s, expand=t) for t, c, n, s in ROWS)
    return Arch(resolution=size, stem=Stem(width=scaled(32, width), stride=1), stages=stages,
                head=Head(classes=classes))  # fmt: skip


class Team:
    """A contender: one process, or several that train at once.

    raises   TrainingError where one of them ends
    """

    def __init__(self, name: str, works: Sequence[Work]) -> None:
        self.name, self._pairs = name, []
        context = multiprocessing.get_context("spawn")
        for work in works:
            mine, theirs = context.Pipe()
            child = context.Process(target=process, args=(theirs, work), daemon=True)
            child.start()
            theirs.close()
            self._pairs.append((child, mine))

    def __len__(self) -> int:
        return len(self._pairs)

    def ask(self, question: Any) -> list[Any]:
        """Everybody's answer, asked at once."""
        try:
            for _, pipe in self._pairs:
                pipe.send(question)
            return [pipe.recv() for _, pipe in self._pairs]
        except (EOFError, OSError):
            raise TrainingError(f"the process of {self.name} ended; see above", reason="process") from None

    def stop(self) -> None:
        """Ends the training, not the processes."""
        for _, pipe in self._pairs:
            pipe.send("stop")

    def close(self) -> None:
        for child, pipe in self._pairs:
            pipe.close()
            child.terminate()
            child.join()


def contenders(question: Question, base: Work) -> dict[str, list[Work]]:
    """What trains beside the plain loop, by name."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    plain = {PLAIN: [replace(base, plain=True)]}
    if question.device != "cpu":
        beside = question.processes or 4
        return plain | {"ours": [base], "ours, compiled": [replace(base, compile=True)],
                        f"ours, {beside} side by side": [base] * beside}  # fmt: skip
    single, beside = replace(base, threads=1), question.processes or cores
    return plain | {"ours, 1 thread": [single], f"ours, {cores} threads": [replace(base, threads=cores)],
                    f"ours, {beside} processes of 1 thread": [single] * beside}  # fmt: skip


def measured(question: Question, images: np.ndarray, labels: np.ndarray, told: Told) -> dict[str, Any]:
    """All widths, all contenders, turn by turn.

    images   uint8[n, 3, size, size], of which a turn takes as many as it needs, again and again where they are few
    returns  plain values for JSON
    """
    base = Work(plain=False, threads=None, device=question.device, batch=question.batch, images=images, labels=labels)
    with ExitStack() as stack:
        teams = []
        total = 1 + len(question.widths) * (question.turns + 1)
        told(0, total, "starting")
        for name, works in contenders(question, base).items():
            teams.append(Team(name, works))
            stack.callback(teams[-1].close)
        threads = {team.name: team.ask("threads")[0] for team in teams}
        peaks = {team.name: float(sum(team.ask("peak"))) for team in teams}
        widths = {}
        for nth, width in enumerate(question.widths):
            arch = network(width, question.size)

            def step(done: int, nth: int = nth, width: float = width) -> None:
                told(1 + nth * (question.turns + 1) + done, total, f"width {width:g}")

            rates = _rates(question, teams, arch, peaks[PLAIN], step)
            widths[f"{width:g}"] = _summary(arch, rates, peaks)
        counts = {team.name: len(team) for team in teams}
    return {"device": question.device, "size": question.size, "batch": question.batch, "turns": question.turns,
            "threads": threads, "processes": counts, "peak_gflops": {k: v / 1e9 for k, v in peaks.items()},
            "widths": widths}  # fmt: skip


def _rates(
    question: Question, teams: Sequence[Team], arch: Arch, peak: float, step: Callable[[int], None]
) -> dict[str, list[float]]:
    """Images a second of each contender in each turn; the first turn warms up and is left out."""
    images = turn_images(question, arch, peak)
    rates: dict[str, list[float]] = {team.name: [] for team in teams}
    for turn in range(question.turns + 1):
        step(turn)
        for team in teams:
            seconds = team.ask("go" if turn else (arch.to_json(), images))
            if turn:
                rates[team.name].append(sum(images / each for each in seconds))
    for team in teams:
        team.stop()
    return rates


def turn_images(question: Question, arch: Arch, peak: float) -> int:
    """Images of one turn: whole batches, at least two, that take a plain loop about `question.seconds`."""
    each = 2 * PASSES * count(arch, ("madds",))["madds"]
    wanted = question.seconds * PLAIN_SHARE * peak / each
    return question.batch * max(2, round(wanted / question.batch))


def _summary(arch: Arch, rates: Mapping[str, Sequence[float]], peaks: Mapping[str, float]) -> dict[str, Any]:
    """Medians, quartiles, ratios and shares of the peak."""
    madds = count(arch, ("madds",))["madds"]
    plain = np.array(rates[PLAIN])
    rows = {}
    for name, values in rates.items():
        low, median, high = np.percentile(values, (25, 50, 75))
        flops = 2 * PASSES * madds * median
        rows[name] = {
            "images_per_second": median, "quartiles": [low, high], "of_turns": list(values),
            "times_plain": float(np.median(np.array(values) / plain)), "gflops": flops / 1e9,
            "share_of_peak": flops / peaks[name], "networks_per_hour": 3600 * median / NETWORK_IMAGES,
        }  # fmt: skip
    return {"madds": madds, "params": count(arch, ("params",))["params"], "contenders": rows}
