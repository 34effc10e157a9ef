"""space profile, and how space sample spreads."""

import math


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
