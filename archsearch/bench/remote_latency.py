"""Networks timed on this machine and over SSH in turns: whether the way there changes what is measured."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from archsearch.measure.method import Effort, Measurement
from archsearch.measure.model import Model, whole
from archsearch.measure.pick import Stopwatch, reference
from archsearch.spec.presets import read_arch

TURNS = ("local", "remote", "again")  # of a round; here twice, so that the machine's own unrest is seen beside it
NETWORKS = ("mobilenet_v2_0.35_96", "mobilenet_v2_0.5_128", "mobilenet_v2_0.75_160", "mobilenet_v2", "mobilenet_v1")

Tell = Callable[[int, int, str], None]
Interval = tuple[float, float, float]  # median, and the ends of its 95 % interval [ms]


def compare_remote(
    local: Stopwatch, remote: Stopwatch, archs: Sequence[str] = NETWORKS, *, rounds: int, effort: Effort, seed: int = 0,
    told: Tell = lambda done, total, what: None,
) -> dict[str, Any]:  # fmt: skip
    """Time networks locally, over SSH and locally again, in some rounds; one anchor for all, the first one found.

    A network's figures are medians over the rounds: of its medians, and of both ends of its intervals.
    raises   DeviceError where the host is lost, SpecError for what names no network
    """
    models = [whole(read_arch(text), text) for text in archs]
    found: dict[str, list[list[Measurement]]] = {turn: [] for turn in TURNS}
    anchor = None
    for nth in range(rounds):
        for place, turn in enumerate(TURNS):
            told(len(TURNS) * nth + place, len(TURNS) * rounds, turn)
            watch = remote if turn == "remote" else local
            made, anchor = watch.measure(models, reference(), anchor=anchor, effort=effort, seed=seed + nth)
            found[turn].append(made)
    rows = [_row(model, {turn: [made[nth] for made in found[turn]] for turn in TURNS})
            for nth, model in enumerate(models)]  # fmt: skip
    return {"networks": rows, "rounds": rounds, "anchor_ms": anchor, "local": local.fingerprint(),
            "remote": remote.fingerprint()}  # fmt: skip


def _row(model: Model, turns: dict[str, list[Measurement]]) -> dict[str, Any]:
    """One network: its figures in each turn, whether their intervals meet, and in how many of the rounds they do."""
    pooled = {turn: pool([(each.ms, each.low, each.high) for each in made]) for turn, made in turns.items()}
    row: dict[str, Any] = {"name": model.name, **pooled}
    for name, other in (("remote", "remote"), ("control", "again")):
        row[f"{name}_ratio"] = pooled[other][0] / pooled["local"][0]
        row[f"{name}_overlaps"] = overlap(pooled["local"], pooled[other])
        row[f"{name}_rounds"] = sum(
            overlap((one.ms, one.low, one.high), (two.ms, two.low, two.high))
            for one, two in zip(turns["local"], turns[other], strict=True)
        )
    row["raw_ms"] = {turn: float(np.median([each.raw_ms for each in made])) for turn, made in turns.items()}
    row["foreign_load"] = [each.foreign_load for made in turns.values() for each in made]
    return row


def pool(intervals: Sequence[Interval]) -> Interval:
    """Some rounds as one: medians of the medians, of the lower ends, of the upper ends."""
    ms, low, high = np.median(np.asarray(intervals, dtype=float), axis=0).tolist()
    return ms, low, high


def overlap(one: Interval, two: Interval) -> bool:
    """Whether two intervals have a point in common."""
    return one[1] <= two[2] and two[1] <= one[2]
