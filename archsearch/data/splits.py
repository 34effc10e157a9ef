"""Which image belongs to which split: decided by a hash of its bytes, the same on every machine and in every order."""

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np

from archsearch.data.listing import Listing
from archsearch.errors import DataError

SALT = b"archsearch split 1:"  # a new salt would move images between splits: never change it
TEST_SHARE, VAL_SHARE = 0.2, 0.1  # of the training images that are left when the cut is made


def content_key(blob: bytes | np.ndarray) -> int:
    """A 64-bit hash of an image's bytes (for an array: shape and values)."""
    digest = hashlib.sha256(SALT)
    if isinstance(blob, np.ndarray):
        digest.update(repr(blob.shape).encode())
        blob = np.ascontiguousarray(blob).tobytes()
    digest.update(blob)
    return int.from_bytes(digest.digest()[:8], "little")


def fraction_of(count: int, share: float) -> int:
    """How many of a class's images a cut takes: the share, rounded, at least one."""
    return max(1, round(count * share))


def cut(keys: np.ndarray, labels: np.ndarray, pool: np.ndarray, share: float) -> np.ndarray:
    """The images of each class with the smallest keys; equal images stay together.

    keys     uint64[n];  labels int64[n];  pool bool[n], the images that may be taken
    returns  bool[n]
    """
    taken = np.zeros(len(keys), dtype=bool)
    for label in np.unique(labels[pool]):
        members = np.flatnonzero(pool & (labels == label))
        ranked = np.sort(keys[members])
        taken[members[keys[members] <= ranked[fraction_of(len(members), share) - 1]]] = True
    return taken


def assign(listing: Listing, keys: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """The split of every image, and what the user should be told.

    keys     uint64[n], from `content_key`
    returns  str[n]: "train", "val", "test", or "" for an image that is left out; notes
    raises   DataError where a class has too few images for its splits
    """
    splits, notes = np.array(listing.splits, dtype="U5"), []
    check_counts(listing)
    for name, share in (("test", TEST_SHARE), ("val", VAL_SHARE)):
        if name not in listing.splits:
            splits[cut(keys, listing.labels, splits == "train", share)] = name
            notes.append(f"no {name} split given: {100 * share:.0f} % of train cut by hash, stratified")
    for kept, dropped in (("test", "val"), ("test", "train"), ("val", "train")):
        same = (splits == dropped) & np.isin(keys, keys[splits == kept])
        splits[same] = ""
        if same.any():
            notes.append(f"left out of {dropped}: {same.sum()} with the same bytes as images of {kept}")
    _check_nothing_lost(listing, splits)
    return splits, tuple(notes)


def check_counts(listing: Listing) -> None:
    """Every class has enough training images for the cuts that must be made.

    raises   DataError naming the class
    """
    given = set(listing.splits)
    needed = 1 + ("test" not in given) + ("val" not in given)
    counts = np.bincount(listing.labels[np.asarray(listing.splits) == "train"], minlength=len(listing.classes))
    poorest = int(counts.argmin())
    if counts[poorest] < needed:
        raise DataError(
            f"{listing.name}: class {listing.classes[poorest]!r} has {counts[poorest]} training images: "
            f"at least {needed} are needed, one for each split"
        )


def _check_nothing_lost(listing: Listing, splits: np.ndarray) -> None:
    for name in ("train", "val", "test"):
        counts = np.bincount(listing.labels[splits == name], minlength=len(listing.classes))
        if not counts.all():
            label = listing.classes[int(counts.argmin())]
            raise DataError(
                f"{listing.name}: class {label!r} has too few different images: nothing is left for split {name!r} "
                "once equal images are kept in one split"
            )


def train_count(listing: Listing) -> int:
    """How many images `assign` leaves for training, equal images aside."""
    total = 0
    for count in np.bincount(listing.labels[np.asarray(listing.splits) == "train"]):
        left = int(count)
        for name, share in (("test", TEST_SHARE), ("val", VAL_SHARE)):
            left -= fraction_of(left, share) if name not in listing.splits else 0
        total += left
    return total


def fingerprint(classes: Sequence[str], parts: Iterable[tuple[np.ndarray, np.ndarray]]) -> str:
    """16 hex digits over class names and, split by split, keys uint64[n] and labels int64[n]."""
    digest = hashlib.sha256("\n".join(classes).encode())
    for keys, labels in parts:
        digest.update(f"|{len(keys)}|".encode())
        digest.update(keys.astype("<u8").tobytes())
        digest.update(labels.astype("<i8").tobytes())
    return digest.hexdigest()[:16]
