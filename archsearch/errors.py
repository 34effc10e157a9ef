"""What can go wrong. Every error the user can cause is one line: what, which value, what would be right.

ArchSearchError
├── SpecError          an architecture that cannot exist, or text that does not name one
├── SpaceError         a design-space file that is wrong
├── BudgetError        a limit that cannot be read or cannot be met
├── PluginError        a name that no table holds
├── DataError          images or labels that cannot be used
├── RecipeError        a training recipe that cannot be followed
├── CheckpointError    weights on disk that cannot be trusted
├── TrainingError      a training that went wrong; the run goes on without it
├── DeviceError        a device that cannot be used, or a latency that cannot be measured
├── LatencyError       a latency table that cannot be trusted, or does not go with what is asked of it
├── CountError         counter, model and tracer disagree
├── TooMany            an exact count would take too long; an estimate takes its place
├── ExportError        a network that cannot leave the house in that form
├── RunError           a results folder that cannot be used
└── ReportError        a figure or page that cannot be made
"""

import difflib
from collections.abc import Iterable


class ArchSearchError(Exception):
    """Wrong input, told in one line; the command line exits with code 2."""


class SpecError(ArchSearchError):
    """An architecture that cannot exist, or text that does not name one."""


class SpaceError(ArchSearchError):
    """A design-space file that is wrong: names the key, the value and the choices."""


class BudgetError(ArchSearchError):
    """A limit that cannot be read, or that no network of the space can meet."""


class PluginError(ArchSearchError):
    """A name that no table of `plugins.py` holds."""


class DataError(ArchSearchError):
    """Images or labels that cannot be used: names the file or row."""


class RecipeError(ArchSearchError):
    """A training recipe that cannot be followed."""


class CheckpointError(ArchSearchError):
    """Weights on disk that cannot be trusted: names the file."""


class TrainingError(ArchSearchError):
    """A training that went wrong: a failed trial, never the end of a run."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason  # "nan", "out of memory" or "time limit"


class DeviceError(ArchSearchError):
    """A device that cannot be used, or a latency that cannot be measured on it."""


class LatencyError(ArchSearchError):
    """A latency table that cannot be trusted, or that does not go with what is asked of it."""


class CountError(ArchSearchError):
    """Counter, model and tracer disagree about a cost."""


class TooMany(ArchSearchError):
    """An exact count would take too much time or memory; whoever asks for one falls back on an estimate."""


class ExportError(ArchSearchError):
    """A network that cannot be exported: a missing package, a file in the way, answers that differ from torch's."""


class RunError(ArchSearchError):
    """A results folder that cannot be used."""


class ReportError(ArchSearchError):
    """A figure or page that cannot be made."""


def first_line(error: BaseException) -> str:
    """The first line of an exception's message; its class where it has none."""
    lines = str(error).strip().splitlines()
    return lines[0].strip() if lines else type(error).__name__


def choices(name: str, known: Iterable[str]) -> str:
    """The end of an error message: the nearest known name first, then all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}choices: {', '.join(names)}"
