"""The device "cuda": torch on an NVIDIA GPU, the whole network as one CUDA graph, timed by the GPU's own events."""

import subprocess
from dataclasses import dataclass
from typing import Any

import torch

from archsearch.errors import DeviceError, first_line
from archsearch.measure.device import Settings, only
from archsearch.measure.fingerprint import host
from archsearch.measure.model import Model
from archsearch.measure.torch_model import deployed, drawn_inputs

LAYOUT = torch.channels_last
WARM_RUNS = 3  # before the capture: libraries choose their kernels and allocate what they need


class CudaModel:
    """A captured network; a run replays it. Threads play no part."""

    def __init__(self, model: Model, settings: Settings) -> None:
        self._module = deployed(model, settings.dtype, device="cuda", layout=LAYOUT)
        self._inputs = drawn_inputs(model, settings.dtype, settings.batch, device="cuda", layout=LAYOUT)
        self._begin, self._end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        self._graph = torch.cuda.CUDAGraph()
        with torch.no_grad():
            self._warm_up()
            with torch.cuda.graph(self._graph):
                self._output = self._module(*self._inputs)

    def _warm_up(self) -> None:
        """Some runs on a stream of their own, as torch wants it before a capture."""
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_RUNS):
                self._module(*self._inputs)
        torch.cuda.current_stream().wait_stream(side)
        torch.cuda.synchronize()

    def run(self) -> float:
        """One inference on the GPU, copies to and from it not counted [ms]."""
        self._begin.record()
        self._graph.replay()
        self._end.record()
        self._end.synchronize()
        return float(self._begin.elapsed_time(self._end))

    def close(self) -> None:
        """Let go of the graph and its memory."""
        torch.cuda.synchronize()
        self._graph.reset()
        del self._graph, self._output, self._module, self._inputs


@dataclass(frozen=True, kw_only=True)
class Cuda:
    """Networks as torch modules, on the first GPU."""

    settings: Settings
    name: str = "cuda"

    def load(self, model: Model) -> CudaModel:
        """The model, captured; raises DeviceError where the GPU cannot run it."""
        try:
            return CudaModel(model, self.settings)
        except RuntimeError as error:  # out of memory is one, too
            raise DeviceError(f"cuda cannot run {model.name}: {first_line(error)}") from None

    def peak_memory(self, model: Model) -> int:
        """What torch's allocator held for a model at its peak: weights, inputs, activations, scratch [bytes]."""
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        loaded = self.load(model)
        loaded.run()
        peak = torch.cuda.max_memory_allocated() - before
        loaded.close()
        return peak

    def fingerprint(self) -> dict[str, Any]:
        """This machine, its GPU and what drives it, torch's version, the settings."""
        return {"device": self.name, **self.settings.to_dict(), **host(["torch", "numpy"]), **gpu_facts()}


def gpu_facts() -> dict[str, Any]:
    """The GPU's name, and the versions of what runs on it."""
    return {
        "gpu": torch.cuda.get_device_name(),
        "capability": ".".join(map(str, torch.cuda.get_device_capability())),
        "driver": driver_version(),
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "tf32": torch.backends.cudnn.allow_tf32,
        "layout": str(LAYOUT).removeprefix("torch."),
    }


def driver_version() -> str | None:
    """The version of NVIDIA's driver; None where nvidia-smi does not tell."""
    ask = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        told = subprocess.run(ask, capture_output=True, text=True, timeout=20, check=True).stdout.split()
    except (OSError, subprocess.SubprocessError):
        return None
    return told[0] if told else None


def cuda(settings: Settings) -> Cuda:
    """The plug-in "cuda"; raises DeviceError where there is no GPU or no such dtype."""
    only("cuda", settings, ("float32", "bfloat16"))
    if not torch.cuda.is_available():
        raise DeviceError("device cuda needs an NVIDIA GPU that torch can use; torch finds none")
    return Cuda(settings=settings)
