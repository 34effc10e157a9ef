"""Codes of any integer type and layout, read in chunks as narrow columns: one byte an axis, one axis at a time."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsearch.errors import SpaceError

Integers = NDArray[np.integer[Any]]
UNSIGNED = (np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.uint32))


def narrowest(choices: int) -> "np.dtype[Any]":
    """The smallest unsigned type of numbers from 0 to `choices` - 1."""
    return next(kind for kind in UNSIGNED if choices - 1 <= np.iinfo(kind).max)


class Columns:
    """Chunks of codes[n, axes] as a list of columns, each contiguous and of one narrow unsigned type.

    radix    axis -> its choices; columns beyond the last of these axes are left out
    raises   SpaceError for codes of too few axes
    """

    def __init__(self, codes: Integers, radix: Mapping[int, int], chunk: int) -> None:
        axes = max(radix, default=-1) + 1
        if codes.ndim != 2 or codes.shape[1] < axes:
            raise SpaceError(f"codes must be [n, {axes}], one choice for each axis, got shape {codes.shape}")
        self._codes = codes = codes[:, :axes]
        self._limits = np.array([radix.get(axis, np.iinfo(np.int64).max) for axis in range(axes)], dtype=np.int64)
        self._kind = narrowest(max(radix.values(), default=1))
        self._as_is = codes.dtype == self._kind and codes.strides[0] == codes.itemsize
        self._buffer = np.empty((axes, 0 if self._as_is else chunk), dtype=self._kind)

    def read(self, where: slice) -> list[Integers]:
        """The columns of these rows; what is returned is overwritten by the next call.

        raises   SpaceError for a code that is no choice of its axis
        """
        codes = self._codes[where]
        if self._as_is:
            columns = codes.T
        else:
            self._check_width(codes)
            columns = self._buffer[:, : len(codes)]
            columns[:] = codes.astype(self._kind).T  # narrow first: turning the rest over then stays in the cache
        if columns.size and (columns.max(axis=1) >= self._limits).any():
            self._refuse(codes)
        return list(columns)

    def _check_width(self, codes: Integers) -> None:
        """Refuse codes that would turn into others when they are narrowed; negative ones are huge as unsigned."""
        unsigned = codes.view(codes.dtype.str.replace("i", "u"))
        if codes.size and unsigned.max() > np.iinfo(self._kind).max:
            self._refuse(codes)

    def _refuse(self, codes: Integers) -> None:
        row, axis = np.argwhere((codes < 0) | (codes >= self._limits))[0]
        raise SpaceError(
            f"codes of axis {axis} run from 0 to {self._limits[axis] - 1}, got {codes[row, axis]} in a row of codes"
        )
