"""A few images for a proxy to look at, and a fresh network to look at them with."""

import numpy as np
import torch
from torch import Tensor

from archsearch.data.batches import Batches
from archsearch.data.dataset import Dataset
from archsearch.nn.build import Network, build
from archsearch.spec.arch import Arch

IMAGES = 32  # in a batch: docs/proxies.md says what more would buy


def drawn(dataset: Dataset, images: int, *, size: int, seed: int, device: str = "cpu") -> tuple[Tensor, Tensor]:
    """Training images drawn without replacement and normalised: float32[images, 3, size, size], int64[images].

    Fewer where there are fewer. The same seed draws the same images at every size.
    """
    split = dataset.splits["train"]
    rows = np.random.default_rng(seed).choice(len(split), min(images, len(split)), replace=False)
    part = split.take(torch.from_numpy(rows))
    batches = Batches(part, batch=len(part), size=size, device=device, mean=dataset.mean, std=dataset.std,
                      channels_last=True)  # fmt: skip
    return next(batches.epoch(0))


def fresh(arch: Arch, seed: int, device: str = "cpu") -> Network:
    """A network with first weights from a seed, channels last in memory; torch's generators are left as they were."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        network = build(arch)
    return network.to(device, memory_format=torch.channels_last)
