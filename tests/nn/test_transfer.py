"""First weights from a trained network: what comes over, what it computes, what is counted."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings

from archsearch.nn.build import Network, build
from archsearch.nn.places import layers
from archsearch.nn.transfer import Report, Weights, fitted
from archsearch.spec.arch import Arch
from archsearch.spec.presets import mobilenet_v2, preset
from archsearch.spec.text import from_text
from tests.nn.shaken import images, shaken
from tests.strategies import archs

SMALL = from_text("r24 stem_c8_k3_s2 ir_r1_e1_c8 ir_r2_s2_e2_c16 ir_r3_e3_c24 head_c32_n7")


@pytest.fixture(scope="module")
def theirs() -> torch.nn.Module:
    """torchvision's network, its weights made up."""
    return shaken(pytest.importorskip("torchvision.models").mobilenet_v2(weights=None))


def carried(source: Arch, model: torch.nn.Module, arch: Arch) -> tuple[Network, Report]:
    """The network with first weights from the model, in evaluation mode."""
    torch.manual_seed(5)
    made = build(arch)
    before = {name: value.clone() for name, value in made.state_dict().items()}
    state, report = fitted(Weights(arch=source, state=model.state_dict()), Weights(arch=arch, state=made.state_dict()))
    assert all(torch.equal(value, before[name]) for name, value in made.state_dict().items())
    made.load_state_dict(state, strict=True)
    assert report.exact + report.cut + report.padded + report.repeated + report.fresh == sum(
        p.numel() for p in made.parameters()
    )
    return made.eval(), report


def stages(arch: Arch, **change) -> Arch:
    """The network with fields of all stages changed by functions."""
    changed = tuple(replace(stage, **{name: make(stage) for name, make in change.items()}) for stage in arch.stages)
    return replace(arch, stages=changed)


def test_torchvisions_weights_come_over_whole_to_the_same_network(theirs):
    made, report = carried(mobilenet_v2(), theirs, mobilenet_v2(1.0, 160))
    state = made.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in theirs.state_dict().items())
    assert report.exact == 3_504_872
    assert report.left == ()


@given(archs(most_stages=3))
@settings(max_examples=15)
def test_equal_networks_of_any_kind_get_equal_tensors(arch):
    torch.manual_seed(1)
    model = build(arch)
    made, report = carried(arch, model, arch)
    assert all(torch.equal(value, made.state_dict()[name]) for name, value in model.state_dict().items())
    assert report.fresh == report.cut == report.padded == report.repeated == 0


@given(archs(most_stages=3), archs(most_stages=3))
@settings(max_examples=15)
def test_any_network_takes_what_it_can_from_any_other(one, other):
    made, report = carried(one, shaken(build(one)), other)
    assert torch.isfinite(made(images(other.resolution))).all()
    assert report.fresh < sum(p.numel() for p in made.parameters())  # a stem has its counterpart at least


LARGER = {
    "wider": preset("mobilenet_v2_1.4"),
    "kernels": stages(mobilenet_v2(), kernel=lambda s: 5),
    "ratios": stages(mobilenet_v2(), expand=lambda s: s.expand + 2 * (s.expand > 1)),
    "deeper": stages(mobilenet_v2(), repeats=lambda s: s.repeats + 2),
    "all": replace(
        stages(preset("mobilenet_v2_1.3"), kernel=lambda s: 7, repeats=lambda s: s.repeats + 1,
               expand=lambda s: s.expand + 0.5 * (s.expand > 1)),
        stem=replace(mobilenet_v2().stem, width=48, kernel=5), head=replace(mobilenet_v2().head, width=1536)),
}  # fmt: skip


@pytest.mark.parametrize("name", LARGER)
def test_an_enlarged_network_computes_what_the_source_does(theirs, name):
    made, report = carried(mobilenet_v2(), theirs, LARGER[name])
    with torch.no_grad():
        wanted = theirs(images(64))
        assert wanted.std() > 0.1
        torch.testing.assert_close(made(images(64)), wanted, rtol=1e-4, atol=1e-4)
    assert report.cut == 0
    assert report.padded + report.repeated > 0


@pytest.mark.parametrize("width", [0.35, 0.5, 0.75])
def test_a_narrower_network_takes_every_parameter_from_the_source(theirs, width):
    arch = mobilenet_v2(width, 32)
    made, report = carried(mobilenet_v2(), theirs, arch)
    assert report.fresh == report.padded == 0
    assert report.cut > 0
    source = theirs.state_dict()
    for name, value in made.state_dict().items():
        assert torch.isin(value.flatten()[:50], source[name]).all(), name


def test_cut_channels_are_the_ones_read_least_all_through_the_network():
    wide = from_text("r24 stem_c8_k3_s2 ir_r1_e1_c8 ir_r2_s2_e2_c16 ir_r3_e3_c32 head_c32_n7")
    narrow = from_text("r24 stem_c8_k3_s2 ir_r1_e1_c8 ir_r2_s2_e2_c16 ir_r3_e4_c24 head_c32_n7")  # 32 x 3 = 24 x 4
    model = shaken(build(wide))
    with torch.no_grad():
        for name in ("features.5.conv.0.0", "features.6.conv.0.0", "features.7.0"):
            model.get_submodule(name).weight[:, ::4] = 0  # 8 channels that nobody behind them reads
        made, report = carried(wide, model, narrow)
        torch.testing.assert_close(made(images(24)), model(images(24)), rtol=1e-4, atol=1e-4)
    assert report.cut > 0


def test_larger_kernels_hold_the_source_in_their_middle_and_smaller_ones_its_middle(theirs):
    source = theirs.state_dict()["features.4.conv.1.0.weight"]
    larger, _ = carried(mobilenet_v2(), theirs, stages(mobilenet_v2(), kernel=lambda s: 5))
    smaller, report = carried(mobilenet_v2(), theirs, stages(mobilenet_v2(), kernel=lambda s: 1))
    grown = larger.state_dict()["features.4.conv.1.0.weight"]
    assert torch.equal(grown[:, :, 1:4, 1:4], source)
    assert grown.count_nonzero() == source.count_nonzero()
    assert torch.equal(smaller.state_dict()["features.4.conv.1.0.weight"], source[:, :, 1:2, 1:2])
    assert report.fresh == 0


def test_fewer_blocks_are_the_first_ones(theirs):
    made, _ = carried(mobilenet_v2(), theirs, stages(mobilenet_v2(), repeats=lambda s: 1))
    state, source = made.state_dict(), theirs.state_dict()
    assert torch.equal(state["features.4.conv.1.0.weight"], source["features.7.conv.1.0.weight"])  # of 64 channels


def test_further_blocks_learn_from_the_first_step():
    arch = stages(SMALL, repeats=lambda s: s.repeats + 1)
    made, report = carried(SMALL, shaken(build(SMALL)), arch)
    assert report.repeated > 0
    made.train()(images(24, batch=8)).square().sum().backward()
    last = [p for name, p in made.named_parameters() if name.startswith("features.9.conv.3")]
    assert [float(p.detach().abs().sum()) for p in last] == [0, 0]
    assert all(p.grad.abs().sum() > 0 for p in last)


def test_the_classifier_comes_over_where_the_classes_are_as_many(theirs):
    other = replace(mobilenet_v2(), head=replace(mobilenet_v2().head, classes=10))
    made, report = carried(mobilenet_v2(), theirs, other)
    assert report.left == ("classifier.1",)
    assert report.fresh == 1280 * 10 + 10
    assert made.state_dict()["classifier.1.weight"].abs().max() < 0.1  # drawn with deviation 0.01


def test_layers_of_another_family_stay_fresh_and_are_told(theirs):
    arch = from_text("r32 stem_c32 ir_e1_c16 ds_r2_s2_c24 ir_r3_s2_c32_se0.25 head_c1280_n1000")
    _, report = carried(mobilenet_v2(), theirs, arch)
    assert {name.split(".")[1] for name in report.left} >= {"2", "3", "4"}
    assert [name for name in report.left if name.startswith("features.4.")] == [
        "features.4.conv.2", "features.4.conv.3",
    ]  # fmt: skip
    assert "without a counterpart" in report.line
    _, nothing = carried(mobilenet_v2(), theirs, from_text("r32 stem_c32 sg_r2_e2_c64 head_n10"))
    assert nothing.inside == 0


def test_a_stage_that_is_split_finds_its_blocks(theirs):
    split = from_text(
        "r64 stem_c32 ir_e1_c16 ir_s2_c24 ir_c24_k5 ir_r3_s2_c32 ir_r4_s2_c64 ir_r3_c96 ir_r3_s2_c160 ir_c320"
    )
    made, report = carried(mobilenet_v2(), theirs, split)
    assert report.left == ()
    with torch.no_grad():
        torch.testing.assert_close(made(images(64)), theirs(images(64)), rtol=1e-4, atol=1e-4)


def test_all_sides_of_a_shortcut_share_their_channels():
    found = {(place.level, place.block, place.label): layer for place, layer in layers(SMALL).items()}
    assert found[2, 0, "project"].makes == found[2, 1, "project"].makes == found[2, 2, "expand"].reads
    assert found[2, 0, "project"].makes != found[1, 1, "project"].makes == found[1, 0, "project"].makes
    assert found[2, 0, "expand"].makes == found[2, 0, "depthwise"].makes == found[2, 0, "project"].reads
    assert found[2, 1, "project"].shortcut
    assert not found[2, 0, "project"].shortcut


def test_gates_share_the_channels_of_what_they_gate():
    found = {place.label: layer for place, layer in layers(from_text("r24 ir_c24_se0.25 head_n3")).items()}
    assert found["excite"].makes == found["depthwise"].makes == found["squeeze"].reads
