"""Decoded images in memory, or decoded batch by batch where memory is too small. Both answer `images[int64[b]]`."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from archsearch.data.decode import decode
from archsearch.data.listing import Images
from archsearch.data.splits import content_key

Progress = Callable[[int, int], None]  # called with images done and images in all
CHUNK = 64  # images per task of the thread pool


def in_chunks(work: Callable[[int, int], None], total: int, progress: Progress | None) -> None:
    """`work(start, stop)` over 0 .. total in a thread pool; raises the first error in order."""
    pool = ThreadPoolExecutor(os.cpu_count())
    starts = range(0, total, CHUNK)
    try:
        tasks = [pool.submit(work, start, min(start + CHUNK, total)) for start in starts]
        for start, task in zip(starts, tasks, strict=True):
            task.result()
            if progress:
                progress(min(start + CHUNK, total), total)
    finally:
        pool.shutdown(cancel_futures=True)


def content_keys(images: Images) -> np.ndarray:
    """The hash of every image's bytes, uint64[n]; reads every image once."""
    keys = np.empty(len(images), dtype=np.uint64)

    def work(start: int, stop: int) -> None:
        for i in range(start, stop):
            keys[i] = content_key(images[i])

    in_chunks(work, len(images), None)
    return keys


def decode_all(images: Images, index: np.ndarray, *, size: int, progress: Progress | None = None) -> torch.Tensor:
    """The images at `index`, int64[m], as uint8[m, 3, size, size] (channels last in memory).

    raises   DataError naming the first image that cannot be decoded
    """
    pixels = np.empty((len(index), size, size, 3), dtype=np.uint8)

    def work(start: int, stop: int) -> None:
        for row in range(start, stop):
            i = int(index[row])
            pixels[row] = decode(images[i], size, where=images.where(i))

    in_chunks(work, len(index), progress)
    return torch.from_numpy(pixels).permute(0, 3, 1, 2)


def check_all(images: Images, index: np.ndarray, *, size: int, progress: Progress | None = None) -> None:
    """Decode every image once and forget it, so that a damaged one is told before training starts."""

    def work(start: int, stop: int) -> None:
        for i in index[start:stop].tolist():
            decode(images[i], size, where=images.where(i))

    in_chunks(work, len(index), progress)


class LazyImages:
    """Images that are decoded when asked for, in a thread pool.

    index    int64[n], which images of the source
    """

    def __init__(self, images: Images, index: np.ndarray, *, size: int) -> None:
        self._images, self._index, self._size = images, index, size
        self._pool: ThreadPoolExecutor | None = None

    def __len__(self) -> int:
        return len(self._index)

    @property
    def shape(self) -> torch.Size:
        """[n, 3, size, size]"""
        return torch.Size((len(self), 3, self._size, self._size))

    def __getitem__(self, rows: torch.Tensor) -> torch.Tensor:
        """Decoded images at `rows`, int64[b], as uint8[b, 3, size, size]."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(os.cpu_count())
        pixels = list(self._pool.map(self._one, self._index[rows.cpu().numpy()].tolist()))
        stack = np.stack(pixels) if pixels else np.empty((0, self._size, self._size, 3), dtype=np.uint8)
        return torch.from_numpy(stack).permute(0, 3, 1, 2)

    def _one(self, i: int) -> np.ndarray:
        return decode(self._images[i], self._size, where=self._images.where(i))

    def __iter__(self) -> Iterator[torch.Tensor]:
        """One image at a time, uint8[3, size, size]."""
        for row in range(len(self)):
            yield self[torch.tensor([row])][0]

    def select(self, rows: np.ndarray) -> "LazyImages":
        """The images at `rows`, still lazy."""
        return LazyImages(self._images, self._index[rows], size=self._size)

    def join(self, other: "LazyImages") -> "LazyImages":
        """These images and then the other ones of the same source."""
        assert self._images is other._images
        return LazyImages(self._images, np.concatenate([self._index, other._index]), size=self._size)
