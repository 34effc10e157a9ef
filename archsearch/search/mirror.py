"""An in-memory copy of the run's study on which Optuna's samplers think.

A sampler that asks the real study writes parameter by parameter; killed half-way it leaves half a trial. Here it asks
the copy, and `propose.py` then writes the finished proposal in one record. The copy is a function of the real study's
trials alone, so a run that was killed goes on exactly as one that was not.
"""

import warnings
from collections.abc import Mapping
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

from archsearch.search.history import SE
from archsearch.search.ledger import Direction, Ledger

SEEN_AS = "archsearch:seen_as"  # values that samplers are shown instead of the stored ones
SHOWN = ("status", SE)  # user attributes that samplers may read
STUDY_ATTRS = "archsearch:study_attrs"  # what the sampler noted on the study while it proposed this trial


class Mirror:
    """The copy; trial numbers and ids equal the real study's numbers."""

    def __init__(self, directions: list[Direction]) -> None:
        self._directions = directions
        self.forget()

    def forget(self) -> None:
        """Begin with an empty copy; the next `sync` fills it again."""
        previous = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.study = optuna.create_study(storage=InMemoryStorage(), directions=self._directions)
        optuna.logging.set_verbosity(previous)
        self._open: set[int] = set()
        self._known = 0

    def sync(self, ledger: Ledger) -> list[FrozenTrial]:
        """Take over what is new in the real study; its trials by number."""
        trials = ledger.trials()
        for number in sorted(self._open):
            self._close(trials[number])
        for trial in trials[self._known :]:
            self.add(trial)
        return trials

    def add(self, trial: FrozenTrial) -> None:
        """Copy one trial of the real study; its number must be the next."""
        copied = _shown(trial)
        storage = self.study._storage
        for key, value in trial.system_attrs.get(STUDY_ATTRS, {}).items():
            storage.set_study_system_attr(self.study._study_id, key, value)
        storage.create_new_trial(self.study._study_id, template_trial=copied)
        self._known += 1
        if not trial.state.is_finished():
            self._open.add(trial.number)

    def ask(self, sampler: BaseSampler, space: Mapping[str, BaseDistribution]) -> tuple[dict[str, Any], dict[str, Any]]:
        """A proposal for the next trial: (parameters, system attributes to store with it).

        The asked trial stays open in the copy until `settle`.
        """
        before = dict(self.study._storage.get_study_system_attrs(self.study._study_id))
        self.study.sampler = sampler
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trial = self.study.ask(fixed_distributions=dict(space))
        frozen = self.study._storage.get_trial(trial._trial_id)
        after = self.study._storage.get_study_system_attrs(self.study._study_id)
        noted = {key: value for key, value in after.items() if before.get(key) != value}
        attrs = {key: value for key, value in frozen.system_attrs.items() if _plain(value)}
        return dict(frozen.params), attrs | ({STUDY_ATTRS: noted} if noted else {})

    def settle(self, trial: FrozenTrial) -> None:
        """Finish what `ask` began: the real study now holds it as `trial`."""
        self._known += 1
        self._open.add(trial.number)
        storage = self.study._storage
        for key, value in _shown(trial).system_attrs.items():
            storage.set_trial_system_attr(trial.number, key, value)
        self._close(trial)

    def _close(self, trial: FrozenTrial) -> None:
        if trial.state.is_finished():
            shown = _shown(trial)
            for key, value in shown.user_attrs.items():
                self.study._storage.set_trial_user_attr(trial.number, key, value)
            self.study._storage.set_trial_state_values(trial.number, shown.state, shown.values)
            self._open.discard(trial.number)


def _shown(trial: FrozenTrial) -> FrozenTrial:
    """The trial as samplers may see it."""
    seen = trial.system_attrs.get(SEEN_AS)
    copied = optuna.trial.create_trial(
        state=trial.state,
        params=trial.params,
        distributions=trial.distributions,
        user_attrs={name: trial.user_attrs[name] for name in SHOWN if name in trial.user_attrs},
        system_attrs={k: v for k, v in trial.system_attrs.items() if k not in (SEEN_AS, STUDY_ATTRS)},
        values=seen if seen is not None and trial.state == TrialState.COMPLETE else trial.values,
    )
    copied.datetime_start = trial.datetime_start
    return copied


def _plain(value: Any) -> bool:
    return isinstance(value, str | int | float | bool | list | dict | type(None))
