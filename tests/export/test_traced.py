"""ONNX and PT2: what other runtimes answer, any number of images, what the files say of themselves."""

import builtins

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from archsearch.errors import ExportError
from archsearch.export.pack import pack
from archsearch.spec.canon import key
from archsearch.spec.presets import read_arch
from archsearch.spec.text import from_text
from tests.export.networks import drawn, parcel
from tests.nn.shaken import images
from tests.strategies import BLOCKS

SMALL = "r12 stem_c8_s1 ir_r2_e2_c8_se0.25 head_c16_n3"
NETWORKS = range(30)


def _session(path):
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def test_the_random_networks_have_every_block_type():
    assert {stage.block for number in NETWORKS for stage in drawn(number).stages} == set(BLOCKS)


@pytest.mark.slow
@pytest.mark.parametrize("number", NETWORKS)
def test_onnxruntime_answers_as_torch_does(number, tmp_path):
    sent = parcel(drawn(number), batch=None if number % 10 == 0 else 2, seed=number)
    pack(sent, "onnx", tmp_path / "net.onnx")
    x = images(sent.arch.resolution, seed=number)
    (got,) = _session(tmp_path / "net.onnx").run(None, {"images": x.numpy()})
    with torch.no_grad():
        wanted = sent.model(x).numpy()
    assert np.abs(wanted).max() > 1e-3
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-4 * max(1, np.abs(wanted).max()))


@pytest.mark.parametrize("to", ["onnx", "pt2"])
def test_a_dynamic_file_takes_any_number_of_images_and_a_fixed_one_its_own(to, tmp_path):
    def run(path, count):
        x = images(12, count)
        if to == "pt2":
            return torch.export.load(path).module()(x).shape[0]
        return len(_session(path).run(None, {"images": x.numpy()})[0])

    free, fixed = (tmp_path / f"{name}.{to}" for name in ("free", "fixed"))
    assert pack(parcel(read_arch(SMALL), batch=None), to, free).batches == (1, 3)
    assert pack(parcel(read_arch(SMALL), batch=2), to, fixed).batches == (2,)
    assert [run(free, count) for count in (1, 2, 7)] == [1, 2, 7]
    assert run(fixed, 2) == 2
    with pytest.raises(Exception, match="(?i)dimension|shape|guard|batch|expected"):
        run(fixed, 3)


def test_an_onnx_file_names_its_network_and_holds_no_batch_norm(tmp_path):
    arch = read_arch(SMALL)
    packed = pack(parcel(arch), "onnx", tmp_path / "net.onnx")
    model = onnx.load(tmp_path / "net.onnx")
    said = {entry.key: entry.value for entry in model.metadata_props}
    assert from_text(said["archsearch.arch"]) == arch
    assert said["archsearch.key"] == key(arch)
    assert [each.version for each in model.opset_import if each.domain == ""] == [packed.facts["opset"]]
    assert "BatchNormalization" not in {node.op_type for node in model.graph.node}
    assert [each.name for each in (*model.graph.input, *model.graph.output)] == ["images", "answer"]
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]  # the weights lie inside


def test_a_pt2_file_holds_the_networks_json(tmp_path):
    arch = read_arch(SMALL)
    pack(parcel(arch), "pt2", tmp_path / "net.pt2")
    extra = {"arch.json": ""}
    torch.export.load(tmp_path / "net.pt2", extra_files=extra)
    assert type(arch).from_json(extra["arch.json"]) == arch


@pytest.mark.parametrize("to", ["onnx", "pt2"])
def test_nothing_is_printed(to, tmp_path, capfd):
    pack(parcel(read_arch(SMALL)), to, tmp_path / "net")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("package", ["onnx", "onnxscript", "onnxruntime"])
def test_a_missing_package_is_told_with_what_to_install(package, tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ExportError, match=rf"not there \({package}\): pip install onnx onnxscript onnxruntime"):
        pack(parcel(read_arch(SMALL)), "onnx", tmp_path / "net.onnx")
    assert list(tmp_path.iterdir()) == []
