"""Published networks by name, and the three ways to name one."""

import json

import pytest

from archsearch.cost.count import record
from archsearch.errors import SpecError
from archsearch.spec.arch import Stage
from archsearch.spec.presets import arch_of_json, mobilenet_v1, mobilenet_v2, preset, read_arch
from archsearch.spec.text import to_text


@pytest.mark.parametrize(
    ("name", "arch"),
    [
        ("mobilenet_v2", mobilenet_v2()),
        ("mobilenet_v2_1.0_224", mobilenet_v2()),
        ("mobilenet_v2_0.75_192", mobilenet_v2(0.75, 192)),
        ("mobilenet_v2_1.4", mobilenet_v2(1.4)),
        ("mobilenet_v2_1_96", mobilenet_v2(1.0, 96)),
        ("mobilenet_v1_0.25_128", mobilenet_v1(0.25, 128)),
    ],
)
def test_a_preset_is_family_width_resolution(name, arch):
    assert preset(name) == arch


def test_mobilenet_v2_is_table_2_of_the_paper():
    arch = mobilenet_v2()
    assert [(s.expand, s.width, s.repeats, s.stride) for s in arch.stages] == [
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ]  # fmt: skip
    assert (arch.stem.width, arch.head.width, arch.head.classes) == (32, 1280, 1000)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("mobilenet_v9", "did you mean 'mobilenet_v"),
        ("", "archsearch space list --zoo shows all names"),
        ("mobilenet_v2_224", "write mobilenet_v2_1.0_224"),
        ("mobilenet_v2_1024", "write mobilenet_v2_1.0_1024"),
        ("mobilenet_v2_big", "like mobilenet_v2_0.75_192"),
        ("mobilenet_v2_0_224", "cannot be read"),
        ("mobilenet_v2_1.0_0", "resolution must be a whole number, at least 1, got 0"),
        ("mobilenet_v2_1.0_224_1", "cannot be read"),
        ("mobilenet_v2_" + "9" * 400 + "_224", "cannot be read"),
        ("mobilenet_v2_1.0_" + "9" * 5000, "cannot be read"),
    ],
)
def test_a_wrong_preset_says_what_would_be_right(name, told):
    with pytest.raises(SpecError) as caught:
        preset(name)
    assert told in str(caught.value)


def test_read_arch_takes_a_preset_a_file_or_a_text_form(tmp_path):
    arch = mobilenet_v2(0.5, 96)
    file = tmp_path / "net.json"
    file.write_text(arch.to_json())
    assert read_arch("mobilenet_v2_0.5_96") == read_arch(str(file)) == read_arch(to_text(arch)) == arch
    assert read_arch("r8 ir_c8").stages == (Stage(width=8),)


def test_a_json_document_is_an_architecture_or_a_record_of_a_command():
    arch = mobilenet_v2(0.5, 96)
    assert arch_of_json(arch.to_json()) == arch_of_json(json.dumps(record(arch))) == arch


BROKEN = [
    b"{",
    b"\xff\xfe",
    b'{"stages": 3}',
    b"[" * 100_000,
    b'{"resolution": ' + b"9" * 5000 + b"}",
    b'{"arch": "r8 ?"}',
]


@pytest.mark.parametrize("content", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_file_is_named(tmp_path, content):
    file = tmp_path / "net.json"
    file.write_bytes(content)
    with pytest.raises(SpecError, match="net.json"):
        read_arch(str(file))


@pytest.mark.parametrize("name", ["none.json", "a\0.json", "a" * 5000 + ".json"])
def test_a_file_that_is_not_there_is_named(name):
    with pytest.raises(SpecError, match="no such file: "):
        read_arch(name)
