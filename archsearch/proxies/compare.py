"""Several proxies on several networks, each timed alone."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from archsearch.data.dataset import Dataset
from archsearch.errors import DataError, TrainingError
from archsearch.proxies.batch import IMAGES, drawn, fresh
from archsearch.proxies.costs import COUNTED, counted
from archsearch.proxies.score import Batch, score
from archsearch.spec.arch import Arch

SEEDS = 2**63  # that torch tells apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which proxies, and what they may look at."""

    names: tuple[str, ...]
    dataset: Dataset
    images: int = IMAGES
    device: str = "cpu"
    seed: int = 0  # of the batch; a network's first weights are drawn from it and the network's number

    def __post_init__(self) -> None:
        if self.images < 2:
            raise DataError(f"a proxy's batch must have 2 images or more, got {self.images}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What the proxies say of one network, in the order in which they were asked."""

    arch: Arch  # with the data's classes
    scores: dict[str, float]  # NaN where one failed
    seconds: dict[str, float]  # of one alone, building the network included where it needs one
    failed: dict[str, str]  # why


def scored(networks: Iterable[Arch], asked: Asked, *, clock: Callable[[], float]) -> Iterator[Scored]:
    """The networks one after the other, all on one batch at their own resolutions.

    clock    seconds
    """
    batches: dict[int, Batch] = {}
    for number, arch in enumerate(networks):
        arch = replace(arch, head=replace(arch.head, classes=len(asked.dataset.classes)))
        if arch.resolution not in batches:
            images, labels = drawn(asked.dataset, asked.images, size=arch.resolution, seed=asked.seed,
                                   device=asked.device)  # fmt: skip
            batches[arch.resolution] = Batch(images=images, labels=labels)
        yield _one(arch, batches[arch.resolution], asked, ((asked.seed << 32) + number) % SEEDS, clock)


def _one(arch: Arch, batch: Batch, asked: Asked, seed: int, clock: Callable[[], float]) -> Scored:
    begun = clock()
    network = fresh(arch, seed, asked.device)
    build = clock() - begun
    found, seconds, failed = {}, {}, {}
    for name in asked.names:
        begun = clock()
        try:
            found[name] = counted(name, arch) if name in COUNTED else score(name, network, batch, seed)
        except TrainingError as error:
            found[name], failed[name] = math.nan, str(error)
        seconds[name] = clock() - begun + (0.0 if name in COUNTED else build)
    return Scored(arch=arch, scores=found, seconds=seconds, failed=failed)
