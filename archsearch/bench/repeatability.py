"""How far results of separate processes lie apart: by the method, and by what is usually done."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from archsearch.errors import DeviceError
from archsearch.measure.device import Settings
from archsearch.measure.pick import REMOTE, pick
from archsearch.spec.presets import read_arch

CALLS = 100  # of the plain way
PLAIN = """
import json, sys
from archsearch.measure.device import Settings
from archsearch.measure.model import whole
from archsearch import plugins
from archsearch.spec.presets import read_arch
device = plugins.load("devices", sys.argv[1])(Settings(threads=int(sys.argv[3])))
model = device.load(whole(read_arch(sys.argv[2]), "network"))
for _ in range(10):
    model.run()
times = sorted(model.run() for _ in range(int(sys.argv[4])))
print(json.dumps(times[len(times) // 2]))
"""

Tell = Callable[[int, int, str], None]


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is repeated."""

    arch: str = "mobilenet_v2"
    device: str = "onnxruntime"
    threads: int = 1
    processes: int = 10
    minutes: float = 10.0


def repeated(question: Question, folder: Path, tell: Tell) -> dict[str, Any]:
    """The same network in separate processes, evenly over some minutes: in turns by the method and the plain way.

    plain      median of 100 calls after 10 to warm up, in a process of its own, nothing pinned
    raw        the plain median of the runs that the method made
    corrected  what the method reports: paired with the reference, whose speed the first process noted
    raises     SpecError, PluginError or DeviceError for an unknown network or device, before anything is timed
    """
    check(question)
    anchor = folder / "anchor.json"
    anchor.unlink(missing_ok=True)
    rows: dict[str, list[float]] = {"plain": [], "raw": [], "corrected": []}
    loads: list[float | None] = []
    began = time.monotonic()
    for nth in range(question.processes):
        _wait(began + nth * question.minutes * 60 / max(question.processes - 1, 1))
        tell(nth, question.processes, "")
        made = child(method(question, anchor, nth))["measurements"][0]
        rows["plain"].append(float(child(_plain(question))))
        rows["raw"].append(made["raw_ms"])
        rows["corrected"].append(made["ms"])
        loads.append(made["foreign_load"])
    spreads = {name: spread(values) for name, values in rows.items()}
    return {
        "arch": question.arch, "device": question.device, "threads": question.threads, "ms": rows,
        "minutes": (time.monotonic() - began) / 60, "foreign_load": loads, "spread": spreads,
        "times_as_tight": {name: spreads["plain"][name] / spreads["corrected"][name] for name in spreads["plain"]},
    }  # fmt: skip


def spread(values: Sequence[float]) -> dict[str, float]:
    """How far values lie apart, as shares of their median: standard deviation, and largest minus smallest."""
    known = np.asarray(values)
    middle = float(np.median(known))
    return {"deviation": float(known.std(ddof=1)) / middle, "range": float(np.ptp(known)) / middle}


def _wait(until: float) -> None:
    time.sleep(max(0.0, until - time.monotonic()))


def check(question: Question) -> None:
    """Raise what the processes would end with."""
    read_arch(question.arch)
    if question.device.startswith(REMOTE):
        raise DeviceError(f"device {question.device} cannot be timed the plain way: give one of this machine")
    pick(question.device, Settings(threads=question.threads))


def method(question: Question, anchor: Path, seed: int) -> list[str]:
    return ["-m", "archsearch", "latency", "measure", question.arch, "--device", question.device, "--threads",
            str(question.threads), "--anchor", str(anchor), "--seed", str(seed), "--target", "0.01", "--most", "120",
            "--json"]  # fmt: skip


def _plain(question: Question) -> list[str]:
    return ["-c", PLAIN, question.device, question.arch, str(question.threads), str(CALLS)]


def child(words: list[str]) -> Any:
    """What a process prints as JSON; raises DeviceError with its last words where it fails."""
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        last = next((line.strip() for line in reversed(done.stderr.splitlines()) if line.strip()), "no reason given")
        raise DeviceError(f"a process that measures ended with code {done.returncode}: {last}")
    return json.loads(done.stdout)
