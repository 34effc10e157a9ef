"""What `archsearch run` may be asked for beyond the plain search."""

import json

import pytest

MADE_UP = ("--evaluator", "synthetic")


def run(cli, *options):
    """A run on made-up accuracies, with `--json`."""
    done = cli("run", *MADE_UP, *options, "--json")
    assert done.code == 0, done.err
    return done


def test_a_ladder_hands_over_the_best_of_each_rung_and_tests_them(cli, tmp_path):
    done = run(cli, "--budget-madds", "20M,5M,10M", "--trials", 15, "--out", "run")
    rungs = done.json["ladder"]
    assert [rung["budget"] for rung in rungs] == [5_000_000, 10_000_000, 20_000_000]
    trials = [line.split(",") for line in (tmp_path / "run" / "trials.csv").read_text().splitlines()]
    names = trials[0]
    rows = [dict(zip(names, row, strict=False)) for row in trials[1:]]
    for rung in rungs:
        inside = [float(row["top1"]) for row in rows if row["top1"] and float(row["madds"]) <= rung["budget"]]
        assert rung["top1"] in inside
        assert rung["top1_test"] is not None
    assert [rung["believed"] for rung in rungs] == sorted(rung["believed"] for rung in rungs)
    assert cli("front", "run", "--ladder", "--json").json == rungs
    assert "MAdds up to" in cli("front", "run").out
    assert len((tmp_path / "run" / "ladder.csv").read_text().splitlines()) == 4
    assert "The budget ladder" in (tmp_path / "run" / "report.html").read_text()
    tested = [row for row in cli("front", "run", "--json").json if row["top1_test"] is not None]
    assert {row["trial"] for row in tested} <= {rung["trial"] for rung in rungs}


def test_a_search_that_has_tried_every_network_asks_for_no_more_trials(cli, tmp_path):
    options = ("--space", "nas_bench_macro", "--budget-madds", "16M", "--sampler", "random", "--out", "run")
    run(cli, *options, "--trials", 1)
    assert "1 network was trained" in (tmp_path / "run" / "report.html").read_text()
    assert "Go on with more --trials" in (tmp_path / "run" / "report.html").read_text()
    assert run(cli, *options, "--trials", 500).json["stopped"] == "every network that fits has been tried"
    assert "Every network that fits has been tried" in (tmp_path / "run" / "report.html").read_text()
    run(cli, *options, "--budget-madds", "18M", "--trials", 2)  # now others fit
    assert "Go on with more --trials" in (tmp_path / "run" / "report.html").read_text()


def test_a_space_of_one_network_asks_for_no_more_trials(cli, tmp_path):
    text = "resolution = 8\nclasses = 10\n[stem]\nwidth = 8\n[head]\nwidth = 16\n[[stage]]\nwidth = 8\nkernel = 3\n"
    (tmp_path / "one.toml").write_text(text)
    assert run(cli, "--space", "one.toml", "--trials", 1, "--out", "run").json["trials"] == {"trained": 1}
    page = (tmp_path / "run" / "report.html").read_text()
    assert "1 network was trained" in page
    assert "Every network that fits has been tried" in page
    assert "Go on with" not in page


def test_a_file_is_no_earlier_run(cli, tmp_path):
    (tmp_path / "t.csv").write_text("a,b")
    done = cli("run", *MADE_UP, "--from", "t.csv", "--out", "run")
    assert (done.code, done.out) == (2, "")
    assert "t.csv is a file, not the results folder of a run" in done.err


def test_a_rung_that_nothing_trained_meets_is_told_as_such(cli):
    done = run(cli, "--budget-madds", "1300k,40M", "--trials", 1, "--sampler", "random", "--seed", 3, "--out", "run")
    low, high = done.json["ladder"]
    assert (low["trial"], low["top1"]) == (None, None)
    assert high["trial"] == 0
    assert cli("front", "run").code == 0


def test_a_ladders_metric_is_minimised_first(cli, tmp_path):
    ladder = ("--space", "nas_bench_macro", "--budget-params", "60%,40%", "--trials", 2)
    run(cli, *ladder, "--out", "alone")
    run(cli, *ladder, "--minimize", "madds", "--out", "both")
    assert 'minimize = ["params"]' in (tmp_path / "alone" / "run.toml").read_text()
    assert 'minimize = ["params", "madds"]' in (tmp_path / "both" / "run.toml").read_text()


@pytest.mark.parametrize("metrics", [["none"], ["params"], ["madds", "params"], ["madds", "params", "peak_memory"]])
def test_any_number_of_objectives_runs_to_the_end_and_again(cli, tmp_path, metrics):
    options = ("--budget-madds", "20M", "--trials", 10, "--out", "run")
    words = [word for name in metrics for word in ("--minimize", name)]
    done = run(cli, *options, *words)
    rows = done.json["front"]
    assert any(row["top1_test"] is not None for row in rows)
    if metrics == ["none"]:
        best, *others = sorted(rows, key=lambda row: -row["believed"])
        assert best["handed_over"]
        assert best["top1_test"] is not None
        assert not any(row["handed_over"] for row in others)
    else:
        assert [row[metrics[0]] for row in rows] == sorted(row[metrics[0]] for row in rows)
    again = run(cli, *options)  # what to minimise is remembered
    assert again.json["front"] == rows
    assert cli("front", "run", "--json").json == rows
    assert cli("report", "run").code == 0


def test_networks_by_name_are_trained_first_also_on_resume(cli):
    options = ("--budget-madds", "20M", "--trials", 4)
    best = run(cli, *options, "--out", "one").json["front"][-1]
    other = run(cli, *options, "--seed", 8, "--out", "far").json["front"][0]
    run(cli, *options, "--seed", 5, "--out", "two", "--add", f"one#{best['trial']}", "--add", best["arch"])
    assert cli("count", "two#0", "--json").json["key"] == best["key"]
    again = (*options, "--seed", 5, "--out", "two", "--add", f"far#{other['trial']}")
    assert run(cli, *again).json["trials"]["trained"] == 5
    assert cli("count", "two#4", "--json").json["key"] == other["key"]
    assert "trial 4 has tried it already" in run(cli, *again).err


def test_earlier_runs_are_taken_over_and_count_where_they_were_made_alike(cli, tmp_path):
    options = ("--budget-madds", "20M", "--trials", 8)
    old = run(cli, *options, "--out", "old").json["front"]
    done = run(cli, *options, "--out", "new", "--from", "old")
    assert done.json["trials"] == {"given": 8, "trained": 8}
    assert "8 networks of" in done.err
    assert "they count as this run's own" in done.err
    keys = {row["key"]: row["top1"] for row in done.json["front"]}
    best = max(old, key=lambda row: row["top1"])
    assert max(keys.values()) >= best["top1"]
    other = run(cli, *options, "--out", "other", "--epochs", 9, "--from", "old", "--from", "new")
    assert "they only inform the sampler: epochs differ" in other.err
    assert "from an earlier run" in (tmp_path / "other" / "report.html").read_text()
    assert other.json["trials"] == {"given": 16, "trained": 8}
    assert all(row["trial"] >= 16 for row in other.json["front"])
    assert run(cli, *options, "--out", "new", "--from", "old").json == done.json


def test_budgets_change_on_resume_and_the_manifest_keeps_what_they_were(cli, tmp_path):
    def front(madds, trials, *more):
        done = run(cli, "--budget-madds", madds, "--trials", trials, "--out", "run", *more)
        return done, [row["madds"] for row in done.json["front"]]

    front("30M", 10, "--budget-params", "3M")
    done, costs = front("8M", 12)
    assert "budgets have changed" in done.err
    assert max(costs) <= 8_000_000
    text = (tmp_path / "run" / "run.toml").read_text()
    assert 'madds = "8M"' in text
    assert 'params = "3M"' in text  # what no option names stays
    done, costs = front("40M", 20, "--budget-params", "none")
    assert max(costs) > 8_000_000
    assert "params" not in (tmp_path / "run" / "run.toml").read_text()
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    history = [manifest["budgets"], *(call["budgets"] for call in manifest["resumed"])]
    assert history == [
        {"madds": [None, 30_000_000], "params": [None, 3_000_000]},
        {"madds": [None, 8_000_000], "params": [None, 3_000_000]},
        {"madds": [None, 40_000_000]},
    ]
    done, _ = front("5M,20M", 22)
    assert [rung["budget"] for rung in done.json["ladder"]] == [5_000_000, 20_000_000]


def test_a_flat_search_stops_and_says_so(cli):
    done = run(cli, "--space", "nas_bench_macro", "--trials", 90, "--out", "run", "--stop-when-flat", "20%")
    assert done.json["stopped"].startswith("flat: the next network is expected to add ")
    assert 20 <= done.json["trials"]["trained"] < 90
    assert 0 < done.json["gain"] < 0.2
    assert "expected to add" in done.err
    done = cli("run", *MADE_UP, "--sampler", "random", "--out", "other", "--stop-when-flat", "--trials", 2)
    assert done.code == 2
    assert "random does not; samplers that do: greybox" in done.err


def test_a_run_keeps_its_sampler_where_none_is_named(cli, tmp_path):
    options = ("--budget-madds", "20M", "--out", "run")
    run(cli, *options, "--trials", 3, "--sampler", "random")
    assert run(cli, *options, "--trials", 5).json["sampler"] == "random"
    assert run(cli, "--budget-madds", "20M", "--trials", 2, "--out", "new").json["sampler"] == "greybox"


BAD = [
    (("--budget-madds", "5M,5M"), "two rungs at 5M"),
    (("--budget-madds", "1k,5M"), "the nearest possible is 1,247,672"),
    (("--budget-madds", "5M,9M", "--budget-params", "1M,2M"), "are both ladders"),
    (("--minimize", "none", "--minimize", "madds"), "--minimize none stands alone"),
    (("--add", "mobilenet_v9"), "mobilenet_v9"),
    (("--add", "mobilenet_v2"), "mobilenet_v2 cannot be added: not in space mobilenet_v2_small"),
    (("--from", "nowhere"), "no run at nowhere"),
    (("--stop-when-flat", "150%"), "must be a share of the hypervolume"),
    (("--stop-when-flat", "--sampler", "tpe"), "tpe does not; samplers that do: greybox"),
]


@pytest.mark.parametrize(("options", "told"), BAD, ids=[" ".join(options) for options, _ in BAD])
def test_bad_input_is_one_line_and_code_2_and_writes_nothing(cli, tmp_path, options, told):
    done = cli("run", *MADE_UP, "--out", "run", *options)
    assert done.code == 2
    complaint = [line for line in done.err.splitlines() if line.startswith("archsearch: ")]
    assert len(complaint) == 1
    assert told in complaint[0]
    assert not (tmp_path / "run").exists()


def test_what_does_not_fit_or_is_the_run_itself_is_refused(cli):
    run(cli, "--budget-madds", "40M", "--trials", 6, "--out", "run")
    big = max(cli("front", "run", "--json").json, key=lambda row: row["madds"])
    done = cli("run", *MADE_UP, "--budget-madds", "2M", "--out", "new", "--add", f"run#{big['trial']}")
    assert done.code == 2
    assert "above 2M" in done.err
    done = cli("run", *MADE_UP, "--budget-madds", "40M", "--out", "run", "--from", "run")
    assert done.code == 2
    assert "is this run itself" in done.err
    assert cli("front", "run", "--ladder").code == 2
