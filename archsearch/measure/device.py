"""What a device is: it takes a model, and can be asked to run it once and say how long that took."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from archsearch.errors import DeviceError, choices
from archsearch.measure.model import Model

DTYPES = ("float32", "bfloat16", "int8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a model is run; a plug-in of the group "devices" is a function `Settings -> Device`."""

    threads: int = 1
    batch: int = 1
    dtype: str = "float32"

    def __post_init__(self) -> None:
        for name in ("threads", "batch"):
            if getattr(self, name) < 1:
                raise DeviceError(f"--{name} must be at least 1, got {getattr(self, name)}")
        if self.dtype not in DTYPES:
            raise DeviceError(f"unknown --dtype {self.dtype!r}: {choices(self.dtype, DTYPES)}")

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


class Loaded(Protocol):
    """A model on a device, ready to run."""

    def run(self) -> float:
        """One inference, to its very end; how long it took [ms]. A monotonic clock, or the device's own events."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Device(Protocol):
    """Something that runs networks and can be timed."""

    name: str
    settings: Settings

    def load(self, model: Model) -> Loaded:
        """Put a model on the device; raises DeviceError where it cannot run it."""
        ...

    def fingerprint(self) -> dict[str, Any]:
        """What the times depend on: the processor, its cores and governor, versions, settings; plain values."""
        ...


Make = Callable[[Settings], Device]


def only(device: str, settings: Settings, dtypes: Sequence[str]) -> None:
    """Raise DeviceError where a device has no such dtype."""
    if settings.dtype not in dtypes:
        raise DeviceError(f"device {device} runs {', '.join(dtypes)}, not {settings.dtype}")


def missing(device: str, package: str, extra: str | None = None) -> DeviceError:
    """The error for a package that a device needs and that is not installed."""
    what = f"pip install 'archsearch[{extra}]'" if extra else f"pip install {package}"
    return DeviceError(f"device {device} needs {package}, which is not installed: {what}")
