"""What a latency depends on besides the network: processor, cores, governor, versions. Standard library only."""

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
CPUINFO = Path("/proc/cpuinfo")
COMPARED = ("device", "cpu", "machine", "threads", "batch", "dtype", "gpu")  # and the versions


def host(packages: Sequence[str]) -> dict[str, Any]:
    """This machine and the versions of some packages, as plain values; what cannot be read is None."""
    return {
        "cpu": cpu_model(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "machine": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "governor": _read(GOVERNOR),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in packages},
    }


def cpu_model() -> str | None:
    """The processor's name."""
    for line in (_read(CPUINFO) or "").splitlines():
        name, _, value = line.partition(":")
        if name.strip().lower() in ("model name", "hardware", "cpu model"):
            return value.strip()
    return platform.processor() or None


def differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """What tells two fingerprints apart in a way that matters for latency, one line each."""
    told = []
    for name in COMPARED:
        if there.get(name) != here.get(name):
            told.append(f"{name} is {there.get(name)!r} there, {here.get(name)!r} here")
    for name in sorted({*there.get("versions", {}), *here.get("versions", {})}):
        was, now = (each.get("versions", {}).get(name) for each in (there, here))
        if was != now:
            told.append(f"{name} is {was} there, {now} here")
    return told


def compared(fingerprint: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a fingerprint that `differences` looks at."""
    return {name: fingerprint.get(name) for name in (*COMPARED, "versions")}


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
