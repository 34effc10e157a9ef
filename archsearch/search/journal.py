"""Optuna's journal in a file, for runs of many thousand trials: its own records, with less memory and fewer writes.

Optuna reads, and other tools read, what is written here; nothing of the format is ours. What differs is how it is kept
in memory: equal parts of trials are held once, the list of trials is not built anew for each look, and of the file
only the place is remembered up to which it was read.
"""

import copy
import json
import os
import sys
import warnings
from collections.abc import Container, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from optuna.distributions import BaseDistribution, json_to_distribution
from optuna.exceptions import ExperimentalWarning
from optuna.storages import JournalStorage
from optuna.storages.journal import BaseJournalBackend
from optuna.storages.journal._storage import JournalOperation
from optuna.trial import FrozenTrial, TrialState

from archsearch.search.lock import JournalLock

CHUNK = 2**20  # bytes read at a time


class JournalFile(BaseJournalBackend):
    """The file: whole lines are read once each, in order; records that belong together are written at once."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, JournalLock(path)
        self._place = 0, 0  # records read so far, and the bytes they take
        path.touch()

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """Records from a number on; a last line that is being written waits for the next call."""
        number, offset = self._place if self._place[0] == log_number_from else (0, 0)
        size = self._path.stat().st_size
        if size == offset:
            return
        for line in _lines(self._path, offset, size):
            number, offset = number + 1, offset + len(line) + 1
            if number > log_number_from:
                self._place = number, offset
                yield json.loads(line, object_pairs_hook=_with_shared_names)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Write records by one call, and wait until they lie on the disk."""
        text = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
        self._lock.acquire()
        try:
            with self._path.open("ab") as file:
                file.write(text.encode("utf-8"))
                file.flush()
                os.fsync(file.fileno())
        finally:
            self._lock.release()


class Journal(JournalStorage):
    """Optuna's journal storage on such a file."""

    def __init__(self, path: Path) -> None:
        self._shared: dict[Any, Any] = {}
        self._rows: dict[int, list[FrozenTrial]] = {}  # study -> its trials by number
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            super().__init__(JournalFile(path))

    def end_trial(
        self, trial_id: int, attrs: Mapping[str, Any], state: TrialState, values: Sequence[float] | None
    ) -> None:
        """Set user attributes and close a trial, by one write of as many records as Optuna would have written."""
        now = datetime.now(tz=UTC).isoformat(timespec="microseconds")
        end = {"op_code": JournalOperation.SET_TRIAL_STATE_VALUES, "state": state, "values": values}
        self._write_of(trial_id, [*_notes(attrs), end | {"datetime_complete": now}])

    def note_trial(self, trial_id: int, attrs: Mapping[str, Any], reached: Mapping[int, float]) -> None:
        """Set intermediate values, then user attributes in their order, by one write."""
        rung = {"op_code": JournalOperation.SET_TRIAL_INTERMEDIATE_VALUE}
        values = [rung | {"step": step, "intermediate_value": value} for step, value in reached.items()]
        self._write_of(trial_id, [*values, *_notes(attrs)])

    def _write_of(self, trial_id: int, records: Sequence[Mapping[str, Any]]) -> None:
        """Write records of one trial at once."""
        with self._thread_lock:
            same = {"worker_id": self._replay_result.worker_id, "trial_id": trial_id}
            self._backend.append_logs([{"op_code": record["op_code"], **same, **record} for record in records])
            self._sync_with_backend()

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """As Optuna's, from a list that is kept."""
        with self._thread_lock:
            self._sync_with_backend()
            self._replay_result.get_study(study_id)  # raises where there is none
            rows = self._rows.get(study_id, [])
            rows = list(rows) if states is None else [trial for trial in rows if trial.state in states]
            return copy.deepcopy(rows) if deepcopy else rows

    def _sync_with_backend(self) -> None:
        for record in self._backend.read_logs(self._replay_result.log_number_read):
            if record["op_code"] == JournalOperation.CREATE_TRIAL:
                self._create(record)
            else:
                self._replay_result.apply_logs([record])
                if "trial_id" in record:
                    self._renew(record["trial_id"])

    def _create(self, record: dict[str, Any]) -> None:
        """A new trial; its distributions are read once for all trials that have the same ones."""
        texts, params = record.pop("distributions", {}), record.pop("params", {})
        known = len(self._replay_result._trials)
        self._replay_result.apply_logs([record])
        if len(self._replay_result._trials) == known:
            return  # of a study that was deleted
        trial = self._replay_result._trials[known]
        spoken = self._distributions(texts)
        trial.distributions = spoken
        trial.params = {name: spoken[name].to_external_repr(value) for name, value in params.items()}
        if isinstance(arch := trial.user_attrs.get("arch_json"), dict):
            trial.user_attrs["arch_json"] = {name: self._parts(value) for name, value in arch.items()}
        self._rows.setdefault(record["study_id"], []).append(trial)

    def _renew(self, trial_id: int) -> None:
        """Optuna puts a changed copy in a trial's place."""
        trial = self._replay_result._trials.get(trial_id)
        if trial is not None:
            self._rows[self._replay_result._trial_id_to_study_id[trial_id]][trial.number] = trial

    def _distributions(self, texts: Mapping[str, str]) -> dict[str, BaseDistribution]:
        mark = tuple(texts.items())
        if mark not in self._shared:
            self._shared[mark] = {name: json_to_distribution(text) for name, text in texts.items()}
        found: dict[str, BaseDistribution] = self._shared[mark]
        return found

    def _parts(self, value: Any) -> Any:
        """A value of an architecture: its lists are its own, the stages in them are shared by all that have them."""
        if isinstance(value, list):
            return [self._shared.setdefault(repr(each), each) for each in value]
        return self._shared.setdefault(repr(value), value)


def _notes(attrs: Mapping[str, Any]) -> list[dict[str, Any]]:
    """User attributes as records."""
    note = JournalOperation.SET_TRIAL_USER_ATTR
    return [{"op_code": note, "user_attr": {name: value}} for name, value in attrs.items()]


def _lines(path: Path, offset: int, size: int) -> Iterator[bytes]:
    """Whole lines between two places of a file, without their ends; nobody's later bytes."""
    tail = b""
    with path.open("rb", buffering=0) as file:
        file.seek(offset)
        while offset < size and (chunk := file.read(min(CHUNK, size - offset))):
            offset += len(chunk)
            *lines, tail = (tail + chunk).split(b"\n")
            yield from lines


def _with_shared_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {sys.intern(name): value for name, value in pairs}
