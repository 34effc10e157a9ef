"""The latency table of a command: which file it is, whether it may be trusted, and the device on which to time."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsearch import plugins
from archsearch.errors import LatencyError, RunError

if TYPE_CHECKING:
    from archsearch.cost.latency import LatencyTable
    from archsearch.measure.device import Settings
    from archsearch.measure.pick import Stopwatch
    from archsearch.spec.space import SearchSpace
    from archsearch.spec.union import Union

FORCE = "--force-latency uses it all the same"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the options say of latency."""

    file: Path | None = None
    device: str | None = None
    force: bool = False

    @property
    def named(self) -> bool:
        """Whether a table or a device was named."""
        return self.file is not None or self.device is not None


@dataclass(frozen=True, kw_only=True)
class Timing:
    """A latency table in use."""

    file: Path  # where it was read
    table: "LatencyTable"
    device: str  # by name
    stopwatch: "Stopwatch | None"  # None: the device is not at hand, and use of the table was forced
    fingerprint: Mapping[str, Any]  # of the device at hand, else of the one that the table was made on
    warnings: tuple[str, ...] = ()  # that were overruled
    notes: tuple[str, ...] = ()  # what is worth knowing, and no reason to refuse it


def devices(train: str | None, latency: str | None) -> tuple[str | None, str | None]:
    """The device to train on and the one to time on, as `--device` and `--latency-device` name them.

    `--device` takes either: cpu, cuda and cuda:N train; the name of any other device of ours is one to time on.
    raises   RunError where both options name a device to time on, and not the same
    """
    if train is None or not is_timed(train):
        return train, latency
    if latency not in (None, train):
        raise RunError(f"--device {train} and --latency-device {latency} both name a device to time on; leave out one")
    return None, train


def is_timed(name: str) -> bool:
    """Whether this is the name of a device that is for timing alone."""
    from archsearch.measure.pick import REMOTE

    return name.startswith(REMOTE) or (name != "cuda" and name in plugins.names("devices"))


def timing(
    wish: Wish, space: "SearchSpace", *, classes: int, kept: Path | None = None, device: str | None = None,
    build: str = "",
) -> Timing:  # fmt: skip
    """The table that a command shall use.

    space    as its file has it, nothing left out; the table must be made for it
    classes  that the networks tell apart
    build    options of `latency table build` that name the space
    kept     the copy in the folder of a run that goes on: it was looked at when the run began
    device   that the run has timed on
    raises   LatencyError, one line, where there is none, or none that may be trusted and nobody forces it
    """
    from archsearch.cost.latency import read_table

    file = wish.file or kept or _default(space.name, classes, wish.device, build or f"--space {space.name}")
    table = read_table(file)
    name = wish.device or device or str(table.fingerprint["device"])
    stopwatch, fingerprint, differs = _at_hand(name, table)
    known = kept is not None and wish.file is None
    doubts = [*([] if known else _doubts(table, file, space, classes)), *differs]
    if doubts and not wish.force:
        raise LatencyError(f"latency table {file} cannot be trusted: {doubts[0]}; {FORCE}")
    return Timing(file=file, table=table, device=name, stopwatch=stopwatch, fingerprint=fingerprint,
                  warnings=tuple(doubts), notes=() if known else tuple(head_notes(table, classes)))  # fmt: skip


def bound(wish: Wish, space: "SearchSpace", **found: Any) -> Timing:
    """The same, its two metrics made known to all that counts."""
    from archsearch.cost.count import bind
    from archsearch.cost.latency import metrics_of

    made = timing(wish, space, **found)
    bind(*metrics_of(made.table))
    return made


def with_table(texts: Mapping[str, str], file: Path | None, space: "SearchSpace | Union") -> tuple[str, ...]:
    """The metrics of a latency table made known to a command that only counts; () where nobody asks for latency.

    texts    the limits as written; one on latency asks for the table, and so does the file's name
    space    as its file has it, nothing left out
    Doubts about a table are told: nothing is spent on its word here.
    """
    from archsearch.cli.show import console
    from archsearch.cost.budget import LATENCIES
    from archsearch.cost.count import bind
    from archsearch.cost.latency import metrics_of, read_table
    from archsearch.spec.union import Union

    if file is None and not {*texts} & {*LATENCIES}:
        return ()
    members = space.spaces if isinstance(space, Union) else (space,)
    path = file or _default(space.name, members[0].head.classes, None, f"--space {space.name}")
    table, heads = read_table(path), [each.head.classes for each in members]
    told = [text for each, classes in zip(members, heads, strict=True)
            for text in (*_doubts(table, path, each, classes), *head_notes(table, classes))]  # fmt: skip
    for text in dict.fromkeys(told):
        console(error=True).print(f"latency table {path}: {text}", markup=False, soft_wrap=True, style="yellow")
    bind(*metrics_of(table))
    return LATENCIES


def _default(space: str, classes: int, device: str | None, build: str) -> Path:
    """Where the table of a space lies when no file is named: one for as many classes, else one for the space's own."""
    from archsearch.measure.device import Settings
    from archsearch.measure.pick import DEFAULT
    from archsearch.records import latency_file

    name = device or DEFAULT
    settings = Settings().to_dict()
    exact = latency_file(space, name, **settings, classes=classes)
    path = exact if exact.is_file() else latency_file(space, name, **settings)
    if not path.is_file():
        raise LatencyError(
            f"there is no latency table {path}; make it: archsearch latency table build {build} "
            f"--device {name} (or name another one: --latency-table FILE)"
        )
    return path


def _doubts(table: "LatencyTable", file: Path, space: "SearchSpace", classes: int) -> list[str]:
    """Why a table should be no limit."""
    doubts = []
    if table.verified is None:
        doubts.append(f"it is not verified (archsearch latency table verify {file})")
    elif not table.passed:
        doubts.append("it failed its verification")
    if told := _of_another(table, space):
        doubts.append(told)
    if table.shapes is None and (made := _other_classes(table, classes)):
        doubts.append(f"it was made for {made} classes, this has {classes}, and it cannot tell a head by its shape")
    return doubts


def _of_another(table: "LatencyTable", space: "SearchSpace") -> str | None:
    """That a table was made for another space: by what the space holds; by its name where the table says no more."""
    from archsearch.spec.space_digest import space_digest

    there, here = table.about.get("space_digest"), space_digest(space)
    if table.space != space.name and there != here:
        return f"it was made for space {table.space}, and this is {space.name}"
    if there not in (None, here):
        return f"it was made for another space {space.name} ({there}, and this is {here})"
    return None


def _other_classes(table: "LatencyTable", classes: int) -> int | None:
    """For how many classes a table was made, where these are others and it says so."""
    made: int | None = table.about.get("classes")
    return None if made in (None, classes) else made


def head_notes(table: "LatencyTable", classes: int) -> list[str]:
    """That a head of another size is told by its shape."""
    made = None if table.shapes is None else _other_classes(table, classes)
    return [f"made for {made} classes, this has {classes}: the head's time is told by its shape"] if made else []


def _at_hand(name: str, table: "LatencyTable") -> "tuple[Stopwatch | None, Mapping[str, Any], list[str]]":
    """The device, its fingerprint, and how it differs from the one that the table was made on."""
    from archsearch.measure.fingerprint import differences
    from archsearch.measure.pick import REMOTE, pick

    if not name.startswith(REMOTE) and name not in plugins.names("devices"):
        return (
            None,
            table.fingerprint,
            [f"its device {name} is none that this machine can time on, so the front cannot be measured"],
        )
    stopwatch = pick(name, settings_of(table.fingerprint))
    here = stopwatch.fingerprint()
    told = differences(table.fingerprint, here)
    return stopwatch, here, [f"it was made elsewhere: {told[0]}"] if told else []


def settings_of(fingerprint: Mapping[str, Any]) -> "Settings":
    """How networks were run for a table."""
    from archsearch.measure.device import Settings

    known = {name: value for name, value in fingerprint.items() if name in Settings().to_dict() and value is not None}
    return Settings(**known)
