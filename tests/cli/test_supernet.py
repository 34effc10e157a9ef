"""`archsearch supernet`, and the commands that use what it trains."""

import json

import pytest

SPACE = """
resolution = 12
[stem]
width = 8
stride = 1
[head]
width = 32
[[stage]]
width = 16
stride = 2
kernel = [3, 5]
expand = [1, 3]
"""
INSIDE = "r12 stem_c8_s1 ir_r1_k3_s2_e3_c16 head_c32_n10"
SHORT = ("--epochs", 1, "--images", 300, "--sampling", "uniform", "--networks", 1, "--batch", 64)


@pytest.fixture
def trained(cli, tmp_path):
    """A supernet in the folder `net` of a space in `tiny.toml`."""
    (tmp_path / "tiny.toml").write_text(SPACE)
    command = ("supernet", "--space", "tiny.toml", *SHORT, "--out", "net", "--json")
    done = cli(*command)
    assert done.code == 0, done.err
    return command, done


def test_it_trains_says_how_long_and_judges(trained, cli):
    command, done = trained
    assert [row["which"] for row in done.json["networks"]] == ["largest", "smallest", *["random"] * 4]
    assert done.json["networks"][0]["madds"] > done.json["networks"][1]["madds"]
    assert "left" in done.err
    again = cli(*command)
    assert again.json == done.json
    assert "step" not in again.err


def test_ctrl_c_says_that_it_can_go_on(cli, tmp_path, monkeypatch):
    from archsearch.train.supernet import Trainer

    (tmp_path / "tiny.toml").write_text(SPACE)
    command, step, done = ("supernet", "--space", "tiny.toml", *SHORT, "--out", "net", "--json"), Trainer.step, []

    def stopped(self, images, labels):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(step(self, images, labels))

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "step", stopped)
        first = cli(*command)
    assert (first.code, first.out) == (130, "")
    assert first.err.splitlines()[-1] == "stopped; the same command goes on from its last checkpoint"
    again = cli(*command)
    assert again.code == 0
    assert again.json["losses"]


def test_other_options_on_the_same_folder_are_refused(trained, cli):
    command, _ = trained
    done = cli(*command, "--seed", 1)
    assert done.code == 2
    assert done.err.splitlines()[-1].startswith("archsearch: net holds another supernet: seed is 0 there, 1 here")


def test_a_run_is_judged_by_it_and_its_winners_inherit(trained, cli, tmp_path):
    done = cli("run", "--space", "tiny.toml", "--evaluator", "supernet", "--supernet", "net", "--trials", 3,
               "--finalists", 1, "--final-epochs", 1, "--budget-madds", "100%", "--sampler", "random", "--out", "r",
               "--json")  # fmt: skip
    assert done.code == 0, done.err
    assert done.json["trials"]["trained"] == 3
    assert any(row["top1_test"] is not None for row in done.json["front"])


def test_a_run_goes_on_with_the_supernet_that_it_began_with(trained, cli):
    run = ("run", "--space", "tiny.toml", "--evaluator", "supernet", "--finalists", 0, "--sampler", "random",
           "--out", "r", "--json")  # fmt: skip
    first = cli(*run, "--supernet", "net", "--trials", 1)
    assert first.code == 0, first.err
    again = cli(*run, "--trials", 2)
    assert again.code == 0, again.err
    assert again.json["trials"] == {"trained": 2}


def test_a_supernet_of_other_images_is_refused_before_anything_is_written(trained, cli, tmp_path):
    about = tmp_path / "net" / "supernet.json"
    told = json.loads(about.read_text())
    about.write_text(json.dumps(told | {"fingerprint": "other", "data": "cats"}))
    done = cli("run", "--space", "tiny.toml", "--evaluator", "supernet", "--supernet", "net", "--out", "r")
    assert done.code == 2
    assert done.err.splitlines()[-1].endswith(
        "was trained on other images (cats): what it says of digits means nothing"
    )
    assert not (tmp_path / "r").exists()


def test_a_run_without_a_supernet_of_its_own_needs_the_evaluator(trained, cli):
    done = cli("run", "--space", "tiny.toml", "--supernet", "net", "--budget-madds", "100%", "--out", "r")
    assert done.code == 2
    assert "--supernet goes with --evaluator supernet, not with train" in done.err


def test_a_training_begins_with_what_the_network_inherits(trained, cli, tmp_path):
    done = cli("train", INSIDE, "--from-supernet", "net", "--epochs", 1, "--out", "t", "--json")
    assert done.code == 0, done.err
    assert "all weights are inherited from a supernet of space tiny" in done.err
    assert json.loads((tmp_path / "t" / "checkpoints" / "init.json").read_text())["init"].endswith("net")


@pytest.mark.parametrize(("words", "told"), [
    (("train", "mobilenet_v2_0.5_32", "--from-supernet", "net"), "not in space tiny"),
    (("train", INSIDE, "--from-supernet", "none"), "holds no supernet"),
    (("train", INSIDE, "--from-supernet", "net", "--init", "torchvision"), "leave one out"),
    (("supernet", "--space", "tiny.toml", "--fair", "--sampling", "uniform"), "--fair is --sampling fair, not uniform"),
    (("supernet", "--space", "tiny.toml", "--networks", "0"), "--networks must be at least 1, got 0"),
    (("supernet", "--space", "tiny.toml", "--budget-madds", "1k"), "no network of space tiny has madds of at most 1k"),
])  # fmt: skip
def test_what_cannot_be_is_told_in_one_line(trained, cli, words, told):
    done = cli(*words)
    assert done.code == 2
    assert told in done.err.splitlines()[-1]


def test_runs_on_two_supernets_have_two_folders():
    from archsearch.cli.request import Request

    def folder(supernet):
        given = {"evaluator": "supernet", "sampler": None, "supernet": supernet}
        return Request(budgets={"madds": "5M"}, space=None, data=None, minimize=(), out=None, given=given).folder

    assert len({folder("/a"), folder("/b"), folder(None)}) == 3
