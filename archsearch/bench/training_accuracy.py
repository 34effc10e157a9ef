"""Accuracy of our training loop beside the plain one: same first weights, recipe, images and epochs, several seeds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from archsearch.bench.plain_loop import plain_train
from archsearch.errors import RecipeError
from archsearch.nn.build import build
from archsearch.spec.arch import Arch
from archsearch.train.job import EpochLog, TrainData, TrainRun
from archsearch.train.loop import train
from archsearch.train.recipe import Recipe
from archsearch.train.seed import seeded

# Student's t, 97.5 %, for 1 .. 19 degrees of freedom; F. M. Fisher and F. Yates, Statistical Tables, table III
T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
     2.110, 2.101, 2.093)  # fmt: skip
LOOPS = {"plain": plain_train, "ours": train}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trainings:
    """What is trained.

    raises   RecipeError for fewer than 2 or more than 20 seeds
    """

    arch: Arch
    recipe: Recipe
    seeds: tuple[int, ...]
    device: str = "cpu"

    def __post_init__(self) -> None:
        if not 2 <= len(self.seeds) <= len(T) + 1:
            raise RecipeError(f"seeds must be 2 to {len(T) + 1}, got {len(self.seeds)}")


def compared(asked: Trainings, data: TrainData, told: Callable[[int, int, str], None]) -> dict[str, Any]:
    """Top-1 on `data.eval` of both loops for each seed; plain values for JSON."""
    epochs = asked.recipe.epochs
    total, done = epochs * len(LOOPS) * len(asked.seeds), 0
    top1: dict[str, list[float]] = {name: [] for name in LOOPS}
    seconds: dict[str, list[float]] = {name: [] for name in LOOPS}
    for seed in asked.seeds:
        for name, loop in LOOPS.items():
            logs: list[EpochLog] = []

            def one(
                log: EpochLog, logs: list[EpochLog] = logs, done: int = done, text: str = f"{name}, seed {seed}"
            ) -> None:
                logs.append(log)
                told(done + len(logs), total, text)

            with seeded(seed):
                model = build(asked.arch)
            run = TrainRun(device=asked.device, seed=seed, size=asked.arch.resolution)
            told(done, total, f"{name}, seed {seed}")
            loop(model, data, asked.recipe, run=run, on_epoch=one)
            done += epochs
            top1[name].append(float(logs[-1].top1 or 0.0))
            seconds[name].append(sum(log.seconds for log in logs))
    return {"epochs": epochs, "seeds": list(asked.seeds), "train_images": len(data.train),
            "eval_images": len(data.eval), "top1": top1, "seconds": seconds,
            **difference(top1["ours"], top1["plain"])}  # fmt: skip


def difference(ours: list[float], plain: list[float]) -> dict[str, Any]:
    """Ours less plain, paired by seed: mean, its 95 % interval by Student's t, and whether that holds 0."""
    gaps = np.array(ours) - np.array(plain)
    half = T[len(gaps) - 2] * gaps.std(ddof=1) / np.sqrt(len(gaps))
    low, high = gaps.mean() - half, gaps.mean() + half
    return {"difference": float(gaps.mean()), "interval": [float(low), float(high)],
            "same": bool(low <= 0 <= high)}  # fmt: skip
