"""A process that loads one model, runs it and tells its peak memory: `python -m archsearch.measure.memory_probe`.

Reads (device's name, Settings, Model), pickled, from stdin; prints {"bytes": number or null} or {"error": text}.
"""

import ctypes
import gc
import json
import pickle
import re
import sys
from pathlib import Path

from archsearch import plugins
from archsearch.errors import ArchSearchError
from archsearch.measure.device import Device, Settings
from archsearch.measure.model import Model, model_of
from archsearch.spec.ops import Op

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
RUNS = 5


def main() -> None:
    """Measure what stdin names."""
    name, settings, model = pickle.load(sys.stdin.buffer)
    try:
        told: dict[str, object] = {"bytes": probe(name, settings, model)}
    except ArchSearchError as error:
        told = {"error": str(error)}
    print(json.dumps(told))


def probe(name: str, settings: Settings, model: Model) -> int | None:
    """Peak memory of a model in this process, which should be fresh [bytes]; None where the system does not tell."""
    device = plugins.load("devices", name)(settings)
    own = getattr(device, "peak_memory", None)
    return own(model) if own is not None else resident_peak(device, model)


def resident_peak(device: Device, model: Model) -> int | None:
    """Resident memory at its peak over some inferences, above what it was before the model was loaded [bytes]."""
    tiny = device.load(tiny_model())
    tiny.run()
    _tidy()
    before = _status("VmRSS")
    loaded = device.load(model)
    _tidy()
    if before is None or not _forget_peak():
        return None
    for _ in range(RUNS):
        loaded.run()
    peak = _status("VmHWM")
    loaded.close()
    tiny.close()
    return None if peak is None else max(0, peak - before)


def tiny_model() -> Model:
    """A network of one small convolution: with it a runtime sets up what it needs once."""
    conv = Op(kind="conv", label="conv", c_in=8, c_out=8, size_in=8, size_out=8, kernel=3, per_group=8, norm=True,
              act="relu6", inputs=("input",), name="conv.0")  # fmt: skip
    return model_of([conv], "8x8x8 | conv3 8 relu6")


def _tidy() -> None:
    """Give back what is free: Python's garbage, and what glibc keeps of freed memory."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # not in musl
        if trim is not None:
            trim(0)


def _forget_peak() -> bool:
    """Let the peak start from now; whether that worked. See proc(5), clear_refs."""
    try:
        CLEAR.write_text("5")
    except OSError:
        return False
    return True


def _status(field: str) -> int | None:
    """A size out of /proc/self/status [bytes]; None where there is none."""
    try:
        found = re.search(rf"^{field}:\s+(\d+) kB", STATUS.read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None


if __name__ == "__main__":
    main()
