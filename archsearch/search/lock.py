"""File locks that the kernel lets go when their process dies, however it dies."""

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from optuna.storages.journal._file import BaseJournalFileLock

log = logging.getLogger("archsearch")


class FileLock:
    """An exclusive lock on a file: held by one process at a time, gone with it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def take(self, *, wait: bool = True) -> bool:
        """Whether the lock is ours now; without `wait` a lock held elsewhere is left alone."""
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            os.close(handle)
            return False
        except BaseException:
            os.close(handle)
            raise
        self._handle = handle
        return True

    def free(self) -> None:
        """Let go; nothing happens when it is not held."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock for a `with` block."""
        self.take()
        try:
            yield
        finally:
            self.free()


OURS = ".flock"  # behind the journal's name: Optuna would wait for a file with its own lock's name
THEIRS = ".lock"
GRACE_S = 30.0  # after which Optuna, too, takes its lock for one that a dead process left


class JournalLock(BaseJournalFileLock):
    """Optuna's journal lock on a `FileLock`: a killed writer leaves nothing behind to wait for.

    Other tools (optuna-dashboard, a notebook) write under Optuna's own lock; it is waited for, too.
    """

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._lock = FileLock(journal.with_name(journal.name + OURS))

    def acquire(self) -> bool:
        """Take the lock; what a killed co-worker left unfinished is cut first, or our record would be glued to it."""
        taken = self._lock.take()
        while _is_fresh(self._journal.with_name(self._journal.name + THEIRS)):
            time.sleep(0.001)
        try:
            cut_tail(self._journal)
        except OSError:
            self._lock.free()  # Optuna lets go only of what it got
            raise
        return taken

    def release(self) -> None:
        self._lock.free()


def _is_fresh(lock: Path) -> bool:
    """Whether another tool holds Optuna's lock."""
    try:
        return time.time() - lock.lstat().st_mtime < GRACE_S
    except FileNotFoundError:
        return False


def cut_tail(journal: Path) -> bool:
    """Cut a last line without its newline and keep it beside the journal; whether there was one. Hold the lock."""
    if not journal.is_file():
        return False
    with journal.open("rb+") as file:
        end = file.seek(0, os.SEEK_END)
        if end == 0:
            return False
        file.seek(end - 1)
        if file.read(1) == b"\n":
            return False
        file.seek(0)
        whole = file.read().rfind(b"\n") + 1
        file.seek(whole)
        journal.with_name(journal.name + ".cut").write_bytes(file.read())
        file.truncate(whole)
    log.warning("%s ended in an unfinished record; it was cut and the run goes on", journal)
    return True


def is_alive(path: Path) -> bool:
    """Whether some process holds the lock on a file."""
    if not path.exists():
        return False
    probe = FileLock(path)
    if probe.take(wait=False):
        probe.free()
        return False
    return True
