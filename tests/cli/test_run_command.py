"""run, front, report: the main job and every kind of bad input."""

import json

import pytest


def test_a_run_leaves_everything_behind(cli, finished, tmp_path):
    root = tmp_path / "run"
    for name in ("run.toml", "manifest.json", "study.journal", "trials.csv", "front.csv", "report.html"):
        assert (root / name).stat().st_size > 0, name
    manifest = json.loads((root / "manifest.json").read_text())
    assert manifest["dataset"]["name"] == "digits"
    assert manifest["seed"] == 0
    assert manifest["packages"]["optuna"]


def test_the_same_command_finds_a_finished_run(cli, finished):
    done = cli(*finished, "--json")
    assert done.code == 0
    assert done.json["trials"] == {"trained": 12}
    assert done.json["stopped"] == "all trials done"
    assert "holds 12 trials" in done.err


def test_json_of_run_and_front_agree(cli, finished):
    front = cli("front", "run", "--json").json
    done = cli(*finished, "--json").json
    assert done["front"] == front
    assert -1 <= done["surrogate"]["tau"]["low"] <= done["surrogate"]["tau"]["value"] <= 1
    fields = {
        "arch",
        "key",
        "madds",
        "params",
        "activations",
        "peak_memory",
        "weight_bytes",
        "trial",
        "top1",
        "top1_test",
    }
    assert all(fields | {"top1_test"} <= set(row) for row in front)
    assert [row["madds"] for row in front] == sorted(row["madds"] for row in front)
    assert all(row["madds"] <= 20_000_000 for row in front)
    assert sum(row["top1_test"] is not None for row in front) == min(4, len(front))


def test_a_network_of_a_run_can_be_named(cli, finished):
    front = cli("front", "run", "--json").json
    best = max(front, key=lambda row: row["top1"])
    assert cli("count", "run#best", "--json").json["key"] == best["key"]
    assert cli("count", f"run#{front[0]['trial']}", "--json").json["key"] == front[0]["key"]
    assert cli("count", "run#999").code == 2


def test_the_default_folder_is_found_again_by_the_same_command(cli, tmp_path):
    command = ("run", "--budget-madds", "20M", "--evaluator", "synthetic", "--trials", 3)
    for _ in range(2):
        assert cli(*command).code == 0
    assert cli(*command, "--seed", 1).code == 0
    assert len(list((tmp_path / "results").iterdir())) == 2


def test_no_data_says_what_is_used_and_how_to_use_ones_own(cli):
    done = cli("run", "--budget-madds", "20M", "--evaluator", "synthetic", "--trials", 1, "--finalists", 0)
    for word in ("handwritten digits", "--data cifar10", "--data folder/", "--data file.parquet"):
        assert word in done.err


@pytest.mark.parametrize("sampler", ["nsga2", "nsga3", "tpe", "gp"])
def test_every_sampler_runs(cli, sampler):
    command = ("run", "--budget-madds", "30M", "--evaluator", "synthetic", "--trials", 4, "--sampler", sampler)
    assert cli(*command, "--out", sampler, "--json").json["trials"]["trained"] == 4


def test_several_objectives_and_budgets(cli):
    budgets = ("--budget-madds", "5M..25M", "--budget-params", "50%", "--budget-memory", "512KiB")
    objectives = ("--minimize", "params", "--minimize", "peak_memory")
    done = cli("run", *budgets, *objectives, "--evaluator", "synthetic", "--trials", 8, "--out", "run", "--json")
    assert done.code == 0
    for row in done.json["front"]:
        assert 5_000_000 <= row["madds"] <= 25_000_000
        assert row["peak_memory"] <= 512 * 1024


def test_a_real_training_run_ends_with_a_tested_front(cli, tmp_path):
    (tmp_path / "tiny.toml").write_text(
        "width = [0.5, 1.0]\nresolution = 24\n[stem]\nwidth = 16\n[head]\nwidth = 32\n"
        "[[stage]]\nwidth = 16\nexpand = [1, 2]\nstride = 2\n[[stage]]\nwidth = 24\nstride = 2\nexpand = 2\n"
    )
    command = (
        "run", "--space", "tiny.toml", "--trials", 3, "--epochs", 2, "--trial-images", 400, "--final-epochs", 2,
        "--finalists", 2, "--threads", 1, "--out", "run", "--json",
    )  # fmt: skip
    done = cli(*command)
    assert done.code == 0
    assert done.json["trials"] == {"trained": 3}
    tested = [row for row in done.json["front"] if row["top1_test"] is not None]
    assert 1 <= len(tested) <= 2
    for row in tested:
        assert (tmp_path / "run" / "checkpoints" / f"final-{row['trial']}" / "model.pt").is_file()
    assert cli(*command).json["front"] == done.json["front"]


BAD = [
    (("--space", "mobilenet_v9"), "did you mean 'mobilenet_v"),
    (
        ("--space", "ssdlite_mobilenet_v2"),
        "images with labels train classifiers, and head ssdlite makes something else",
    ),
    (("--data", "no/such/folder"), "no/such/folder"),
    (("--budget-madds", "banana"), "banana"),
    (("--budget-madds", "1k"), "nearest possible"),
    (("--budget-madds", "5G..6G"), "nearest possible"),
    (("--budget-params", "-3M"), "-3M"),
    (("--trials", "-1"), "--trials must be at least 1"),
    (("--trials", "many"), "'--trials'"),
    (("--sampler", "best"), "unknown sampler 'best'"),
    (("--evaluator", "guess"), "unknown evaluator"),
    (("--minimize", "joules"), "unknown metric 'joules'"),
    (("--timeout", "0"), "--timeout"),
    (("--recipe", "slow"), "unknown recipe"),
    (("--device", "tpu7"), "tpu7"),
    (("--trial-images", "3"), "10 classes"),
    (("--seed", "-1"), "seed"),
    (("--wrong-option",), "wrong-option"),
]


@pytest.mark.parametrize(("options", "told"), BAD, ids=[" ".join(options) for options, _ in BAD])
def test_bad_input_is_one_line_and_code_2_and_writes_nothing(cli, tmp_path, options, told):
    done = cli("run", "--out", "run", *options)
    assert done.code == 2
    complaint = [line for line in done.err.splitlines() if line.startswith("archsearch: ")]
    assert len(complaint) == 1
    assert told in complaint[0]
    assert "Traceback" not in done.err
    assert not (tmp_path / "run" / "study.journal").exists()


def test_a_results_folder_of_another_run_is_refused(cli, finished):
    done = cli(*finished, "--sampler", "tpe")
    assert done.code == 2
    assert "holds another run: sampler is 'greybox' there, 'tpe' here" in done.err


def test_a_damaged_run_toml_is_told(cli, finished, tmp_path):
    (tmp_path / "run" / "run.toml").write_text("space = ")
    done = cli(*finished)
    assert done.code == 2
    assert "run.toml cannot be read" in done.err


def test_a_truncated_journal_goes_on(cli, finished, tmp_path):
    journal = tmp_path / "run" / "study.journal"
    journal.write_bytes(journal.read_bytes()[:-300])
    done = cli(*finished, "--json")
    assert done.code == 0
    assert done.json["trials"]["trained"] == 12


@pytest.mark.parametrize("command", ["front", "report"])
def test_a_folder_that_is_no_run_is_told(cli, tmp_path, command):
    (tmp_path / "empty").mkdir()
    for folder in ("empty", "missing"):
        done = cli(command, folder)
        assert done.code == 2
        assert len(done.err.strip().splitlines()) == 1


def test_report_writes_the_page_anew(cli, finished, tmp_path):
    (tmp_path / "run" / "report.html").unlink()
    done = cli("report", "run", "--json")
    assert done.code == 0
    assert (tmp_path / "run" / "report.html").is_file()
    assert all(path.endswith((".csv", ".html")) for path in done.json["written"])


def test_ctrl_c_stops_cleanly_and_the_same_command_goes_on(cli, tmp_path, monkeypatch):
    from archsearch.evaluate import synthetic

    calls = []
    honest = synthetic.SyntheticEvaluator.evaluate

    def interrupted(self, arch, job):
        calls.append(job.number)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return honest(self, arch, job)

    monkeypatch.setattr(synthetic.SyntheticEvaluator, "evaluate", interrupted)
    command = ("run", "--budget-madds", "20M", "--evaluator", "synthetic", "--trials", 9, "--out", "run")
    done = cli(*command)
    assert done.code == 130
    assert "same command goes on" in done.err
    assert (tmp_path / "run" / "report.html").is_file()
    assert cli(*command, "--json").json["trials"] == {"trained": 9}
    assert calls == [0, 1, 2, 3, 4, 4, 5, 6, 7, 8]


def test_a_closed_pipe_is_no_failure(cli, tmp_path):
    import subprocess
    import sys

    done = subprocess.run(
        f"{sys.executable} -c 'from archsearch.cli.main import main; main()' count mobilenet_v2 --per-layer | head -1; "
        'exit "${PIPESTATUS[0]}"',
        shell=True, executable="/bin/bash", capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stderr == ""


def test_a_terminal_without_the_plus_minus_sign_still_gets_its_front(cli, finished, tmp_path):
    import os
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-c", "from archsearch.cli.main import main; main()", "front", "run"],
        cwd=tmp_path, env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0
    assert "validation" in done.stdout


def test_a_name_too_long_for_a_folder_is_told(cli):
    done = cli("run", "--evaluator", "synthetic", "--out", "x" * 300)
    assert done.code == 2
    assert "Traceback" not in done.err
