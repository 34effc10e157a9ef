"""The command `trust` from end to end: tiny networks on the digits, and a table."""

import json
from pathlib import Path

import numpy as np
import pytest

from archsearch.cli.forecast import kept_timing
from archsearch.cost.budget import Budget
from archsearch.data.load import load
from archsearch.records import to_toml
from archsearch.spec.space_file import read_space
from archsearch.spec.text import to_text
from archsearch.trust.sample import stratified
from archsearch.trust.store import Journal
from archsearch.trust.truth import known

TINY = (
    "width = [0.5, 1.0]\nresolution = 24\n[stem]\nwidth = 16\n[head]\nwidth = 32\n[[stage]]\nwidth = 16\n"
    "expand = [1, 2, 3]\nstride = 2\nkernel = [3, 5]\n[[stage]]\nwidth = 24\nstride = 2\nexpand = [2, 3, 4]\n"
)
SMALL = ("--space", "tiny.toml", "--networks", 5, "--seeds", 2, "--epochs", 1, "--images", 100, "--threads", 1)
ASKED = ("--evaluator", "synthetic", "--short", "1")
FILES = {"trust.toml", "manifest.json", "timing.json", "truth.jsonl", "scores.jsonl", "claims.lock", "trust.json",
         "trust.csv", "networks.csv", "trust.html", "checkpoints"}  # fmt: skip


@pytest.fixture
def tiny(tmp_path):
    (tmp_path / "tiny.toml").write_text(TINY)


@pytest.fixture
def macro(tmp_path):
    """A table of 40 networks of NAS-Bench-Macro, made up: accuracy follows MAdds, with noise."""
    space, rng = read_space("nas_bench_macro"), np.random.default_rng(0)
    codes = np.unique(space.sample(400, rng), axis=0)
    rng.shuffle(codes)
    lines = [",".join([*(axis.name for axis in space.axes), "acc1", "acc2"])]
    for code in codes[:40]:
        values = space.values(code)
        level = 70 + 5 * sum(str(each) != "id" for each in values.values()) / len(values)
        seeds = level + 0.5 * rng.normal() + 0.1 * rng.normal(size=2)
        lines.append(",".join([*(str(each) for each in values.values()), *(f"{each:.2f}" for each in seeds)]))
    (tmp_path / "table.csv").write_text("\n".join(lines) + "\n")
    return ("--table", "table.csv", "--space", "nas_bench_macro")


def test_help_has_an_example(cli):
    done = cli("trust", "--help")
    assert done.code == 0
    assert "Example" in done.out


@pytest.mark.slow
def test_networks_are_trained_judged_and_told_and_the_same_command_finds_all_there(cli, tmp_path, tiny):
    done = cli("trust", *SMALL, *ASKED, "--out", "t", "--json")
    assert done.code == 0
    assert "truth: 5 networks x 2 seeds, 1 epochs of 100 images: about" in done.err
    told = done.json
    assert {row["name"] for row in told["rows"]} == {"madds", "params", "one more seed of the truth", "synthetic",
                                                     "train:1"}  # fmt: skip
    assert all(row["networks"] == 5 and row["failed"] is None for row in told["rows"])
    assert told["truth"]["cost_s"] > 0
    assert {path.name for path in (tmp_path / "t").iterdir()} == FILES
    assert json.loads((tmp_path / "t" / "trust.json").read_text())["rows"] == told["rows"]
    assert len(known(tmp_path / "t")) == 5
    lines = (tmp_path / "t" / "truth.jsonl").read_text(), (tmp_path / "t" / "scores.jsonl").read_text()
    again = cli("trust", *SMALL, *ASKED, "--out", "t", "--json").json
    assert lines == ((tmp_path / "t" / "truth.jsonl").read_text(), (tmp_path / "t" / "scores.jsonl").read_text())
    for before, after in zip(sorted(told["rows"], key=str), sorted(again["rows"], key=str), strict=True):
        assert {name: before[name] for name in ("tau", "top", "band", "front_regret")} == {
            name: after[name] for name in ("tau", "top", "band", "front_regret")
        }
    refused = cli("trust", *SMALL[:-4], "--images", 120, *ASKED, "--out", "t")
    assert refused.code == 2
    assert "holds another report: trial_images is 100 there, 120 here" in refused.err


def report_on_digits(folder: Path, networks: int) -> None:
    """A trust report as a folder holds it, one seed of each network; accuracies are made up."""
    nets = stratified(read_space(folder.parent / "tiny.toml").with_classes(10), Budget(), networks, seed=0)
    folder.mkdir()
    Journal(folder / "truth.jsonl").add(*(
        {"key": net.key, "seed": 0, "arch": to_text(net.arch), "top1": 0.5 + net.madds / 1e8, "top1_se": 0.01}
        for net in nets
    ))  # fmt: skip
    told = {"data_hash": load("digits").fingerprint, "recipe": "quick", "epochs": 1, "batch": 32, "trial_images": 64}
    (folder / "trust.toml").write_text(to_toml(told))


def test_the_trainings_of_a_report_are_labels_of_a_run_on_the_same_images(cli, tmp_path, tiny):
    report_on_digits(tmp_path / "t", 9)
    run = ("run", "--space", "tiny.toml", "--threads", 1, "--trials", 2, "--finalists", 0, "--sampler", "random")
    done = cli(*run, "--from", "t", "--evaluator", "predictor", "--out", "run", "--json")
    assert done.code == 0
    assert "t: 9 measured networks to learn from" in done.err
    assert done.json["trials"] == {"trained": 2}
    refused = cli(*run, "--from", "t", "--evaluator", "synthetic", "--out", "other")
    assert refused.code == 2
    assert "--from t is a trust report: evaluators that learn (predictor, ensemble) use it" in refused.err
    command = (tmp_path / "t" / "trust.toml").read_text()
    (tmp_path / "t" / "trust.toml").write_text(command.replace('data_hash = "', 'data_hash = "0'))
    other = cli(*run, "--from", "t", "--evaluator", "predictor", "--out", "other")
    assert other.code == 2
    assert "t: nothing to learn from, it was made on other images, or on none" in other.err
    (tmp_path / "t" / "truth.jsonl").write_text("{}\n{\n")
    damaged = cli(*run, "--from", "t", "--evaluator", "predictor", "--out", "other")
    assert damaged.code == 2
    assert "truth.jsonl line 2 is damaged" in damaged.err
    assert not (tmp_path / "other").exists()


@pytest.mark.slow
def test_ctrl_c_loses_nothing(cli, tmp_path, tiny, monkeypatch):
    from archsearch.evaluate.training import TrainEvaluator

    whole, asked = TrainEvaluator.evaluate, []

    def tired(self, arch, job):
        asked.append(job.folder.parent.name == "checkpoints")
        if sum(asked) == 4:
            raise KeyboardInterrupt
        return whole(self, arch, job)

    with monkeypatch.context() as patch:
        patch.setattr(TrainEvaluator, "evaluate", tired)
        done = cli("trust", *SMALL, "--evaluator", "synthetic", "--out", "t")
    assert done.code == 130
    assert "the same command goes on from here" in done.err
    before = (tmp_path / "t" / "truth.jsonl").read_text()
    assert before.count("\n") == 3
    assert cli("trust", *SMALL, "--evaluator", "synthetic", "--out", "t").code == 0
    after = (tmp_path / "t" / "truth.jsonl").read_text()
    assert after.startswith(before)
    assert after.count("\n") == 10


def test_a_table_is_the_truth_and_nothing_is_trained(cli, tmp_path, macro):
    done = cli("trust", *macro, "--evaluator", "synthetic", "--evaluator", "naswot", "--networks", 30, "--out", "t",
               "--json")  # fmt: skip
    assert done.code == 0
    told = done.json
    rows = {row["name"]: row for row in told["rows"]}
    assert (told["networks"], told["seeds"]) == (30, 2)
    assert rows["naswot"]["failed"] == "it asks for images; give --data"
    assert rows["one more seed of the truth"]["tau"]["value"] > 0.6
    assert told["ceiling"]["tau"] > 0.6
    assert told["advice"].endswith(f"else: train (tau {rows['one more seed of the truth']['tau']['value']:.2f}).")
    assert (tmp_path / "t" / "truth.jsonl").read_text().count("\n") == 60
    printed = cli("trust", *macro, "--evaluator", "synthetic", "--networks", 30, "--out", "t").out
    assert "one more seed of the truth" in printed
    assert "page: t/trust.html" in printed
    more = cli("trust", *macro, "--evaluator", "synthetic", "--networks", 36, "--out", "t", "--json").json
    assert more["networks"] == 36


def test_a_folder_is_named_by_what_was_asked_for(cli, tmp_path, macro):
    for networks in (6, 8):
        assert cli("trust", *macro, "--evaluator", "synthetic", "--networks", networks).code == 0
    (folder,) = (tmp_path / "results").iterdir()
    assert folder.name.startswith("trust-table-")


@pytest.mark.slow
def test_hours_decide_how_many_networks_are_trained(cli, tmp_path, tiny):
    """What fits is read off the timing, which is given here."""
    (tmp_path / "t").mkdir()
    points = [[1, 1.0], [100_000_000, 1.0]]
    told = {"device": "cpu", "threads": 1, "groups": {"all": points}}
    (tmp_path / "t" / "timing.json").write_text(json.dumps(told))
    (tmp_path / "t" / "trust.toml").write_text("seed = 0\n")
    hours = 2 * 6 / 3600
    few = cli("trust", *SMALL[:2], *SMALL[4:], "--max-hours", hours / 2, "--evaluator", "synthetic", "--out", "t")
    assert few.code == 2
    assert "is time for 3 networks, at least 5 are needed" in few.err
    told = cli("trust", *SMALL[:2], *SMALL[4:], "--max-hours", hours + 1e-6, "--evaluator", "synthetic", "--out", "t",
               "--json").json  # fmt: skip
    assert told["networks"] == 6


BAD = [
    (("--networks", 4), "--networks must be at least 5"),
    (("--seeds", 0), "--seeds must be at least 1"),
    (("--short", "1,x"), "--short '1,x' cannot be read"),
    (("--max-hours", 0), "--max-hours must be at least 0.001"),
    (("--evaluator", "naswott"), "did you mean 'naswot'"),
    (("--space", "mobilenet_v9"), "did you mean"),
    (("--budget-madds", "1k"), "nearest possible"),
    (("--data", "no/such"), "no/such"),
    (("--table", "no.csv"), "no.csv"),
    (("--supernet", "none"), "none holds no supernet"),
    (("--images", 3), "--images 3 cannot hold 10 classes"),
]


@pytest.mark.parametrize(("options", "told"), BAD, ids=[str(options[0]) for options, _ in BAD])
def test_bad_input_is_one_line_and_writes_nothing(cli, tmp_path, options, told):
    done = cli("trust", *options, "--out", "t")
    complaint = [line for line in done.err.splitlines() if line.startswith("archsearch: ")]
    assert (done.code, len(complaint)) == (2, 1)
    assert told in complaint[0]
    assert not (tmp_path / "t").exists()


def test_a_space_of_two_networks_is_refused_before_anything_is_trained(cli, tmp_path):
    stage = "[[stage]]\nwidth = 16\nstride = 2\n"
    space = f"resolution = 16\nwidth = [0.5, 1.0]\n[stem]\nwidth = 16\n[head]\nwidth = 32\n{stage}"
    (tmp_path / "two.toml").write_text(space)
    done = cli("trust", "--space", "two.toml", "--evaluator", "synthetic", "--out", "t")
    assert done.code == 2
    assert "2 networks fit, at least 3 are needed" in done.err
    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize("text", ["", "garbage", "{}", "[1, 2]", '[["a", 1]]', "null"])
def test_a_damaged_timing_is_no_timing(tmp_path, text):
    path = tmp_path / "timing.json"
    path.write_text(text)
    assert kept_timing(path) == kept_timing(tmp_path / "none") == {"groups": {}}
    path.write_text('{"device": "cpu", "threads": 1, "groups": {"all": [[10, 1.5]]}}')
    assert kept_timing(path) == {"device": "cpu", "threads": 1, "groups": {"all": [(10, 1.5)]}}


def test_a_table_with_fewer_seeds_is_told(cli, macro):
    done = cli("trust", *macro, "--seeds", 3, "--out", "t")
    assert done.code == 2
    assert "--seeds 3: the table has 2" in done.err


def test_a_folder_that_holds_something_else_is_refused(cli, tmp_path, macro):
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "mine.txt").write_text("mine")
    done = cli("trust", *macro, "--evaluator", "synthetic", "--out", "t")
    assert done.code == 2
    assert "is not empty and holds no trust report" in done.err
