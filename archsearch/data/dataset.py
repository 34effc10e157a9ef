"""Data sets in memory: three named splits that never share an image."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from archsearch.data.listing import SPLITS
from archsearch.errors import DataError, choices

if TYPE_CHECKING:
    from archsearch.data.cache import LazyImages

DEFAULT_MEAN = (0.485, 0.456, 0.406)  # ImageNet's, of values in [0, 1]
DEFAULT_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """Images and labels, in an order fixed by the images' content.

    images   uint8[n, 3, size, size], or the same decoded batch by batch: `images[int64[b]]` is uint8[b, 3, size, size]
    labels   int64[n]
    """

    images: "torch.Tensor | LazyImages"
    labels: torch.Tensor

    def __post_init__(self) -> None:
        if len(self.images) != len(self.labels):
            raise DataError(f"a split has {len(self.images)} images and {len(self.labels)} labels: must be the same")

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: torch.Tensor) -> "Split":
        """The images at `index`, int64[m]; lazy images stay lazy."""
        images = self.images[index] if isinstance(self.images, torch.Tensor) else self.images.select(index.numpy())
        return Split(images=images, labels=self.labels[index])


def joined(first: Split, second: Split) -> Split:
    """Two splits of one data set, one after the other; cached images are copied."""
    labels = torch.cat([first.labels, second.labels])
    if isinstance(first.images, torch.Tensor) and isinstance(second.images, torch.Tensor):
        return Split(images=torch.cat([first.images, second.images]), labels=labels)
    assert not isinstance(first.images, torch.Tensor)
    assert not isinstance(second.images, torch.Tensor)
    return Split(images=first.images.join(second.images), labels=labels)


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Named splits of real images.

    native   the short side of the source's images [pixels, median]; at least 24, because smaller images are upscaled
    mean     of the training images by channel, of values in [0, 1]; std likewise
    flip     whether a mirrored image is still of its class
    """

    name: str
    classes: tuple[str, ...]
    size: int
    native: int
    fingerprint: str
    splits: Mapping[str, Split]
    notes: tuple[str, ...] = ()
    flip: bool = True
    mean: tuple[float, ...] = DEFAULT_MEAN
    std: tuple[float, ...] = DEFAULT_STD

    def __post_init__(self) -> None:
        if set(self.splits) != set(SPLITS):
            raise DataError(f"{self.name} has splits {sorted(self.splits)}: must be exactly train, val and test")

    def trainval(self) -> Split:
        """Training and validation images together, for the last training of a network."""
        return joined(self.splits["train"], self.splits["val"])

    def subset(self, n: int, *, split: str = "train") -> Split:
        """A fixed, stratified choice of n images; a smaller one is part of a larger one up to rounding.

        raises   DataError for an unknown split, or n below the number of classes
        """
        if split not in self.splits:
            raise DataError(f"unknown split {split!r}: {choices(split, self.splits)}")
        if n < len(self.classes):
            raise DataError(
                f"a subset of {n} images cannot hold {len(self.classes)} classes: ask for that many or more"
            )
        whole = self.splits[split]
        if n >= len(whole):
            return whole
        return whole.take(torch.from_numpy(stratified(whole.labels.numpy(), n)))


def stratified(labels: np.ndarray, n: int) -> np.ndarray:
    """Positions of n labels, the first of each class, shares as in the whole (largest remainder, at least one).

    labels   int64[m], m > n >= number of classes
    returns  int64[n], ascending
    """
    counts = np.bincount(labels)
    quota = n * counts / len(labels)
    take = np.maximum(np.floor(quota).astype(np.int64), counts > 0)
    while take.sum() != n:
        step = 1 if take.sum() < n else -1
        room = (take < counts) if step > 0 else (take > 1)
        gap = np.where(room, step * (quota - take), -np.inf)
        take[np.argmax(gap)] += step
    chosen = [np.flatnonzero(labels == label)[:k] for label, k in enumerate(take)]
    return np.sort(np.concatenate(chosen))
