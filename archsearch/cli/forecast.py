"""How long trainings will take, from a few steps of the smallest, the median and the largest network."""

import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from archsearch.cli.bars import bar

if TYPE_CHECKING:
    from archsearch.cli.experiment import Experiment
    from archsearch.trust.sample import Network

TIMING = "timing.json"
Timing = list[tuple[int, float]]  # MAdds and seconds of a training


def timed(asked: "Experiment", nets: "Sequence[Network]") -> Timing:
    """What a training of each of these networks takes; as kept in the folder, if it is.

    Each is trained on a few images and on more of them; the difference is the time of an image.
    """
    if kept := kept_timing(asked.folder / TIMING):
        return kept
    _ = asked.dataset  # decoded before the clock runs
    amounts, told = asked.amounts, []
    whole = min(amounts["trial_images"], len(asked.dataset.splits["train"]))
    large = min(whole, 6 * amounts["batch"])
    small = max(large // 3, min(large, asked.peek.num_classes))
    with bar(asked.log, "timing") as progress, tempfile.TemporaryDirectory() as scratch:
        for place, net in enumerate([nets[0], *nets]):  # the first once more: it warms up
            progress(place, 1 + len(nets), net.key)
            few, many = (_seconds(asked, net, n, Path(scratch) / f"{place}-{n}") for n in (small, large))
            step = max(many - few, 0.0) / (large - small) if large > small else many / large
            told.append((net.madds, max(few - small * step, 0.0) + amounts["epochs"] * whole * step))
    return told[1:]


def kept_timing(path: Path) -> Timing:
    """What an earlier call has timed; nothing where there is no such file, or a damaged one."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return [(int(madds), float(seconds)) for madds, seconds in rows]
    except (OSError, ValueError, TypeError):
        return []


def _seconds(asked: "Experiment", net: "Network", images: int, folder: Path) -> float:
    """One epoch on so many images."""
    from archsearch.evaluate.base import Job

    trainer, begun = asked.trainer(epochs=1, images=images), time.perf_counter()
    trainer.evaluate(net.arch, Job(number=0, seed=0, folder=folder))
    return time.perf_counter() - begun
