"""The networks among which the next one is chosen: all of a small domain, the promising parts of a large one."""

from collections.abc import Callable
from typing import Any

import numpy as np

from archsearch.surrogate.domain import Domain, Floats, Networks, joined

BASE = 4096  # networks drawn once from a large domain, even over the logarithm of cost
FRESH = 768  # of these, looked at in one refreshed pool
ROUNDS = 3  # of moving on from the most promising
PARENTS = 12  # networks whose neighbours are looked at in one round

Score = Callable[[Networks], Floats]


def base(domain: Domain, seed: int, memory: dict[str, Any]) -> tuple[Networks, bool]:
    """All networks that fit and True, or many of them, spread over cost, and False; kept in `memory`."""
    if "base" not in memory:
        whole = domain.everything()
        drawn = whole if whole is not None else domain.draw(BASE, np.random.default_rng(np.random.SeedSequence([seed])))
        memory["base"] = drawn, whole is not None
    found: tuple[Networks, bool] = memory["base"]
    return found


def promising(domain: Domain, drawn: Networks, front: Networks, score: Score, rng: np.random.Generator) -> Networks:
    """Networks of a large domain, each once: some of those drawn, the front's neighbours, and, round by round, the
    neighbours of those with the highest scores.

    score   expected gain of each of n networks
    """
    some = drawn.take(np.sort(rng.permutation(len(drawn))[:FRESH]))
    around = front.codes[np.sort(rng.permutation(len(front))[: 2 * PARENTS])]
    found = joined([some, domain.around(around)]).once()
    scores = score(found)
    asked: set[bytes] = set()
    for _ in range(ROUNDS):
        best = [row for row in np.argsort(-scores, kind="stable") if found.names[row].tobytes() not in asked]
        parents = found.take(np.array(best[:PARENTS], dtype=np.int64))
        asked.update(parents)
        wider = joined([found, domain.around(parents.codes)]).once()
        scores = np.concatenate([scores, score(wider.take(np.arange(len(found), len(wider))))])
        found = wider
    return found
