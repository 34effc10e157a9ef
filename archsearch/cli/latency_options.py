"""Options that the latency commands share, and what is told of a device."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from archsearch.measure.pick import Stopwatch
    from archsearch.spec.space import SearchSpace

DEVICES = "onnxruntime, torch-eager, torch-compile, openvino, cuda, or remote:USER@HOST[,python=PATH] (over your ssh)."

DeviceName = Annotated[str, typer.Option("--device", help=DEVICES)]
ThreadsNumber = Annotated[int, typer.Option("--threads", help="Threads of the runtime, pinned to as many cores.")]
BatchOption = Annotated[int, typer.Option("--batch", help="Images at once.")]
DtypeOption = Annotated[str, typer.Option("--dtype", help="float32, bfloat16 or int8, where the device can.")]
SpaceOption = Annotated[str, typer.Option("--space", help="A design space by name, or a .toml file.")]
ClassesOption = Annotated[
    int | None, typer.Option("--classes", help="Classes of the classifier. [default: the space's]", min=1)
]


def watch_of(device: str, *, threads: int, batch: int, dtype: str) -> "Stopwatch":
    """The device of these options; raises DeviceError or PluginError saying what is wrong."""
    from archsearch.measure.device import Settings
    from archsearch.measure.pick import pick

    return pick(device, Settings(threads=threads, batch=batch, dtype=dtype))


def space_of(name: str, classes: int | None) -> "SearchSpace":
    """A design space, for another number of classes where one is given."""
    from archsearch.spec.space_file import read_space

    space = read_space(name)
    return space if classes is None else space.with_classes(classes)


def check_place(path: Path) -> None:
    """Raise LatencyError where a file cannot be written, before hours are spent on what it shall hold."""
    from tempfile import TemporaryFile

    from archsearch.errors import LatencyError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(21, "it is a folder")
        with TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise LatencyError(f"{path} cannot be written: {error.strerror}") from None


def told_device(fingerprint: Mapping[str, Any], reference_ms: float) -> None:
    """One line on the device, on stdout."""
    from archsearch.cli.show import console
    from archsearch.measure.pick import REFERENCE

    out = console()
    out.print(f"{device_line(fingerprint)}; reference {REFERENCE} {reference_ms:.3g} ms", style="dim", markup=False,
              soft_wrap=True)  # fmt: skip


def device_line(fingerprint: Mapping[str, Any]) -> str:
    """A device in one line: what it is, how it ran, on what."""
    versions = ", ".join(f"{name} {version}" for name, version in fingerprint.get("versions", {}).items() if version)
    threads = fingerprint.get("threads")
    words = [str(fingerprint.get("device")), f"{threads} thread{'s' if threads != 1 else ''}" if threads else None,
             f"batch {fingerprint.get('batch')}", fingerprint.get("dtype"), fingerprint.get("gpu"),
             fingerprint.get("cpu"), f"{fingerprint['cores']} cores" if fingerprint.get("cores") else None,
             f"governor {fingerprint['governor']}" if fingerprint.get("governor") else None, versions]  # fmt: skip
    return ", ".join(str(word) for word in words if word)
