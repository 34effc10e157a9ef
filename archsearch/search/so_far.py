"""The best of a run as measured, while it goes on: each new result is compared with that alone."""

from collections.abc import Sequence

from optuna.trial import FrozenTrial

from archsearch.search.finish import members, trained
from archsearch.search.propose import Problem
from archsearch.search.tally import Follower


class SoFar:
    """The front, or the best network within each rung, as `finish.members` finds them among all trials."""

    def __init__(self, problem: Problem) -> None:
        self._problem, self._follower = problem, Follower()
        self.members: list[FrozenTrial] = []  # cheapest first

    def look(self, trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
        """Take in what is new; `trials` are all of the study's, by number. Returns the members."""
        new = trained(self._follower.news(trials))
        if new:
            known = {trial.number: trial for trial in [*self.members, *new]}
            self.members = members([known[number] for number in sorted(known)], self._problem)
        return self.members
