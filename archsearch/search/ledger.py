"""The run's Optuna study: opened, repaired after a crash, written one whole trial at a time.

Every trial is created by a single journal record that already holds its parameters, costs and constraints, so a kill
at any moment leaves either a whole trial or none.
"""

import json
import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from archsearch.errors import RunError
from archsearch.records import STUDY
from archsearch.search.lock import FileLock, JournalLock

Direction = Literal["maximize", "minimize"]
log = logging.getLogger("archsearch")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTrial:
    """All that is known of a trial when it is created."""

    params: dict[str, Any]
    distributions: Mapping[str, BaseDistribution]
    attrs: dict[str, Any]
    constraints: dict[str, float]
    system_attrs: dict[str, Any]
    state: TrialState = TrialState.RUNNING
    values: list[float] | None = None

    def frozen(self) -> FrozenTrial:
        """As Optuna's template of a trial."""
        trial = optuna.trial.create_trial(
            state=self.state,
            params=self.params,
            distributions=dict(self.distributions),
            user_attrs=self.attrs,
            system_attrs=self.system_attrs,
            values=self.values,
            constraints=self.constraints or None,
        )
        trial.datetime_start = trial.datetime_start or datetime.now(UTC)
        return trial


class Ledger:
    """The study of one run, and nothing else: reads and writes trials."""

    def __init__(self, storage: BaseStorage, directions: list[Direction], name: str = STUDY) -> None:
        previous = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.study = optuna.create_study(
            storage=storage, study_name=name, directions=directions, load_if_exists=True,
            sampler=optuna.samplers.RandomSampler(seed=0),
        )  # fmt: skip
        optuna.logging.set_verbosity(previous)
        if [d.name.lower() for d in self.study.directions] != directions:
            raise RunError(f"the study has objectives {self.study.directions}, this run asks for {directions}")

    def trials(self) -> list[FrozenTrial]:
        """All trials by number; not copies: look, do not touch."""
        return self.study.get_trials(deepcopy=False)

    def add(self, trial: NewTrial) -> int:
        """Create a trial in one record; its number."""
        storage = self.study._storage
        trial_id = storage.create_new_trial(self.study._study_id, template_trial=trial.frozen())
        return storage.get_trial_number_from_id(trial_id)

    def note(self, number: int, attrs: Mapping[str, Any]) -> None:
        """Set user attributes of a running trial."""
        trial_id = self._id(number)
        for key, value in attrs.items():
            self.study._storage.set_trial_user_attr(trial_id, key, value)

    def finish(self, number: int, values: list[float] | None) -> None:
        """Close a running trial: complete with values, failed without."""
        state = TrialState.FAIL if values is None else TrialState.COMPLETE
        self.study._storage.set_trial_state_values(self._id(number), state, values)

    def remember(self, key: str, value: Any) -> None:
        """Set a study-wide user attribute."""
        self.study.set_user_attr(key, value)

    def recall(self, key: str, default: Any = None) -> Any:
        """A study-wide user attribute."""
        return self.study.user_attrs.get(key, default)

    def _id(self, number: int) -> int:
        return self.study._storage.get_trial_id_from_study_id_trial_number(self.study._study_id, number)


def open_journal(path: Path) -> BaseStorage:
    """Optuna's journal storage on a file, repaired first.

    raises   RunError naming the line where the journal is damaged in its middle
    """
    repair(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return JournalStorage(JournalFileBackend(str(path), lock_obj=JournalLock(path)))


def repair(path: Path) -> None:
    """Cut a last line that a killed writer left unfinished; what was cut is kept beside the journal.

    raises   RunError where an earlier line is damaged: that is no crash, and nothing is touched
    """
    if not path.exists():
        return
    lock = FileLock(path.with_name(path.name + ".lock"))
    with lock.held():
        content = path.read_bytes()
        whole, _, tail = content.rpartition(b"\n")
        lines = whole.split(b"\n") if whole else []
        for number, line in enumerate(lines, start=1):
            if not _is_json(line):
                raise RunError(f"{path}: line {number} is damaged; restore the file or begin in another folder")
        if not tail:
            return
        if _is_json(tail):
            with path.open("ab") as file:
                file.write(b"\n")
            return
        path.with_name(path.name + ".cut").write_bytes(tail)
        with path.open("rb+") as file:
            file.truncate(len(content) - len(tail))
        log.warning("%s ended in an unfinished record; it was cut and the run goes on", path)


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
