"""The remote device's half on the host: times ONNX files, keeps each result, goes on where it was stopped.

It needs Python 3.10, NumPy and onnxruntime, and is copied to the host with the files that it imports (remote_job.py).
A job is a folder: job.json (what is wanted), *.onnx, results.jsonl (one line a candidate), anchor.json (what the
reference takes), fingerprint.json, progress.json, failed.json, log. One runner at a time works on a host: it holds the
lock file beside the jobs, and the kernel releases that whenever the runner ends.
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


class Refused(Exception):
    """What cannot be measured, in one line for the user."""


# what the client asks for, one connection each ----------------------------------------------------------------------


def start(job: Path, code: Path) -> dict[str, Any]:
    """Write down what is wanted (stdin) and have a runner at work on it; does nothing more where there is one."""
    job.mkdir(parents=True, exist_ok=True)
    wanted = json.load(sys.stdin)
    lock = _locked(job.parent)
    if lock is None and owner(job.parent).get("job") != job.name:
        return {"busy": owner(job.parent)}
    (job / "failed.json").unlink(missing_ok=True)
    _write(job / "job.json", wanted)
    if lock is not None:
        with lock, (job / "log").open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, str(code), "work", str(job), str(code)], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True, pass_fds=(lock.fileno(),),
            )  # fmt: skip
            lock.truncate(0)
            lock.write(json.dumps({"pid": worker.pid, "job": job.name}))
    return {"busy": None}


def look(job: Path, offset: int, wait_s: float) -> dict[str, Any]:
    """Whole lines of results from `offset` on, and whether a runner works on the job; waits for something to tell."""
    until = time.monotonic() + wait_s
    while True:
        running = _held(job.parent) and owner(job.parent).get("job") == job.name  # before the lines: none comes later
        lines = _lines(job / "results.jsonl", offset)
        failed = _read(job / "failed.json").get("error")
        if lines or failed or not running or time.monotonic() >= until:
            break
        time.sleep(LOOK_S)
    now = _read(job / "progress.json").get("now", 0)
    return {"lines": lines, "running": running, "failed": failed, "now": now, "log": _last(job / "log")}


def drop(job: Path) -> dict[str, Any]:
    """Remove a job whose results have arrived; not one that a runner still works on."""
    until = time.monotonic() + 5
    while (held := _held(job.parent) and owner(job.parent).get("job") == job.name) and time.monotonic() < until:
        time.sleep(LOOK_S)
    if not held and (job / "job.json").exists():
        shutil.rmtree(job, ignore_errors=True)
    return {}


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
        raise Refused(f"onnxruntime cannot run {each['name']}: {str(error).splitlines()[0]}") from error


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
    """One action: start JOB CODE, look JOB OFFSET WAIT, drop JOB, fingerprint SETTINGS, or work JOB."""
    action, first = words[0], words[1]
    if action == "work":
        work(Path(first))
        return
    answers = {
        "start": lambda: start(Path(first), Path(words[2])),
        "look": lambda: look(Path(first), int(words[2]), float(words[3])),
        "drop": lambda: drop(Path(first)),
        "fingerprint": lambda: fingerprint(json.loads(first)),
    }
    print(MARK + json.dumps(answers[action]()), flush=True)
