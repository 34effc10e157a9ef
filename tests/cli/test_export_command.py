"""export: files that answer as the model does, weights from runs and files, errors in one line."""

import json
import subprocess
import sys

import pytest
import torch

from archsearch.nn.build import build
from archsearch.spec.presets import read_arch
from archsearch.train import checkpoint

SMALL = "r12 stem_c8_s1 ir_e2_c8 head_c16_n3"
RECORD = {"arch", "key", "madds", "params", "activations", "peak_memory", "weight_bytes"}
RANDOM = "no trained weights: these are random, from seed 0; --weights FILE brings some\n"


def _weights(path, seed=1, **more):
    """A model.pt as a training writes it; its state dict."""
    torch.manual_seed(seed)
    state = build(read_arch(SMALL)).state_dict()
    checkpoint.save(path, {"arch": read_arch(SMALL).to_dict(), "state_dict": state} | more)
    return state


def test_onnx_json_is_the_contracts_document(cli, tmp_path):
    done = cli("export", SMALL, "--to", "onnx", "--batch", "dynamic", "--json")
    assert (done.code, done.err) == (0, RANDOM)
    document = done.json
    assert RECORD <= set(document)
    assert document["written"] == [f"{document['key']}.onnx"]
    assert (document["format"], document["batch"], document["checked_batches"]) == ("onnx", "dynamic", [1, 3])
    assert document["checked_with"].startswith("onnxruntime ")
    assert document["opset"] >= 18
    assert document["weights"] is None
    assert document["largest_difference"] <= 1e-4 * document["largest_answer"]
    assert [path.name for path in tmp_path.iterdir()] == document["written"]


@pytest.mark.parametrize(("to", "ending"), [("json", ".json"), ("state-dict", ".pt"), ("pt2", ".pt2")])
def test_the_default_name_is_the_presets_or_the_key(to, ending, cli, tmp_path):
    assert cli("export", "mobilenet_v2_0.35_32", "--to", to).code == 0
    key = cli("count", SMALL, "--json").json["key"]
    assert cli("export", SMALL, "--to", to).code == 0
    assert {path.name for path in tmp_path.iterdir()} == {f"mobilenet_v2_0.35_32{ending}", f"{key}{ending}"}


def test_python_runs_where_it_was_written(cli, tmp_path):
    done = cli("export", SMALL, "--to", "python", "--out", "net.py")
    assert done.code == 0
    assert done.out.startswith("net.py (0.0 MB)\nnet.pt (0.0 MB)\nanswers differ from the torch model's by ")
    ran = subprocess.run([sys.executable, "net.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ran.stdout == "[1, 3]\n"


def test_json_holds_no_weights_and_speaks_of_none(cli, tmp_path):
    done = cli("export", SMALL, "--to", "json", "--out", "net.json")
    assert (done.code, done.err) == (0, "")
    assert json.loads((tmp_path / "net.json").read_text()) == read_arch(SMALL).to_dict()


def test_random_weights_follow_the_seed(cli, tmp_path):
    for name, seed in (("a", 4), ("b", 4), ("c", 5)):
        assert cli("export", SMALL, "--to", "state-dict", "--seed", seed, "--out", f"{name}.pt").code == 0
    a, b, c = (torch.load(tmp_path / f"{name}.pt", weights_only=True)["classifier.1.weight"] for name in "abc")
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


@pytest.mark.parametrize("plain", [False, True])
def test_weights_come_from_a_file(plain, cli, tmp_path):
    state = _weights(tmp_path / "model.pt")
    if plain:
        torch.save(state, tmp_path / "model.pt")
    done = cli("export", SMALL, "--to", "state-dict", "--weights", "model.pt", "--out", "net.pt", "--json")
    assert (done.code, done.err, done.json["weights"]) == (0, "", "model.pt")
    kept = torch.load(tmp_path / "net.pt", weights_only=True)
    assert all(torch.equal(kept[name], tensor) for name, tensor in state.items())


def test_a_training_of_fewer_classes_brings_its_classifier_along(cli, tmp_path):
    _weights(tmp_path / "model.pt")
    document = cli("export", SMALL.replace("n3", "n1000"), "--to", "state-dict", "--weights", "model.pt", "--json").json
    assert document["arch"].endswith("n3")


def test_torchvisions_weights_fit(cli, tmp_path):
    models = pytest.importorskip("torchvision.models")
    theirs = models.mobilenet_v2(weights=None, width_mult=0.35)
    torch.save(theirs.state_dict(), tmp_path / "tv.pth")
    command = ("export", "mobilenet_v2_0.35_32", "--to", "state-dict", "--weights", "tv.pth", "--out", "net.pt")
    assert cli(*command).code == 0
    theirs.load_state_dict(torch.load(tmp_path / "net.pt", weights_only=True), strict=True)


def test_a_finalist_takes_its_trained_weights_along_and_others_are_random(cli, tmp_path):
    command = ("run", "--budget-madds", "3M", "--trials", 2, "--epochs", 1, "--final-epochs", 1)
    options = ("--trial-images", 128, "--finalists", 1, "--threads", 1, "--sampler", "random", "--out", "run")
    assert cli(*command, *options).code == 0
    (final,) = (tmp_path / "run" / "checkpoints").glob("final-*")
    number = int(final.name.removeprefix("final-"))
    done = cli("export", f"run#{number}", "--to", "state-dict", "--out", "net.pt", "--json")
    assert (done.code, done.err, done.json["weights"]) == (0, "", str(final.relative_to(tmp_path) / "model.pt"))
    kept, trained = torch.load(tmp_path / "net.pt", weights_only=True), checkpoint.load(final / "model.pt")
    assert all(torch.equal(kept[name], tensor) for name, tensor in trained["state_dict"].items())
    assert cli("export", f"run#{1 - number}", "--to", "state-dict", "--out", "other.pt").err == RANDOM
    (final / "model.pt").write_bytes((final / "model.pt").read_bytes()[:-50])
    done = cli("export", f"run#{number}", "--to", "state-dict", "--out", "late.pt")
    assert (done.code, done.out) == (2, "")
    assert "model.pt is truncated or damaged" in done.err
    assert not (tmp_path / "late.pt").exists()


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("net.py", "net.pt holds the weights that are read: give another --out"),
        ("link.pt", "link.pt holds the weights that are read: give another --out"),
        ("run/checkpoints/final-3", "lies among the checkpoints of a run, which are kept: give another --out"),
        ("run/checkpoints/final-3/model.pt", "lies among the checkpoints of a run"),
    ],
)
def test_weights_that_somebody_needs_are_not_replaced(target, told, cli, tmp_path):
    kept = tmp_path / "run/checkpoints/final-3/model.pt"
    kept.parent.mkdir(parents=True)
    (tmp_path / "run/run.toml").touch()
    for file in (kept, tmp_path / "net.pt"):
        _weights(file)
    (tmp_path / "link.pt").symlink_to(tmp_path / "net.pt")
    before = [file.read_bytes() for file in (kept, tmp_path / "net.pt")]
    to = "state-dict" if target.endswith(".pt") else "python"
    done = cli("export", SMALL, "--to", to, "--weights", "net.pt", "--out", target)
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert [file.read_bytes() for file in (kept, tmp_path / "net.pt")] == before


@pytest.mark.parametrize(("options", "told"), [
    (("--to", "onx"), "unknown exporter 'onx': did you mean 'onnx'"),
    (("--to", "onnx", "--batch", "0"), "--batch must be a whole number from 1, or dynamic, got '0'"),
    (("--to", "pt2", "--batch", "many"), "got 'many'"),
    (("--to", "python", "--batch", "4"), "python takes any number of images"),
    (("--to", "json", "--out", "nowhere/x.json"), "nowhere/x.json cannot be written: nowhere is not a folder"),
    (("--to", "json", "--weights", "w.pt"), "--weights w.pt goes with formats that hold weights"),
    (("--to", "state-dict", "--weights", "none.pt"), "cannot read weights none.pt: No such file or directory"),
    (("--to", "state-dict", "--weights", "text.pt"), "text.pt is no file of weights that torch reads"),
    (("--to", "state-dict", "--weights", "list.pt"), "list.pt holds no state dict but a list"),
    (("--to", "state-dict", "--weights", "other.pt"), "other.pt does not fit the network: Missing key(s)"),
    (("--to", "state-dict", "--weights", "foreign.pt"), "foreign.pt holds the weights of another network: r12 "),
    (("--to", "state-dict", "--weights", "last.pt"), "last.pt holds no state dict"),
    (("--to", "state-dict", "--weights", "damaged.pt"), "damaged.pt is truncated or damaged"),
    (("--to", "state-dict", "--weights", "nan.pt"), "its weights are of no use"),
])  # fmt: skip
def test_wrong_input_is_one_line_and_code_2_and_nothing_is_written(options, told, cli, tmp_path):
    (tmp_path / "text.pt").write_text("hello")
    torch.save([1, 2], tmp_path / "list.pt")
    torch.save({"weight": torch.zeros(2)}, tmp_path / "other.pt")
    _weights(tmp_path / "foreign.pt", arch=read_arch(SMALL.replace("ir_e2", "ir_e3")).to_dict())
    checkpoint.save(tmp_path / "last.pt", {"model": {}, "optimizer": {}})
    state = _weights(tmp_path / "damaged.pt")
    content = bytearray((tmp_path / "damaged.pt").read_bytes())
    content[200] ^= 1
    (tmp_path / "damaged.pt").write_bytes(content)
    torch.save({name: tensor * float("nan") for name, tensor in state.items()}, tmp_path / "nan.pt")
    before = sorted(path.name for path in tmp_path.iterdir())
    done = cli("export", SMALL, *options)
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == before
