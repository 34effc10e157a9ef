"""First weights that networks have in common wherever their layers do."""

from dataclasses import replace

import pytest
import torch

from archsearch.nn.build import build
from archsearch.spec.text import from_text
from archsearch.train.paired import paired
from archsearch.train.seed import seeded

BASE = "r32 stem_c16_s1 ir_r2_k3_s2_e4_c24 ir_r2_k3_s2_e4_c32 head_c64_n10"


def weights(text, seed=0):
    with seeded(seed):
        return paired(from_text(text)).state_dict()


def same(one, other):
    """Names of the tensors that both have in one shape, and of those of them that are equal."""
    alike = [name for name in one if name in other and one[name].shape == other[name].shape]
    return set(alike), {name for name in alike if torch.equal(one[name], other[name])}


def relu6(text):
    arch = from_text(text)
    return replace(arch, stages=tuple(replace(stage, bottleneck="relu6") for stage in arch.stages))


def test_a_factor_that_changes_no_shape_changes_no_weight():
    with seeded(3):
        one = paired(from_text(BASE)).state_dict()
    with seeded(3):
        other = paired(relu6(BASE)).state_dict()
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_where_a_stage_is_wider_inside_all_other_layers_stay():
    one, other = weights(BASE), weights(BASE.replace("e4_c24", "e6_c24"))
    alike, equal = same(one, other)
    assert alike == equal
    convs = {name for name in one if one[name].ndim == 4}
    assert 0 < len(convs - alike) < len(convs) / 2


def test_a_block_more_leaves_the_others():
    one, other = weights(BASE), weights(BASE.replace("ir_r2_k3_s2_e4_c24", "ir_r3_k3_s2_e4_c24"))
    stage = {name.removeprefix("features.1."): value for name, value in one.items() if name.startswith("features.1.")}
    assert stage
    assert all(torch.equal(value, other[f"features.1.{name}"]) for name, value in stage.items())
    assert torch.equal(one["classifier.1.weight"], other["classifier.1.weight"])


def test_seeds_differ_and_repeat():
    assert torch.equal(weights(BASE, 1)["features.0.0.weight"], weights(BASE, 1)["features.0.0.weight"])
    assert not torch.equal(weights(BASE, 1)["features.0.0.weight"], weights(BASE, 2)["features.0.0.weight"])


def test_layers_of_one_shape_differ_from_each_other():
    drawn = [value for value in weights(BASE).values() if value.ndim == 4]
    for place, one in enumerate(drawn):
        for other in drawn[:place]:
            assert one.shape != other.shape or not torch.equal(one, other)


@pytest.mark.parametrize("kind", [torch.nn.Conv2d, torch.nn.Linear])
def test_they_are_distributed_as_usual(kind):
    with seeded(0):
        usual = build(from_text(BASE))
    with seeded(0):
        ours = paired(from_text(BASE))
    for (name, one), other in zip(usual.named_modules(), ours.modules(), strict=True):
        if isinstance(one, kind) and one.weight.numel() > 2000:
            drawn, usually = other.weight.detach(), one.weight.detach()
            assert float(drawn.std()) == pytest.approx(float(usually.std()), rel=0.15), name
            assert abs(drawn.mean()) < 0.1 * drawn.std()
