"""--init: trainings that begin with the weights of another, and runs that keep to what they began with."""

import json
import tomllib

import pytest
import torch

from archsearch.nn.build import build
from archsearch.spec.text import from_text
from archsearch.train import checkpoint

TEXT = "r24 stem_c8_k3_s2 ir_r2_e1_c8 ir_r2_s2_e2_c16 head_c32_n10"
SPACE = (
    'about = "tiny"\nwidth = [0.5, 1.0]\nresolution = 24\n[stem]\nwidth = 16\n[head]\nwidth = 32\n'
    "[[stage]]\nwidth = 16\nexpand = [1, 2]\nstride = 2\n[[stage]]\nwidth = 24\nstride = 2\nexpand = 2\n"
)


@pytest.fixture
def files(tmp_path):
    """Weights of one network from two seeds."""
    arch, names = from_text(TEXT), ("a.pt", "b.pt")
    for seed, name in enumerate(names):
        torch.manual_seed(seed)
        checkpoint.save(tmp_path / name, {"arch": arch.to_dict(), "state_dict": build(arch).state_dict()})
    return names


def test_a_training_begins_with_the_weights_and_tells_what_came_over(cli, files):
    words = ("train", TEXT, "--recipe", "quick", "--epochs", 1, "--threads", 1, "--json")
    done = cli(*words, "--init", "a.pt", "--out", "a")
    assert done.code == 0
    assert "a.pt: 3,570 of 3,570 parameters come over: 3,570 as they are; 0 fresh" in done.err
    assert done.json["init"].endswith("a.pt")
    other = cli(*words, "--init", "b.pt", "--out", "b")
    plain = cli(*words, "--out", "c")
    assert "init" not in plain.json
    assert len({row.json["init_hash"] for row in (done, other)}) == 2
    assert cli(*words, "--init", "a.pt", "--out", "a").json["top1_test"] == done.json["top1_test"]
    for wrong in (("--init", "b.pt"), ()):
        refused = cli(*words, *wrong, "--out", "a")
        assert refused.code == 2
        assert "the training in a has other first weights (--init); give another --out" in refused.err


def test_a_run_keeps_its_first_weights(cli, files, tmp_path):
    (tmp_path / "tiny.toml").write_text(SPACE)
    words = ("run", "--space", "tiny.toml", "--epochs", 1, "--trial-images", 200, "--final-epochs", 1,
             "--finalists", 0, "--threads", 1, "--out", "run", "--json")  # fmt: skip
    done = cli(*words, "--trials", 1, "--init", "a.pt")
    assert done.code == 0, done.err
    kept = tomllib.loads((tmp_path / "run" / "run.toml").read_text())
    assert kept["init"] == str(tmp_path / "a.pt")
    refused = cli(*words, "--trials", 2, "--init", "b.pt")
    assert refused.code == 2
    assert "holds another run: init" in refused.err
    more = cli(*words, "--trials", 2)  # goes on with what it began with
    assert more.json["trials"] == {"trained": 2}
    assert kept["init_hash"] in more.err


def test_evaluators_that_do_not_train_refuse_first_weights(cli, files):
    done = cli("run", "--budget-madds", "20M", "--evaluator", "synthetic", "--init", "a.pt", "--out", "run")
    assert done.code == 2
    assert "--init goes with --evaluator train, not with synthetic" in done.err


def test_a_space_of_another_family_is_refused_before_anything_is_written(cli, files, tmp_path):
    (tmp_path / "tiny.toml").write_text(SPACE.replace("expand = 2\n", 'expand = 2\nblock = "sg"\n').replace(
        "expand = [1, 2]\n", 'expand = [2, 3]\nblock = "sg"\n'))  # fmt: skip
    done = cli("run", "--space", "tiny.toml", "--init", "a.pt", "--out", "run")
    assert done.code == 2
    assert "its blocks are ir, the network's sg" in done.err
    assert not (tmp_path / "run").exists()


def test_a_missing_file_is_one_line(cli):
    done = cli("train", TEXT, "--init", "no.pt")
    assert done.code == 2
    assert "no.pt" in done.err
    assert json.dumps("Traceback") not in done.err
