"""Rows, differences and the recommendation, against cases made by hand."""

import math

import numpy as np
import pytest

from archsearch.trust import advice
from archsearch.trust import statistics as st
from archsearch.trust.judge import Scores
from archsearch.trust.truth import Truth
from tests.trust.workers import networks

NETS = tuple(networks(30))
RNG = np.random.default_rng(0)
TRUE = np.linspace(0.6, 0.9, 30)[RNG.permutation(30)]
TRUTH = Truth(networks=NETS, top1=TRUE[:, None] + RNG.normal(0, 0.01, (30, 2)), se=np.full((30, 2), 0.005),
              cost_s=60.0)  # fmt: skip
ON = advice.ground(TRUTH, np.random.default_rng(1))


def scores(name="x", noise=0.0, **more):
    values = TRUE + noise * np.random.default_rng(7).normal(size=30)
    return Scores(**{"name": name, "values": values, "each_s": 1.0, **more})


def row(name="x", tau=0.5, cost=1.0, wide=0.05, seed=0, **more):
    draws = np.concatenate([[tau], tau + wide * np.random.default_rng(seed).normal(size=400)])
    told = st.Tau(value=tau, low=tau - 2 * wide, high=tau + 2 * wide)
    return advice.Row(**{"name": name, "networks": 30, "tau": told, "top": told, "band": told, "front_regret": 0.1,
                         "best_regret": 0.01, "each_s": cost, "draws": draws, **more})  # fmt: skip


def test_a_row_of_the_truth_itself():
    made = advice.row(Scores(name="truth", values=TRUTH.mean, each_s=2.0), ON)
    assert [made.tau.value, made.top.value, made.band.value] == [1.0, 1.0, 1.0]
    assert made.front_regret == pytest.approx(0.0, abs=1e-12)
    assert made.best_regret == 0.0
    assert made.cost_s == 2.0
    assert made.networks == 30


def test_noise_lowers_every_figure():
    better, worse = (advice.row(scores(noise=each), ON) for each in (0.01, 0.2))
    assert better.tau.value > worse.tau.value
    assert better.tau.low > worse.tau.value
    assert worse.front_regret > better.front_regret


def test_a_constant_has_no_tau_and_is_null_in_json():
    told = advice.row(Scores(name="flat", values=np.ones(30), each_s=1.0), ON).to_dict()
    assert told["tau"] == {"value": None, "low": None, "high": None}
    assert told["best_regret"] == pytest.approx(TRUTH.mean.max() - TRUTH.mean.mean())


def test_what_failed_has_nothing_but_its_reason():
    told = advice.row(Scores(name="bad", values=np.full(30, np.nan), failed="no torch"), ON).to_dict()
    assert told["failed"] == "no torch"
    assert told["networks"] == 0
    assert {told[name] for name in ("front_regret", "best_regret", "cost_s")} == {None}


def test_what_is_spent_once_is_shared():
    made = advice.row(scores(once_s=500.0, labels=24), ON)
    assert made.labels_s == 24 * 2 * 60.0  # each label is the mean of two seeds
    assert made.cost_s == pytest.approx(1.0 + (500 + 2880) / advice.SPREAD)


def test_labels_whose_time_nobody_told_count_nothing():
    told = Truth(networks=NETS, top1=TRUTH.top1, se=TRUTH.se, cost_s=math.nan)
    made = advice.row(scores(once_s=500.0, labels=24), advice.ground(told, np.random.default_rng(1)))
    assert math.isnan(made.labels_s)
    assert made.cost_s == pytest.approx(1.5)


def test_one_more_seed_is_a_training():
    made = advice.seed_row(ON)
    assert made.name == advice.SEED_ROW
    assert made.cost_s == 60.0
    assert 0.6 < made.tau.value < 1.0
    assert made.tau.value == pytest.approx(np.mean([st.taus(a, b, np.ones((1, 30)))[0] for a, b in
                                                    st.left_out(TRUTH.top1)]))  # fmt: skip
    single = Truth(networks=NETS, top1=TRUTH.top1[:, :1], se=TRUTH.se[:, :1], cost_s=60.0)
    alone = advice.seed_row(advice.ground(single, np.random.default_rng(0)))
    assert alone.failed is not None
    assert math.isnan(alone.tau.value)


def test_differences_are_paired():
    first, second = advice.row(scores("a", noise=0.02), ON), advice.row(scores("b", noise=0.15), ON)
    (gap,) = advice.differences([first, second, advice.row(Scores(name="c", values=np.ones(30)), ON)])
    assert (gap["first"], gap["second"]) == ("a", "b")
    assert gap["tau"] == pytest.approx(first.tau.value - second.tau.value)
    assert gap["low"] <= gap["tau"] <= gap["high"]
    assert gap["ahead"] > 0.9


def test_sentences_compare_with_the_better_baseline():
    rows = [row("madds", 0.5, wide=0.01), row("params", 0.3, wide=0.01), row("good", 0.7, wide=0.01, seed=1),
            row("bad", 0.2, wide=0.01, seed=2), row("same", 0.5, wide=0.01, seed=3)]  # fmt: skip
    told = advice.sentences(advice.differences(rows), rows)
    assert len(told) == 3
    assert told[0].startswith("good beats madds by 0.20 [+0.1")
    assert told[1].startswith("bad is worse than madds by 0.30 [-0.3")
    assert told[2].startswith("same against madds: no difference shown, tau +0.00 [-0.0")


@pytest.mark.parametrize(("value", "text"), [(0.004, "+0.00"), (-0.001, "+0.00"), (-0.12, "-0.12"), (0.126, "+0.13")])
def test_nothing_is_minus_zero(value, text):
    assert advice.signed(value) == text


# which one to use


def test_the_steps_are_those_that_no_cheaper_one_matches():
    rows = [row("madds", 0.4, 1e-4), row("naswot", 0.6, 1.0), row("worse", 0.55, 2.0), row("short", 0.8, 30.0),
            row(advice.SEED_ROW, 0.9, 120.0), row("below", -0.3, 1e-6)]  # fmt: skip
    found = advice.steps(rows)
    assert [each["name"] for each in found] == ["madds", "naswot", "short", advice.SEED_ROW]
    assert [each["from_s"] for each in found] == [1e-4, 1.0, 30.0, 120.0]
    assert found[0]["sure"] is None
    assert found[1]["sure"] > 0.99
    assert advice.advice(found, "core") == (
        "By core time a network, under 1 s: madds (tau 0.40); under 30 s: naswot (tau 0.60); under 2 min: short "
        "(tau 0.80); else: train (tau 0.90)."
    )


def test_a_step_that_may_be_chance_says_so():
    found = advice.steps([row("madds", 0.5, 1.0, wide=0.1), row("naswot", 0.52, 2.0, wide=0.1, seed=1)])
    assert "naswot (tau 0.52, above the one before in 5" in advice.advice(found, "GPU")
    assert "of resamples only" in advice.advice(found, "GPU")


def test_a_training_whose_time_nobody_told_is_the_dearest():
    rows = [row(advice.SEED_ROW, 0.9, math.nan), row("madds", 0.4, 1.0), row("other", 0.6, math.nan)]
    found = advice.steps(rows)
    assert [(each["name"], each["from_s"]) for each in found] == [("madds", 1.0), (advice.SEED_ROW, None)]
    assert advice.advice(found, "core") == (
        "By core time a network, where training is too dear: madds (tau 0.40); else: train (tau 0.90)."
    )


def test_where_nothing_ranks_training_remains():
    assert "better than chance" in advice.advice(advice.steps([row("madds", -0.1)]), "core")
