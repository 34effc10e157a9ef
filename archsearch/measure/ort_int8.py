"""A float model as an int8 one: onnxruntime's static quantisation, calibrated on random inputs. For timing only."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from archsearch.measure.model import Model

BATCHES = 2  # of random inputs: the weights are random, so no more is to be learned from more


class Drawn:
    """Random inputs one after the other, as onnxruntime's calibration asks for them (its CalibrationDataReader)."""

    def __init__(self, model: Model, batch: int) -> None:
        rng = np.random.default_rng(0)
        shapes = {name: (batch, channels, side, side) for name, channels, side in model.inputs}
        self._batches = ({name: rng.standard_normal(shape, dtype=np.float32) for name, shape in shapes.items()}
                         for _ in range(BATCHES))  # fmt: skip

    def get_next(self) -> dict[str, np.ndarray] | None:
        """One batch; None after the last."""
        return next(self._batches, None)


def quantised(model_bytes: bytes, model: Model, batch: int) -> bytes:
    """An ONNX model with int8 weights, one scale a channel, and int8 activations, one scale a tensor (QDQ form).

    Activations are unsigned and weights signed, as onnxruntime advises for x86 with VNNI; there it ran mobilenet_v2 1.6
    times as fast as with both signed. Which ops run in int8 is the runtime's choice; the rest stays in float.
    """
    import onnx
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    proto = onnx.load_from_string(model_bytes)
    _mark(proto)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "int8.onnx"
        quantize_static(
            proto, made, Drawn(model, batch), quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
        )  # fmt: skip
        return made.read_bytes()


def _mark(proto: Any) -> None:
    """Say that the graph is prepared for quantisation, as it is: batch norm folded. Else onnxruntime logs advice."""
    proto.metadata_props.add(key="onnx.quant.pre_process", value="onnxruntime.quant")
