"""The device "openvino": Intel's runtime, on the CPU."""

import time
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from archsearch.errors import DeviceError
from archsearch.measure.device import Settings, missing, only
from archsearch.measure.fingerprint import host
from archsearch.measure.model import Model
from archsearch.measure.onnxruntime_device import onnx_of

HINTS = {"float32": "f32", "bfloat16": "bf16", "int8": "f32"}  # of what an int8 model leaves in floating point
NAMES = {"f32": "float32", "bf16": "bfloat16"}  # OpenVINO's types, as it tells them


class OpenVinoModel:
    """A compiled model and one request to it, its inputs drawn once."""

    def __init__(self, model: bytes, settings: Settings) -> None:
        import openvino

        core = openvino.Core()
        compiled = core.compile_model(core.read_model(model), "CPU", _options(settings))
        _check_precision(compiled, HINTS[settings.dtype])
        self._request = compiled.create_infer_request()
        rng = np.random.default_rng(0)
        for port in compiled.inputs:
            values = rng.standard_normal(tuple(port.shape), dtype=np.float32)
            self._request.set_tensor(port, openvino.Tensor(values))

    def run(self) -> float:
        """One inference [ms]; what it gives is not copied."""
        began = time.perf_counter_ns()
        self._request.infer(share_outputs=True)
        return (time.perf_counter_ns() - began) / 1e6

    def close(self) -> None:
        """Let go of the request and its model."""
        self._request = None


def _options(settings: Settings) -> dict[str, Any]:
    """One inference at a time, as fast as may be; pinning to cores is left to whoever measures."""
    return {
        "INFERENCE_NUM_THREADS": settings.threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": HINTS[settings.dtype],
        "ENABLE_CPU_PINNING": False,
    }


def _check_precision(compiled: Any, hint: str) -> None:
    """OpenVINO takes another precision without a word where the processor lacks the one that is asked for."""
    taken = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    if taken != hint:
        raise DeviceError(f"openvino computes in {NAMES.get(taken, taken)} on this processor, not in {NAMES[hint]}")


@dataclass(frozen=True, kw_only=True)
class OpenVino:
    """Networks as ONNX models in OpenVINO's CPU plug-in."""

    settings: Settings
    name: str = "openvino"

    def load(self, model: Model) -> OpenVinoModel:
        """The model, compiled; raises DeviceError where OpenVINO refuses it."""
        made = onnx_of(model, self.settings)
        try:
            return OpenVinoModel(made, self.settings)
        except RuntimeError as error:
            raise DeviceError(f"openvino cannot run {model.name}: {_reason(error)}") from None

    def fingerprint(self) -> dict[str, Any]:
        """This machine, OpenVINO's version, the settings."""
        return {"device": self.name, **self.settings.to_dict(), **host(["openvino", "numpy"])}


def _reason(error: RuntimeError) -> str:
    """The last line of OpenVINO's message; those before it name files of its source."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


def openvino_device(settings: Settings) -> OpenVino:
    """The plug-in "openvino"; raises DeviceError where it is not installed."""
    if find_spec("openvino") is None:
        raise missing("openvino", "openvino", extra="openvino")
    needed = ("onnx", "onnxruntime") if settings.dtype == "int8" else ("onnx",)
    for package in needed:
        if find_spec(package) is None:
            raise missing("openvino", package)
    only("openvino", settings, tuple(HINTS))
    return OpenVino(settings=settings)
