"""Peak memory of a runtime with one model, measured in a process of its own."""

import json
import pickle
import subprocess
import sys

from archsearch.errors import DeviceError
from archsearch.measure.device import Settings
from archsearch.measure.model import Model

LIMIT_S = 600  # torch.compile takes a minute for a network


def peak_memory(device_name: str, settings: Settings, model: Model) -> int | None:
    """How much memory a model takes while it runs [bytes]; None where the system does not tell.

    Counted is what the process holds at its peak over five inferences, above what it held before the model was loaded:
    weights in the form that the runtime keeps them, inputs, activations, the runtime's arenas and scratch. Not counted:
    the runtime's code and what it sets up once (a tiny model has been run before), and what only loading needs.
    Resident memory (Linux) comes in pages, and runtimes keep what they have freed: two measurements may differ by some
    100 KiB, with torch by a few MiB. A device that knows better says so itself (`peak_memory(model)`): on "cuda" it is
    what torch's allocator held on the GPU.

    raises   DeviceError where the device or the model cannot be used
    """
    ask = [sys.executable, "-m", "archsearch.measure.memory_probe"]
    told = pickle.dumps((device_name, settings, model))
    try:
        done = subprocess.run(ask, input=told, capture_output=True, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        raise DeviceError(f"memory of {model.name} on {device_name}: no answer within {LIMIT_S} s") from None
    answer = _answer(done.stdout)
    if answer is None:
        last = (done.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise DeviceError(f"memory of {model.name} on {device_name} cannot be measured: {last}")
    if "error" in answer:
        raise DeviceError(str(answer["error"]))
    peak = answer["bytes"]
    return peak if isinstance(peak, int) else None


def _answer(stdout: bytes) -> dict[str, object] | None:
    """The probe's last line; None where it has not got so far."""
    lines = stdout.splitlines()
    try:
        answer = json.loads(lines[-1])
    except (IndexError, ValueError):
        return None
    return answer if isinstance(answer, dict) and answer.keys() & {"bytes", "error"} else None
