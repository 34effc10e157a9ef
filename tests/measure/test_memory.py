"""Peak memory of a runtime: measured in a process of its own."""

import sys
from importlib.util import find_spec

import pytest

from archsearch.errors import DeviceError
from archsearch.measure import memory, memory_probe
from archsearch.measure.device import Settings
from archsearch.measure.memory import peak_memory
from archsearch.measure.memory_probe import tiny_model
from archsearch.measure.model import model_of
from archsearch.spec.ops import Op

MIB = 1 << 20
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="resident memory is read from /proc")
ORT = pytest.mark.skipif(
    find_spec("onnxruntime") is None or find_spec("onnx") is None, reason="onnxruntime is not installed"
)


def wide(channels):
    """One 1x1 convolution of channels² weights."""
    conv = Op(kind="conv", label="conv", c_in=channels, c_out=channels, size_in=4, size_out=4, per_group=channels,
              inputs=("input",), name="conv.0")  # fmt: skip
    return model_of([conv], f"conv {channels}")


@LINUX
@ORT
def test_a_network_takes_its_weights_at_least_and_a_tiny_one_next_to_nothing():
    weights = 4 * 2048**2
    taken = peak_memory("onnxruntime", Settings(), wide(2048))
    assert taken is not None
    assert weights <= taken <= 4 * weights
    assert peak_memory("onnxruntime", Settings(), tiny_model()) < MIB


@LINUX
@ORT
def test_activations_count_also_where_they_are_held_only_while_it_runs():
    side, channels = 512, 16  # 16 MiB a map
    ops = [Op(kind="conv", label="a", c_in=channels, c_out=channels, size_in=side, size_out=side, per_group=channels,
              inputs=(source,), name=name) for source, name in (("input", "a.0"), ("a.0", "b.0"))]  # fmt: skip
    taken = peak_memory("onnxruntime", Settings(), model_of(ops, "two large maps"))
    assert taken is not None
    assert 3 * 16 * MIB <= taken + MIB  # the input, and both maps at once


@pytest.mark.parametrize(("name", "settings", "told"), [
    ("onnxruntime", Settings(dtype="bfloat16"), "device onnxruntime runs float32, int8, not bfloat16"),
    ("no-such-device", Settings(), "unknown device 'no-such-device'"),
])  # fmt: skip
def test_what_goes_wrong_in_the_other_process_is_told_here_in_one_line(name, settings, told):
    with pytest.raises(DeviceError, match=told) as error:
        peak_memory(name, settings, tiny_model())
    assert "\n" not in str(error.value)


def test_a_process_that_dies_is_told_in_one_line(monkeypatch):
    monkeypatch.setattr(memory.sys, "executable", "/bin/false")
    with pytest.raises(DeviceError, match="^memory of .* on onnxruntime cannot be measured: exit code 1$"):
        peak_memory("onnxruntime", Settings(), tiny_model())


class Silent:
    """A loaded model that does nothing."""

    def run(self):
        return 1.0

    def close(self):
        pass


class Nothing:
    """A device that runs nothing."""

    name, settings = "nothing", Settings()

    def load(self, model):
        return Silent()

    def fingerprint(self):
        return {}


@pytest.mark.parametrize("file", ["STATUS", "CLEAR"])
def test_where_the_system_does_not_tell_there_is_no_number(file, monkeypatch, tmp_path):
    monkeypatch.setattr(memory_probe, file, tmp_path / "absent" / "file")
    assert memory_probe.resident_peak(Nothing(), tiny_model()) is None


def test_a_device_may_tell_its_own_memory(monkeypatch):
    class Telling(Nothing):
        def peak_memory(self, model):
            return 12345

    monkeypatch.setattr(memory_probe.plugins, "load", lambda group, name: lambda settings: Telling())
    assert memory_probe.probe("telling", Settings(), tiny_model()) == 12345


@pytest.mark.gpu
def test_memory_on_a_gpu_counts_the_weights():
    weights = 4 * 2048**2
    assert weights <= peak_memory("cuda", Settings(), wide(2048)) <= 4 * weights
