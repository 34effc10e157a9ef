"""Results that several processes write and that survive a kill: a journal of JSON lines, claims on what is to do."""

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from archsearch.errors import RunError

Row = dict[str, Any]


class Journal:
    """Rows in one file, appended whole; any number of processes may hold the same one.

    A last line that a kill left unfinished is cut by whoever writes next, and kept beside the file as NAME.cut.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rows: list[Row] = []
        self._read = 0  # bytes that are in `_rows`

    def rows(self) -> list[Row]:
        """All rows so far, those of other processes among them; [] where there is no file.

        raises   RunError naming a line that is damaged
        """
        if self.path.exists():
            with self.path.open("rb") as file:
                file.seek(self._read)
                text = file.read()
            whole = text[: text.rfind(b"\n") + 1]
            self._rows += [self._row(line, place) for place, line in enumerate(whole.splitlines(), len(self._rows) + 1)]
            self._read += len(whole)
        return self._rows

    def _row(self, line: bytes, place: int) -> Row:
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise RunError(f"{self.path} line {place} is damaged; repair or delete it")
        return row

    def add(self, *rows: Mapping[str, Any]) -> None:
        """Append rows; they are on the disk when this returns.

        raises   RunError where the disk takes no more
        """
        lines = "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows).encode()
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)  # the kernel's: gone with its process
                self._cut(handle)
                written = os.write(handle, lines)
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise RunError(f"{self.path} cannot be written: {error.strerror or error}") from None
        if written != len(lines):  # whoever writes next cuts what is there of it
            raise RunError(f"{self.path} cannot be written: the disk is full")

    def _cut(self, handle: int) -> None:
        """Cut an unfinished last line; the lock is held."""
        size = os.fstat(handle).st_size
        if size == 0 or os.pread(handle, 1, size - 1) == b"\n":
            return
        text = self.path.read_bytes()
        whole = text.rfind(b"\n") + 1
        self.path.with_name(self.path.name + ".cut").write_bytes(text[whole:])
        os.ftruncate(handle, whole)


class Claims:
    """Who does what: one process holds a name at a time, and lets go when it ends, however it ends."""

    def __init__(self, path: Path) -> None:
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise RunError(f"{path} cannot be opened: {error.strerror or error}") from None

    @contextmanager
    def claim(self, name: str) -> Iterator[bool]:
        """Whether the name is ours for the `with` block."""
        byte = int(hashlib.sha256(name.encode()).hexdigest()[:10], 16)  # one byte of the file stands for the name
        try:
            fcntl.lockf(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
        except OSError:
            yield False
            return
        try:
            yield True
        finally:
            fcntl.lockf(self._handle, fcntl.LOCK_UN, 1, byte)

    def close(self) -> None:
        """Let all go."""
        os.close(self._handle)


def share(
    names: Sequence[str], claims: Claims, *, done: Callable[[], Iterable[str]], do: Callable[[str], None],
    wait: Callable[[], None],
) -> None:  # fmt: skip
    """Have each job done once, by this process or by another one; returns when none is left.

    done     names that are done, whoever did them
    wait     called while all that is left is in other processes' hands; what one of them leaves is taken over
    """
    left = list(names)
    while left:
        busy = []
        for name in left:
            if name in set(done()):
                continue
            with claims.claim(name) as ours:
                if not ours:
                    busy.append(name)
                elif name not in set(done()):
                    do(name)
        finished = set(done())
        left = [name for name in busy if name not in finished]
        if left:
            wait()
