"""Bare state dicts: torchvision's MobileNetV2 at any width is known, everything else refused."""

import pytest
import torch

from archsearch.errors import CheckpointError
from archsearch.nn.build import build
from archsearch.nn.recognise import recognised
from archsearch.spec.presets import mobilenet_v2, preset


@pytest.mark.parametrize("width", [0.1, 0.35, 0.75, 1.0, 1.4])
def test_torchvisions_state_dict_names_its_network(width):
    models = pytest.importorskip("torchvision.models")
    with torch.device("meta"):
        state = models.mobilenet_v2(weights=None, width_mult=width, num_classes=17).state_dict()
    found = recognised(state)
    assert found.head.classes == 17
    assert found.stages == mobilenet_v2(width).stages
    assert found.stem == mobilenet_v2(width).stem
    assert found.head.width == mobilenet_v2(width).head.width


@pytest.mark.parametrize("name", ["mobilenet_v1", "mobilenet_v3_small", "mobilenext"])
def test_other_networks_are_refused(name):
    with torch.device("meta"):
        state = build(preset(name)).state_dict()
    with pytest.raises(CheckpointError, match="no network that is known"):
        recognised(state)


@pytest.mark.parametrize("change", ["less", "more", "other", "empty"])
def test_a_state_dict_must_be_whole(change):
    with torch.device("meta"):
        state = dict(build(mobilenet_v2()).state_dict())
    if change == "less":
        del state["features.9.conv.1.1.bias"]
    elif change == "more":
        state["aux.weight"] = torch.zeros(3)
    elif change == "other":
        state["features.9.conv.1.1.bias"] = torch.zeros(3)
    else:
        state = {}
    with pytest.raises(CheckpointError, match="no network that is known"):
        recognised(state)
