"""draw."""

import xml.etree.ElementTree as ET

import pytest

SMALL = "r32 stem_c16_s1 ir_r2_k5_e3_c24 cr_r2_e4_c32_s2 head_c640_n10"


def test_a_picture_is_named_after_the_networks_key(cli, tmp_path):
    done = cli("draw", SMALL)
    key = cli("count", SMALL, "--json").json["key"]
    assert (done.code, done.out) == (0, f"{key}.svg\n")
    ET.fromstring((tmp_path / f"{key}.svg").read_text())


def test_the_same_command_writes_the_same_file(cli, tmp_path):
    for name in ("a.svg", "b.svg", "a.html", "b.html"):
        assert cli("draw", "mobilenet_v2", "--out", name).out == f"{name}\n"
    for suffix in ("svg", "html"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


def test_the_document_has_the_record_and_the_stages(cli, tmp_path):
    document = cli("draw", "mobilenet_v2", "--out", "net.svg", "--json").json
    record = cli("count", "mobilenet_v2", "--json").json
    assert {name: document[name] for name in record} == record
    assert (document["written"], document["peak"]) == ("net.svg", "features.2.conv.1")
    assert sum(stage["costs"]["madds"] for stage in document["stages"]) == record["madds"]
    assert "mobilenet_v2" in (tmp_path / "net.svg").read_text()


@pytest.mark.parametrize(("arguments", "told"), [
    (("mobilenet_v2", "--out", "net.png"), "is an .svg or .html file, got 'net.png'"),
    (("mobilenet_v2", "--out", "net"), "is an .svg or .html file"),
    (("mobilenet_v2", "--out", "nowhere/net.svg"), "nowhere/net.svg cannot be written"),
    (("mobilenet_v2", "--out", "folder.svg"), "folder.svg cannot be written"),
    (("mobilenet_v3",), "did you mean 'mobilenet_v"),
    (("r32 ir_r9000_c8",), "36,003 operations"),
])  # fmt: skip
def test_wrong_input_is_one_line_and_code_2(cli, tmp_path, arguments, told):
    (tmp_path / "folder.svg").mkdir()
    done = cli("draw", *arguments)
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["folder.svg"]
