"""The device `remote:HOST`: the ONNX files are timed on another machine over SSH, by the method's own files.

The runner there (runner.py) is detached: it goes on while the connection is down, and when this process is gone. All
results lie on the host until they have arrived; the same command finds them again, for a day. What has been handed over
completely is never handed over again: that it has arrived is noted there before the last of it is told here.
"""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import Any

import numpy as np

from archsearch.errors import DeviceError
from archsearch.measure import remote_job as files
from archsearch.measure.device import Settings, missing, only
from archsearch.measure.local import Keep, Tell
from archsearch.measure.method import Effort, Measurement, silent
from archsearch.measure.model import Model
from archsearch.measure.onnxruntime_device import onnx_of
from archsearch.measure.remote_job import Job, code_files, code_name, file_of, key, tars
from archsearch.measure.runner import CHUNK
from archsearch.measure.ssh import Ssh

FOLDER = "~/.cache/archsearch-runner"
PYTHON = "python3"
WAIT_S = 10.0  # for which a connection waits for something to tell
RESTARTS = 2  # of a runner that ends without a new result


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where things lie on a host."""

    folder: str
    code: str
    job: str
    files: frozenset[str]  # of the job, that are there already
    complete: bool  # whether the runner's files are

    def path(self, name: str) -> str:
        """A file or folder in the runner's folder."""
        return f"{self.folder}/{name}"


@dataclass(slots=True)
class Arrived:
    """What has come back of the candidates that are wanted."""

    wanted: frozenset[str]
    anchor: float | None
    found: dict[str, Measurement] = field(default_factory=dict)
    offset: int = 0

    def take(self, lines: str) -> list[Measurement]:
        """Some lines of results, what is new among them; the host timed ratios, so another anchor scales them."""
        new = []
        self.offset += len(lines)
        for row in map(json.loads, lines.splitlines()):
            if row["key"] not in self.wanted or row["key"] in self.found:
                continue
            self.anchor = row["anchor"] if self.anchor is None else self.anchor
            made, scale = _measurement(row["measurement"]), self.anchor / row["anchor"]
            made = replace(made, ms=made.ms * scale, low=made.low * scale, high=made.high * scale)
            self.found[row["key"]] = made
            new.append(made)
        return new

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return len(self.found) == len(self.wanted)


def _measurement(plain: dict[str, Any]) -> Measurement:
    """What JSON made lists of are tuples."""
    told: dict[str, Any] = {name: tuple(each) if isinstance(each, list) else each for name, each in plain.items()}
    return Measurement(**told)


@dataclass(frozen=True, kw_only=True)
class Remote:
    """Networks as ONNX models in onnxruntime on the CPU of another machine."""

    host: str  # user@host, or a name of the user's ssh configuration
    settings: Settings
    python: str = PYTHON
    folder: str | None = None  # on the host
    ssh: tuple[str, ...] = ("ssh",)
    chunk: int = CHUNK  # models that are timed side by side, and done again where a runner is killed
    patience_s: float = 600.0  # without any answer, until the host counts as lost
    pause_s: float = 1.0  # before a connection that broke is made anew; doubled from try to try

    def __post_init__(self) -> None:
        for name in ("python", "folder"):
            value = getattr(self, name)
            if value is not None and (not value or value.startswith("-") or not value.isprintable()):
                raise DeviceError(f"{value!r} cannot be the {name} of a remote device")
        _ = self.line

    @property
    def line(self) -> Ssh:
        """The connection; raises DeviceError for a name that is no host's."""
        return Ssh(host=self.host, command=self.ssh, patience_s=self.patience_s, pause_s=self.pause_s)

    @property
    def name(self) -> str:
        """As it is asked for."""
        return f"remote:{self.host}" + (f",python={self.python}" if self.python != PYTHON else "")

    def fingerprint(self) -> dict[str, Any]:
        """What the times on the host depend on."""
        place = self._ready("none")
        self._copy(place, [])
        told = self._run(place, "fingerprint", json.dumps(self.settings.to_dict()))
        return {**told, "device": self.name, "host": self.host}

    def measure(
        self, models: Sequence[Model], reference: Model, *, anchor: float | None, effort: Effort, seed: int = 0,
        tell: Tell = silent, keep: Keep = silent,
    ) -> tuple[list[Measurement], float]:  # fmt: skip
        """Time models side by side, in random order; arguments and result as of `local.Local.measure`.

        Results that a call like this one left on the host are taken; once all have arrived they are removed there.
        raises   DeviceError for a model that onnxruntime cannot run there, or a host that is lost
        """
        if not models:
            return [], float(anchor or 0.0)
        job = Job(host=self.host, client=f"{platform.node()} {os.getuid()}", settings=self.settings, effort=effort,
                  seed=seed, reference=reference)  # fmt: skip
        order = np.random.default_rng(seed).permutation(len(models)).tolist()
        distinct = list({key(models[each]): models[each] for each in order}.values())
        place = self._ready(job.name)
        self._copy(place, [reference, *distinct], tell)
        arrived = Arrived(wanted=frozenset(map(key, distinct)), anchor=anchor)
        self._follow(place, job.wanted(distinct, anchor, self.chunk), arrived, tell=tell, keep=keep)
        self._run(place, "drop", place.path(place.job))  # where it cannot be removed, the runner does it some day
        return [arrived.found[key(model)] for model in models], float(arrived.anchor or 0.0)

    def _ready(self, job: str) -> Place:
        """A host that can be used; raises DeviceError that says what it lacks."""
        code = code_name()
        told = self.line.first([self.python, "-c", files.PROBE, self.folder or FOLDER, code, job])
        if tuple(told["python"]) < files.OLDEST:
            there, least = (".".join(map(str, each)) for each in (told["python"], files.OLDEST))
            raise DeviceError(f"{self.python} on {self.host} is Python {there}; timing there needs {least} or newer")
        if lacking := [name for name, there in told["packages"].items() if not there]:
            raise DeviceError(
                f"{self.host} lacks {' and '.join(lacking)}; on it: {self.python} -m pip install onnxruntime"
            )
        here = frozenset(told["files"])
        return Place(folder=told["folder"], code=code, job=job, files=here, complete=told["code"])

    def _copy(self, place: Place, models: Sequence[Model], tell: Tell = silent) -> None:
        """The runner's files and the ONNX files, as far as they are not there yet; a sign of life after each stream."""
        absent = {f"{place.job}/{file_of(model)}": model for model in models if file_of(model) not in place.files}
        code = {} if place.complete else code_files(place.code)

        def content(name: str) -> bytes:
            return code[name] if name in code else onnx_of(absent[name], self.settings)

        for stream in tars([*code, *absent], content):
            self.line.call([self.python, "-c", files.UNPACK, place.folder], stream)
            tell(0, max(len(models) - 1, 0))  # of the candidates none is timed yet

    def _follow(self, place: Place, wanted: dict[str, Any], arrived: Arrived, *, tell: Tell, keep: Keep) -> None:
        """Have a runner at work until all that is wanted has arrived."""
        job, total, starts = place.path(place.job), len(arrived.wanted), 0
        self._start(place, wanted, first=True)
        while not arrived.complete:
            seen = self._run(place, "look", job, str(arrived.offset), str(WAIT_S), client())
            new = arrived.take(seen["lines"])
            if arrived.complete:
                self._run(place, "deliver", job)  # first: of a process that is killed here nothing is told twice
            for each in new:
                keep(each, arrived.anchor or 0.0)
            tell(min(len(arrived.found) + seen["now"] * seen["running"], total), total)
            if arrived.complete:
                return
            self._check(seen)
            if seen["lines"]:
                starts = 0
            elif not seen["running"]:
                if starts == RESTARTS:
                    raise DeviceError(f"{self.host}: the runner ends without a result: {seen['log']} ({job}/log)")
                starts += 1
                self._start(place, wanted)

    def _check(self, seen: dict[str, Any]) -> None:
        """Raise DeviceError for what ends a job early."""
        if seen["failed"]:
            raise DeviceError(f"{self.host}: {seen['failed']}")
        if not seen["mine"]:
            raise DeviceError(f"{self.host}: another command of yours has taken this measurement over")

    def _start(self, place: Place, wanted: dict[str, Any], *, first: bool = False, gone: str | None = None) -> None:
        entry = f"{place.path(place.code)}/{files.ENTRY}"
        asked = {"wanted": wanted, "client": client(), "first": first, "gone": gone}
        told = self._run(place, "start", place.path(place.job), entry, stdin=json.dumps(asked).encode())
        if (other := told["client"]) is not None:
            if alive(other):
                raise DeviceError(f"process {other} here is waiting for this measurement on {self.host}: let it end")
            self._start(place, wanted, first=first, gone=other)
        elif told["lacking"]:
            raise DeviceError(f"{self.host}: files were removed there meanwhile; the same command copies them anew")
        elif told["busy"] is not None:
            pid = told["busy"].get("pid")
            raise DeviceError(f"{self.host} is timing something else for you; wait for it, or end it there: kill {pid}")

    def _run(self, place: Place, *words: str, stdin: bytes = b"") -> dict[str, Any]:
        return self.line.call([self.python, f"{place.path(place.code)}/{files.ENTRY}", *words], stdin)


def client() -> str:
    """This process, among those of one user on one machine."""
    return str(os.getpid())


def alive(other: str) -> bool:
    """Whether such a process is there."""
    try:
        os.kill(int(other), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def remote_device(host: str, settings: Settings, **options: Any) -> Remote:
    """The device behind `remote:HOST`; raises DeviceError where it cannot be asked for, before anything is sent."""
    only("remote", settings, ("float32", "int8"))
    if find_spec("onnx") is None:
        raise missing("remote", "onnx")
    return Remote(host=host, settings=settings, **options)
