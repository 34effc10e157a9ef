"""How fast the reference is on a device undisturbed, kept in a file, so that measurements of different days compare."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archsearch.errors import LatencyError
from archsearch.measure.fingerprint import differences
from archsearch.records import write_atomic


def read_anchor(path: Path, fingerprint: Mapping[str, Any]) -> float | None:
    """What the reference takes [ms]; None where there is no file yet.

    raises   LatencyError where the file was made on another device, or is none
    """
    if not path.exists():
        return None
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        there, ms = plain["device"], float(plain["reference_ms"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LatencyError(f"{path} is no anchor of a latency: {error}") from None
    if told := differences(there, fingerprint):
        raise LatencyError(f"{path} was made on another device: {told[0]}; name another file")
    return ms


def write_anchor(path: Path, fingerprint: Mapping[str, Any], ms: float) -> None:
    """Keep what the reference takes [ms]; raises LatencyError where the file cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, json.dumps({"device": dict(fingerprint), "reference_ms": ms}, indent=2) + "\n")
    except OSError as error:
        raise LatencyError(f"{path} cannot be written: {error.strerror}") from None
