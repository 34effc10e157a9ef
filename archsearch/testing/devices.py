"""Checks of what runs networks and is timed: devices."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from archsearch.testing.common import hold

if TYPE_CHECKING:
    from archsearch.measure.device import Device, Make, Settings
    from archsearch.measure.model import Model

NETS = (
    "r32 stem_c8_k3_s2 ir_s2_e2_c16 ir_r2_k5_e2_c16_se0.25_nhs head_c32_n3",
    "r32 stem_c8_k3_s2 ir_s2_e2_c16 ir_s2_e2_c16 ir_s2_e2_c16 lraspp_c16_h8_o16_n3",
)
TOLD = ("device", "threads", "batch", "dtype", "versions")  # what a fingerprint must have


def check_device(make: "Make", *, nets: Sequence[str] = NETS) -> None:
    """A device: it loads and times whole networks and each of their blocks, several at once, in each dtype that it has.

    make     Settings -> Device, what a row of the group "devices" names
    nets     text forms; the default is two tiny networks, the head of one reads two maps
    raises   AssertionError, or DeviceError where the device cannot be used at all
    """
    from archsearch.errors import DeviceError
    from archsearch.measure.device import DTYPES, Settings
    from archsearch.measure.model import whole
    from archsearch.spec.text import from_text

    wholes = [whole(from_text(text), text) for text in nets]
    refused: list[DeviceError] = []
    for place, dtype in enumerate(DTYPES):
        try:
            device = make(Settings(dtype=dtype))
        except DeviceError as error:
            hold("\n" not in str(error), f"the error for dtype {dtype} has several lines: {error}")
            refused.append(error)
            continue
        _check_fingerprint(device, Settings(dtype=dtype))
        _check_runs(device, wholes)
        if len(refused) == place:  # the first dtype that it has
            _check_runs(device, _blocks(nets))
            two = Settings(dtype=dtype, batch=2)
            _check_fingerprint(make(two), two)
            _check_runs(make(two), wholes[:1])
    if len(refused) == len(DTYPES):
        raise refused[0]


def _blocks(nets: Sequence[str]) -> "list[Model]":
    """The different blocks of some networks."""
    from archsearch.measure.model import block
    from archsearch.spec.copies import copies
    from archsearch.spec.lower import lower
    from archsearch.spec.text import from_text

    found = [block(ops) for text in nets for each in copies(lower(from_text(text))) for ops in each.blocks if ops]
    return list({model.name: model for model in found}.values())


def _check_fingerprint(device: "Device", settings: "Settings") -> None:
    """Plain values that say what was asked for."""
    import json

    told = device.fingerprint()
    hold(json.loads(json.dumps(told)) == told, f"the fingerprint changes on its way through JSON: {told}")
    missing = [name for name in TOLD if name not in told]
    hold(not missing, f"the fingerprint says nothing of {', '.join(missing)}")
    hold(device.settings == settings, f"the device was asked for {settings} and has {device.settings}")
    hold(told["device"] == device.name, f"device {device.name!r} calls itself {told['device']!r} in the fingerprint")
    wrong = [name for name, value in settings.to_dict().items() if told[name] != value]
    hold(not wrong, f"the fingerprint is wrong about {', '.join(wrong)}: {told}")
    hold(isinstance(told["versions"], dict) and bool(told["versions"]), "the fingerprint names no versions")


def _check_runs(device: "Device", models: "list[Model]") -> None:
    """Models that are loaded side by side run in any order, and on after others are closed."""
    loaded = [(model, device.load(model)) for model in models]
    for _ in range(2):
        for model, each in loaded:
            _check_time(model, each.run())
    while loaded:
        loaded.pop(0)[1].close()
        for model, each in loaded:
            _check_time(model, each.run())


def _check_time(model: "Model", ms: float) -> None:
    import math

    hold(isinstance(ms, float) and math.isfinite(ms) and ms > 0, f"{model.name} took {ms!r} ms")
