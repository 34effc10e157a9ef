"""Counter, hooks and fvcore say the same of any network, and a difference is seen."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from archsearch import plugins
from archsearch.errors import CountError
from archsearch.nn.build import build
from archsearch.nn.trace import COMPARED, agree, opinions, verify
from archsearch.spec.arch import Arch, Head, Stage
from archsearch.spec.presets import mobilenet_v1, mobilenet_v2
from archsearch.spec.space_file import read_space
from tests.strategies import SHIPPED, archs, dense_archs, headed


def test_all_three_give_the_published_numbers():
    said = verify(mobilenet_v2())
    assert set(said) == {"counter", "hooks", "fvcore"}
    assert {(costs["madds"], costs["params"]) for costs in said.values()} == {(300_774_272, 3_504_872)}


def test_all_three_agree_on_mobilenet_v1():
    assert verify(mobilenet_v1(0.5, 64))["counter"]["madds"] > 0


@settings(max_examples=30)
@given(archs() | dense_archs())
def test_all_three_agree_on_any_network(arch):
    verify(arch)


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(plugins.TABLE["heads"]))
@settings(max_examples=100)
@given(st.data())
def test_all_three_agree_on_any_of_100_networks_of_each_head(kind, data):
    verify(data.draw(headed(kind)))


@pytest.mark.parametrize("block", sorted(plugins.TABLE["blocks"]))
@pytest.mark.parametrize("kind", sorted(plugins.TABLE["heads"]))
def test_all_three_agree_on_every_head_behind_every_block(kind, block):
    shrinking = tuple(Stage(block=block, width=8 + 8 * number, stride=2, expand=2, se=0.25) for number in range(4))
    inner = {} if kind in ("classifier", "ssdlite") else {"hidden": 8, "output_stride": 16}
    verify(Arch(resolution=37, stages=shrinking, head=Head(kind=kind, width=16, classes=3, **inner)))


@pytest.mark.parametrize("name", SHIPPED)
def test_all_three_agree_on_two_networks_of_each_shipped_space(name):
    space = read_space(name)
    for code in space.sample(2, np.random.default_rng(8)):
        verify(space.decode(code))


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED)
def test_all_three_agree_on_100_networks_of_each_shipped_space(name):
    space = read_space(name)
    for code in space.sample(100, np.random.default_rng(0)):
        verify(space.decode(code))


class Fatter(torch.nn.Module):
    """A network with one more linear layer than its counter knows."""

    def __init__(self, model: torch.nn.Module, classes: int) -> None:
        super().__init__()
        self.model, self.more = model, torch.nn.Linear(classes, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.more(self.model(x))


def test_a_model_that_is_not_what_was_counted_is_seen():
    arch = mobilenet_v2(0.35, 32)
    said = opinions(arch, Fatter(build(arch), arch.head.classes))
    for name in COMPARED:
        assert said["hooks"][name] == said["fvcore"][name] > said["counter"][name]
    with pytest.raises(CountError, match="madds differs: counter "):
        agree(said)


@pytest.mark.parametrize("name", COMPARED)
def test_a_difference_is_told_with_all_values(name):
    right = dict.fromkeys(COMPARED, 1000)
    with pytest.raises(CountError, match=f"{name} differs: counter 1,000, hooks 1,000, fvcore 1,001"):
        agree({"counter": right, "hooks": right, "fvcore": right | {name: 1001}})


def test_looking_at_a_model_leaves_it_as_it_was():
    arch = mobilenet_v2(0.35, 32)
    model = build(arch)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    opinions(arch, model)
    assert model.training
    assert not any(module._forward_hooks for module in model.modules())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
