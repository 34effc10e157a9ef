"""Coordinate descent: codes improved one axis at a time."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsearch.spec.fields import Codes
from archsearch.spec.space import SearchSpace


def climbed(space: SearchSpace, codes: Codes, score: Callable[[Codes], NDArray[Any]], *, rounds: int) -> Codes:
    """Codes int64[n, axes], each moved to the best choice of one axis after the other, `rounds` times over.

    score    codes [m, axes] -> [m], the less the better; of equal scores the first choice is taken
    """
    for _ in range(rounds):
        for axis, choices in enumerate(space.radix):
            tries = np.repeat(codes[:, None], int(choices), axis=1)
            tries[:, :, axis] = np.arange(int(choices))
            scores = score(tries.reshape(-1, codes.shape[1])).reshape(len(codes), -1)
            codes = tries[np.arange(len(codes)), scores.argmin(axis=1)]
    return codes
