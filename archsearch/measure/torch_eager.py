"""The device "torch-eager": torch on the CPU, one kernel after the other."""

import time
from dataclasses import dataclass, field
from typing import Any

import torch

from archsearch.errors import DeviceError, first_line
from archsearch.measure.device import Settings, only
from archsearch.measure.fingerprint import host
from archsearch.measure.model import Model
from archsearch.measure.torch_model import Threads, deployed, drawn_inputs

LAYOUT = torch.channels_last


class EagerModel:
    """Folded modules and their inputs, drawn once."""

    def __init__(self, model: Model, settings: Settings, threads: Threads) -> None:
        self._module = deployed(model, settings.dtype, layout=LAYOUT)
        self._inputs = drawn_inputs(model, settings.dtype, settings.batch, layout=LAYOUT)
        self._threads: Threads | None = threads
        threads.hold()

    def run(self) -> float:
        """One inference [ms]."""
        assert self._threads is not None, "closed"
        self._threads.set()
        with torch.inference_mode():
            began = time.perf_counter_ns()
            self._module(*self._inputs)
            return (time.perf_counter_ns() - began) / 1e6

    def close(self) -> None:
        """Let go of the modules; after the last model torch has its own number of threads again."""
        if self._threads is not None:
            self._threads.release()
            self._threads = None
            del self._module, self._inputs


@dataclass(frozen=True, kw_only=True)
class TorchEager:
    """Networks as torch modules, on the CPU."""

    settings: Settings
    name: str = "torch-eager"
    threads: Threads = field(repr=False, compare=False)

    def load(self, model: Model) -> EagerModel:
        """The model's modules, run once; raises DeviceError where torch cannot run them."""
        loaded: EagerModel | None = None
        try:
            loaded = EagerModel(model, self.settings, self.threads)
            loaded.run()
        except RuntimeError as error:
            if loaded is not None:
                loaded.close()
            raise DeviceError(f"torch cannot run {model.name}: {first_line(error)}") from None
        return loaded

    def fingerprint(self) -> dict[str, Any]:
        """This machine, torch's version and what it uses of the processor, the settings."""
        return {"device": self.name, **self.settings.to_dict(), **host(["torch", "numpy"]), **cpu_facts()}


def cpu_facts() -> dict[str, Any]:
    """What torch makes of the processor, and how tensors lie in memory."""
    return {"capability": torch.backends.cpu.get_cpu_capability(), "layout": str(LAYOUT).removeprefix("torch.")}


def torch_eager(settings: Settings) -> TorchEager:
    """The plug-in "torch-eager"; raises DeviceError for int8, which torch has no eager kernels for."""
    only("torch-eager", settings, ("float32", "bfloat16"))
    return TorchEager(settings=settings, threads=Threads(settings.threads))
