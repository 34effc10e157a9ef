"""space compare and space refine from end to end, on the synthetic evaluator."""

import json
import shutil

import numpy as np
import pytest

from archsearch.cli.main import code
from archsearch.spec.space_file import read_space

COMPARE = ("space", "compare", "mobilenet_v2_small", "nas_bench_macro", "--evaluator", "synthetic")
TINY = (
    "width = [0.5, 1.0]\nresolution = 24\n[stem]\nwidth = 16\n[head]\nwidth = 32\n[[stage]]\nwidth = 16\n"
    "expand = [1, 2, 3]\nstride = 2\nkernel = [3, 5]\n[[stage]]\nwidth = 24\nstride = 2\nexpand = [2, 3, 4]\n"
)
BAND = ("--budget-madds", "30M..32M", "-n", 20)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("command", ["compare", "refine"])
def test_help_has_an_example(cli, command):
    done = cli("space", command, "--help")
    assert done.code == 0
    assert "Example" in done.out


def test_compare_draws_evaluates_and_writes(cli, tmp_path):
    told = cli(*COMPARE, *BAND, "--out", "c", "--json").json
    assert [each["space"] for each in told["spaces"]] == ["mobilenet_v2_small", "nas_bench_macro"]
    assert [each["networks"] for each in told["spaces"]] == [20, 20]
    assert told["differences"][0]["shown"]
    assert {p.name for p in (tmp_path / "c").iterdir()} == {
        "compare.toml", "compare.html", "edf.csv", "manifest.json", "results.jsonl",
    }  # fmt: skip
    rows = lines(tmp_path / "c" / "results.jsonl")
    assert len({(row["space"], row["key"]) for row in rows}) == len(rows) == 40
    assert all(30_000_000 <= row["madds"] <= 32_000_000 for row in rows)
    assert (tmp_path / "c" / "edf.csv").read_text().startswith("space,error,share,low,high\n")
    for path in told["written"]:
        assert (tmp_path / path).is_file()


def test_the_same_command_goes_on_and_another_is_refused(cli, tmp_path):
    first = cli(*COMPARE, *BAND, "--out", "c", "--json").json
    text = (tmp_path / "c" / "results.jsonl").read_text()
    assert cli(*COMPARE, *BAND, "--out", "c", "--json").json == first
    assert (tmp_path / "c" / "results.jsonl").read_text() == text
    more = cli(*COMPARE, *BAND[:2], "-n", 25, "--out", "c", "--json").json
    assert [each["networks"] for each in more["spaces"]] == [25, 25]
    assert (tmp_path / "c" / "results.jsonl").read_text().startswith(text)
    done = cli(*COMPARE, *BAND, "--seed", 1, "--out", "c")
    assert done.code == 2
    assert "holds another comparison: seed is 0 there, 1 here" in done.err


def test_ctrl_c_stops_cleanly_and_the_same_command_goes_on(cli, tmp_path, monkeypatch):
    from archsearch.evaluate import synthetic

    whole, asked = synthetic.SyntheticEvaluator.evaluate, []

    def tired(self, arch, job):
        asked.append(arch)
        if len(asked) == 7:
            raise KeyboardInterrupt
        return whole(self, arch, job)

    with monkeypatch.context() as patch:
        patch.setattr(synthetic.SyntheticEvaluator, "evaluate", tired)
        done = cli(*COMPARE, *BAND, "--out", "c")
    assert done.code == 130
    assert "the same command goes on" in done.err
    assert len(lines(tmp_path / "c" / "results.jsonl")) == 6
    told = cli(*COMPARE, *BAND, "--out", "c", "--json").json
    assert told["spaces"] == cli(*COMPARE, *BAND, "--out", "d", "--json").json["spaces"]


def test_without_a_budget_a_common_band_is_taken_and_told_and_kept(cli, tmp_path):
    done = cli(*COMPARE, "-n", 12, "--json")
    (folder,) = (tmp_path / "results").iterdir()
    band = done.json["budgets"]["madds"]
    assert f"comparing at {band}, which every space can fill" in done.err
    assert [each["networks"] for each in done.json["spaces"]] == [12, 12]
    again = cli(*COMPARE, "-n", 14, "--json").json
    assert again["budgets"]["madds"] == band
    assert list((tmp_path / "results").iterdir()) == [folder]


def test_a_space_does_not_differ_from_itself(cli):
    done = cli("space", "compare", "nas_bench_macro", "nas_bench_macro", "--evaluator", "synthetic", *BAND,
               "-n", 40, "--match", "--out", "c")  # fmt: skip
    assert done.code == 0
    assert "nas_bench_macro (2) against nas_bench_macro: no difference shown" in done.out
    assert "page: c/compare.html" in done.out


def test_three_spaces_are_each_compared_with_the_first(cli):
    told = cli("space", "compare", "nas_bench_macro", "linear_vs_relu", "mobilenet_v2_small", "--evaluator",
               "synthetic", "-n", 10, "--out", "c", "--json").json  # fmt: skip
    assert [(each["space"], each["against"]) for each in told["differences"]] == [
        ("linear_vs_relu", "nas_bench_macro"), ("mobilenet_v2_small", "nas_bench_macro"),
    ]  # fmt: skip


@pytest.mark.slow
def test_networks_are_trained_on_images(cli, tmp_path):
    (tmp_path / "a.toml").write_text(TINY)
    (tmp_path / "b.toml").write_text(TINY.replace("relu6", "relu").replace("[head]\nwidth = 32", "[head]\nwidth = 48"))
    command = ("space", "compare", "a.toml", "b.toml", "--epochs", 1, "--trial-images", 200, "--threads", 1, "-n", 5)
    done = cli(*command, "--budget-madds", "60%", "--out", "c", "--json")
    assert done.code == 0
    assert done.json["data"] == "digits"
    rows = lines(tmp_path / "c" / "results.jsonl")
    assert len(rows) == 10
    assert all(0 <= row["top1"] <= 1 and row["arch"].endswith("_n10") for row in rows)
    assert cli(*command, "--budget-madds", "60%", "--out", "c", "--json").json == done.json


BAD = [
    (("nas_bench_macro",), "at least two spaces"),
    (("nas_bench_macro", "mobilenet_v9"), "did you mean 'mobilenet_v"),
    (("nas_bench_macro", "mobilenet_v2", "--budget-madds", "1k"), "nearest possible"),
    (("nas_bench_macro", "mobilenet_v2", "-n", "4"), "--number must be at least 5"),
    (("nas_bench_macro", "mobilenet_v2", "--confidence", "95"), "--confidence"),
    (("nas_bench_macro", "mobilenet_v2", "--evaluator", "guess"), "unknown evaluator"),
    (("nas_bench_macro", "mobilenet_v2", "--evaluator", "synthetic", "--data", "no/such"), "no/such"),
]


@pytest.mark.parametrize(("options", "told"), BAD, ids=[" ".join(options) for options, _ in BAD])
def test_bad_input_is_one_line_and_writes_nothing(cli, tmp_path, options, told):
    done = cli("space", "compare", *options, "--out", "c")
    complaint = [line for line in done.err.splitlines() if line.startswith("archsearch: ")]
    assert (done.code, len(complaint)) == (2, 1)
    assert told in complaint[0]
    assert not (tmp_path / "c").exists()


def test_an_evaluator_that_asks_for_images_without_any_is_told(cli, tmp_path, third_party):
    third_party("def make(setup):\n    return setup.dataset()\n", {"evaluators": {"curious": "make"}})
    done = cli(*COMPARE[:4], *BAND, "--evaluator", "curious", "--out", "c")
    assert done.code == 2
    assert "evaluator 'curious' asks for images; give --data" in done.err
    assert not (tmp_path / "c").exists()


def test_a_folder_that_holds_something_else_is_refused(cli, tmp_path):
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "precious").write_text("mine")
    done = cli(*COMPARE, *BAND, "--out", "c")
    assert done.code == 2
    assert "not empty" in done.err


@pytest.fixture(scope="module")
def large_run(tmp_path_factory):
    """A run with enough networks to refine its space, to copy."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    command = "run --space mobilenet_v2_small --budget-madds 5M..60M --evaluator synthetic --trials 120 --finalists 0"
    assert code([*command.split(), "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def searched(large_run, tmp_path):
    """Such a run, in the folder `run`."""
    shutil.copytree(large_run, tmp_path / "run")


def test_refine_writes_a_part_of_the_space(cli, tmp_path, searched):
    told = cli("space", "refine", "run", "--out", "narrow.toml", "--json").json
    old, new = read_space("mobilenet_v2_small"), read_space(str(tmp_path / "narrow.toml"))
    assert (told["size_before"], told["size_after"]) == (old.size, new.size)
    assert new.size < old.size
    assert told["trials"] == 120
    for choices in new.sample(200, np.random.default_rng(0)):
        arch = new.decode(choices)
        assert old.decode(old.encode(arch)) == arch
    after = {axis.name: list(axis.values) for axis in new.axes}
    for row in told["axes"]:
        assert after.get(row["axis"], row["after"]) == row["after"]
        assert sum(row["tried"]) <= 120
    top = (tmp_path / "narrow.toml").read_text().splitlines()[:2]
    assert "space refine run" in top[0]
    assert "120 trained networks, confidence 95 %" in top[1]


def test_refine_prints_before_after_and_why(cli, tmp_path, searched):
    done = cli("space", "refine", "run")
    for word in ("axis", "before", "after", "why", "stage4.kernel", "the same", "120 trained networks, at equal madds"):
        assert word in done.out
    assert (tmp_path / "run" / "refined.toml").is_file()
    assert cli("space", "sample", "run/refined.toml", "-n", 2, "--json").json


def test_refine_can_leave_cost_out(cli, searched):
    told = cli("space", "refine", "run", "--cost", "none", "--json").json
    (width,) = [row for row in told["axes"] if row["axis"] == "width"]
    assert told["costs"] == []
    assert 1.0 in width["after"]
    assert 0.25 not in width["after"]


def test_refine_refuses_what_it_cannot_do(cli, tmp_path, finished):
    for options, said in [
        ((), "needs 60 trained networks, there are 12"),
        (("--cost", "joules"), "joules"),
        (("--share", "2"), "--share"),
        (("--space", "nas_bench_macro"), "trial 0 is no network of space nas_bench_macro"),
        (("--confidence", "1"), "--confidence"),
    ]:
        done = cli("space", "refine", "run", *options)
        assert done.code == 2
        assert said in done.err
        assert len(done.err.strip().splitlines()) == 1
    assert not (tmp_path / "run" / "refined.toml").exists()


def test_refine_never_writes_over_the_space_of_the_run(cli, tmp_path):
    (tmp_path / "mine.toml").write_text(TINY)
    command = ("run", "--space", "mine.toml", "--evaluator", "synthetic", "--trials", 5, "--finalists", 0)
    assert cli(*command, "--out", "run").code == 0
    done = cli("space", "refine", "run", "--out", "mine.toml")
    assert done.code == 2
    assert "run's own space" in done.err
    assert (tmp_path / "mine.toml").read_text() == TINY
