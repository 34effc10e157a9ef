"""The reference's speed, kept in a file."""

import json

import pytest

from archsearch.errors import LatencyError
from archsearch.measure.anchor import read_anchor, write_anchor

DEVICE = {"device": "fake", "threads": 1, "versions": {"fake": "1"}, "system": "Linux 1"}


def test_what_was_kept_is_read_on_the_same_device(tmp_path):
    path = tmp_path / "deep" / "a.json"
    assert read_anchor(path, DEVICE) is None
    write_anchor(path, DEVICE, 2.5)
    assert read_anchor(path, DEVICE | {"system": "Linux 2"}) == 2.5
    with pytest.raises(LatencyError, match="another device: threads is 1 there, 2 here"):
        read_anchor(path, DEVICE | {"threads": 2})


@pytest.mark.parametrize(("changed", "told"), [
    ({"device": "fake"}, "is no anchor"), ({"device": None}, "is no anchor"), ({"reference_ms": 0}, "is no anchor"),
    ({"reference_ms": float("inf")}, "is no anchor"), ({"reference_ms": "x"}, "is no anchor"),
    ({"device": {"device": "fake", "versions": 3}}, "is no anchor"), ({"reference": "vgg"}, "another reference: vgg"),
])  # fmt: skip
def test_a_file_that_is_no_anchor_of_ours_is_refused(tmp_path, changed, told):
    path = tmp_path / "a.json"
    write_anchor(path, DEVICE, 2.5)
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    with pytest.raises(LatencyError, match=told):
        read_anchor(path, DEVICE)


def test_a_list_is_no_anchor(tmp_path):
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(LatencyError, match="is no anchor"):
        read_anchor(tmp_path / "a.json", DEVICE)


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LatencyError, match="cannot be written"):
        write_anchor(tmp_path / "file" / "a.json", DEVICE, 2.5)
