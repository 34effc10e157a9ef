"""The study as tables."""

import math

import numpy as np
import pandas as pd
import pytest

from archsearch.report.frame import front_frame, objectives_of, trials_frame, within


def test_every_trial_is_one_row_whatever_became_of_it(study):
    frame = trials_frame(study)
    assert frame["number"].tolist() == [trial.number for trial in study.trials]
    assert {"trained", "replayed", "over_budget", "skipped", "failed", "running"} == set(frame["status"])


def test_a_network_that_was_not_trained_has_no_accuracy(study):
    frame = trials_frame(study)
    untrained = frame[frame["status"].isin(["over_budget", "skipped", "failed", "running"])]
    assert len(untrained) > 5
    assert untrained["top1"].isna().all()
    assert untrained["madds"].notna().all()


def test_axes_are_columns_with_the_values_that_the_sampler_chose(study):
    frame = trials_frame(study)
    assert frame.loc[3, "axis:width"] == study.trials[3].params["width"]
    assert frame.loc[3, "axis:stage2.kernel"] == study.trials[3].params["stage2.kernel"]


def test_an_attribute_set_before_a_crash_does_not_make_a_trial_trained(make):
    study = make.empty()
    study.add_trial(make.trial(make.point(0), "failed", status="trained", top1=0.9))
    frame = trials_frame(study)
    assert frame.loc[0, "status"] == "failed"
    assert math.isnan(frame.loc[0, "top1"])


def test_the_front_is_what_a_double_loop_finds(study):
    frame = trials_frame(study)
    front = front_frame(frame, ["top1", "madds"], {"madds": (None, 8e6)})
    trained = frame[frame["status"] == "trained"]
    unbeaten = [
        a.number
        for a in trained.itertuples()
        if not any(
            b.top1 >= a.top1 and b.madds <= a.madds and (b.top1, -b.madds) != (a.top1, -a.madds)
            for b in trained.itertuples()
        )
    ]
    assert sorted(front["number"]) == sorted(unbeaten)
    assert front["madds"].is_monotonic_increasing
    assert front["top1"].is_monotonic_increasing


def test_a_network_stands_on_the_front_once_although_it_was_proposed_twice(make):
    study = make.empty()
    first = make.trial(make.point(0), "trained", top1=0.7)
    study.add_trial(first)
    study.add_trial(make.trial(make.point(0), "replayed", top1=0.7, replay_of=0))
    study.add_trial(make.trial(make.point(0), "trained", top1=0.7))
    front = front_frame(trials_frame(study), ["top1", "madds"], {})
    assert front["number"].tolist() == [0]


def test_a_network_outside_the_budget_is_never_on_the_front(study):
    frame = trials_frame(study)
    low, high = 1e6, 3e6
    front = front_frame(frame, ["top1", "madds"], {"madds": (low, high)})
    assert len(front) > 0
    assert front["madds"].between(low, high).all()


def test_three_objectives_keep_networks_that_two_would_drop(make):
    objectives = ["top1", "madds", "peak_memory"]
    frame = trials_frame(make.filled(60, objectives=objectives, budgets={"madds": [None, 2e7]}))
    two, three = front_frame(frame, objectives[:2], {}), front_frame(frame, objectives, {})
    assert set(two["number"]) < set(three["number"])


def test_an_empty_study_gives_empty_tables_with_the_columns_of_a_full_one(make):
    study = make.empty(objectives=["top1", "latency_ms"], budgets={"latency_ms": [None, 9.0]})
    frame = trials_frame(study)
    front = front_frame(frame, objectives_of(study), {"latency_ms": (None, 9.0)})
    assert frame.empty
    assert front.empty
    assert {"number", "madds", "top1", "latency_ms"} <= set(frame.columns)


def test_an_unknown_cost_keeps_no_budget():
    frame = pd.DataFrame({"madds": [1.0, np.nan, 3.0]})
    assert within(frame, {"madds": (None, 2)}).tolist() == [True, False, False]


def test_test_results_stand_beside_the_trial_they_belong_to(make):
    study = make.empty()
    study.add_trial(make.trial(make.point(0), "trained", top1=0.7))
    study.add_trial(make.trial(make.point(1), "trained", top1=0.6))
    study.set_user_attr("archsearch:test:1", {"top1_test": 0.65, "top5_test": 0.9, "top1_test_se": 0.01})
    frame = trials_frame(study)
    assert frame.loc[1, "top1_test"] == pytest.approx(0.65)
    assert math.isnan(frame.loc[0, "top1_test"])


def test_a_failed_retraining_leaves_the_trial_trained_and_says_why(make):
    study = make.empty()
    study.add_trial(make.trial(make.point(0), "trained", top1=0.7))
    study.set_user_attr("archsearch:test:0", {"failed": "nan: the loss is not a number"})
    row = trials_frame(study).loc[0]
    assert row["status"] == "trained"
    assert math.isnan(row["top1_test"])
    assert row["test_failed"].startswith("nan")
