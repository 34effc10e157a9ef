"""CIFAR-10 and CIFAR-100 as torchvision downloads them; no network is one clear error."""

import os
import urllib.request
from pathlib import Path

import numpy as np
from torchvision.datasets import CIFAR10, CIFAR100

from archsearch.data.arrays import ArrayImages
from archsearch.data.listing import Listing
from archsearch.errors import DataError

TIMEOUT_S = 10.0  # to wait for the server's first answer
LOCAL = "without a network use --data folder/, --data file.parquet or the embedded --data digits"


def cifar10() -> Listing:
    """50,000 training and 10,000 test images of 32x32 pixels in 10 classes. Source: Krizhevsky 2009."""
    return cifar("cifar10", CIFAR10, root=cache_folder())


def cifar100() -> Listing:
    """50,000 training and 10,000 test images of 32x32 pixels in 100 classes. Source: Krizhevsky 2009."""
    return cifar("cifar100", CIFAR100, root=cache_folder())


def cifar(name: str, kind: type[CIFAR10], *, root: Path) -> Listing:
    """The listing of one of torchvision's two classes, or of a subclass.

    root     folder that holds the unpacked files, or where they are downloaded to
    raises   DataError where they are neither there nor can be fetched
    """
    parts = fetched(name, kind, root)
    labels = np.concatenate([np.asarray(part.targets, dtype=np.int64) for part in parts])
    return Listing(
        name=name,
        classes=tuple(parts[0].classes),
        images=ArrayImages(np.concatenate([part.data for part in parts]), name=name),
        labels=labels,
        splits=["train"] * len(parts[0].targets) + ["test"] * len(parts[1].targets),
    )


def fetched(name: str, kind: type[CIFAR10], root: Path) -> tuple[CIFAR10, CIFAR10]:
    """Training and test part from disk; downloaded first where they are missing."""
    try:
        return kind(root, train=True), kind(root, train=False)
    except (RuntimeError, OSError):
        pass  # not there, or not whole
    try:
        # torchvision sets no timeout, so ask the server once before the download is left to it
        request = urllib.request.Request(kind.url, method="HEAD")
        urllib.request.urlopen(request, timeout=TIMEOUT_S).close()
        root.mkdir(parents=True, exist_ok=True)
        return kind(root, train=True, download=True), kind(root, train=False)
    except (RuntimeError, OSError) as error:
        told = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{name} is not in {root} and cannot be downloaded ({told}): {LOCAL}") from error


def cache_folder() -> Path:
    """Where downloads are kept: $XDG_CACHE_HOME/archsearch, else ~/.cache/archsearch."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "archsearch"
