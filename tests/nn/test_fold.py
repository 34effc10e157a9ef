"""Folding batch norm: the same answers with fewer modules, and the network that was handed in stays as it is."""

import torch
from hypothesis import given, settings
from torch import nn

from archsearch.nn.build import build
from archsearch.nn.fold import folded
from archsearch.spec.arch import Arch
from archsearch.spec.lower import lower, unroll
from archsearch.spec.presets import read_arch
from tests.nn.shaken import images, shaken
from tests.strategies import archs, dense_archs


def _differs(arch: Arch) -> float:
    """The largest difference of the folded network, as a share of the largest answer."""
    model, x = shaken(build(arch)), images(arch.resolution)
    with torch.no_grad():
        wanted = model(x)
        return float((folded(model)(x) - wanted).abs().max() / wanted.abs().max().clamp(min=1e-20))


@given(archs())
def test_any_classifier_answers_the_same_folded(arch):
    assert _differs(arch) < 1e-4


@settings(max_examples=20)
@given(dense_archs())
def test_any_detector_and_segmenter_answers_the_same_folded(arch):
    assert _differs(arch) < 1e-4


@given(archs())
def test_no_norm_is_left_and_each_convolution_that_had_one_has_a_bias(arch):
    chains = folded(build(arch)).chains()
    assert not any(isinstance(module, nn.BatchNorm2d) for chain in chains for module in chain)
    ops = unroll(lower(arch))
    biased = [any(getattr(module, "bias", None) is not None for module in chain) for chain in chains]
    assert biased == [bool(op.norm or op.bias or op.kind == "linear") for op in ops]


def test_folding_changes_nothing_of_its_argument():
    model = build(read_arch("mobilenet_v2_0.35_32")).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    modules = list(model.modules())
    made = folded(model)
    assert model.training
    assert not made.training
    assert list(map(id, model.modules())) == list(map(id, modules))
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    mine = {tensor.data_ptr() for tensor in model.state_dict().values()}
    assert not mine & {tensor.data_ptr() for tensor in made.state_dict().values()}


def test_a_folded_network_folds_to_itself():
    made = folded(shaken(build(read_arch("mobilenet_v2_0.35_32"))))
    again = folded(made)
    assert list(again.state_dict()) == list(made.state_dict())
    assert torch.equal(again(images(32)), made(images(32)))


def test_a_norm_behind_something_else_than_a_convolution_stays(third_party):
    source = """
from dataclasses import replace
from archsearch.spec.blocks import inverted_residual

def normed(b):
    for op in inverted_residual(b):
        yield replace(op, norm=op.norm or op.kind == "add")
"""
    third_party(source, {"blocks": {"normed": "normed"}})
    arch = read_arch("r8 stem_c8_s1 normed_c8_e2 head_c8_n3")
    made = folded(build(arch))
    assert sum(isinstance(module, nn.BatchNorm2d) for module in made.modules()) == 1
    assert _differs(arch) < 1e-4
