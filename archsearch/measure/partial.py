"""What a long measurement knows so far, line by line on disk: after a kill the same command goes on from there."""

import fcntl
import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from archsearch.errors import LatencyError
from archsearch.measure.method import Measurement

MS = ("ms", "low", "high", "raw_ms", "q25_ms", "q75_ms")
FIELDS = frozenset(each.name for each in fields(Measurement))


@dataclass(kw_only=True)
class Partial:
    """Measurements under (kind, name), and the anchor they stand on; every one is on disk before the next begins.

    The file is locked from `open` to `close`, and the lock is gone with its process.
    """

    path: Path
    job: str  # what is being measured, as a hash: another job does not go on from here
    anchor: float | None = None
    known: dict[tuple[str, str], Measurement] = field(default_factory=dict)
    spent: dict[str, float] = field(default_factory=dict)  # kind -> seconds that its measurements took, of all calls
    set_aside: Path | None = None  # where what another job had left lies now
    clock: Callable[[], float] = time.monotonic
    handle: int | None = None

    @classmethod
    def open(
        cls, table: Path, kind: str, what: Mapping[str, Any], *, clock: Callable[[], float] = time.monotonic
    ) -> "Partial":
        """What an earlier call left of this very job beside a table's file; what another job left is set aside.

        raises   LatencyError where another process is at it, or the file cannot be written
        """
        job = hashlib.sha256(json.dumps(what, sort_keys=True, default=str).encode()).hexdigest()[:12]
        made = cls(path=table.with_name(f"{table.name}.{kind}.partial"), job=job, clock=clock)
        try:
            made.path.parent.mkdir(parents=True, exist_ok=True)
            made.handle = _locked(made.path)
            made._read()
        except OSError as error:
            made.close()
            raise LatencyError(f"{made.path} cannot be written: {error.strerror}") from None
        made.begin()
        return made

    def _read(self) -> None:
        """Take over what is there, up to the first line that cannot be read; the file ends there from now on."""
        data = self.path.read_bytes()
        end = 0
        for text in data.splitlines(keepends=True):
            line = _line(text)
            if line is None:
                break
            if line.pop("job") != self.job:
                self._set_aside()
                return
            self._take(**line)
            end += len(text)
        if self.handle is not None and end < len(data):
            os.ftruncate(self.handle, end)

    def _take(self, *, kind: str, made: Measurement, anchor: float, seconds: float) -> None:
        self.anchor = anchor
        self.known[kind, made.name] = made
        self.spent[kind] = self.spent.get(kind, 0.0) + seconds

    def _set_aside(self) -> None:
        """Another job's measurements get another name, and this one begins with nothing."""
        self.anchor, self.known, self.spent = None, {}, {}
        self.set_aside = self.path.with_name(self.path.name + ".old")
        self.path.replace(self.set_aside)
        theirs, self.handle = self.handle, _locked(self.path)
        if theirs is not None:
            os.close(theirs)

    def begin(self) -> None:
        """From now on time counts for the next measurement that is kept."""
        self._mark = self.clock()

    def keep(self, kind: str, made: Measurement, anchor: float) -> None:
        """Note one measurement for good, and the seconds since the one before it."""
        now = self.clock()
        seconds, self._mark = now - self._mark, now
        self._take(kind=kind, made=made, anchor=anchor, seconds=seconds)
        line = {"job": self.job, "anchor": anchor, "kind": kind, "seconds": round(seconds, 4),
                "measured": made.to_dict()}  # fmt: skip
        try:
            if self.handle is None:
                self.handle = _locked(self.path)
            _write(self.handle, (json.dumps(line) + "\n").encode())
        except OSError as error:
            raise LatencyError(f"{self.path} cannot be written: {error.strerror}") from None

    def of(self, kind: str) -> dict[str, Measurement]:
        """What is known of one kind, by name."""
        return {name: made for (of, name), made in self.known.items() if of == kind}

    def load(self) -> float | None:
        """Cores that other processes kept busy meanwhile, on average; None where nobody told."""
        loads = [made.foreign_load for made in self.known.values() if made.foreign_load is not None]
        return sum(loads) / len(loads) if loads else None

    def done(self) -> None:
        """The job is done: nothing is left to go on from."""
        self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Let go of the file; one that holds nothing is removed."""
        if self.handle is not None:
            if not os.fstat(self.handle).st_size and _is(self.handle, self.path):
                self.path.unlink(missing_ok=True)
            os.close(self.handle)
            self.handle = None


def _locked(path: Path) -> int:
    """The file, opened to append and ours alone; raises LatencyError where another process has it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is(handle, path):
            return handle
    except BlockingIOError:
        pass
    except BaseException:
        os.close(handle)
        raise
    os.close(handle)
    raise LatencyError(f"another process is building this table: it holds {path}")


def _is(handle: int, path: Path) -> bool:
    """Whether an open file still lies at this path: its owner before us may have removed it."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _write(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]
    os.fsync(handle)


def _line(text: bytes) -> dict[str, Any] | None:
    """One line that was kept; None where a kill, or somebody's hand, left one that cannot be read."""
    try:
        plain = json.loads(text.decode("utf-8"))
        if not text.endswith(b"\n") or not isinstance(plain["job"], str) or not isinstance(plain["kind"], str):
            return None
        anchor, seconds = float(plain["anchor"]), float(plain.get("seconds", 0.0))
        if not (0 < anchor < math.inf and 0 <= seconds < math.inf):
            return None
        return {"job": plain["job"], "kind": plain["kind"], "anchor": anchor, "seconds": seconds,
                "made": _measurement(plain["measured"])}  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _measurement(plain: Mapping[str, Any]) -> Measurement:
    """A measurement from plain values, without fields of other versions; raises ValueError, KeyError or TypeError."""
    numbers = {name: float(plain[name]) for name in MS}
    if not isinstance(plain["name"], str) or not all(0 < each < math.inf for each in numbers.values()):
        raise ValueError(f"no measurement: {plain['name']!r}")
    rest = {name: value for name, value in plain.items() if name in FIELDS}
    pairs = {name: tuple(rest[name]) for name in ("bins", "bins_ms") if name in rest}
    load = rest.get("foreign_load")
    return Measurement(**(rest | numbers | pairs | {"foreign_load": None if load is None else float(load)}))
