"""From a name or a path to a data set: list, split by hash, decode once, cache."""

import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from archsearch import plugins
from archsearch.data.cache import LazyImages, Progress, check_all, content_keys, decode_all
from archsearch.data.dataset import Dataset, Split
from archsearch.data.decode import short_side
from archsearch.data.listing import SPLITS, Listing
from archsearch.data.splits import assign, check_counts, fingerprint, train_count
from archsearch.errors import DataError, choices

MIN_NATIVE = 24  # the smallest resolution that a network is searched for; smaller images are upscaled [pixels]
SMALL = 64  # images up to this side are cached as they are [pixels]
LARGE = 256  # side at which larger images are cached [pixels]
BY_PATH = ("folder", "parquet")  # plug-ins that read what a path names
STATISTICS = 2000  # training images that mean and std are computed from
PROBES, RUN = 8, 8  # places in a source, and images at each, whose size is looked at


@dataclass(frozen=True, kw_only=True)
class Peek:
    """What can be told of a data set without decoding it; the fields mean what they mean in `Dataset`."""

    name: str
    classes: tuple[str, ...]
    native: int
    size: int
    train_images: int
    flip: bool
    notes: tuple[str, ...]

    @property
    def num_classes(self) -> int:
        """How many classes there are."""
        return len(self.classes)


def load(
    source: str | Path, *, size: int | None = None, progress: Progress | None = None, memory_limit: int = 6 * 2**30
) -> Dataset:
    """The data set behind a name or a path, decoded and cached.

    source        'digits', 'cifar10', 'cifar100', a plug-in's name, a folder, a .parquet file
    size          side of the cached squares [pixels]; None: as they are up to 64, else 256
    progress      called with (images decoded, images in all)
    memory_limit  bytes of decoded images; above it they are decoded batch by batch, and a note says so
    raises        DataError, one line with the path or row, for anything that would stop a training later
    """
    if size is not None and size < 1:
        raise DataError(f"size must be at least 1 pixel, got {size}")
    listing = listed(source)
    check_counts(listing)
    native = native_size(listing)
    side = size or default_size(listing, native)
    keys = content_keys(listing.images)
    assigned, notes = assign(listing, keys)
    order = [np.flatnonzero(assigned == name) for name in SPLITS]
    order = [index[np.lexsort((listing.labels[index], keys[index]))] for index in order]
    splits, lazy = _decoded(listing, order, side, progress, memory_limit)
    mean, std = statistics(splits["train"])
    return Dataset(
        name=listing.name,
        classes=listing.classes,
        size=side,
        native=native,
        fingerprint=fingerprint(listing.classes, [(keys[index], listing.labels[index]) for index in order]),
        splits=splits,
        notes=listing.notes + notes + lazy,
        flip=listing.flip,
        mean=mean,
        std=std,
    )


def peek(source: str | Path) -> Peek:
    """Names, sizes and counts of a data set, without decoding it; raises what `load` raises for a wrong source."""
    listing = listed(source)
    check_counts(listing)
    native = native_size(listing)
    return Peek(
        name=listing.name,
        classes=listing.classes,
        native=native,
        size=default_size(listing, native),
        train_images=train_count(listing),
        flip=listing.flip,
        notes=listing.notes,
    )


def listed(source: str | Path) -> Listing:
    """The listing behind a name or a path.

    raises   DataError naming the known names for what is neither
    """
    named = [name for name in plugins.names("datasets") if name not in BY_PATH]
    if str(source) in named:
        return plugins.load("datasets", str(source))()
    path = Path(source).expanduser()
    if str(source).strip() and is_kind(path, stat.S_ISDIR):
        return plugins.load("datasets", "folder")(path)
    is_file = is_kind(path, stat.S_ISREG)
    if is_file and path.suffix.lower() in (".parquet", ".pq"):
        return plugins.load("datasets", "parquet")(path)
    problem = "is a file of another kind" if is_file else "is no known data set and no path that exists"
    known = choices(str(source), named)
    raise DataError(f"{str(source)!r} {problem}: {known}, or a path to a folder or .parquet file")


def is_kind(path: Path, kind: Callable[[int], bool]) -> bool:
    """Whether a path leads to a file of this kind; a path that cannot even be asked about does not."""
    try:
        return kind(path.stat().st_mode)
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        raise DataError(f"{str(path)!r} cannot be opened: {str(error).splitlines()[0]}") from error


def native_size(listing: Listing) -> int:
    """Median short side [pixels] of up to 64 images spread over the source, at least 24."""
    count = len(listing.images)
    places = np.linspace(0, max(0, count - RUN), PROBES).astype(int)
    probed = sorted({int(i) for place in places for i in range(place, min(place + RUN, count))})
    sides = [short_side(listing.images[i], where=listing.images.where(i)) for i in probed]
    return max(MIN_NATIVE, int(np.median(sides)))


def default_size(listing: Listing, native: int) -> int:
    """The side to cache when the user names none [pixels]."""
    return listing.size or (native if native <= SMALL else LARGE)


def statistics(split: Split) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation by channel of the first images, of values in [0, 1]; std at least 1/255.

    The order of a split is that of a hash, so the first images are a random sample.
    """
    pixels = split.images[torch.arange(min(STATISTICS, len(split)))].double() / 255
    std = pixels.std(dim=(0, 2, 3), correction=0).clamp(min=1 / 255)
    return tuple(pixels.mean(dim=(0, 2, 3)).tolist()), tuple(std.tolist())


def _decoded(
    listing: Listing, order: list[np.ndarray], size: int, progress: Progress | None, memory_limit: int
) -> tuple[dict[str, Split], tuple[str, ...]]:
    """Splits by name, cached where they fit, and the note to give where they do not."""
    index, ends = np.concatenate(order), np.cumsum([len(part) for part in order])[:-1]
    labels = torch.from_numpy(listing.labels[index].astype(np.int64))
    parts: Sequence[torch.Tensor | LazyImages]
    notes: tuple[str, ...] = ()
    needed = len(index) * 3 * size * size
    if needed <= memory_limit:
        images = decode_all(listing.images, index, size=size, progress=progress)
        parts = images.tensor_split(ends.tolist())
    else:
        check_all(listing.images, index, size=size, progress=progress)
        parts = [LazyImages(listing.images, part, size=size) for part in order]
        notes = (f"{needed / 2**30:.1f} GiB of pixels exceed {memory_limit / 2**30:.1f} GiB: decoded batch by batch",)
    targets = labels.tensor_split(ends.tolist())
    splits = {name: Split(images=x, labels=y) for name, x, y in zip(SPLITS, parts, targets, strict=True)}
    return splits, notes
