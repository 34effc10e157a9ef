"""Columns of arrays that grow row by row, in the order of their trials' numbers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]


class Columns:
    """Named arrays of one length, rows sorted by the column "numbers".

    What `view` gave out stays as it was, whatever is added later: rows at the end go where nobody looks yet, and a row
    that belongs before others moves them in a copy. Adding k rows at the end takes O(k) time on average.
    """

    def __init__(self, empty: Arrays) -> None:
        self._n = 0
        self._held = {name: array[:0] for name, array in empty.items()}

    def __len__(self) -> int:
        return self._n

    def add(self, rows: Arrays) -> None:
        """Add rows, sorted by number among themselves; the same columns as at the beginning."""
        numbers = rows["numbers"]
        if not len(numbers):
            return
        if self._n and numbers[0] < self._held["numbers"][self._n - 1]:
            places = np.searchsorted(self.view("numbers"), numbers)
            self._held = {name: np.insert(self.view(name), places, rows[name], axis=0) for name in self._held}
        else:
            self._reserve(self._n + len(numbers))
            for name, held in self._held.items():
                held[self._n : self._n + len(numbers)] = rows[name]
        self._n += len(numbers)

    def view(self, name: str) -> NDArray[Any]:
        """One column as it is now."""
        return self._held[name][: self._n]

    def merged(self, rows: Arrays) -> "Columns":
        """A copy with these rows among the others, by number; they are sorted among themselves."""
        made = Columns({name: self.view(name) for name in self._held})
        numbers = np.concatenate([self.view("numbers"), rows["numbers"]])
        by = np.argsort(numbers, kind="stable")
        made._held = {name: np.concatenate([self.view(name), rows[name]])[by] for name in self._held}
        made._n = len(by)
        return made

    def _reserve(self, n: int) -> None:
        room = len(self._held["numbers"])
        if n > room:
            more = max(n, room + room // 4 + 16) - self._n
            self._held = {name: _longer(self.view(name), more) for name in self._held}


def _longer(array: NDArray[Any], more: int) -> NDArray[Any]:
    """The array with room for `more` rows behind it."""
    room = np.empty((len(array) + more, *array.shape[1:]), dtype=array.dtype)
    room[: len(array)] = array
    return room
