"""The text form and JSON, both ways."""

import pytest
from hypothesis import given

from archsearch.errors import SpecError
from archsearch.spec.arch import Arch, Stage
from archsearch.spec.presets import mobilenet_v2
from archsearch.spec.text import from_text, stage_from_text, stage_text, to_text
from tests.strategies import archs, stages


@given(archs())
def test_text_form_reads_back_to_an_equal_network(arch):
    assert from_text(to_text(arch)) == arch


@given(archs())
def test_json_reads_back_to_an_equal_network(arch):
    assert Arch.from_json(arch.to_json()) == arch


@given(stages())
def test_block_string_reads_back_to_an_equal_stage(stage):
    assert stage_from_text(stage_text(stage)) == stage


def test_text_form_is_the_notation_of_the_field():
    assert to_text(mobilenet_v2()).split()[:3] == ["r224", "stem_c32_k3_s2", "ir_r1_k3_s1_e1_c16"]
    assert stage_from_text("ds_r3_k5_s2_c40_nhs_noskip") == Stage(
        block="ds", repeats=3, kernel=5, stride=2, width=40, act="hard_swish", shortcut="none"
    )


def test_what_the_text_form_leaves_out_is_default():
    assert from_text("r224 ir_c8") == Arch(stages=(Stage(width=8),))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "starts with the resolution"),
        ("224 ir_c8", "starts with the resolution"),
        ("r" + "9" * 5000, "starts with the resolution"),
        ("r0 ir_c8", "resolution must be a whole number, at least 1, got 0"),
        ("r224 ir_k3", "'ir_k3' has no channels"),
        ("r224 ir_c8_q3", "unknown word 'q3'"),
        ("r224 ir_c" + "9" * 5000, "unknown word"),
        ("r224 ir_c8_noskpi", "did you mean 'noskip'"),
        ("r224 ir_c8_k3_k5", "sets kernel twice, the second time by 'k5'"),
        ("r224 ir_c8_linear_relu6", "sets bottleneck twice"),
        ("r224 ir_c8_k4", "kernel must be odd, got 4"),
        ("r224 ir_c8_r0", "repeats must be a whole number, at least 1, got 0"),
        ("r224 ri_c8", "block 'ri' is unknown; choices: cn, cr, ds, er, id, ir, sg, uib"),
        ("r224 stem_c8 stem_c16", "two stems"),
        ("r224 stem_c8_n10", "'stem_c8_n10' has an unknown word 'n10'"),
        ("r224 stem_c8_linear", "'stem_c8_linear' has an unknown word 'linear'"),
        ("r224 head_n10_noskip", "'head_n10_noskip' has an unknown word 'noskip'"),
    ],
)
def test_a_wrong_text_form_names_the_token(text, told):
    with pytest.raises(SpecError, match="^[^\n]+$") as caught:
        from_text(text)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"resolution": ' + "9" * 5000 + "}", "not JSON"),
        ("null", "arch must be an object with keys"),
        ("[]", "arch must be an object with keys"),
        ('{"resolutoin": 224}', "did you mean 'resolution'"),
        ('{"resolution": 224.5}', "resolution must be a whole number"),
        ('{"resolution": true}', "resolution must be a whole number"),
        ('{"stages": {}}', "stages must be a list"),
        ('{"stages": [null]}', "stage must be an object with keys"),
        ('{"stages": [{}]}', "stage is incomplete"),
        ('{"stages": [{"width": 8, "block": ["ir"]}]}', "block ['ir'] is unknown"),
        ('{"stages": [{"width": 8, "blok": "ir"}]}', "did you mean 'block'"),
        ('{"stem": {"act": "silo"}}', "did you mean 'silu'"),
        ('{"head": {"width": -1}}', "head width must be a whole number, at least 0, got -1"),
    ],
)
def test_a_wrong_json_document_names_the_key(text, told):
    with pytest.raises(SpecError) as caught:
        Arch.from_json(text)
    assert told in str(caught.value)


@pytest.mark.parametrize("ratio", [1e-06, 1e-17, 0.1 + 0.2, 1 / 3])
def test_any_ratio_is_written_without_an_exponent_and_read_back(ratio):
    arch = Arch(stages=(Stage(width=8, se=ratio, expand=1 + ratio),))
    assert "e-" not in to_text(arch)
    assert from_text(to_text(arch)) == arch
