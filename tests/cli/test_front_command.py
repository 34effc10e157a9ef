"""front: the front as measured and as believed."""

import json
from pathlib import Path

import pandas as pd
import pytest


@pytest.fixture
def searched(cli, tmp_path):
    """A run of 40 networks of its own space file, judged by the formula."""
    axes = "width = [0.5, 0.75, 1.0]\nresolution = [16, 24]\n[stem]\nwidth = 16\n[head]\nwidth = 32\n"
    first = "[[stage]]\nwidth = 16\nexpand = [1, 2, 3]\nkernel = [3, 5]\n"
    second = "[[stage]]\nwidth = 24\nstride = 2\nexpand = [2, 4]\n"
    (tmp_path / "own.toml").write_text(axes + first + second)
    command = ("run", "--space", "own.toml", "--data", "digits", "--evaluator", "synthetic", "--trials", 30)
    assert cli(*command, "--budget-madds", "100%", "--finalists", 0, "--out", "run").code == 0


def test_every_network_says_what_is_believed_of_it(cli, searched):
    done = cli("front", "run", "--csv", "front.csv", "--json")
    assert {"believed", "believed_sd", "p_front", "group", "observed", "handed_over"} <= set(done.json[0])
    assert any(row["handed_over"] for row in done.json)
    assert pd.read_csv("front.csv")["trial"].tolist() == [row["trial"] for row in done.json]
    assert done.err == ""
    text = cli("front", "run").out
    for word in ("believed", "p(front)", "group"):
        assert word in text


def test_the_measured_front_alone_can_be_had(cli, searched):
    every, measured = cli("front", "run", "--json").json, cli("front", "run", "--observed", "--json").json
    assert measured == [row for row in every if row["observed"]]
    best = [row["top1"] for row in measured]
    assert best == sorted(best)


def test_without_the_space_file_measured_values_are_shown_and_one_line_says_so(cli, searched):
    Path("own.toml").unlink()
    done = cli("front", "run", "--json")
    assert done.code == 0
    assert len(done.err.splitlines()) == 1
    assert done.err.startswith("measured values alone: the run's space 'own.toml' cannot be read")
    assert all(row["believed"] == row["top1"] for row in json.loads(done.out))
    assert cli("report", "run").code == 0
