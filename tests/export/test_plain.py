"""State dicts and JSON."""

import pytest
import torch

from archsearch.export.pack import pack
from archsearch.export.plain import loaded
from archsearch.spec.presets import mobilenet_v2, read_arch
from tests.export.networks import parcel
from tests.nn.shaken import images


def test_torchvisions_mobilenet_v2_loads_a_state_dict_strictly_and_answers_the_same(tmp_path):
    models = pytest.importorskip("torchvision.models")
    sent = parcel(mobilenet_v2(0.5, 64))
    pack(sent, "state-dict", tmp_path / "net.pt")
    theirs = models.mobilenet_v2(weights=None, width_mult=0.5)
    theirs.load_state_dict(torch.load(tmp_path / "net.pt", weights_only=True), strict=True)
    with torch.no_grad():
        torch.testing.assert_close(theirs.eval()(images(64)), sent.model(images(64)), rtol=1e-4, atol=1e-5)


def test_a_state_dict_holds_batch_norm_as_trained(tmp_path):
    sent = parcel(read_arch("r12 stem_c8_s1 ir_e2_c8 head_c16_n3"))
    pack(sent, "state-dict", tmp_path / "net.pt")
    kept = torch.load(tmp_path / "net.pt", weights_only=True)
    wanted = sent.model.state_dict()
    assert list(kept) == list(wanted)
    assert all(torch.equal(kept[name], wanted[name]) for name in kept)
    assert "features.0.1.running_var" in kept


def test_json_is_read_back_by_every_command(tmp_path):
    arch = read_arch("r12 stem_c8_s1 ir_e2_c8_se0.25 head_c16_n3")
    packed = pack(parcel(arch), "json", tmp_path / "net.json")
    assert read_arch(str(tmp_path / "net.json")) == arch
    assert packed.difference == 0


def test_reading_back_draws_no_random_numbers():
    sent = parcel(read_arch("r12 stem_c8_s1 ir_e2_c8 head_c16_n3"))
    before = torch.get_rng_state()
    loaded(sent.arch, sent.model.state_dict())
    assert torch.equal(torch.get_rng_state(), before)
