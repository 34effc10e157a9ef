"""The run's Optuna study: opened, repaired after a crash, written one whole trial at a time.

Every trial is created by a single journal record that already holds its parameters, costs and constraints, so a kill
at any moment leaves either a whole trial or none.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage
from optuna.storages.journal._storage import JournalOperation
from optuna.trial import FrozenTrial, TrialState

from archsearch.errors import RunError
from archsearch.records import STUDY
from archsearch.search.journal import Journal
from archsearch.search.lock import OURS, FileLock, cut_tail
from archsearch.search.tally import Tally

CONSTRAINT = "constraints:"  # how Optuna begins the name of a constraint among a trial's system attributes
LISTED = "constraints"  # system attribute: constraints as optuna-dashboard reads them, without their names
Direction = Literal["maximize", "minimize"]


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
        if self.constraints:
            trial.system_attrs[LISTED] = list(self.constraints.values())
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

        self._tally = Tally()

    def trials(self) -> list[FrozenTrial]:
        """All trials by number; not copies: look, do not touch."""
        return self.study.get_trials(deepcopy=False)

    def tally(self) -> Tally:
        """Counts over all trials, as they are now."""
        return self._tally.look(self.trials())

    def add(self, trial: NewTrial) -> int:
        """Create a trial in one record; its number."""
        storage = self.study._storage
        with disk_told("the study"):
            trial_id = storage.create_new_trial(self.study._study_id, template_trial=trial.frozen())
        return storage.get_trial_number_from_id(trial_id)

    def note(self, number: int, attrs: Mapping[str, Any], reached: Mapping[int, float] | None = None) -> None:
        """Set user attributes of a running trial, in their order; before them what it `reached` after some epochs."""
        trial_id, storage = self._id(number), self.study._storage
        with disk_told("the study"):
            if isinstance(storage, Journal):
                storage.note_trial(trial_id, attrs, reached or {})
                return
            for step, top1 in (reached or {}).items():
                storage.set_trial_intermediate_value(trial_id, step, top1)
            for key, value in attrs.items():
                storage.set_trial_user_attr(trial_id, key, value)

    def finish(self, number: int, values: list[float] | None, attrs: Mapping[str, Any] | None = None) -> None:
        """Close a running trial: complete with values, failed without; `attrs` are noted before."""
        self._close(number, TrialState.FAIL if values is None else TrialState.COMPLETE, values, attrs or {})

    def stop(self, number: int, attrs: Mapping[str, Any]) -> None:
        """Close a trial that will not be trained on, as Optuna's pruned ones; `attrs` are noted before."""
        self._close(number, TrialState.PRUNED, None, attrs)

    def _close(
        self, number: int, state: TrialState, values: list[float] | None, attrs: Mapping[str, Any]
    ) -> None:  # fmt: skip
        storage = self.study._storage
        with disk_told("the study"):
            if isinstance(storage, Journal):
                storage.end_trial(self._id(number), attrs, state, values)
            else:
                self.note(number, attrs)
                storage.set_trial_state_values(self._id(number), state, values)

    def constrain(self, number: int, constraints: Mapping[str, float]) -> None:
        """Set the constraints of a running trial anew, as `NewTrial` set them first."""
        told: dict[str, Any] = {f"{CONSTRAINT}{name}": value for name, value in constraints.items()}
        with disk_told("the study"):
            for name, value in {**told, LISTED: list(constraints.values())}.items():
                self.study._storage.set_trial_system_attr(self._id(number), name, value)

    def remember(self, key: str, value: Any) -> None:
        """Set a study-wide user attribute."""
        with disk_told("the study"):
            self.study.set_user_attr(key, value)

    def recall(self, key: str, default: Any = None) -> Any:
        """A study-wide user attribute."""
        return self.study.user_attrs.get(key, default)

    def _id(self, number: int) -> int:
        return self.study._storage.get_trial_id_from_study_id_trial_number(self.study._study_id, number)


def open_journal(path: Path) -> BaseStorage:
    """Optuna's journal storage on a file, checked and repaired first.

    raises   RunError naming the line where the journal is damaged in its middle
    """
    repair(path)
    with disk_told(path):
        return Journal(path)


def repair(path: Path) -> None:
    """Cut a last line that a killed writer left unfinished; what was cut is kept beside the journal.

    raises   RunError where an earlier line is damaged: that is no crash, and nothing is touched
    """
    if path.is_dir():
        raise RunError(f"{path} is a folder, not a journal")
    if not path.exists():
        return
    with FileLock(path.with_name(path.name + OURS)).held():
        *lines, tail = path.read_bytes().split(b"\n")
        for number, line in enumerate(lines, start=1):
            if not _is_record(line):
                raise RunError(f"{path}: line {number} is damaged; restore the file or begin in another folder")
        if _is_record(tail):
            with path.open("ab") as file:
                file.write(b"\n")
        else:
            cut_tail(path)


def _is_record(line: bytes) -> bool:
    """Whether a line is one of Optuna's journal records."""
    try:
        record = json.loads(line)
    except ValueError:
        return False
    known = [operation.value for operation in JournalOperation]
    return isinstance(record, dict) and record.get("op_code") in known


@contextmanager
def disk_told(place: object) -> Iterator[None]:
    """A full or broken disk becomes one line."""
    try:
        yield
    except OSError as error:
        raise RunError(
            f"{place} cannot be written: {error.strerror or error}; the same command goes on later"
        ) from None
