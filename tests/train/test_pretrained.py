"""Weights to begin from: a file of ours, a bare state dict, torchvision's; and what is refused."""

import urllib.error

import pytest
import torch

from archsearch.errors import CheckpointError
from archsearch.nn.build import build
from archsearch.spec.presets import mobilenet_v2
from archsearch.spec.text import from_text
from archsearch.train import checkpoint
from archsearch.train.pretrained import source, torchvision_state

SMALL = from_text("r24 stem_c8_k3_s2 ir_r2_e1_c8 ir_r2_s2_e2_c16 head_c32_n7")


@pytest.fixture
def own(tmp_path):
    """model.pt as a training writes it."""
    torch.manual_seed(3)
    file = tmp_path / "model.pt"
    checkpoint.save(file, {"arch": SMALL.to_dict(), "state_dict": build(SMALL).state_dict()})
    return file


def test_a_training_goes_on_with_the_weights_of_another(own):
    found = source(str(own))
    network = found.network(SMALL)
    kept = checkpoint.load(own)["state_dict"]
    assert all(torch.equal(value, kept[name]) for name, value in network.state_dict().items())
    assert found.digest == source(str(own)).digest


def test_a_bare_state_dict_of_torchvision_is_known(tmp_path):
    models = pytest.importorskip("torchvision.models")
    file = tmp_path / "weights.pth"
    torch.save(models.mobilenet_v2(weights=None, width_mult=0.35).state_dict(), file)
    found = source(str(file))
    assert found.weights.arch.stages == mobilenet_v2(0.35).stages
    assert found.begun(mobilenet_v2(0.5, 32)).padded > 0


def test_the_digest_tells_other_values_apart(own, tmp_path):
    content = checkpoint.load(own)
    content["state_dict"]["classifier.1.bias"][0] += 1e-3
    checkpoint.save(tmp_path / "other.pt", content)
    assert source(str(tmp_path / "other.pt")).digest != source(str(own)).digest


def test_what_is_fresh_follows_torchs_generator(own):
    found, wide = source(str(own)), from_text("r24 stem_c16_k3_s2 ir_r2_e1_c16 ir_r2_s2_e2_c24 head_c32_n3")
    made = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        made.append(found.network(wide).state_dict())
    assert all(torch.equal(value, made[1][name]) for name, value in made[0].items())
    assert any(not torch.equal(value, made[2][name]) for name, value in made[0].items())


def test_another_family_is_refused_in_one_line(own):
    with pytest.raises(CheckpointError, match=r"model.pt fits: its blocks are ir, the network's sg$"):
        source(str(own)).begun(from_text("r24 stem_c8 sg_e2_c16 head_n3"))


def test_files_that_hold_something_else_are_refused(own, tmp_path):
    with pytest.raises(CheckpointError, match="cannot read weights"):
        source(str(tmp_path / "none.pt"))
    torch.save({"a": torch.zeros(2)}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=r"a\.pth: these weights are of no network that is known"):
        source(str(tmp_path / "a.pth"))
    torch.save({"state_dict": {"a": "b"}}, tmp_path / "b.pth")
    with pytest.raises(CheckpointError, match="names and tensors"):
        source(str(tmp_path / "b.pth"))
    content = checkpoint.load(own)
    del content["state_dict"]["classifier.1.bias"]
    checkpoint.save(tmp_path / "c.pt", content)
    with pytest.raises(CheckpointError, match=r"not those of the network in the same file \(classifier.1.bias\)"):
        source(str(tmp_path / "c.pt"))


def test_a_network_that_cannot_be_is_told_with_its_file(own, tmp_path):
    content = checkpoint.load(own)
    checkpoint.save(tmp_path / "d.pt", content | {"arch": {"x": 1}})
    with pytest.raises(CheckpointError, match=r"d\.pt names a network that cannot be: arch has no key 'x'"):
        source(str(tmp_path / "d.pt"))


def test_only_what_a_run_kept_must_have_a_checksum(own, tmp_path):
    """A model.pt that was cut is told; a folder of a user's own may have any name."""
    folder = tmp_path / "final-3"
    folder.mkdir()
    torch.save(build(mobilenet_v2(0.35)).state_dict(), folder / "mine.pth")
    assert source(str(folder / "mine.pth")).weights.arch.stages == mobilenet_v2(0.35).stages
    (folder / "model.pt").write_bytes(own.read_bytes()[:-50])
    with pytest.raises(CheckpointError, match="truncated or damaged"):
        source(str(folder / "model.pt"))


def test_without_a_network_the_error_says_where_a_file_could_lie():
    pytest.importorskip("torchvision")

    def offline():
        raise urllib.error.URLError("no route to host")

    with pytest.raises(CheckpointError) as error:
        torchvision_state(offline)
    for word in ("no route to host", "https://download.pytorch.org/models/mobilenet_v2", "checkpoints", "--init FILE"):
        assert word in str(error.value)
    assert "\n" not in str(error.value)
