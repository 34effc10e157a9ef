"""Random networks for exporters: small, every block type and activation among them, nothing 0 or 1 by chance."""

import numpy as np

from archsearch.export.base import Parcel
from archsearch.nn.build import build
from archsearch.spec.arch import ACTIVATIONS, Arch, Head, Stage, Stem
from tests.nn.shaken import shaken
from tests.strategies import BLOCKS, CHOICES


def drawn(number: int) -> Arch:
    """Network `number`: two stages of block types that follow each other in the list, everything else drawn."""
    rng = np.random.default_rng([6, number])

    def one(values):
        return values[int(rng.integers(len(values)))]

    stages = []
    for block in (BLOCKS[number % len(BLOCKS)], BLOCKS[(number + 3) % len(BLOCKS)]):
        fields = {name: one(values) for name, values in CHOICES.items()} | {"block": block, "repeats": one((1, 2))}
        stages.append(Stage(**fields | ({"kernel": one((0, 3, 5))} if block == "uib" else {})))
    head = Head(width=one((0, 16)), hidden=one((0, 6)), hidden_norm=one((False, True)), classes=5, act=one(ACTIVATIONS))
    return Arch(resolution=int(rng.integers(7, 17)), stem=Stem(width=8, stride=one((1, 2)), act=one(ACTIVATIONS)),
                stages=tuple(stages), head=head)  # fmt: skip


def parcel(arch: Arch, *, batch: int | None = 1, seed: int = 0) -> Parcel:
    """A network with random weights and statistics, ready for an exporter."""
    return Parcel(arch=arch, model=shaken(build(arch), seed), batch=batch)
