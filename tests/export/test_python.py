"""model.py: it needs torch alone, says what the network does, and answers as it does."""

import ast
import re
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from archsearch.errors import ExportError
from archsearch.export.module_text import CALLS, MAKERS
from archsearch.export.pack import TOLERANCE, pack
from archsearch.export.python import read_python, write_python
from archsearch.nn.layers import ACTS, LAYERS
from archsearch.spec.ops import KINDS
from archsearch.spec.presets import read_arch
from tests.export.networks import parcel
from tests.nn.shaken import images
from tests.strategies import HEADS, archs, dense_archs

RUN = """
import runpy, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("archsearch", "torchvision", "onnx"):
            raise ImportError(name + " is blocked")

sys.meta_path.insert(0, Blocked())
sys.path.insert(0, sys.argv[1])
runpy.run_path(sys.argv[1] + "/model.py", run_name="__main__")
import torch, model
x = torch.randn(2, 3, model.SIZE, model.SIZE, generator=torch.Generator().manual_seed(1))
with torch.no_grad():
    torch.save(model.load()(x), "answer.pt")
assert not [name for name in sys.modules if name.startswith("archsearch")]
"""


@pytest.mark.parametrize("text", [
    "r16 stem_c8_s1 ir_r2_e2_c8_se0.25_nhs uib_c12_a3_s2 cr_e2_c12 head_c16_n3",
    "r40 ir_s2_c16 ir_s2_c16 ir_s2_c16 ir_s2_c24 ssdlite_c16_n3",
])  # fmt: skip
def test_it_runs_where_archsearch_cannot_be_imported(text, tmp_path):
    sent, made, elsewhere = parcel(read_arch(text)), tmp_path / "made", tmp_path / "elsewhere"
    elsewhere.mkdir()
    pack(sent, "python", made)
    done = subprocess.run([sys.executable, "-I", "-W", "error", "-c", RUN, str(made)], cwd=elsewhere, check=False,
                          capture_output=True, text=True)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    with torch.no_grad():
        wanted = sent.model(images(sent.arch.resolution))
    got = torch.load(elsewhere / "answer.pt")
    assert done.stdout.strip() == str([1, *wanted.shape[1:]])
    torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-4)


@settings(max_examples=30)
@given(arch=archs() | dense_archs(HEADS), seed=st.integers(0, 99))
def test_any_network_answers_the_same_as_a_file(arch, seed, tmp_path_factory):
    sent, folder = parcel(arch, seed=seed), tmp_path_factory.mktemp("made")
    write_python(sent, folder)
    x = images(arch.resolution)
    with torch.no_grad():
        wanted, got = sent.model(x), read_python(sent, folder)(x)
    assert got.shape == wanted.shape
    assert (got - wanted).abs().max() <= TOLERANCE * max(1.0, float(wanted.abs().max()))


def test_it_imports_torch_and_the_standard_library_only(tmp_path):
    pack(parcel(read_arch("mobilenet_v2_0.35_32")), "python", tmp_path / "net.py")
    tree = ast.parse((tmp_path / "net.py").read_text())
    named = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    named |= {each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names}
    assert named == {"pathlib", "torch", "torch.nn"}


def test_a_shortcut_is_a_sum_of_two_variables_and_each_block_has_its_comment(tmp_path):
    pack(parcel(read_arch("r12 stem_c8_s1 ir_e2_c8 head_c16_n3")), "python", tmp_path / "net.py")
    text = (tmp_path / "net.py").read_text()
    lines = [line.strip() for line in text.partition("def forward")[2].partition("return")[0].splitlines()[1:]]
    assert lines == [
        "# stem, 12 pixels",
        "x = F.relu6(self.stem(x))",
        "# block 1, ir of stage 1",
        "y = F.relu6(self.block1_expand(x))",
        "y = F.relu6(self.block1_depthwise(y))",
        "y = self.block1_project(y)",
        "x = y + x",
        "# head classifier",
        "x = F.relu6(self.head_last(x))",
        "x = x.mean(dim=(2, 3), keepdim=True)",
        "x = self.head_classifier(x.flatten(1))",
        "",
    ]
    assert "self.block1_depthwise = nn.Conv2d(16, 16, 3, padding=1, groups=16)" in text


def test_every_module_that_a_network_can_have_has_its_text():
    modules = {type(make(_op(kind))) for kind, make in LAYERS.items()}
    assert set(LAYERS) | {"act"} == set(KINDS)
    assert modules | set(ACTS.values()) <= set(CALLS)
    assert set(MAKERS) <= set(CALLS)


def _op(kind):
    from archsearch.spec.ops import Op

    return Op(kind=kind, label="", c_in=4, c_out=4, size_in=4, size_out=4)


def test_a_module_without_a_text_is_told(tmp_path):
    sent = parcel(read_arch("r12 stem_c8_s1 ir_e2_c8 head_c16_n3"))
    sent.model.classifier.add_module("1", torch.nn.Sequential(sent.model.classifier.get_submodule("1")))
    with pytest.raises(ExportError, match="a module Sequential cannot be written as Python"):
        pack(sent, "python", tmp_path / "made")
    assert list(tmp_path.iterdir()) == []


def test_a_norm_that_cannot_be_folded_is_written_too(third_party, tmp_path):
    source = """
from dataclasses import replace
from archsearch.spec.blocks import inverted_residual

def normed(b):
    for op in inverted_residual(b):
        yield replace(op, norm=op.norm or op.kind == "add")
"""
    third_party(source, {"blocks": {"normed": "normed"}})
    pack(parcel(read_arch("r8 stem_c8_s1 normed_c8_e2 head_c8_n3")), "python", tmp_path / "net.py")
    text = (tmp_path / "net.py").read_text()
    (name,) = re.findall(r"self\.(\w+) = nn\.BatchNorm2d\(8\)", text)
    assert f"x = self.{name}(y + x)" in text
