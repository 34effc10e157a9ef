"""A run's files: whole or not at all, and read back as they were."""

import json
import math
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsearch.errors import RunError
from archsearch.records import RunFolder, environment, read_toml, to_toml, write_atomic, write_manifest

HOSTILE = [
    "",
    '"',
    "'",
    '"""',
    "\\",
    "a\nb\r\t",
    "\x00\x01\x1f\x7f",
    "süß 漢字 🙂",
    "]\n[x]\n",
    "#",
    "\u2028\u0085",
    "a = 1",
]
texts = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(HOSTILE)
scalars = texts | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)
values = scalars | st.lists(texts) | st.lists(st.integers())


@given(st.dictionaries(texts, values | st.dictionaries(texts, values)))
def test_toml_reads_back(plain):
    import tomllib

    assert tomllib.loads(to_toml(plain)) == plain


def test_toml_knows_nan_leaves_out_none_and_makes_lists_of_tuples():
    import tomllib

    read = tomllib.loads(to_toml({"a": None, "b": math.nan, "c": (1, 2), "t": {"x": None, "y": 1}, "d": -math.inf}))
    assert math.isnan(read.pop("b"))
    assert read == {"c": [1, 2], "d": -math.inf, "t": {"y": 1}}


def test_a_damaged_toml_file_is_named(tmp_path):
    file = tmp_path / "run.toml"
    for content in (b"a = = 1", b"\xff", None):
        if content is None:
            file.unlink()
        else:
            file.write_bytes(content)
        with pytest.raises(RunError, match=r"run\.toml cannot be read: "):
            read_toml(file)


@given(texts)
def test_a_file_is_replaced_whole(tmp_path_factory, text):
    file = tmp_path_factory.mktemp("atomic") / "file"
    write_atomic(file, "before")
    write_atomic(file, text)
    assert file.read_bytes() == text.encode()
    assert [path.name for path in file.parent.iterdir()] == ["file"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o644


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    file = tmp_path / "file"
    write_atomic(file, "before")
    with pytest.raises(RunError, match="file cannot be written: .*surrogates not allowed"):
        write_atomic(file, "after \udcff")
    assert file.read_text() == "before"
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_in_the_way_of_a_file_is_an_error_and_stays(tmp_path):
    folder = tmp_path / "file"
    folder.mkdir()
    (folder / "inside").touch()
    with pytest.raises(RunError, match="file cannot be written: Is a directory"):
        write_atomic(folder, "text")
    assert list(tmp_path.iterdir()) == [folder]


def test_a_file_in_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(RunError, match="cannot be written: No such file or directory"):
        write_atomic(tmp_path / "none" / "file", "text")


def test_a_run_folder_is_made_with_its_parts_and_may_be_there(tmp_path):
    folder = RunFolder(tmp_path / "deep" / "run")
    for _ in range(2):
        assert folder.make() is folder
    assert sorted(path.name for path in folder.root.iterdir()) == ["checkpoints", "workers"]
    assert list(folder.workers.iterdir()) == []
    parts = (folder.command, folder.manifest, folder.journal, folder.report)
    assert [path.name for path in parts] == ["run.toml", "manifest.json", "study.journal", "report.html"]


def test_a_file_where_the_run_folder_should_be_is_an_error(tmp_path):
    (tmp_path / "run").touch()
    for root in (tmp_path / "run", tmp_path / "run" / "below"):
        with pytest.raises(RunError, match="run.* cannot be written: "):
            RunFolder(root).make()


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a file system that refuses folders")
def test_a_read_only_file_system_is_an_error():
    with pytest.raises(RunError, match="results folder /proc/run cannot be written: "):
        RunFolder(Path("/proc/run")).make()


def test_a_read_only_folder_is_an_error(tmp_path):
    tmp_path.chmod(0o500)
    try:
        if os.access(tmp_path, os.W_OK):
            pytest.skip("this user may write everywhere")
        with pytest.raises(RunError, match="cannot be written: Permission denied"):
            RunFolder(tmp_path / "run").make()
    finally:
        tmp_path.chmod(0o700)


def test_the_environment_says_what_ran_where():
    told = environment()
    assert set(told) == {"python", "system", "cpu", "cores", "packages", "commit", "argv"}
    assert told["packages"]["optuna"].split(".")[0].isdigit()
    assert told["cores"] >= 1
    assert os.sep not in told["argv"][0]
    json.dumps(told)


def test_the_manifest_is_sorted_json(tmp_path):
    folder = RunFolder(tmp_path)
    write_manifest(folder, {"b": 1, "a": {"path": tmp_path}})
    assert list(json.loads(folder.manifest.read_text())) == ["a", "b"]
    assert json.loads(folder.manifest.read_text())["a"]["path"] == str(tmp_path)
