"""The front while a run goes on: each new result is compared with the members of the front alone."""

from collections.abc import Sequence

from optuna.trial import FrozenTrial

from archsearch.search.finish import front_trials, trained
from archsearch.search.tally import Follower


class SoFar:
    """The trained networks that no other beats, as `front_trials` finds them among all trials."""

    def __init__(self) -> None:
        self._follower = Follower()
        self.front: list[FrozenTrial] = []  # cheapest first

    def look(self, trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
        """Take in what is new; `trials` are all of the study's, by number. Returns the front."""
        new = trained(self._follower.news(trials))
        if new:
            members = {trial.number: trial for trial in [*self.front, *new]}
            self.front = front_trials([members[number] for number in sorted(members)])
        return self.front
