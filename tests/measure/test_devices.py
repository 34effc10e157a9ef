"""Every built-in device keeps its promises, where its package is installed."""

import contextlib
from dataclasses import replace
from importlib.util import find_spec

import pytest
import torch

from archsearch import plugins, testing
from archsearch.errors import DeviceError
from archsearch.measure.device import Settings
from archsearch.measure.memory_probe import tiny_model
from archsearch.measure.model import model_of
from archsearch.measure.onnxruntime_device import onnx_of
from archsearch.measure.ort_session import OrtModel
from archsearch.measure.torch_model import Threads, deployed, drawn_inputs
from archsearch.spec.ops import Op
from archsearch.spec.presets import preset

CPU = ("onnxruntime", "torch-eager", "openvino")
PACKAGES = {"onnxruntime": ("onnx", "onnxruntime"), "openvino": ("onnx", "openvino")}


def made(name, **fields):
    """A device; skips where its package is absent."""
    for package in PACKAGES.get(name, ()):
        if find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    return plugins.load("devices", name)(Settings(**fields))


@pytest.mark.parametrize("name", CPU)
def test_built_in_devices_conform(name):
    made(name)
    testing.check_device(plugins.load("devices", name))


@pytest.mark.slow
def test_torch_compile_conforms():
    testing.check_device(plugins.load("devices", "torch-compile"), nets=["r16 stem_c8_k3_s2 ir_e2_c8 head_c8_n3"])


@pytest.mark.gpu
def test_cuda_conforms():
    testing.check_device(plugins.load("devices", "cuda"))


class Made:
    """A device that can be told to break a promise."""

    def __init__(self, settings, ms=1.0, lacks=(), name="made"):
        self.settings, self.ms, self.lacks, self.name = settings, ms, lacks, name

    def load(self, model):
        return self

    def run(self):
        return self.ms

    def close(self):
        pass

    def fingerprint(self):
        told = {"device": "made", **self.settings.to_dict(), "versions": {"made": "1"}}
        return {key: value for key, value in told.items() if key not in self.lacks}


def test_a_device_that_keeps_its_promises_passes():
    testing.check_device(Made)


@pytest.mark.parametrize(("broken", "told"), [
    ({"ms": float("nan")}, "took nan ms"), ({"ms": 0.0}, "took 0.0 ms"), ({"ms": 1}, "took 1 ms"),
    ({"lacks": ("threads", "versions")}, "the fingerprint says nothing of threads, versions"),
    ({"name": "other"}, "device 'other' calls itself 'made' in the fingerprint"),
])  # fmt: skip
def test_the_check_sees_a_broken_promise(broken, told):
    with pytest.raises(AssertionError, match=told):
        testing.check_device(lambda settings: Made(settings, **broken))


def test_the_check_sees_settings_that_are_not_those_asked_for():
    with pytest.raises(AssertionError, match="the device was asked for Settings.*batch=2"):
        testing.check_device(lambda settings: Made(Settings(dtype=settings.dtype)))


def test_a_device_that_cannot_be_used_at_all_is_no_broken_promise():
    def refuse(settings):
        raise DeviceError("no such thing here")

    with pytest.raises(DeviceError, match="^no such thing here$"):
        testing.check_device(refuse)


def test_every_device_is_tested_here():
    assert set(plugins.names("devices")) >= {*CPU, "torch-compile", "cuda"}


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_cuda_without_a_gpu_is_one_line():
    with pytest.raises(DeviceError, match="^device cuda needs an NVIDIA GPU that torch can use; torch finds none$"):
        made("cuda")


@pytest.mark.parametrize(("name", "dtype"), [("torch-eager", "int8"), ("torch-compile", "int8"), ("cuda", "int8"),
                                             ("onnxruntime", "bfloat16")])  # fmt: skip
def test_a_dtype_that_a_device_has_not_is_refused(name, dtype):
    with pytest.raises(DeviceError, match=f"^device {name} runs float32, .*, not {dtype}$"):
        made(name, dtype=dtype)


@pytest.mark.parametrize(("name", "package"), [("openvino", "openvino"), ("onnxruntime", "onnxruntime")])
def test_a_missing_package_is_told_with_what_to_install(name, package, monkeypatch):
    from archsearch.measure import onnxruntime_device, openvino_device

    for module in (onnxruntime_device, openvino_device):
        monkeypatch.setattr(module, "find_spec", lambda asked: None if asked == package else find_spec(asked))
    with pytest.raises(DeviceError, match=f"^device {name} needs {package}, which is not installed: pip install "):
        plugins.load("devices", name)(Settings())


def test_torch_threads_are_as_wanted_while_models_are_loaded_and_as_before_afterwards():
    before = torch.get_num_threads()
    device = plugins.load("devices", "torch-eager")(Settings(threads=before + 1))
    first, second = device.load(tiny_model()), device.load(tiny_model())
    first.close()
    first.close()
    torch.set_num_threads(before)  # somebody else does
    second.run()
    assert torch.get_num_threads() == before + 1
    second.close()
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("name", "told"),
    [("torch-eager", "torch cannot run tiny: no such kernel"), ("onnxruntime", "onnxruntime cannot run tiny: no such")],
)
@pytest.mark.parametrize("empty", [False, True])
def test_a_model_that_a_runtime_refuses_is_one_line_and_threads_are_as_before(name, told, empty, monkeypatch):
    from archsearch.measure import onnxruntime_device
    from archsearch.measure.torch_eager import EagerModel

    def refuse(*_, **__):
        raise RuntimeError("" if empty else "no such kernel\nin some file")

    monkeypatch.setattr(EagerModel, "run", refuse)
    monkeypatch.setattr(onnxruntime_device, "OrtModel", refuse)
    before = torch.get_num_threads()
    device = plugins.load("devices", name)(Settings(threads=before + 1))
    with pytest.raises(DeviceError, match="run tiny: RuntimeError" if empty else told):
        device.load(replace(tiny_model(), name="tiny"))
    assert torch.get_num_threads() == before


def test_threads_are_given_back_after_the_last_holder():
    before = torch.get_num_threads()
    threads = Threads(wanted=before + 1)
    threads.hold()
    threads.hold()
    threads.release()
    assert torch.get_num_threads() == before + 1
    threads.release()
    assert torch.get_num_threads() == before


def test_torch_and_onnx_are_given_the_same_weights_and_activations_stay_alive():
    model = model_of(_unrolled("mobilenet_v2_0.35_96"), "mobilenet_v2_0.35_96")
    module = deployed(model, "float32", layout=torch.channels_last)
    with torch.inference_mode():
        answer = module(*drawn_inputs(model, "float32", 2, layout=torch.channels_last))
    assert answer.shape == (2, 1000)
    assert not any(isinstance(each, torch.nn.BatchNorm2d) for each in module.modules())
    assert 1e-3 < float(answer.abs().max()) < 1e3


def _unrolled(name):
    from archsearch.spec.lower import lower, unroll

    return unroll(lower(preset(name)))


def _small(width):
    """A network of one convolution."""
    conv = Op(kind="conv", label="conv", c_in=width, c_out=width, size_in=4, size_out=4, per_group=width, norm=True,
              act="relu", inputs=("input",), name="conv.0")  # fmt: skip
    return model_of([conv], f"conv {width}")


@pytest.mark.slow
def test_torch_compiles_each_of_many_models_that_are_alike():
    from torch._dynamo import config
    from torch._dynamo.utils import counters

    device = made("torch-compile")
    before = counters["stats"]["unique_graphs"]
    with config.patch(recompile_limit=2):  # for one piece of code; torch's own is 8
        loaded = [device.load(_small(width)) for width in (1, 2, 3, 4)]
    assert counters["stats"]["unique_graphs"] == before + 4
    for each in loaded:
        assert each.run() > 0
        each.close()


def test_without_a_compiler_torch_compile_is_one_line():
    from torch._inductor import config

    before = torch.get_num_threads()
    none = config.patch({"cpp.cxx": (None, "no-such-compiler")})
    with (
        none,
        pytest.raises(DeviceError, match=r"^torch.compile cannot compile conv 40: .*needs a C\+\+ compiler.*$") as told,
    ):
        made("torch-compile", threads=before + 1).load(_small(40))
    assert "\n" not in str(told.value)
    assert torch.get_num_threads() == before


def test_openvino_says_where_the_processor_lacks_a_precision():
    made("openvino")
    import openvino

    from archsearch.measure.onnxruntime_device import onnx_of
    from archsearch.measure.openvino_device import _check_precision

    core = openvino.Core()
    model = core.read_model(onnx_of(tiny_model(), Settings()))
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    with pytest.raises(DeviceError, match="^openvino computes in float32 on this processor, not in bfloat16$"):
        _check_precision(compiled, "bf16")


@pytest.mark.parametrize(("threads", "stop"), [(1, None), (2, "1")])
def test_threads_of_onnxruntime_stop_to_spin_when_an_inference_ends(threads, stop):
    settings = Settings(threads=threads)
    options = OrtModel(onnx_of(tiny_model(), settings), threads=threads)._session.get_session_options()
    told = None
    with contextlib.suppress(RuntimeError):  # where nothing was set
        told = options.get_session_config_entry("session.force_spinning_stop")
    assert told == stop
