"""Packing: nothing is left behind that answers otherwise, and what is in the way is told in one line."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from archsearch import plugins
from archsearch.errors import ExportError, PluginError
from archsearch.export.base import Parcel
from archsearch.export.pack import compare, pack
from archsearch.export.plain import loaded
from archsearch.spec.presets import read_arch
from tests.export.networks import parcel

ARCH = read_arch("r12 stem_c8_s1 ir_e2_c8 head_c16_n3")
FAULTY = """
import torch
from dataclasses import replace
from archsearch.export.plain import STATE_DICT

def wrong(change):
    def read(parcel, folder):
        answers = STATE_DICT.read(parcel, folder)
        return lambda images: change(answers(images))
    return replace(STATE_DICT, read=read)

def fails(parcel, folder):
    (folder / "half").write_text("half")
    raise OSError(28, "No space left on device")

OFF = wrong(lambda answer: answer * 1.001)
LOST = wrong(lambda answer: answer * float("nan"))
SHORT = wrong(lambda answer: answer[:, :2])
CLOSE = wrong(lambda answer: answer * 1.00001)
FULL = replace(STATE_DICT, write=fails)
"""
POINTS = {"exporters": {name.lower(): name for name in ("OFF", "LOST", "SHORT", "CLOSE", "FULL")}}


@pytest.mark.parametrize(("name", "told"), [
    ("off", "differs by .* from the torch model, whose answers go up to"),
    ("lost", "differs by nan"),
    ("short", r"answers with shape \[1, 2\] instead of \[1, 3\]"),
    ("full", "net.pt cannot be written: No space left on device"),
])  # fmt: skip
@pytest.mark.parametrize("before", [None, "what was there"])
def test_a_file_that_answers_otherwise_leaves_no_trace(name, told, before, third_party, tmp_path):
    third_party(FAULTY, POINTS)
    out = tmp_path / "out" / "net.pt"
    out.parent.mkdir()
    if before:
        out.write_text(before)
    with pytest.raises(ExportError, match=told):
        pack(parcel(ARCH), name, out)
    assert [path.read_text() for path in out.parent.iterdir()] == ([before] if before else [])


def test_a_difference_of_rounding_is_told_and_let_pass(third_party, tmp_path):
    third_party(FAULTY, POINTS)
    packed = pack(parcel(ARCH), "close", tmp_path / "net.pt")
    assert packed.difference == pytest.approx(1e-5 * packed.answer, rel=0.1)


def test_the_bound_is_a_share_so_that_faint_answers_are_compared_too():
    faint = parcel(ARCH)
    with torch.no_grad():
        for tensor in faint.model.classifier.parameters():
            tensor *= 1e-9
    assert compare(faint, faint.model, (1, 3))[1] < 1e-7
    with pytest.raises(ExportError, match="differs"):
        compare(faint, lambda images: 0 * faint.model(images), (1,))


def test_a_network_that_answers_with_nan_is_refused(tmp_path):
    broken = parcel(ARCH)
    broken.model.get_submodule("features.0.1").running_var.fill_(float("nan"))
    with pytest.raises(ExportError, match="its weights are of no use"):
        pack(broken, "state-dict", tmp_path / "net.pt")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_replaced_and_others_in_its_folder_stay(tmp_path):
    folder = tmp_path / "net"
    folder.mkdir()
    for name in ("model.py", "notes.txt"):
        (folder / name).write_text("mine")
    packed = pack(parcel(ARCH), "python", folder)
    assert packed.files == (folder / "model.py", folder / "model.pt")
    assert (folder / "model.py").read_text() != "mine"
    assert sorted(path.name for path in folder.iterdir()) == ["model.pt", "model.py", "notes.txt"]
    assert (folder / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(("to", "out", "told"), [
    ("json", "nowhere/net.json", "nowhere is not a folder"),
    ("json", ".", "is a folder, not a file"),
    ("python", "net.pt", "is a file; give a folder, or a name that ends in .py"),
    ("python", "nowhere/net.py", "nowhere is not a folder"),
])  # fmt: skip
def test_what_is_in_the_way_is_told(to, out, told, tmp_path):
    (tmp_path / "net.pt").write_text("a file")
    with pytest.raises(ExportError, match=told):
        pack(parcel(ARCH), to, tmp_path / out)
    assert [path.name for path in tmp_path.iterdir()] == ["net.pt"]


def test_an_unknown_format_names_the_nearest(tmp_path):
    with pytest.raises(PluginError, match="unknown exporter 'onx': did you mean 'onnx'"):
        pack(parcel(ARCH), "onx", tmp_path / "net.onnx")


def test_a_batch_of_none_is_any_number_and_0_is_refused():
    model = loaded(ARCH, parcel(ARCH).model.state_dict())
    assert Parcel(arch=ARCH, model=model, batch=None).batch is None
    with pytest.raises(ExportError, match="batch must be at least 1, or dynamic, got 0"):
        Parcel(arch=ARCH, model=model, batch=0)


def test_a_third_partys_exporter_is_called_by_its_name(third_party, tmp_path):
    third_party(FAULTY, POINTS)
    assert "close" in plugins.names("exporters")
    assert replace(plugins.load("exporters", "close"), about="x").files == ("model.pt",)
    assert pack(parcel(ARCH), "close", tmp_path / "net.pt").files == (Path(tmp_path / "net.pt"),)
