"""The remote device's half on the host: times ONNX files, keeps each result, goes on where it was stopped.

It needs Python 3.10, NumPy and onnxruntime, and is copied to the host with the files that it imports (remote_job.py).
A job is a folder: job.json (what is wanted), *.onnx, results.jsonl (one line a candidate), anchor.json (what the
reference takes), fingerprint.json, progress.json, failed.json, log; client.json says which process asks for it, and is
touched each time that it does; delivered, that it has got everything. One runner at a time works on a host: it holds
the lock file beside the jobs, and the kernel releases that whenever the runner ends.
"""

import fcntl
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from archsearch.measure.fingerprint import differences, host
from archsearch.measure.pinning import Load, pinned

if TYPE_CHECKING:
    from archsearch.measure.ort_session import OrtModel

MARK = "archsearch-answer:"  # before an answer: a login shell may print more than that
CHUNK = 50  # models that are loaded at once: what a killed runner has to do again
CHUNK_BYTES = 1 << 28  # of their files
LOOK_S = 0.2  # between two looks at a job while there is nothing to tell
ALIVE_S = 60.0  # after its last question a client may still be there
FRESH_S = 24 * 3600.0  # after the last result a job goes on; later it begins anew
ABANDONED_S = 7 * 24 * 3600.0  # after the last change a job is removed
STATE = ("results.jsonl", "anchor.json", "fingerprint.json", "progress.json", "failed.json", "delivered")


class Refused(Exception):
    """What cannot be measured, in one line for the user."""


# what the client asks for, one connection each ----------------------------------------------------------------------


def start(job: Path, code: Path) -> dict[str, Any]:
    """Write down what is wanted (stdin) and have a runner at work on it; does nothing more where there is one.

    The answer's `busy` is another job's runner, `client` another process that asks for this very job, `lacking` says
    how many files are not there: with any of them nothing has begun.
    """
    job.mkdir(parents=True, exist_ok=True)
    asked = json.load(sys.stdin)
    told: dict[str, Any] = {"busy": None, "client": _other(job, asked), "lacking": _lacking(job, asked["wanted"])}
    if told["client"] is not None or told["lacking"]:
        return told
    if asked["first"] and (job / "delivered").exists():
        _ended(job)
    lock = _locked(job.parent)
    if lock is None and (owner(job.parent).get("job") != job.name or (job / "delivered").exists()):
        return told | {"busy": owner(job.parent)}
    _write(job / "client.json", {"client": asked["client"]})
    if lock is not None and asked["first"] and _stale(job):
        for name in STATE:
            (job / name).unlink(missing_ok=True)
    (job / "failed.json").unlink(missing_ok=True)
    _write(job / "job.json", asked["wanted"])
    if lock is not None:
        with lock:
            _sweep(job)
            _begin(job, code, lock)
    return told


def _begin(job: Path, code: Path, lock: IO[str]) -> None:
    """A detached runner, which inherits the lock."""
    with (job / "log").open("ab") as log:
        worker = subprocess.Popen(
            [sys.executable, str(code), "work", str(job), str(code)], stdin=subprocess.DEVNULL, stdout=log,
            stderr=log, start_new_session=True, pass_fds=(lock.fileno(),),
        )  # fmt: skip
    lock.truncate(0)
    lock.write(json.dumps({"pid": worker.pid, "job": job.name}))


def _other(job: Path, asked: Mapping[str, Any]) -> str | None:
    """Another client that has asked for this job a moment ago, unless it is known to be gone."""
    there: str | None = _read(job / "client.json").get("client")
    if there is None or there in (asked["client"], asked["gone"]) or _age(job / "client.json") > ALIVE_S:
        return None
    return there


def _lacking(job: Path, wanted: Mapping[str, Any]) -> int:
    """Files that another client's `drop` has taken away since they were copied."""
    return sum(not (job / each["file"]).exists() for each in (wanted["reference"], *wanted["candidates"]))


def _stale(job: Path) -> bool:
    """Whether a job's results are nothing to go on with: handed over already, or old."""
    results = job / "results.jsonl"
    return (job / "delivered").exists() or (results.exists() and _age(results) > FRESH_S)


def _age(path: Path) -> float:
    """Since its last change [s]."""
    return time.time() - path.stat().st_mtime


def _sweep(job: Path) -> None:
    """Remove other jobs that nobody has come back for."""
    for other in job.parent.glob("job-*"):
        with suppress(OSError):  # another machine that shares the folder removes it, too
            if other != job and min(map(_age, (other, *other.iterdir()))) > ABANDONED_S:
                shutil.rmtree(other)


def look(job: Path, offset: int, wait_s: float, client: str) -> dict[str, Any]:
    """Whole lines of results from `offset` on, and whether a runner works on the job; waits for something to tell."""
    until = time.monotonic() + wait_s
    if mine := _read(job / "client.json").get("client") == client:
        os.utime(job / "client.json")
    while True:
        running = _works(job)  # before the lines: none comes later
        lines = _lines(job / "results.jsonl", offset)
        failed = _read(job / "failed.json").get("error")
        if lines or failed or not running or not mine or time.monotonic() >= until:
            break
        time.sleep(LOOK_S)
    now = _read(job / "progress.json").get("now", 0)
    told = {"lines": lines, "running": running, "failed": failed, "now": now, "log": _last(job / "log")}
    return told | {"mine": mine}


def deliver(job: Path) -> dict[str, Any]:
    """Note that all results have arrived: they are never told again, even where the job cannot be removed."""
    if job.exists():
        (job / "delivered").touch()
    return {}


def drop(job: Path) -> dict[str, Any]:
    """Remove a job whose results have arrived; not one that a runner still works on. Says whether it is gone."""
    if _ended(job) and (job / "delivered").exists():
        shutil.rmtree(job, ignore_errors=True)
    return {"removed": not job.exists()}


def _ended(job: Path, most_s: float = 5.0) -> bool:
    """Whether no runner works on a job, after a moment in which it may come to its end."""
    until = time.monotonic() + most_s
    while (works := _works(job)) and time.monotonic() < until:
        time.sleep(LOOK_S)
    return not works


def fingerprint(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What the times on this host depend on."""
    return {"device": "onnxruntime", **settings, **host(["onnxruntime", "numpy"])}


# the runner itself --------------------------------------------------------------------------------------------------


def work(job: Path) -> None:
    """Measure until nothing is pending; what is wanted is read anew before each chunk."""
    print(f"{time.strftime('%F %T')} process {os.getpid()}, {__file__}", flush=True)
    try:
        _check_host(job)
        _cut(job / "results.jsonl")
        with pinned(_read(job / "job.json")["settings"]["threads"]):
            while chunk := next(_chunks(job), None):
                _measure(job, chunk)
    except Refused as error:
        _write(job / "failed.json", {"error": str(error)})


def _measure(job: Path, chunk: Sequence[Mapping[str, str]]) -> None:
    """Time one chunk and add its results."""
    from archsearch.measure.method import Effort, measure  # not above: to look at a job must not load NumPy each time

    wanted, load = _read(job / "job.json"), Load()
    loaded: list[tuple[str, OrtModel]] = []
    try:
        reference = _model(job, wanted["reference"], wanted["settings"])
        loaded.append(("reference", reference))
        loaded += [(each["name"], _model(job, each, wanted["settings"])) for each in chunk]
        made, anchor = measure(
            loaded[1:], reference, anchor=_read(job / "anchor.json").get("ms", wanted["anchor"]),
            effort=Effort(**wanted["effort"]), seed=wanted["seed"] + _count(job / "results.jsonl"),
            tell=lambda now, _: _write(job / "progress.json", {"now": now}),
        )  # fmt: skip
    finally:
        for _, model in loaded:
            model.close()
    _write(job / "anchor.json", {"ms": anchor})
    (job / "progress.json").unlink(missing_ok=True)
    foreign = load.foreign()
    rows = [{"key": each["key"], "anchor": anchor, "measurement": replace(found, foreign_load=foreign).to_dict()}
            for each, found in zip(chunk, made, strict=True)]  # fmt: skip
    _append(job / "results.jsonl", rows)


def _chunks(job: Path) -> Iterator[list[Mapping[str, str]]]:
    """Runs of pending candidates that fit in memory together."""
    known = {json.loads(line)["key"] for line in _lines(job / "results.jsonl", 0).splitlines()}
    wanted = _read(job / "job.json")
    chunk: list[Mapping[str, str]] = []
    spent = 0
    for each in wanted["candidates"]:
        if each["key"] in known:
            continue
        size = (job / each["file"]).stat().st_size
        if chunk and (len(chunk) >= wanted["chunk"] or spent + size > CHUNK_BYTES):
            yield chunk
            chunk, spent = [], 0
        chunk.append(each)
        spent += size
    if chunk:
        yield chunk


def _model(job: Path, each: Mapping[str, str], settings: Mapping[str, Any]) -> "OrtModel":
    from archsearch.measure.ort_session import OrtModel

    try:
        return OrtModel(job / each["file"], threads=settings["threads"], batch=settings["batch"])
    except Exception as error:  # onnxruntime's own classes, which it does not share a base for
        told = (str(error).strip() or type(error).__name__).splitlines()[0]  # errors.first_line does not travel
        raise Refused(f"onnxruntime cannot run {each['name']}: {told}") from error


def _check_host(job: Path) -> None:
    """Results of one job come from one state of the host: raises Refused where that has changed."""
    kept, now = _read(job / "fingerprint.json"), fingerprint(_read(job / "job.json")["settings"])
    if kept and (told := differences(kept, now)):
        raise Refused(f"the host has changed since this job began ({'; '.join(told)}): remove {job} there")
    _write(job / "fingerprint.json", now)


# files and the lock -------------------------------------------------------------------------------------------------


def owner(folder: Path) -> dict[str, Any]:
    """Process and job of the runner that holds the lock, or held it last."""
    return _read(_lock(folder))


def _works(job: Path) -> bool:
    """Whether a runner is at work on this job."""
    return _held(job.parent) and owner(job.parent).get("job") == job.name


def _lock(folder: Path) -> Path:
    return folder / f"lock-{platform.node()}"  # a home may be shared by several machines


def _locked(folder: Path, tries: int = 5) -> IO[str] | None:
    """The lock file, held; None where a runner holds it."""
    file = _lock(folder).open("a")
    for nth in range(tries):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except BlockingIOError:  # a runner's, or for a moment that of somebody who looks
            time.sleep(LOOK_S * (nth + 1 < tries))
    file.close()
    return None


def _held(folder: Path) -> bool:
    """Whether a runner is at work."""
    with _lock(folder).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _read(path: Path) -> dict[str, Any]:
    """A JSON object; empty where there is none."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


def _write(path: Path, value: Mapping[str, Any]) -> None:
    """A JSON object, written whole or not at all."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(json.dumps(value), encoding="utf-8")
    os.replace(part, path)


def _append(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
        file.flush()
        os.fsync(file.fileno())


def _lines(path: Path, offset: int) -> str:
    """Whole lines from an offset [bytes] on; JSON as written here is ASCII."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(offset)
        text = file.read()
    return text[: text.rfind(b"\n") + 1].decode()


def _cut(path: Path) -> None:
    """Remove the half line that a kill has left."""
    if path.exists():
        whole = len(_lines(path, 0).encode())
        os.truncate(path, whole)


def _count(path: Path) -> int:
    return len(_lines(path, 0).splitlines())


def _last(path: Path) -> str:
    """The last line of a log."""
    lines = path.read_text(errors="replace").strip().splitlines() if path.exists() else []
    return lines[-1][:300] if lines else ""


def main(words: Sequence[str]) -> None:
    """start JOB CODE, look JOB OFFSET WAIT CLIENT, deliver JOB, drop JOB, fingerprint SETTINGS, or work JOB."""
    action, first = words[0], words[1]
    if action == "work":
        work(Path(first))
        return
    answers = {
        "start": lambda: start(Path(first), Path(words[2])),
        "look": lambda: look(Path(first), int(words[2]), float(words[3]), words[4]),
        "deliver": lambda: deliver(Path(first)),
        "drop": lambda: drop(Path(first)),
        "fingerprint": lambda: fingerprint(json.loads(first)),
    }
    print(MARK + json.dumps(answers[action]()), flush=True)
