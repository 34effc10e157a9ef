import pickle
import subprocess
import sys
import textwrap

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archsearch.errors import CheckpointError
from archsearch.train import checkpoint

STATE = {
    "weights": torch.arange(300.0),
    "half": torch.ones(3, dtype=torch.bfloat16),
    "log": [{"epoch": 1, "top1": None}],
}


def test_what_is_saved_is_loaded(tmp_path):
    checkpoint.save(tmp_path / "a.pt", STATE)
    found = checkpoint.load(tmp_path / "a.pt")
    assert torch.equal(found["weights"], STATE["weights"])
    assert torch.equal(found["half"], STATE["half"])
    assert found["log"] == STATE["log"]
    assert [path.name for path in tmp_path.iterdir()] == ["a.pt"]


def test_torch_reads_the_file_as_it_is(tmp_path):
    checkpoint.save(tmp_path / "a.pt", STATE)
    assert torch.equal(torch.load(tmp_path / "a.pt", weights_only=True)["weights"], STATE["weights"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(share=st.floats(0, 1, exclude_max=True), cut=st.booleans())
def test_a_cut_file_or_a_changed_byte_anywhere_is_found(tmp_path, share, cut):
    path = tmp_path / "a.pt"
    checkpoint.save(path, STATE)
    content = bytearray(path.read_bytes())
    place = int(share * len(content))
    if cut:
        del content[place:]
    else:
        content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="a.pt is truncated or damaged") as caught:
        checkpoint.load(path)
    assert "\n" not in str(caught.value)


def test_a_file_without_a_checksum_is_not_trusted(tmp_path):
    torch.save(STATE, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match="a.pt"):
        checkpoint.load(tmp_path / "a.pt")


def test_a_file_that_would_run_code_is_refused(tmp_path):
    checkpoint.save(tmp_path / "a.pt", {"danger": print})
    with pytest.raises(CheckpointError, match="cannot be read") as caught:
        checkpoint.load(tmp_path / "a.pt")
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_missing_folder_are_named(tmp_path):
    with pytest.raises(CheckpointError, match="cannot read checkpoint .*none.pt"):
        checkpoint.load(tmp_path / "none.pt")
    with pytest.raises(CheckpointError, match="cannot write checkpoint .*a.pt"):
        checkpoint.save(tmp_path / "none" / "a.pt", STATE)


def test_a_failed_save_leaves_the_old_file(tmp_path):
    checkpoint.save(tmp_path / "a.pt", STATE)
    with pytest.raises((pickle.PicklingError, AttributeError)):
        checkpoint.save(tmp_path / "a.pt", {"local": lambda: 0})
    assert checkpoint.load(tmp_path / "a.pt")["log"] == STATE["log"]


def test_a_kill_while_saving_leaves_a_whole_file(tmp_path):
    code = """
        import itertools, sys, torch
        from archsearch.train import checkpoint
        for number in itertools.count():
            checkpoint.save(sys.argv[1], {"number": number, "weights": torch.full((500_000,), float(number))})
            print(number, flush=True)
    """
    path = tmp_path / "a.pt"
    command = [sys.executable, "-c", textwrap.dedent(code), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        for line in child.stdout:
            if int(line) >= 5:
                child.kill()
                break
    found = checkpoint.load(path)
    assert found["number"] >= 5
    assert (found["weights"] == found["number"]).all()
