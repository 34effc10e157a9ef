"""space profile, and how space sample spreads."""

import math
import re

from archsearch.cost import estimate, feasible
from archsearch.cost.exact import counting


def test_profile_prints_counts_ranges_and_choices(cli):
    done = cli("space", "profile", "mobilenet_v2", "--budget-madds", "18M")
    assert done.code == 0
    assert "11,297,181,459,240 codes" in done.out
    assert "counted exactly" in done.out
    assert "ruled out by the budget: width 1.4" in done.out
    assert "stage7.block" in done.out


def test_profile_json_adds_up(cli):
    found = cli(
        "space", "profile", "linear_vs_relu", "--budget-madds", "20M", "--budget-memory", "300KiB", "--json"
    ).json
    assert found["exact"] is True
    assert found["budget"] == {"madds": [None, 20_000_000], "peak_memory": [None, 307_200]}
    assert 0 < found["fits"] < found["size"] == 122_880
    for choices in found["axes"].values():
        assert sum(each["count"] for each in choices) == found["fits"]
        assert math.isclose(sum(each["share"] for each in choices), 1)
    assert found["metrics"]["madds"]["max"] <= 20_000_000


def test_profile_of_an_impossible_budget_is_one_line(cli):
    done = cli("space", "profile", "mobilenet_v2", "--budget-madds", "300M..301M", "--budget-memory", "1MiB")
    assert (done.code, done.out) == (2, "")
    assert "the nearest possible has madds 271,281,152, peak_memory 1,310,720" in done.err


def test_sample_takes_a_band_and_a_spread(cli):
    command = ("space", "sample", "mobilenet_v2", "-n", 5, "--budget-madds", "300M", "--json")
    assert all(297e6 <= row["madds"] <= 300e6 for row in cli(*command, "--band", "0.99..1.0").json)
    spread = cli(*command, "--spread", "log-madds").json
    assert spread == cli(*command, "--spread", "log-madds").json != cli(*command).json
    assert "none of uniform" in cli(*command, "--spread", "odd").err
    assert "give one" in cli("space", "sample", "mobilenet_v2", "--band", "0.9..1").err


def test_sample_says_when_it_has_given_all(cli):
    done = cli("space", "sample", "nas_bench_macro", "-n", 9, "--budget-madds", "7800k", "--json")
    assert len(done.json) == 1
    assert "1, not 9" in done.err


def test_an_estimate_tells_its_error_and_claims_nothing_exact(cli, monkeypatch):
    monkeypatch.setattr(counting, "WORK", 0)
    monkeypatch.setattr(estimate, "DRAWN", 20_000)
    command = ("space", "profile", "mobilenet_v2_small", "--budget-madds", "30M")
    told = cli(*command).out
    assert re.search(r"about [\d,]+ fit \(.* %\); 95 % interval [\d,]+ to [\d,]+", told)
    assert re.search(r"of those \(± 0\.\d+\)", told)
    assert "points (95 %)" in told
    assert "exact" not in told
    found = cli(*command, "--json").json
    assert 0 < found["share_error"] == 1.959964 / 2 / math.sqrt(found["looked_at"])
    assert found["exact"] is False


def test_where_no_network_drawn_fits_the_interval_is_told_and_never_zero(cli, monkeypatch):
    monkeypatch.setattr(counting, "WORK", 0)
    monkeypatch.setattr(estimate, "DRAWN", 20)
    monkeypatch.setattr(feasible, "TRIES", feasible.LOOK + 1)
    command = ("space", "profile", "mobilenet_v2_small", "--budget-madds", "300M..400M")
    told = cli(*command).out
    assert re.search(r"codes; from 1 to [\d,]+ fit \(95 % interval\): none of the networks drawn does", told)
    assert "about" not in told
    assert "±" not in told
    found = cli(*command, "--json").json
    assert (found["share_error"], found["fits"] > 0) == (None, True)


def test_an_exact_profile_says_so_and_has_no_error(cli):
    done = cli("space", "profile", "mobilenet_v2_small", "--budget-madds", "30M")
    assert "all else is exact" in done.out
    assert "±" not in done.out
