"""What a source lists before anything is decoded: blobs, labels, given splits. Every source returns one `Listing`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from archsearch.errors import DataError

SPLITS = ("train", "val", "test")
SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}


class Images(Protocol):
    """A sequence of images that are not decoded yet."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> bytes | np.ndarray:
        """The bytes of an image file, or uint8[h, w] grey, or uint8[h, w, 3] RGB."""
        ...

    def where(self, index: int) -> str:
        """The path or row, for messages."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Listing:
    """All images of a source with their labels and the splits that the source itself gives.

    raises   DataError for one class only, a label without a class, a class without an image, no training images
    """

    name: str
    classes: tuple[str, ...]  # names by label
    images: Images
    labels: np.ndarray  # int64[n], 0 .. len(classes) - 1
    splits: Sequence[str]  # n times "train", "val" or "test"; all "train" where the source gives no splits
    flip: bool = True  # whether a mirrored image is still of its class
    size: int | None = None  # side to cache when the user names none [pixels]; None: decided from the images
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not len(self.images):
            raise DataError(f"{self.name} holds no images: at least two classes of images are needed")
        if not len(self.images) == len(self.labels) == len(self.splits):
            counts = f"{len(self.images)} images, {len(self.labels)} labels, {len(self.splits)} splits"
            raise DataError(f"{self.name} lists {counts}: the three must be equally many")
        if len(self.classes) < 2:
            raise DataError(f"{self.name} has one class only, {self.classes[0]!r}: at least two are needed")
        self._check_labels()
        self._check_classes()

    def _check_labels(self) -> None:
        bad = np.flatnonzero((self.labels < 0) | (self.labels >= len(self.classes)))
        if len(bad):
            where, label = self.images.where(int(bad[0])), self.labels[bad[0]]
            limit = len(self.classes) - 1
            raise DataError(f"{where}: label {label} is out of range: {len(self.classes)} classes are 0 to {limit}")

    def _check_classes(self) -> None:
        """Every split that is given has images of every class."""
        splits = np.asarray(self.splits)
        if not (splits == "train").any():
            raise DataError(f"{self.name} has no training images: one split must be called 'train'")
        for split in SPLITS:
            present = np.bincount(self.labels[splits == split], minlength=len(self.classes))
            if present.any() and not present.all():
                missing = ", ".join(repr(self.classes[i]) for i in np.flatnonzero(present == 0)[:5])
                raise DataError(f"{self.name}: split {split!r} has no image of class {missing}: each split needs each")
