"""`archsearch proxies`, and runs on evaluators that train nothing."""

from pathlib import Path

import numpy as np
import pandas
import pytest

from archsearch import plugins
from archsearch.cost.table import cost_table
from archsearch.spec.space_file import read_space

SMALL = "r16 stem_c8_k3_s2 ir_r1_k3_s1_e2_c8 head_c16_n4"


TINY = """
about = "tiny"
width = 1.0
resolution = 12
classes = 10
stem = { width = 8, stride = 2 }
head = { width = 0 }
stage = [{ width = [8, 16, 24], repeats = [1, 2], expand = [1, 2, 3] }]
"""


@pytest.fixture
def table(tmp_path):
    """Twelve networks of a space, whose accuracy is the order of their parameters."""
    space = read_space("nas_bench_macro")
    codes = space.sample(400, np.random.default_rng(0))
    costs = cost_table(space, ("madds", "params")).count(codes)
    small = costs["madds"].argsort()[:12]
    rows = [{"arch": "".join(map(str, codes[i])), "acc1": 50 + costs["params"][i] / 1e5, "params": costs["params"][i],
             "macs": costs["madds"][i]} for i in small]  # fmt: skip
    pandas.DataFrame(rows).to_csv(tmp_path / "t.csv", index=False)
    return tmp_path / "t.csv"


def test_networks_side_by_side(cli):
    names = ("--proxy", "naswot", "--proxy", "params")
    done = cli("proxies", SMALL, "r16 stem_c8_k3_s2 head_c8_n4", *names, "--images", 8, "--json")
    assert done.code == 0
    told = done.json
    assert [list(each["scores"]) for each in told["networks"]] == [["naswot", "params"]] * 2
    assert [each["scores"]["params"] for each in told["networks"]] == [each["params"] for each in told["networks"]]
    assert told["networks"][0]["arch"].endswith("n10")  # the data's classes
    assert told["images"] == 8
    assert all(each["seconds"] > 0 for each in told["proxies"].values())


def test_a_space_and_all_proxies_in_words(cli):
    done = cli("proxies", "--space", "mobilenet_v2_small", "-n", 1, "--images", 4)
    assert done.code == 0
    assert all(name in done.out for name in plugins.names("proxies"))
    assert "scores are no accuracies" in done.out


def test_a_score_that_is_missing_is_explained(cli):
    done = cli("proxies", SMALL, "--proxy", "zico", "--proxy", "params", "--images", 2)
    assert done.code == 0
    assert "1 of 1 without a score: proxy zico needs 4 images at least, got 2" in done.out


def test_a_table_tells_rank_correlations(cli, table):
    done = cli("proxies", "--table", table, "-n", 10, "--proxy", "params", "--proxy", "madds", "--json")
    assert done.code == 0
    told = done.json["proxies"]
    assert told["params"]["tau"]["value"] == 1
    assert told["madds"]["tau"]["value"] < 1
    assert told["params"]["tau"]["low"] <= told["params"]["tau"]["high"]
    assert {"tau_top", "tau_band", "seconds"} <= set(told["madds"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "name networks, or a --space or a --table to draw them from: exactly one"),
        ((SMALL, "--space", "mobilenet_v2_small"), "exactly one"),
        ((SMALL, "--proxy", "nothing"), "unknown proxy 'nothing'"),
        ((SMALL, "--images", 1), "--images must be at least 2, got 1"),
        (("--space", "mobilenet_v2_small", "-n", 0), "--number must be at least 1, got 0"),
    ],
)
def test_wrong_words_are_one_line(cli, words, told):
    done = cli("proxies", *words)
    assert done.code == 2
    assert told in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_a_run_on_a_proxy_says_that_its_values_are_no_accuracies(cli):
    done = cli("run", "--evaluator", "params", "--budget-madds", "10M", "--trials", 4, "--finalists", 0, "--out", "run")
    assert done.code == 0
    assert "values are scores of the proxy params, not accuracies" in done.err
    assert "no accuracies: validation and believed are scores of the zero-cost proxy params" in done.out
    page = Path("run/report.html").read_text()
    assert "is no accuracy of a trained network" in page
    assert "comes from a short training" not in page


def test_a_predictor_without_labels_says_how_to_get_them(cli):
    done = cli("run", "--evaluator", "predictor", "--budget-madds", "10M", "--out", "run")
    assert done.code == 2
    assert "0 measured networks are too few to learn from: 8 are needed; --from RUN" in done.err


def test_a_predictor_learns_from_an_earlier_run_on_the_same_images(cli):
    Path("tiny.toml").write_text(TINY)
    common = ("--space", "tiny.toml", "--finalists", 0, "--sampler", "random")
    assert cli("run", *common, "--trials", 9, "--epochs", 1, "--trial-images", 64, "--out", "first").code == 0
    done = cli("run", *common, "--trials", 3, "--evaluator", "predictor", "--from", "first", "--out", "run", "--json")
    assert done.code == 0
    assert "first: 9 measured networks to learn from" in done.err
    assert "learnt from 9 measured networks; cross-validated: Kendall's tau" in done.err
    assert "none of them trained (--evaluator predictor)" in done.err
    assert done.json["trials"] == {"given": 9, "trained": 3}
    again = cli("run", *common, "--trials", 3, "--evaluator", "predictor", "--from", "run", "--out", "third")
    assert again.code == 2  # what was foretold is nothing to learn from
    assert "its values are those of evaluator predictor" in again.err


def test_an_ensemble_never_mixes_ranks_and_predictions(cli):
    Path("tiny.toml").write_text(TINY)
    common = ("run", "--space", "tiny.toml", "--finalists", 0, "--sampler", "random")
    assert cli(*common, "--trials", 8, "--epochs", 1, "--trial-images", 64, "--out", "first").code == 0
    learning = (*common, "--evaluator", "ensemble")
    assert cli(*learning, "--trials", 1, "--from", "first", "--out", "told").code == 0
    blind = cli(*learning, "--trials", 2, "--out", "told")
    assert blind.code == 2
    assert blind.err.splitlines()[-1].endswith("foretold from measured networks; give the same --from RUN again")
    assert cli(*learning, "--trials", 2, "--from", "first", "--out", "told", "--json").json["trials"]["trained"] == 2
    assert cli(*learning, "--trials", 1, "--out", "ranks").code == 0
    late = cli(*learning, "--trials", 2, "--from", "first", "--out", "ranks")
    assert late.code == 2
    assert "values in this run are ranks" in late.err.splitlines()[-1]


def test_a_large_seed_is_as_good_as_any(cli):
    done = cli("proxies", SMALL, "--proxy", "grad_norm", "--images", 4, "--seed", 5_000_000_000, "--json")
    assert done.code == 0
    assert done.json["networks"][0]["scores"]["grad_norm"] > 0
