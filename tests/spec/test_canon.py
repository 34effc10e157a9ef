"""Canonical identity: spellings of one network share a key, different networks do not."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from archsearch.spec.arch import Arch, Head, Stage, Stem
from archsearch.spec.canon import canonical, key, keys
from archsearch.spec.presets import mobilenet_v1, mobilenet_v2
from archsearch.spec.text import from_text
from tests.strategies import archs

OWN = {  # block -> what "auto" means: bottleneck, shortcut
    "ir": ("linear", "bottleneck"), "ds": (None, "none"), "cr": (None, "expansion"), "id": (None, None),
    "cn": (None, "none"), "er": ("linear", "bottleneck"), "sg": ("linear", "expansion"),
    "uib": ("linear", "bottleneck"),
}  # fmt: skip


def _net(*stages: str) -> Arch:
    return from_text(f"r16 stem_c8_s1 {' '.join(stages)} head_c16_n10")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["ir_r3_s2_c16"], ["ir_r1_s2_c16", "ir_r2_c16"]),
        (["ds_e1_c16"], ["ds_e6_c16"]),
        (["id_c8", "ir_c16"], ["ir_c16"]),
        (["id_k3_e1_r1_c16_s2"], ["id_k5_e6_r4_c16_s2"]),
        (["ir_c8"], ["ir_c8_linear_bskip"]),
        (["ds_c8"], ["ds_c8_noskip_relu6"]),
        (["cr_c8"], ["cr_c8_xskip_relu6"]),
        (["ir_c16_s2"], ["ir_c16_s2_noskip"]),
        (["ir_c8_e1_noskip"], ["ds_c8_linear"]),
        (["ir_c8_e1_xskip"], ["ds_c8_xskip_linear"]),
        (["cr_c8_nid"], ["cr_c8_nid_linear"]),
        (["cr_c8_e1"], ["cr_c8_e2"]),  # both 8 narrow channels
    ],
)
def test_two_spellings_of_one_network_have_one_key(one, other):
    assert canonical(_net(*one)) == canonical(_net(*other))
    assert key(_net(*one)) == key(_net(*other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["ir_r2_c8"], ["ir_r3_c8"]),
        (["ir_c8_k3"], ["ir_c8_k5"]),
        (["ir_c8"], ["ir_c8_relu6"]),
        (["ir_c8"], ["ir_c8_noskip"]),
        (["ir_c8"], ["ir_c8_xskip"]),
        (["ir_c8"], ["ir_c8_nhs"]),
        (["ir_c8_e1"], ["ds_c8"]),
        (["ir_s2_c8", "ir_c8"], ["ir_c8", "ir_s2_c8"]),
        (["cr_c8_noskip"], ["cr_c8_bskip"]),
    ],
)
def test_different_networks_have_different_keys(one, other):
    assert canonical(_net(*one)) != canonical(_net(*other))
    assert key(_net(*one)) != key(_net(*other))


@pytest.mark.parametrize("change", [{"resolution": 17}, {"stem": Stem(width=8)}, {"head": Head(width=16, classes=11)},
                                    {"head": Head(width=0, classes=10)}, {"stages": ()}])  # fmt: skip
def test_every_part_counts(change):
    arch = _net("ir_c8")
    assert key(replace(arch, **change)) != key(arch)


def test_the_activation_of_a_head_without_convolution_does_not_count():
    assert key(Arch(head=Head(width=0, act="silu"))) == key(Arch(head=Head(width=0)))


@given(archs(), st.data())
def test_splitting_a_stage_changes_nothing(arch, data):
    long = [number for number, stage in enumerate(arch.stages) if stage.repeats > 1]
    assume(long)
    number = data.draw(st.sampled_from(long))
    stage = arch.stages[number]
    first = data.draw(st.integers(1, stage.repeats - 1))
    halves = (replace(stage, repeats=first), replace(stage, repeats=stage.repeats - first, stride=1))
    split = replace(arch, stages=(*arch.stages[:number], *halves, *arch.stages[number + 1 :]))
    assert canonical(split) == canonical(arch)


@given(archs())
def test_auto_is_the_word_that_it_stands_for(arch):
    said = tuple(_said(stage) for stage in arch.stages)
    assert canonical(replace(arch, stages=said)) == canonical(arch)


def _said(stage: Stage) -> Stage:
    bottleneck, shortcut = OWN[stage.block]
    if stage.bottleneck == "auto" and bottleneck is not None:
        stage = replace(stage, bottleneck=bottleneck)
    if stage.shortcut == "auto" and shortcut is not None:
        stage = replace(stage, shortcut=shortcut)
    return stage


def test_a_key_stays_the_same_for_good():
    assert keys([mobilenet_v2(), mobilenet_v1()]) == ["9aa0c333b890", "71d090d1f5b0"]  # stored runs hold keys
