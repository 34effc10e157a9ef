"""Feature maps as the compiled loops see them: rows of channels, split among threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

VECTOR = 256  # floats that a row should have at least: a loop over fewer is over before it is at full speed
SPLIT = 2**18  # floats of a map below which handing out its parts takes longer than it saves
STEP = 64  # rows of a part are a multiple of it
Floats = NDArray[np.float32]


class Crew:
    """Threads that share the rows of a map; sums are added in the order of the parts, so they repeat bit by bit.

    threads  at least 1
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads - 1) if threads > 1 else None

    def sums(self, loop: Callable[[slice, NDArray[np.float64]], None], flat: Floats) -> NDArray[np.float64]:
        """float64[2, c], added up over parts of the rows of `flat`, to each of which the loop adds its own."""
        rows, channels = flat.shape
        return self.shared(lambda first, end, sums: loop(slice(first, end), sums), (2, channels),
                           count=rows, step=STEP, size=flat.size)  # fmt: skip

    def shared(self, loop: Callable[[int, int, NDArray[np.float64]], None], shape: tuple[int, int], *,
               count: int, step: int, size: int) -> NDArray[np.float64]:  # fmt: skip
        """Sums of that shape over `count` things in parts of a multiple of `step`; size: floats in all of them."""
        if self._pool is None or size < SPLIT:
            whole = np.zeros(shape)
            loop(0, count, whole)
            return whole
        parts = self._parts(count, step)
        sums = np.zeros((len(parts), *shape))
        tasks = [(*part, own) for part, own in zip(parts, sums, strict=True)]
        waiting = [self._pool.submit(loop, *task) for task in tasks[1:]]
        loop(*tasks[0])
        for each in waiting:
            each.result()
        return sums.sum(axis=0)

    def _parts(self, count: int, step: int) -> list[tuple[int, int]]:
        size = -(-count // (self.threads * step)) * step
        return [(start, min(count, start + size)) for start in range(0, count, size)]


def matrix(map_: Tensor) -> Tensor:
    """float32[b, c, h, w], channels last, as float32[b * h * w, c] of the same memory."""
    return map_.detach().permute(0, 2, 3, 1).view(-1, map_.shape[1])


def fold_of(map_: Tensor) -> int:
    """Rows that are handled as one, so that narrow maps fill a processor's vectors: a power of two."""
    channels = map_.shape[1]
    rows = map_.numel() // channels
    fold = 1
    while channels * fold < VECTOR and rows % (2 * fold) == 0:
        fold *= 2
    return fold


def folded(map_: Tensor, fold: int) -> Floats:
    """float32[b, c, h, w], channels last, as float32[b * h * w / fold, c * fold] of the same memory."""
    flat: Floats = matrix(map_).view(-1, map_.shape[1] * fold).numpy()
    return flat


def tiled(values: NDArray[np.float64], fold: int) -> Floats:
    """One value a channel, in float32, once for each folded row."""
    single = values.astype(np.float32)
    return single if fold == 1 else single[None].repeat(fold, 0).ravel()


def unfolded(sums: NDArray[np.float64], fold: int) -> NDArray[np.float64]:
    """float64[2, c * fold] summed to float64[2, c]."""
    return sums if fold == 1 else sums.reshape(2, fold, -1).sum(axis=1)


def last(map_: Tensor) -> Tensor:
    """The map in channels-last order; itself where it is so already."""
    return map_.contiguous(memory_format=torch.channels_last)
