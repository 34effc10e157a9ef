"""A device by its name: one of the plug-ins, or `remote:HOST[,python=PATH]` for another machine over SSH."""

import os
from collections.abc import Sequence
from typing import Any, Protocol

from archsearch import plugins
from archsearch.errors import DeviceError
from archsearch.measure.device import Settings
from archsearch.measure.local import Keep, Local, Tell
from archsearch.measure.method import Effort, Measurement
from archsearch.measure.model import Model, whole
from archsearch.spec.presets import read_arch

REMOTE, PYTHON = "remote:", ",python="
DEFAULT = "onnxruntime"
REFERENCE = "mobilenet_v2_0.5_128"  # by which a machine's speed is judged: some milliseconds on a phone, all op kinds


class Stopwatch(Protocol):
    """Something that times models by the method."""

    @property
    def settings(self) -> Settings: ...

    def fingerprint(self) -> dict[str, Any]: ...

    def measure(
        self, models: Sequence[Model], reference: Model, *, anchor: float | None, effort: Effort, seed: int = 0,
        tell: Tell = ..., keep: Keep = ...,
    ) -> tuple[list[Measurement], float]: ...  # fmt: skip


def pick(name: str, settings: Settings) -> Stopwatch:
    """The device of this name.

    raises   PluginError for an unknown name, DeviceError where it cannot be used
    """
    if name.startswith(REMOTE):
        from archsearch.measure.remote import remote_device

        host, comma, python = name.removeprefix(REMOTE).partition(PYTHON)
        if comma and not python:
            raise DeviceError(f"device {name!r} names no python; write {REMOTE}HOST{PYTHON}PATH")
        remote: Stopwatch = remote_device(host, settings, **({"python": python} if python else {}))
        return remote
    make = plugins.load("devices", name)
    if settings.threads > (cores := os.cpu_count() or 1):
        raise DeviceError(f"--threads {settings.threads} is more than the {cores} cores of this machine")
    return Local(device=make(settings))


def reference() -> Model:
    """The network by which speed is judged."""
    return whole(read_arch(REFERENCE), REFERENCE)
