"""What a long measurement knows so far, line by line on disk: after a kill the same command goes on from there."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archsearch.errors import LatencyError
from archsearch.measure.method import Measurement


@dataclass(kw_only=True)
class Partial:
    """Measurements under (kind, name), and the anchor they stand on; every one is on disk before the next begins."""

    path: Path
    job: str  # what is being measured, as a hash: another job does not go on from here
    anchor: float | None = None
    known: dict[tuple[str, str], Measurement] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path, what: Mapping[str, Any]) -> "Partial":
        """What an earlier call left of this very job; empty where there is nothing, or something of another job."""
        job = hashlib.sha256(json.dumps(what, sort_keys=True, default=str).encode()).hexdigest()[:12]
        made = cls(path=path, job=job)
        for line in _lines(path):
            if line.get("job") != job:
                made.known, made.anchor = {}, None
                path.unlink(missing_ok=True)
                break
            made.anchor = line["anchor"]
            made.known[line["kind"], line["measured"]["name"]] = Measurement(**line["measured"])
        return made

    def keep(self, kind: str, made: Measurement, anchor: float) -> None:
        """Note one measurement for good."""
        self.anchor = anchor
        self.known[kind, made.name] = made
        line = {"job": self.job, "anchor": anchor, "kind": kind, "measured": made.to_dict()}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise LatencyError(f"{self.path} cannot be written: {error.strerror}") from None

    def done(self) -> None:
        """The job is done: nothing is left to go on from."""
        self.path.unlink(missing_ok=True)


def _lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a file; what a kill left half written is skipped."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return []
    found = []
    for line in text.splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            break
    if found and not text.endswith("\n"):
        path.write_text("".join(json.dumps(each) + "\n" for each in found), encoding="utf-8")
    return found
