"""How long trainings will take, from a few steps of the smallest, the median and the largest network."""

import json
import math
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsearch.cli.bars import bar

if TYPE_CHECKING:
    from archsearch.cli.experiment import Experiment
    from archsearch.trust.sample import Network

TIMING = "timing.json"
Point = tuple[int, float]  # MAdds and seconds of a training
Timing = dict[str, Any]  # "device", "threads", "groups": kind of network -> a `Point` each


def timed(asked: "Experiment", nets: "Mapping[str, Sequence[Network]]") -> Timing:
    """What a training of each of these networks takes; as kept in the folder, if that spans their MAdds.

    Each is trained on a few images and on more of them; the difference is the time of an image.
    nets     by their kind: networks of one kind take longer with more MAdds
    """
    here: Timing = {"device": asked.device, "threads": asked.threads}
    kept = kept_timing(asked.folder / TIMING)
    if all(kept.get(name) == value for name, value in here.items()) and spans(kept["groups"], nets):
        return kept
    _ = asked.dataset  # decoded before the clock runs
    told: dict[str, list[Point]] = {name: [] for name in nets}
    flat = [(name, net) for name, group in nets.items() for net in group]
    with bar(asked.log, "timing") as progress, tempfile.TemporaryDirectory() as scratch:
        training(asked, flat[0][1], Path(scratch) / "warm")
        for place, (name, net) in enumerate(flat):
            progress(place, len(flat), net.key)
            told[name].append((net.madds, training(asked, net, Path(scratch) / str(place))))
    return {**here, "groups": told}


def spans(groups: "Mapping[str, Sequence[Point]]", nets: "Mapping[str, Sequence[Network]]") -> bool:
    """Whether each kind has points at or around the MAdds of its networks."""
    return all(
        groups.get(name) and min(groups[name])[0] <= min(costs) and max(costs) <= max(groups[name])[0]
        for name, group in nets.items() if (costs := [net.madds for net in group])
    )  # fmt: skip


def training(asked: "Experiment", net: "Network", folder: Path) -> float:
    """Seconds that a training of one network is going to take."""
    amounts = asked.amounts
    whole = min(amounts["trial_images"], len(asked.dataset.splits["train"]))
    large = min(whole, 6 * amounts["batch"])
    small = max(large // 3, min(large, asked.peek.num_classes))
    few, many = (_seconds(asked, net, n, folder / str(n)) for n in (small, large))
    step = max(many - few, 0.0) / (large - small) if large > small else many / large
    return max(few - small * step, 0.0) + amounts["epochs"] * whole * step


def kept_timing(path: Path) -> Timing:
    """What an earlier call has timed; no groups where there is no such file, or a damaged one."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        groups = {name: [(int(madds), float(seconds)) for madds, seconds in points]
                  for name, points in kept["groups"].items()}  # fmt: skip
        if all(0 < seconds < math.inf for points in groups.values() for _, seconds in points):
            return {"device": kept["device"], "threads": kept["threads"], "groups": groups}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        pass
    return {"groups": {}}


def _seconds(asked: "Experiment", net: "Network", images: int, folder: Path) -> float:
    """One epoch on so many images."""
    from archsearch.evaluate.base import Job

    trainer, begun = asked.trainer(epochs=1, images=images), time.perf_counter()
    trainer.evaluate(net.arch, Job(number=0, seed=0, folder=folder))
    return time.perf_counter() - begun
