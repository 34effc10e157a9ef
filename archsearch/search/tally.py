"""What is known of a study's trials at a glance, kept up to date by looking at what is new alone.

A trial that is finished never changes and open ones are as few as workers, so a look costs the same after ten thousand
trials as after ten.
"""

from bisect import insort
from collections.abc import Callable, Sequence
from statistics import median

from optuna.trial import FrozenTrial

from archsearch.records import GIVEN, OVER, REPLAYED, SKIPPED, TRAINED, stands


def is_first(trial: FrozenTrial) -> bool:
    """Whether this trial stands for a training: running, trained or failed; not an answer without one."""
    return trial.user_attrs.get("status") not in (OVER, REPLAYED, SKIPPED, GIVEN)


class Follower:
    """Goes through the trials of one study as they come."""

    def __init__(self, ended: Callable[[FrozenTrial], bool] = lambda trial: trial.state.is_finished()) -> None:
        self._ended = ended
        self.known = 0  # trials seen so far
        self.open: list[int] = []  # those of them that might change at the last look

    def news(self, trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
        """The trials that may have changed since the last look, then the new ones; both by number.

        trials   all of the study's, by number
        """
        news = [trials[number] for number in self.open if number < len(trials)]
        news += trials[self.known :]
        self.open = [trial.number for trial in news if not self._ended(trial)]
        self.known = max(self.known, len(trials))
        return news


class Tally:
    """Counts over the trials of one study."""

    def __init__(self) -> None:
        self._follower = Follower()
        self._top1: list[float] = []  # sorted
        self.begun = 0  # trials that stand for a training, whatever became of them
        self.ended = 0  # those of them that are finished
        self.by_key: dict[str, int] = {}  # network -> the trial that answers for it: begun, or given and made alike

    @property
    def open(self) -> list[int]:
        """Numbers of the trials that are not finished."""
        return self._follower.open

    @property
    def typical(self) -> float | None:
        """The median accuracy of the trained networks; None before the first."""
        return median(self._top1) if self._top1 else None

    def look(self, trials: Sequence[FrozenTrial]) -> "Tally":
        """Take in what is new; `trials` are all of the study's, by number."""
        known = self._follower.known
        for trial in self._follower.news(trials):
            if trial.number >= known:
                self._begin(trial)
            if trial.state.is_finished():
                self._end(trial)
        return self

    def _begin(self, trial: FrozenTrial) -> None:
        self.begun += is_first(trial)
        if is_first(trial) or stands(trial.user_attrs):
            self.by_key.setdefault(trial.user_attrs["key"], trial.number)

    def _end(self, trial: FrozenTrial) -> None:
        self.ended += is_first(trial)
        if trial.user_attrs.get("status") == TRAINED:
            insort(self._top1, trial.user_attrs["top1"])
