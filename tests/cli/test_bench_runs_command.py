"""archsearch bench runs: its document, its files, its tables, its complaints; with and without the runs' studies."""

import json
import shutil

import pandas as pd
import pytest

from archsearch.cli.main import code

RUNS = {"greybox-0": 6, "greybox-1": 7, "random-0": 6}  # sampler and seed -> trials


@pytest.fixture(scope="module")
def finished_runs(tmp_path_factory):
    """Runs beside each other, on made-up accuracies."""
    root = tmp_path_factory.mktemp("runs")
    for name, trials in RUNS.items():
        sampler, seed = name.split("-")
        words = ("run", "--budget-madds", "20M", "--evaluator", "synthetic", "--sampler", sampler, "--seed", seed)
        assert code([*words, "--trials", str(trials), "--out", str(root / name)]) == 0
    return root


@pytest.fixture
def folders(cli, finished_runs, tmp_path):
    """Copies of them in the folder of the test."""
    for name in RUNS:
        shutil.copytree(finished_runs / name, tmp_path / name)
    return list(RUNS)


def test_the_document_the_files_and_the_tables(cli, folders, tmp_path):
    done = cli("bench", "runs", *folders, "--out", "both", "--json")
    told = done.json
    assert done.code == 0
    assert (told["trained"], list(told["samplers"])) == (6, ["greybox", "random"])
    assert [run["folder"] for run in told["runs"]] == list(RUNS)
    assert [run["left_out"] for run in told["runs"]] == [0, 1, 0]
    assert told["written"] == [f"both/runs.{kind}" for kind in ("json", "csv", "html")]
    rows = pd.read_csv(tmp_path / "both" / "runs.csv")
    assert len(rows) == 3 * 6
    last = rows[(rows["sampler"] == "greybox") & (rows["trained"] == 6)]["hypervolume_min"]
    assert last.tolist() == pytest.approx(told["samplers"]["greybox"]["hypervolume_of_seeds"]["min"])
    assert json.loads((tmp_path / "both" / "runs.json").read_text())["samplers"] == told["samplers"]
    page = (tmp_path / "both" / "runs.html").read_text()
    assert "archsearch bench runs" in page
    assert "networks trained" in page
    said = cli("bench", "runs", *folders).out
    assert said.count("reference: ") == 2
    assert "longer runs are cut to 6 trainings" in said
    for name in ("greybox", "random"):
        assert sum(line.split()[0] == name for line in said.splitlines() if line) == 3


def test_the_tables_of_runs_say_the_same_as_their_studies(cli, folders, tmp_path):
    for judged in ((), ("--believed",)):
        for folder in folders:
            if (tmp_path / folder / "kept.journal").exists():
                (tmp_path / folder / "kept.journal").rename(tmp_path / folder / "study.journal")
        whole = cli("bench", "runs", *folders, "--json", *judged).json
        for folder in folders:
            (tmp_path / folder / "study.journal").rename(tmp_path / folder / "kept.journal")
        assert cli("bench", "runs", *folders, "--json", *judged).json == whole


def test_wrong_requests_are_one_line_and_code_2(cli, folders, tmp_path):
    shutil.copytree(folders[2], "longer")
    command = (tmp_path / "longer" / "run.toml").read_text()
    (tmp_path / "longer" / "run.toml").write_text(command.replace("epochs = ", "epochs = 1", 1))
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    for name in ("run.toml", "manifest.json"):
        (tmp_path / "broken" / name).write_text((tmp_path / folders[0] / name).read_text())
    (tmp_path / "broken" / "trials.csv").write_text("a,b\n1,2\n")
    for arguments, message in (
        ([folders[0], "longer"], "longer cannot be compared with greybox-0: epochs is"),
        ([folders[0], folders[0]], "both of sampler greybox, seed 0"),
        (["nowhere"], "no run at nowhere"),
        (["empty"], "empty is not a run"),
        (["broken"], "no column trial, status"),
        ([folders[0], "--png"], "--png needs --out"),
    ):
        done = cli("bench", "runs", *arguments)
        assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
        assert message in done.err


def test_a_folder_that_cannot_be_written_is_named(cli, folders, tmp_path):
    (tmp_path / "file").write_text("in the way")
    done = cli("bench", "runs", *folders, "--out", "file")
    assert done.code == 2
    assert "folder file cannot be written" in done.err
