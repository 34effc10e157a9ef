"""Local search: networks one choice away from the front so far. Simple, and hard to beat by much."""

import numpy as np

from archsearch.bench.course import joined_values
from archsearch.bench.race import Answer
from archsearch.pareto import front
from archsearch.spec.fields import Codes
from archsearch.surrogate.domain import Domain, Networks

FIRST = 10  # networks spread over the range of costs, before the search begins


class LocalSearch:
    """Proposes a random unseen neighbour of a random member of the front; knows costs and never repeats itself."""

    def __init__(self, domain: Domain, seed: int) -> None:
        self._domain, self._rng = domain, np.random.default_rng(seed)
        self._seen: set[bytes] = set()
        self._codes: list[Codes] = []  # by ticket
        self._told: dict[int, tuple[float, tuple[float, ...]]] = {}
        self._around: dict[int, Networks] = {}  # neighbours of a ticket's network

    def ask(self) -> tuple[int, Codes] | None:
        """The first networks, then neighbours; another random network where all neighbours were seen."""
        code = self._neighbour() if len(self._codes) >= FIRST else None
        if code is None:
            code = self._anything()
        if code is None:
            return None
        self._codes.append(code)
        return len(self._codes) - 1, code

    def tell(self, ticket: int, answer: Answer) -> None:
        """Keep the result."""
        if not answer.missing and answer.fits:
            self._told[ticket] = (answer.top1, answer.costs)

    def again(self, ticket: int) -> bool:
        """Never."""
        return False

    def handed(self) -> None:
        """The front of what it was told."""
        return

    def _neighbour(self) -> Codes | None:
        if not self._told:
            return None
        tickets = list(self._told)
        values = joined_values(
            np.array([self._told[t][0] for t in tickets]),
            np.array([self._told[t][1] for t in tickets]).reshape(len(tickets), len(self._domain.minimize)),
        )
        members = [tickets[i] for i in np.flatnonzero(front(values))]
        for nth in self._rng.permutation(len(members)):
            ticket = members[nth]
            if ticket not in self._around:
                self._around[ticket] = self._domain.around(self._codes[ticket][None])
            code = self._unseen(self._around[ticket])
            if code is not None:
                return code
        return None

    def _anything(self) -> Codes | None:
        code = self._unseen(self._domain.draw(FIRST, self._rng))
        if code is None:
            everything = self._domain.everything()
            code = self._unseen(self._domain.draw(1000, self._rng) if everything is None else everything)
        return code

    def _unseen(self, networks: Networks) -> Codes | None:
        """One of these that was never proposed, at random."""
        names = list(networks)
        left = [row for row, name in enumerate(names) if name not in self._seen]
        if not left:
            return None
        row = left[int(self._rng.integers(len(left)))]
        self._seen.add(names[row])
        return np.asarray(networks.codes[row])
