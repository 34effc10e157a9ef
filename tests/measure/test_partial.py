"""What a long measurement leaves on disk: read after kills, edits and other jobs."""

import json

import pytest

from archsearch.errors import LatencyError
from archsearch.measure.method import Measurement
from archsearch.measure.partial import Partial

WHAT = {"plan": 1}


def made(name, **more):
    return Measurement(name=name, ms=1.0, low=0.9, high=1.1, raw_ms=1.0, q25_ms=0.9, q75_ms=1.2, **more)


@pytest.fixture
def table(tmp_path):
    """Where a table is to lie; three measurements are kept beside it."""
    path = tmp_path / "t.json"
    partial = Partial.open(path, "build", WHAT)
    for name in "abc":
        partial.keep("blocks", made(name, bins=(1, 2), foreign_load=0.5), 2.0)
    partial.close()
    return path


def opened(table, kind="build", what=WHAT):
    found = Partial.open(table, kind, what)
    found.close()
    return found


def kept(table, kind="build"):
    return table.with_name(f"t.json.{kind}.partial")


def test_what_was_kept_is_read_again(table):
    found = opened(table)
    assert found.of("blocks") == {name: made(name, bins=(1, 2), foreign_load=0.5) for name in "abc"}
    assert (found.anchor, found.load(), found.set_aside) == (2.0, 0.5, None)


def test_the_seconds_of_all_calls_add_up(tmp_path):
    now = [0.0]
    for _ in range(2):
        partial = Partial.open(tmp_path / "t.json", "build", WHAT, clock=lambda: now[0])
        for name in "ab":
            now[0] += 3.0
            partial.keep("blocks", made(name), 2.0)
        partial.close()
    assert partial.spent == {"blocks": 12.0}


def test_half_a_line_at_the_end_is_forgotten(table):
    text = kept(table).read_bytes()
    for tail in (b'{"job": "abc", "anch', text.splitlines()[0]):
        kept(table).write_bytes(text + tail)
        assert len(opened(table).known) == 3
        assert kept(table).read_bytes() == text


def with_(**changed):
    return lambda line: json.dumps(line | changed).encode()


@pytest.mark.parametrize("spoiled", [
    lambda _: b"[1]", lambda _: b"\xff\xfe", lambda _: b"{}", lambda _: b"", with_(measured=3), with_(anchor="x"),
    with_(anchor=None), with_(kind=3), with_(measured={"name": "b"}), with_(seconds="x"),
    lambda line: json.dumps(line | {"measured": line["measured"] | {"ms": float("nan")}}).encode(),
])  # fmt: skip
def test_what_stands_before_a_line_that_cannot_be_read_is_kept(table, spoiled):
    lines = kept(table).read_bytes().splitlines()
    kept(table).write_bytes(b"\n".join([lines[0], spoiled(json.loads(lines[1])), lines[2]]) + b"\n")
    assert list(opened(table).known) == [("blocks", "a")]
    assert kept(table).read_bytes() == lines[0] + b"\n"


def test_a_field_of_another_version_is_left_out(table):
    line = json.loads(kept(table).read_text().splitlines()[0])
    kept(table).write_text(json.dumps(line | {"measured": line["measured"] | {"colour": 3}}) + "\n")
    assert list(opened(table).known) == [("blocks", "a")]


def test_another_job_sets_aside_what_is_there_and_never_deletes_it(table):
    text = kept(table).read_text()
    other = opened(table, what={"plan": 2})
    assert (other.known, other.anchor) == ({}, None)
    assert other.set_aside == table.with_name("t.json.build.partial.old")
    assert other.set_aside.read_text() == text


def test_each_kind_of_job_has_a_file_of_its_own(table):
    verify = Partial.open(table, "verify", WHAT)
    verify.keep("held out", made("x"), 2.0)
    verify.close()
    assert len(opened(table).known) == 3
    assert list(opened(table, "verify").known) == [("held out", "x")]


def test_two_processes_do_not_build_one_table(table):
    first = Partial.open(table, "build", WHAT)
    with pytest.raises(LatencyError, match="another process is building this table"):
        Partial.open(table, "build", WHAT)
    first.close()
    assert len(opened(table).known) == 3


def test_a_file_that_holds_nothing_is_not_left_behind(tmp_path):
    opened(tmp_path / "t.json")
    assert list(tmp_path.iterdir()) == []


def test_a_finished_job_leaves_nothing(table):
    partial = Partial.open(table, "build", WHAT)
    partial.done()
    assert list(table.parent.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LatencyError, match="cannot be written"):
        Partial.open(tmp_path / "file" / "t.json", "build", WHAT)
    (tmp_path / "t.json.build.partial").mkdir()
    with pytest.raises(LatencyError, match="cannot be written"):
        Partial.open(tmp_path / "t.json", "build", WHAT)
