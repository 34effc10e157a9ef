"""The command `ablate` from end to end: tiny networks on the digits."""

import json
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

TINY = (
    "width = [0.5, 1.0]\nresolution = 24\n[stem]\nwidth = 16\n[head]\nwidth = 32\n[[stage]]\nwidth = 16\n"
    "expand = [1, 2, 3]\nstride = 2\nkernel = [3, 5]\n[[stage]]\nwidth = 24\nrepeats = [1, 2]\nstride = 2\n"
    "expand = [2, 3, 4]\n"
)
SMALL = ("--space", "tiny.toml", "--pairs", 4, "--seeds", 2, "--epochs", 1, "--images", 100, "--threads", 1)
PRETENDED = ("--space", "tiny.toml", "--evaluator", "synthetic")
FILES = {"ablation.toml", "manifest.json", "study.journal", "ablation.json", "ablation.csv", "ablation.html",
         "checkpoints", "workers"}  # fmt: skip


@pytest.fixture(autouse=True)
def tiny(tmp_path):
    (tmp_path / "tiny.toml").write_text(TINY)


def test_help_has_examples(cli):
    done = cli("ablate", "--help")
    assert done.code == 0
    assert "archsearch ablate linear-vs-relu" in done.out


@pytest.mark.slow
def test_networks_are_trained_compared_and_told_and_the_same_command_finds_all_there(cli, tmp_path):
    done = cli("ablate", "linear-vs-relu", *SMALL, "--out", "a", "--json")
    assert done.code == 0, done.err
    assert "4 pairs x 2 networks x 2 seeds = 16 trainings, 1 epoch of 100 images: about" in done.err
    assert "(16 of 16)" in done.err
    told = done.json
    assert (told["pairs"], told["seeds"], told["asked"], told["failed"]) == (4, 2, 4, [])
    (found,) = told["comparisons"]
    assert (found["base"], found["level"], found["pairs"]) == ("linear", "relu6", 4)
    assert found["low"] < found["mean"] < found["high"]
    assert told["verdicts"] == [found["sentence"]]
    assert {path.name for path in (tmp_path / "a").iterdir()} >= {*FILES, "timing.json"}
    rows = pd.read_csv(tmp_path / "a" / "ablation.csv")
    means = rows.groupby(["pair", "bottleneck"])["top1"].mean().unstack()
    assert found["mean"] == pytest.approx((means["relu6"] - means["linear"]).mean())
    assert "relu6 minus linear" in (tmp_path / "a" / "ablation.html").read_text()

    again = cli("ablate", "linear-vs-relu", *SMALL, "--out", "a", "--json")
    assert "trial" not in again.err
    assert again.json == told


def test_people_read_a_table_and_the_verdict(cli):
    done = cli("ablate", "--factor", "expand=2,3,4", *PRETENDED, "--pairs", 6, "--seeds", 2, "--out", "a")
    assert done.code == 0, done.err
    assert "expand: 3 minus 2" in done.out
    assert "expand: 4 minus 2" in done.out
    assert done.out.splitlines()[-1].startswith("page: a/ablation.html")


def test_several_factors_have_interactions_and_a_fraction_of_them_too(cli):
    factors = ("stage2.expand=2,4", "stage1.kernel=3,5", "bottleneck=linear,relu6")
    asked = (
        *(word for each in factors for word in ("--factor", each)),
        *PRETENDED,
        "--pairs",
        8,
        "--seeds",
        1,
        "--json",
    )
    whole, half = cli("ablate", *asked, "--out", "a").json, cli("ablate", *asked, "--fraction", 2, "--out", "b").json
    assert [each["term"] for each in whole["interactions"]] == [
        "stage2.expand x stage1.kernel", "stage2.expand x bottleneck", "stage1.kernel x bottleneck",
    ]  # fmt: skip
    assert len(whole["comparisons"]) == 3
    assert all(each["p_holm"] >= each["p"] for each in whole["comparisons"])
    assert [each.partition(":")[0] for each in whole["verdicts"][:3]] == [each.partition("=")[0] for each in factors]
    assert [len(pd.read_csv(f"{name}/ablation.csv")) for name in "ab"] == [64, 32]
    assert [each["pairs"] for each in half["comparisons"]] == [8, 8, 8]


def test_width_and_resolution_can_be_factors(cli, tmp_path):
    (tmp_path / "sized.toml").write_text(TINY.replace("resolution = 24", "resolution = [16, 24]"))
    done = cli("ablate", "--factor", "width=0.5,1.0", "--factor", "resolution=16,24", "--space", "sized.toml",
               "--evaluator", "synthetic", "--pairs", 6, "--out", "a", "--json")  # fmt: skip
    assert done.code == 0, done.err
    assert [each["level"] for each in done.json["comparisons"]] == ["1.0", "24"]
    assert done.json["comparisons"][0]["mean"] > 0  # wider is better, in what was made up
    assert (tmp_path / "a" / "ablation.html").exists()


def test_more_than_one_drawing_goes_on_with_the_same_pairs(cli):
    asked = ("ablate", "linear-vs-relu", "--space", "linear_vs_relu", "--evaluator", "synthetic", "--seeds", 1)
    first = cli(*asked, "--pairs", 4, "--out", "a", "--json")
    more = cli(*asked, "--pairs", 140, "--out", "a", "--json")
    assert (first.json["pairs"], more.json["pairs"]) == (4, 140)


def test_more_pairs_go_on_where_it_was(cli):
    asked = ("ablate", "linear-vs-relu", *PRETENDED, "--out", "a", "--json")
    cli(*asked, "--pairs", 3, "--seeds", 1)
    first = pd.read_csv("a/ablation.csv")
    done = cli(*asked, "--pairs", 5)
    assert (done.json["pairs"], done.json["seeds"]) == (5, 1)  # seeds as it began
    both = pd.read_csv("a/ablation.csv")
    assert len(both) == 10
    pd.testing.assert_frame_equal(both[both["pair"] < 3].reset_index(drop=True), first)


@pytest.mark.parametrize(("words", "told"), [
    ((), "name a ready-made ablation (archsearch ablate linear-vs-relu) or give --factor"),
    (("linear-vs-relu", "--factor", "expand=1,2"), "not both"),
    (("linear-vs-rely",), "did you mean 'linear-vs-relu'"),
    (("--factor", "bottleneck=linear"), "needs 2 to 12 levels"),
    (("--factor", "botleneck=linear,relu6"), "did you mean 'bottleneck'"),
    (("--factor", "expand=2,200"), "expand must be a number from 1 to 100, got 200"),
    (("--factor", "width=0.5,0.7"), "width = 0.7 is none of 0.5, 1.0"),
    (("linear-vs-relu", "--match", "params"), "--match must be none or madds, got 'params'"),
    (("linear-vs-relu", "--pairs", "1"), "--pairs must be at least 2"),
    (("linear-vs-relu", "--fraction", "2"), "too small a part"),
    (("linear-vs-relu", "--budget-madds", "1"), "no network"),
    (("linear-vs-relu", "--evaluator", "trian"), "did you mean 'train'"),
    (("linear-vs-relu", "--max-hours", "0"), "--max-hours must be at least"),
    (("linear-vs-relu", "--max-hours", "1", "--evaluator", "synthetic"), "--max-hours goes with --evaluator train"),
    (("linear-vs-relu", "--evaluator", "naswot"), "an ablation trains its networks"),
    (("--factor", "expand=nan,2"), "expand must be a number from 1 to 100, got 'nan'"),
    (("--factor", "stage2.expand=2,3", "--factor", "expand=2,3"), "one would undo the other"),
    (("--factor", "kernel=3,5", "--factor", "bottleneck=linear,relu6", "--fraction", "2"), "--fraction"),
    (("relu-embedding", "--pairs", "3"), "--pairs says nothing to it"),
    (("relu-embedding", "--out", "tiny.toml"), "tiny.toml cannot be written"),
])  # fmt: skip
def test_wrong_input_is_told_in_one_line_and_leaves_nothing(cli, tmp_path, words, told):
    done = cli("ablate", *words, *(() if "relu-embedding" in words else ("--space", "tiny.toml")))
    assert done.code == 2
    assert told in done.err.splitlines()[-1], done.err
    assert {path.name for path in tmp_path.iterdir()} == {"tiny.toml"}


def test_another_ablation_or_anything_else_in_the_folder_is_refused(cli, tmp_path):
    asked = ("ablate", "linear-vs-relu", *PRETENDED, "--pairs", 2, "--seeds", 1)
    assert cli(*asked, "--out", "a").code == 0
    other = cli("ablate", "shortcut", *PRETENDED, "--pairs", 2, "--seeds", 1, "--out", "a")
    assert (other.code, "a holds another ablation: design is 'linear-vs-relu' there, 'shortcut' here" in other.err) == (
        2, True)  # fmt: skip
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "diary.txt").write_text("mine")
    assert "full is not empty and holds no ablation" in cli(*asked, "--out", "full").err
    assert "a is not empty and holds no embedding.json" in cli("ablate", "relu-embedding", "--out", "a").err


def test_a_command_that_was_damaged_is_told(cli, tmp_path):
    asked = ("ablate", "linear-vs-relu", *PRETENDED, "--out", "a")
    assert cli(*asked, "--pairs", 2, "--seeds", 1).code == 0
    command = tmp_path / "a" / "ablation.toml"
    command.write_text(command.read_text().replace("seeds = 1", 'seeds = "two"'))
    done = cli(*asked)
    assert (done.code, done.err.splitlines()[-1]) == (
        2, "archsearch: a/ablation.toml has a seeds that cannot be: 'two'")  # fmt: skip


def test_hours_pick_the_pairs_that_fit_and_more_hours_add_to_them(cli, monkeypatch):
    from archsearch.cli import forecast

    monkeypatch.setattr(forecast, "training", lambda asked, net, folder: 9.0)
    asked = ("ablate", "linear-vs-relu", "--space", "tiny.toml", "--seeds", 2, "--epochs", 1, "--images", 40,
             "--threads", 1, "--out", "a", "--json")  # fmt: skip
    done = cli(*asked, "--max-hours", 3.5 * 36 / 3600)  # a pair is four trainings of 9 s
    assert (done.code, done.json["pairs"]) == (0, 3)
    assert "12 trainings, 1 epoch of 40 images: about 108 s in 1 process" in done.err
    more = cli(*asked, "--max-hours", 5 * 36 / 3600 + 1e-6)
    assert more.json["pairs"] == 5
    less = cli(*asked, "--max-hours", 2.5 * 36 / 3600)
    assert less.json["pairs"] == 5  # what was begun stays
    few = cli(*asked[:-3], "--out", "b", "--max-hours", 1.5 * 36 / 3600)
    assert (few.code, "is time for 1 pairs, at least 2 are needed" in few.err) == (2, True)


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_done_and_the_same_command_goes_on(tmp_path):
    words = [sys.executable, "-m", "archsearch", "ablate", "linear-vs-relu", *map(str, SMALL), "--out", "a"]
    words[words.index("100")] = "1000"
    with subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if "(5 of 16)" in line:
                process.send_signal(signal.SIGINT)
                break
        rest = process.stderr.read()
    assert process.returncode == 130, rest
    assert "stopped; the same command goes on from here" in rest
    told = json.loads((tmp_path / "a" / "ablation.json").read_text())
    assert 2 <= told["pairs"] <= 4
    assert told["comparisons"][0]["pairs"] >= 2
    assert 5 <= told["trainings"] < told["planned"] == 16
    assert f"NOT FINISHED: {told['trainings']} of 16 trainings" in (tmp_path / "a" / "ablation.html").read_text()
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "trial 4" not in done.stderr
    assert "(16 of 16)" in done.stderr


@pytest.mark.slow
def test_workers_share_it_and_none_is_left(tmp_path):
    words = [sys.executable, "-m", "archsearch", "ablate", "linear-vs-relu", *map(str, SMALL), "--out", "a"]
    words[words.index("100")] = "1000"  # long enough for the other one to start
    done = subprocess.run(
        [*words, "--workers", "2", "--json"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["pairs"] == 4
    assert "worker 2: trial" in done.stderr
    rows = pd.read_csv(tmp_path / "a" / "ablation.csv")
    assert len(rows) == 16
    assert not rows.duplicated(["pair", "bottleneck", "seed"]).any()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and list((tmp_path / "a" / "workers").glob("*.lock")) != [
        tmp_path / "a" / "workers" / "propose.lock"
    ]:
        time.sleep(0.1)
    assert [path.name for path in (tmp_path / "a" / "workers").glob("*.lock")] == ["propose.lock"]


def test_what_relu_leaves_is_shown(cli, tmp_path):
    done = cli("ablate", "relu-embedding", "--json")
    assert done.code == 0
    kept = {(row["n"], row["act"]): row["kept_linear_map"] for row in done.json["rows"]}
    assert kept[2, "relu"] < 0.8 < 0.99 < kept[15, "relu"]
    assert kept[2, "linear"] == pytest.approx(1)
    assert "spiral" in (tmp_path / "results" / "relu-embedding" / "embedding.html").read_text()
