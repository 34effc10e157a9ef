"""The device "onnxruntime": its CPU provider, the default."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from archsearch.errors import DeviceError, first_line
from archsearch.export.graph import onnx_bytes
from archsearch.measure.device import Settings, missing, only
from archsearch.measure.fingerprint import host
from archsearch.measure.model import Model
from archsearch.measure.ort_session import OrtModel


@dataclass(frozen=True, kw_only=True)
class OnnxRuntime:
    """Networks as ONNX models in onnxruntime, on the CPU."""

    settings: Settings
    name: str = "onnxruntime"

    def load(self, model: Model) -> OrtModel:
        """A session with the model; raises DeviceError where onnxruntime refuses it."""
        made = onnx_of(model, self.settings)
        try:
            return OrtModel(made, threads=self.settings.threads, batch=self.settings.batch)
        except Exception as error:  # onnxruntime's own classes, which it does not share a base for
            raise DeviceError(f"onnxruntime cannot run {model.name}: {first_line(error)}") from None

    def fingerprint(self) -> dict[str, Any]:
        """This machine, onnxruntime's version, the settings."""
        return {"device": self.name, **self.settings.to_dict(), **host(["onnxruntime", "numpy"])}


def onnx_of(model: Model, settings: Settings) -> bytes:
    """A model as the ONNX file that onnxruntime is given, here or on another machine."""
    made = onnx_bytes(model.ops, model.inputs, batch=settings.batch)
    if settings.dtype == "int8":
        from archsearch.measure.ort_int8 import quantised

        made = quantised(made, model, settings.batch)
    return made


def onnxruntime_device(settings: Settings) -> OnnxRuntime:
    """The plug-in "onnxruntime"; raises DeviceError where it is not installed or has no such dtype."""
    only("onnxruntime", settings, ("float32", "int8"))
    for package in ("onnx", "onnxruntime"):
        if find_spec(package) is None:
            raise missing("onnxruntime", package)
    return OnnxRuntime(settings=settings)
