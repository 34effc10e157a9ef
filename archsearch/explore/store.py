"""Results that survive a kill: JSON lines, each written whole, read back and repaired when the file is opened again."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from archsearch.errors import RunError

Row = dict[str, Any]


class Store:
    """The rows of one file by (space, key); open it with `opened`, which holds it for this process alone."""

    def __init__(self, handle: int, rows: dict[tuple[str, str], Row]) -> None:
        self._handle = handle
        self.rows = rows
        self.by_key = {key: row for (_, key), row in rows.items()}  # of whatever space

    def add(self, row: Mapping[str, Any]) -> None:
        """Append a row; it is on the disk when this returns.

        raises   RunError where the disk takes no more
        """
        line = (json.dumps(row, allow_nan=False) + "\n").encode()
        try:
            written = os.write(self._handle, line)
            os.fsync(self._handle)
        except OSError as error:
            raise RunError(f"results cannot be written: {error.strerror or error}") from None
        if written != len(line):  # the next call cuts what is there of it
            raise RunError("results cannot be written: the disk is full")
        self.rows[row["space"], row["key"]] = self.by_key[row["key"]] = dict(row)


@contextmanager
def opened(path: Path) -> Iterator[Store]:
    """The results in a file, which is made where it is not there.

    A last line that a kill left unfinished is cut and kept beside the file, as NAME.cut.
    raises   RunError where another process holds the file, it cannot be opened, or a line further up is damaged
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise RunError(f"{path} cannot be opened: {error.strerror or error}") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the kernel's: gone with its process
        except BlockingIOError:
            raise RunError(f"{path} is in use: another process is at work on this comparison") from None
        text = path.read_bytes()
        whole = text.rfind(b"\n") + 1
        if whole < len(text):
            path.with_name(path.name + ".cut").write_bytes(text[whole:])
            os.ftruncate(handle, whole)
        yield Store(handle, _rows(path, text[:whole]))
    finally:
        os.close(handle)


def _rows(path: Path, text: bytes) -> dict[tuple[str, str], Row]:
    rows = {}
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            row = json.loads(line)
            rows[row["space"], row["key"]] = row
        except (ValueError, TypeError, KeyError):
            raise RunError(f"{path} line {number} is damaged; repair or delete it") from None
    return rows
