"""What the commands that make and judge latency tables share: builders, where tables lie, progress, verdicts."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archsearch.cost.latency import LatencyTable
    from archsearch.measure.build import Builder
    from archsearch.spec.arch import Arch
    from archsearch.spec.space import SearchSpace


def check_held_out(networks: int) -> None:
    """Raise LatencyError for a number of networks that is too small to judge by."""
    from archsearch.errors import LatencyError
    from archsearch.measure.verify import FEWEST

    if 0 < networks < FEWEST:
        raise LatencyError(f"--held-out must be 0 or at least {FEWEST}, got {networks}")


def judged_table(
    table: "LatencyTable", builder: "Builder", held_out: int, *, seed: int, usual: bool = False
) -> "LatencyTable":
    """The table with the verdict of networks that it never saw; not verified where there are too few of these.

    usual    measure them as it is usually done, too
    """
    from archsearch.cli.show import console
    from archsearch.measure.verify import FEWEST, judged
    from archsearch.measure.verify import held_out as measured

    networks = unseen(table, builder.plan.space, held_out, seed=seed)
    if len(networks) >= FEWEST:
        device = device_of(builder) if usual else None
        return replace(table, verified=judged(table, measured(builder, networks, usual=device)))
    if held_out:
        console(error=True).print(
            f"{len(networks)} networks of {table.space} are left to judge the table by, {FEWEST} are needed: it is not "
            f"verified", style="yellow", markup=False, soft_wrap=True)  # fmt: skip
    return replace(table, verified=None)


def device_of(builder: "Builder") -> Any:
    """The device of this machine that a builder measures on; raises LatencyError for one over ssh."""
    from archsearch.errors import LatencyError
    from archsearch.measure.local import Local

    if not isinstance(builder.watch, Local):
        raise LatencyError("--usual is for devices of this machine")
    return builder.watch.device


def unseen(table: "LatencyTable", space: "SearchSpace", n: int, *, seed: int) -> list[tuple[str, "Arch"]]:
    """Networks that did not calibrate a table, nor judge it before where there are enough others."""
    from archsearch.measure.blocks import sampled
    from archsearch.measure.verify import FEWEST

    seen = {str(row["arch"]) for row in table.networks}
    judges = {str(row["arch"]) for row in (table.verified or {}).get("measured", ())}
    fresh = sampled(space, n, seed=seed, without=seen | judges)
    return fresh if len(fresh) >= FEWEST else sampled(space, n, seed=seed, without=seen)


def builder_for(table: "LatencyTable", path: Path, device: str | None, *, what: dict[str, Any]) -> "Builder":
    """What measures on a table's own device; raises LatencyError where this is another one."""
    from archsearch.cli.latency_options import watch_of
    from archsearch.errors import LatencyError
    from archsearch.measure.fingerprint import differences

    there = table.fingerprint
    try:
        name, settings = device or str(there["device"]), {k: there[k] for k in ("threads", "batch", "dtype")}
        watch = watch_of(name, **settings)
    except (KeyError, TypeError):
        raise LatencyError(f"{path} was imported: only its own networks held out can judge it") from None
    if told := differences(there, watch.fingerprint()):
        raise LatencyError(f"{path} was made on another device: {told[0]}")
    builder = builder_on(watch, space_of_table(table), path, "verify", what=what)
    builder.partial.anchor = builder.partial.anchor or float(table.reference["ms"])
    return builder


def builder_on(watch: Any, space: Any, path: Path, kind: str, *, what: dict[str, Any]) -> "Builder":
    """What measures networks of a space, kept beside a table's file until it is done."""
    from archsearch.measure.build import Builder, Plan
    from archsearch.measure.fingerprint import compared
    from archsearch.measure.partial import Partial

    plan: Plan = Plan(space=space)
    partial = Partial.open(path, kind, {**what, "plan": plan.to_dict(), "device": compared(watch.fingerprint())})
    return Builder(watch=watch, plan=plan, partial=partial)


def source_of(table: "LatencyTable") -> str:
    """The name or the file of the space that a table was made for."""
    return str(table.about.get("source", table.space))


def space_of_table(table: "LatencyTable") -> Any:
    """The space that a table was made for, with its classes."""
    from archsearch.cli.latency_options import space_of

    return space_of(source_of(table), table.about.get("classes"))


def place(space: "SearchSpace", source: str, device: str, settings: Any, *, note: str = "") -> Path:
    """Where a table lies when nobody says where: by its space, device and settings, and its classes if not its own."""
    from archsearch.cli.latency_options import space_of
    from archsearch.records import latency_file

    own = space_of(source, None).head.classes
    classes = space.head.classes if space.head.classes != own else None
    found = latency_file(space.name, device, settings.threads, settings.batch, settings.dtype, classes)
    return found.with_name(found.stem + note + found.suffix)


def written(table: "LatencyTable", path: Path) -> Path:
    """Write a table, whole or not at all; its path."""
    import json

    from archsearch.errors import LatencyError
    from archsearch.records import write_atomic

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, json.dumps(table.to_dict(), allow_nan=False) + "\n")
    except OSError as error:
        raise LatencyError(f"{path} cannot be written: {error.strerror}") from None
    return path


@contextmanager
def shown(builder: "Builder") -> Iterator[None]:
    """A progress bar for each thing that is measured, while it lasts; then what to know of how it went."""
    from archsearch.cli.bars import bars
    from archsearch.cli.show import console

    log, partial = console(error=True), builder.partial
    if partial.set_aside is not None:
        log.print(f"what another command had measured is kept in {partial.set_aside}", markup=False, soft_wrap=True)
    try:
        with bars(log) as progress:
            builder.tell = _teller(log, progress)
            yield
        told_load(partial.load())
    except KeyboardInterrupt:
        log.print(f"interrupted; the same command goes on: {len(partial.known)} measurements are kept", soft_wrap=True)
        raise
    finally:
        partial.close()


def _teller(log: Any, progress: Any) -> Any:
    tasks: dict[str, Any] = {}

    def tell(kind: str, done: int, total: int) -> None:
        if kind not in tasks:
            tasks[kind] = progress.add_task(kind, total=total, text="")
            if not log.is_terminal:
                log.print(f"measuring {total} {kind}", markup=False, style="dim")
        progress.update(tasks[kind], completed=done, total=total)

    return tell


def told_load(load: float | None) -> None:
    """A warning where other processes were busy while a table was measured."""
    from archsearch.cli.show import console
    from archsearch.measure.pinning import BUSY

    if load is not None and load > BUSY:
        console(error=True).print(f"other processes kept {load:.1f} cores busy: build it again on a quiet machine",
                                  style="yellow", markup=False, soft_wrap=True)  # fmt: skip
