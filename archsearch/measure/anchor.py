"""How fast the reference is on a device undisturbed, kept in a file, so that measurements of different days compare."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archsearch.errors import LatencyError, RunError
from archsearch.measure.fingerprint import differences
from archsearch.measure.pick import REFERENCE
from archsearch.records import write_atomic


def read_anchor(path: Path, fingerprint: Mapping[str, Any]) -> float | None:
    """What the reference takes [ms]; None where there is no file yet.

    raises   LatencyError where the file was made on another device or by another reference, or is none
    """
    if not path.exists():
        return None
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        there, name, ms = dict(plain["device"]), plain["reference"], float(plain["reference_ms"])
        if not 0 < ms < math.inf:
            raise ValueError(f"{ms} ms")
        told = differences(there, fingerprint)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise LatencyError(f"{path} is no anchor of a latency: {error}") from None
    if told:
        raise LatencyError(f"{path} was made on another device: {told[0]}; name another file")
    if name != REFERENCE:
        raise LatencyError(f"{path} was made by another reference: {name}, here {REFERENCE}; name another file")
    return ms


def write_anchor(path: Path, fingerprint: Mapping[str, Any], ms: float) -> None:
    """Keep what the reference takes [ms]; raises LatencyError where the file cannot be written."""
    told = {"device": dict(fingerprint), "reference": REFERENCE, "reference_ms": ms}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, json.dumps(told, indent=2) + "\n")
    except (OSError, RunError) as error:
        raise LatencyError(f"{path} cannot be written: {getattr(error, 'strerror', None) or error}") from None
