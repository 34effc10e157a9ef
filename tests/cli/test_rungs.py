"""`archsearch run --rungs` and `archsearch bench rungs`."""

import json

import pytest

from archsearch.cli.halting import config_of
from archsearch.search.rungs import Rule

RUN = ("run", "--evaluator", "synthetic", "--budget-madds", "20M", "--sampler", "random", "--finalists", 0, "--json")


def test_a_run_with_rungs_tells_what_it_saved_and_goes_on_without_naming_them(cli, tmp_path):
    options = (*RUN, "--epochs", 9, "--out", "run")
    first = cli(*options, "--rungs", 3, "--trials", 9)
    assert first.code == 0, first.err
    assert first.json["epochs"] == {"networks": 9, "spent": 9 + 3 * 2 + 6, "saved": 81 - 21}
    assert first.json["trials"] == {"stopped": 8, "trained": 1}
    again = cli(*options, "--trials", 12)
    assert again.json["epochs"]["networks"] == 12
    assert "Trainings that halt" in (tmp_path / "run" / "report.html").read_text()
    other = cli(*options, "--rungs", "1,9")
    assert other.code == 2
    assert "rungs" in other.err


def test_without_a_number_of_trials_there_are_as_many_as_cost_the_same():
    rule = Rule(rungs=(1, 3, 9), eta=3)
    assert rule.mean_epochs == pytest.approx(1 + 2 / 3 + 6 / 9)
    assert config_of(rule, trials=16, chosen=False)["trials"] == round(16 * 9 / rule.mean_epochs)
    assert "trials" not in config_of(rule, trials=16, chosen=True)
    assert config_of(None, trials=16, chosen=False) == {"rungs": None, "eta": None}


@pytest.mark.parametrize(("more", "says"), [
    (("--rungs", "x"), "--rungs"), (("--rungs", "1,20"), "--epochs 20"), (("--eta", 3), "--eta goes with --rungs"),
    (("--rungs", 2, "--repeats", "--sampler", "greybox"), "do not go together"),
    (("--rungs", 3, "--trials", 8), "of 8 networks none would be trained to its end"),
])  # fmt: skip
def test_what_cannot_be_is_one_line(cli, more, says):
    done = cli(*RUN, "--epochs", 9, "--out", "run", *more)
    assert done.code == 2
    assert says in done.err


@pytest.mark.parametrize("eta", [2, 3])
def test_the_least_number_of_networks_is_just_enough_for_one_whole_training(cli, eta):
    done = cli(*RUN, "--epochs", 4, "--rungs", "1,2,4", "--eta", eta, "--trials", eta**2, "--out", "run")
    assert done.json["trials"]["trained"] == 1
    assert len(done.json["front"]) == 1


def test_finished_runs_are_compared_by_epochs(cli, tmp_path):
    for seed in (0,):
        common = (*RUN, "--epochs", 9, "--seed", seed)
        assert cli(*common, "--trials", 4, "--out", f"whole{seed}").code == 0
        assert cli(*common, "--trials", 12, "--rungs", "1,9", "--out", f"rungs{seed}").code == 0
    folders = [word for name in ("whole0", "rungs0") for word in ("--runs", name)]
    done = cli("bench", "rungs", *folders, "--json", "--out", "told.json")
    assert done.code == 0, done.err
    assert json.loads((tmp_path / "told.json").read_text()) == done.json
    ways = done.json["ways"]
    assert list(ways) == ["whole", "rungs 1,9, eta 3"]
    assert ways["whole"]["networks"] == 4
    assert ways["rungs 1,9, eta 3"]["trained_whole"] == 4
    assert ways["whole"]["references"]["min"]["times_fewer"] == 1
    assert "times fewer" in cli("bench", "rungs", *folders).out
    assert "none of these runs is without rungs" in cli("bench", "rungs", "--runs", "rungs0").err
    assert "give --table" in cli("bench", "rungs").err
    assert cli(*common, "--trials", 4, "--sampler", "nsga2", "--rungs", "1,9", "--eta", 2, "--out", "other").code == 0
    mixed = cli("bench", "rungs", *folders, "--runs", "other", "--json")
    assert list(mixed.json["ways"]) == ["random, whole", "random, rungs 1,9, eta 3", "nsga2, rungs 1,9, eta 2"]
    assert mixed.json["beside"] == "random, whole"
    assert mixed.json["ways"]["random, whole"]["references"]["min"]["times_fewer"] == 1
    assert cli(*common, "--trials", 4, "--seed", 7, "--out", "whole7").code == 0
    assert (
        "the same seeds as the others (whole: 0, 7; rungs 1,9, eta 3: 0)"
        in cli("bench", "rungs", *folders, "--runs", "whole7").err
    )


def test_searches_are_replayed_on_a_runs_own_curves(cli, tmp_path):
    made = cli(*RUN, "--epochs", 9, "--trials", 18, "--rungs", "1,3", "--eta", 1, "--out", "curves")
    assert made.code == 0, made.err
    assert made.json["trials"] == {"trained": 18}
    assert made.json["epochs"]["saved"] == 0
    assert "All go on from each rung" in (tmp_path / "curves" / "report.html").read_text()
    options = ("bench", "rungs", "--curves", "curves", "--trainings", 4, "--seeds", 2)
    done = cli(*options, "--rungs", "3,9", "--eta", 3, "--json")
    assert done.code == 0, done.err
    assert done.json["curves"] == "of real trainings"
    assert done.json["whole"] == 9
    assert done.json["known"] == 18
    assert done.json["ways"]["whole"]["networks"] == 4
    most = cli("bench", "rungs", "--curves", "curves", "--seeds", 1, "--rungs", "1,9", "--json")
    assert most.json["trainings"] == 7  # as many as there are networks for
    assert "of real trainings" in cli(*options, "--rungs", "1,9").out
    assert "made-up learning curves, and these are real" in cli(*options, "--rungs", "1,9", "--own", 0.1).err
    assert "give --trainings 7 or fewer" in cli(*options, "--rungs", "1,9", "--trainings", 9).err
    assert "not after 2, 9" in cli(*options, "--rungs", "2,9").err
    assert "the learning curves have 9" in cli(*options, "--epochs", 27).err
    assert "give --table or --curves" in cli(*options, "--runs", "curves").err
