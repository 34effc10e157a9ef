"""An ONNX model in onnxruntime's CPU provider, timed. Needs onnxruntime and NumPy alone: the remote runner ships it."""

import time
from pathlib import Path

import numpy as np


class OrtModel:
    """A session and its input, drawn once.

    Threads of a session spin while they wait for work, by default also for a while after an inference: then those of
    the session that ran before take cores from the one that runs now. They are told to stop when an inference ends.
    Without any spinning each inference would begin with threads that must be woken first.
    """

    def __init__(self, model: bytes | str | Path, *, threads: int, batch: int = 1) -> None:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        if threads > 1:
            options.add_session_config_entry("session.force_spinning_stop", "1")
        self._session = ort.InferenceSession(model if isinstance(model, bytes) else str(model), options,
                                             providers=["CPUExecutionProvider"])  # fmt: skip
        self._session._model_bytes = None  # kept for making the session anew: another copy of the weights
        rng = np.random.default_rng(0)
        self._feed = {each.name: rng.standard_normal(shape_of(each.shape, batch), dtype=np.float32)
                      for each in self._session.get_inputs()}  # fmt: skip

    def run(self) -> float:
        """One inference [ms]."""
        began = time.perf_counter_ns()
        self._session.run(None, self._feed)
        return (time.perf_counter_ns() - began) / 1e6

    def close(self) -> None:
        """Let go of the session."""
        del self._session


def shape_of(shape: list[int | str | None], batch: int) -> list[int]:
    """A model's input shape, its free dimensions set to the batch size."""
    return [each if isinstance(each, int) else batch for each in shape]
