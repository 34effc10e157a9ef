"""An in-memory copy of the run's study on which Optuna's samplers think.

A sampler that asks the real study writes parameter by parameter; killed half-way it leaves half a trial. Here it asks
the copy, and `propose.py` then writes the finished proposal in one record. The copy is a function of the real study's
trials alone, so a run that was killed goes on exactly as one that was not.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

from archsearch.cost.budget import Budget
from archsearch.records import GIVEN, OVER, stands
from archsearch.search.halving import Hope
from archsearch.search.history import SE, SOURCE
from archsearch.search.ledger import CONSTRAINT, LISTED, Direction, Ledger
from archsearch.search.tally import Follower

SEEN_AS = "archsearch:seen_as"  # values that samplers are shown instead of the stored ones
SHOWN = ("status", SE, SOURCE, "equal")  # user attributes that samplers may read
STUDY_ATTRS = "archsearch:study_attrs"  # what the sampler noted on the study while it proposed this trial
HIDDEN = (SEEN_AS, STUDY_ATTRS, LISTED)  # system attributes that samplers are not shown


class Copies(InMemoryStorage):
    """Optuna's storage in memory, whose trials are put in as they are: parts that are equal in both are held once."""

    def put(self, study_id: int, trial: FrozenTrial) -> None:
        """Set the trial with this number, the next one or one that is there; its id is its number."""
        with self._lock:
            trials = self._studies[study_id].trials
            if trial.number == len(trials):
                trials.append(trial)
                self._max_trial_id = trial.number
                self._trial_id_to_study_id_and_number[trial.number] = (study_id, trial.number)
            else:
                trials[trial.number] = trial
            self._update_cache(trial.number, study_id)


class Mirror:
    """The copy; trial numbers and ids equal the real study's numbers.

    budget   as it is now: it may have changed since a trial was written
    hopes    what is expected of trials that were judged at a rung, by number: samplers see them as complete
    """

    def __init__(
        self, directions: list[Direction], budget: Budget,
        hopes: Callable[[Sequence[FrozenTrial]], Mapping[int, Hope]] = lambda trials: {},
    ) -> None:  # fmt: skip
        self._directions, self._budget, self._hopes = directions, budget, hopes
        self.forget()

    def forget(self) -> None:
        """Begin with an empty copy; the next `sync` fills it again."""
        previous = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._storage = Copies()
        self.study = optuna.create_study(storage=self._storage, directions=self._directions)
        optuna.logging.set_verbosity(previous)
        self._follower = Follower()

    def sync(self, ledger: Ledger) -> list[FrozenTrial]:
        """Take over what is new in the real study; its trials by number."""
        trials = ledger.trials()
        known, hopes = self._follower.known, self._hopes(trials)
        for trial in self._follower.news(trials):
            if trial.number >= known:
                self._note(trial)
            hope = hopes.get(trial.number)
            if trial.number >= known or trial.state.is_finished() or hope:
                shown = _shown(trial, self._budget)
                self._storage.put(self.study._study_id, _hoped(shown, hope) if hope else shown)
        return trials

    def _note(self, trial: FrozenTrial) -> None:
        for key, value in trial.system_attrs.get(STUDY_ATTRS, {}).items():
            self._storage.set_study_system_attr(self.study._study_id, key, value)

    def ask(self, sampler: BaseSampler, space: Mapping[str, BaseDistribution]) -> tuple[dict[str, Any], dict[str, Any]]:
        """A proposal for the next trial: (parameters, system attributes to store with it).

        The asked trial stays in the copy until `sync` finds what the real study holds under its number.
        """
        before = dict(self._storage.get_study_system_attrs(self.study._study_id))
        self.study.sampler = sampler
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trial = self.study.ask(fixed_distributions=dict(space))
        frozen = self._storage.get_trial(trial._trial_id)
        after = self._storage.get_study_system_attrs(self.study._study_id)
        noted = {key: value for key, value in after.items() if before.get(key) != value}
        attrs = {key: value for key, value in frozen.system_attrs.items() if _plain(value)}
        return dict(frozen.params), attrs | ({STUDY_ATTRS: noted} if noted else {})


def _shown(trial: FrozenTrial, budget: Budget) -> FrozenTrial:
    """The trial as samplers may see it.

    One that is hidden looks failed: Optuna's samplers look away, `history.read` knows it by its attributes. That is a
    network that was over budget and would fit now, for nobody knows its accuracy, and an earlier run's result that was
    made otherwise.
    """
    seen, status = trial.system_attrs.get(SEEN_AS), trial.user_attrs.get("status")
    costs = trial.user_attrs["costs"]  # not all of them where a table has no such network
    excess = budget.excess(costs) if budget.limits.keys() <= costs.keys() else {}
    fits = all(value <= 0 for value in excess.values())
    hidden = (status == OVER and fits) or (status == GIVEN and not stands(trial.user_attrs))
    constraints = {f"{CONSTRAINT}{name}": value for name, value in excess.items()}
    values = seen if seen is not None and trial.state == TrialState.COMPLETE else trial.values
    return FrozenTrial(
        number=trial.number,
        trial_id=trial.number,
        state=TrialState.FAIL if hidden else trial.state,
        value=None,
        values=values,  # also of hidden ones: an older generation of NSGA-II may hold them
        datetime_start=trial.datetime_start,
        datetime_complete=trial.datetime_complete,
        params=trial.params,
        distributions=trial.distributions,
        user_attrs={name: trial.user_attrs[name] for name in SHOWN if name in trial.user_attrs},
        system_attrs={
            name: value
            for name, value in trial.system_attrs.items()
            if name not in HIDDEN and not name.startswith(CONSTRAINT)
        }
        | constraints,
        intermediate_values={},
    )


def _hoped(shown: FrozenTrial, hope: Hope) -> FrozenTrial:
    """A trial that was judged at a rung as samplers see it: complete, with what is expected of it and how surely."""
    made = copy(shown)
    made.state, made.values = TrialState.COMPLETE, list(hope.values)
    made.user_attrs = shown.user_attrs | {"status": hope.status, SE: hope.error}
    return made


def _plain(value: Any) -> bool:
    return isinstance(value, str | int | float | bool | list | dict | type(None))
