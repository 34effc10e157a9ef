"""The surrogate of a run cross-validated, the health checks, and the section of the page that says so."""

import json
from dataclasses import replace

import numpy as np
import pytest

from archsearch.report import trust
from archsearch.report.page import write_page
from archsearch.report.trust import checked, findings, surrogate_record
from archsearch.report.trust_figures import (
    believed_data,
    believed_plot,
    gain_data,
    gain_plot,
    group_words,
    predicted_plot,
)
from archsearch.report.view import view


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """A run of 60 trials with noise and told gains, read."""
    from tests.report.conftest import write_space_run

    folder = tmp_path_factory.mktemp("runs") / "noisy"
    return view(write_space_run(folder, 60, noise=0.01, gains=True, budgets={"madds": (None, 8e6)}))


@pytest.fixture(scope="module")
def told(seen):
    return checked(seen)


def test_predictions_are_of_every_trial_and_as_good_as_the_tables_say(seen, told):
    assert told.predictions["number"].tolist() == seen.beliefs.evidence.numbers
    inside = told.predictions["top1"].between(told.predictions["low"], told.predictions["high"])
    assert told.coverage[0.95] == pytest.approx(inside.mean())
    assert told.coverage[0.5] <= told.coverage[0.8] <= told.coverage[0.95]
    assert told.coverage[0.95] > 0.8
    assert told.ranks["surrogate"][0].value > told.ranks["MAdds alone"][0].value
    assert told.beyond.low > 0


def test_predictions_of_what_was_not_seen_are_worse_than_beliefs_of_what_was(seen, told):
    believed = seen.beliefs.table["believed"]
    known = told.predictions.set_index("number").loc[believed.index]
    assert (known["predicted"] - known["top1"]).std() > (believed - known["top1"]).std()


def test_the_noise_is_about_what_was_put_in(told):
    assert 0.007 < told.noise < 0.025


def test_a_standard_error_that_all_networks_share_is_not_taken_for_noise(make, tmp_path):
    shared = view(make.space_run(tmp_path / "run", 40, noise=0.0))
    evidence = shared.beliefs.evidence
    miss = np.full(40, 0.001)
    pretended = type(evidence)(axes=evidence.axes, networks=evidence.networks, numbers=evidence.numbers,
                               top1=evidence.top1, error=np.full(40, 0.05))  # fmt: skip
    assert trust._noise(pretended, miss, np.zeros(40)) == pytest.approx(0.001)


def test_of_many_trials_some_are_checked(seen, monkeypatch):
    monkeypatch.setattr(trust, "MOST", 25)
    some = checked(replace(seen))
    assert len(some.predictions) == 25
    assert some.predictions["number"].is_monotonic_increasing


def kinds(found):
    return {each.kind for each in found}


def test_findings_speak_of_the_run(make, tmp_path, seen, told):
    assert "budget never binding" not in kinds(findings(seen, told))
    wide = view(make.space_run(tmp_path / "wide", 30, noise=0.01, budgets={"madds": (None, 1e12)}))
    assert "budget never binding" in kinds(findings(wide, checked(wide)))
    few = view(make.space_run(tmp_path / "few", 9, noise=0.3))
    assert {"too few trials", "surrogate no better than MAdds"} <= kinds(findings(few, checked(few)))
    assert "too few trials" not in kinds(findings(seen, told))


def test_without_a_surrogate_there_is_no_check_of_it_but_of_the_rest(make, tmp_path):
    begun = view(make.run(tmp_path / "begun", 5))
    assert checked(begun) is None
    assert "too few trials" in kinds(findings(begun, None))


def test_an_axis_on_which_the_run_had_no_choice_has_no_edge(make, tmp_path):
    run = view(make.space_run(tmp_path / "run", 30))
    axes, slots = trust._varied(run.beliefs.evidence, [0, 1, 2])
    assert slots.shape == (3, len(axes))
    codes = run.beliefs.evidence.networks.codes.copy()
    codes[:, 1] = 0
    networks = run.beliefs.evidence.networks
    fixed = type(networks)(codes=codes, slots=networks.slots, costs=networks.costs, traits=networks.traits,
                           names=networks.names)  # fmt: skip
    evidence = run.beliefs.evidence
    fewer = type(evidence)(axes=evidence.axes, networks=fixed, numbers=evidence.numbers, top1=evidence.top1,
                           error=evidence.error)  # fmt: skip
    assert [axis.name for axis in trust._varied(fewer, [0])[0]] == [a.name for i, a in enumerate(axes) if i != 1]


def test_every_listed_network_is_a_mark_and_every_group_a_line(seen):
    data = believed_data(seen.listed, metric="madds")
    figure = believed_plot(data, metric="madds")
    marks = [number for trace in figure.data if trace.name in ("believed, to hand over", "not handed over")
             for number in trace.customdata]  # fmt: skip
    assert sorted(marks) == sorted(seen.listed["number"])
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert len(lines) == seen.listed["group"].nunique()
    assert sum(len(line.x) for line in lines) == len(seen.listed)


def test_every_prediction_is_a_mark_and_those_outside_their_interval_stand_out(told):
    figure = predicted_plot(told.predictions)
    inside, outside = figure.data[1:]
    assert len(inside.x) + len(outside.x) == len(told.predictions)
    assert len(outside.x) == round((1 - told.coverage[0.95]) * len(told.predictions))


def test_gains_are_those_that_the_sampler_told(seen, make):
    data = gain_data(seen.study)
    assert data["number"].tolist() == list(range(10, 60))
    assert data["gain"].is_monotonic_decreasing
    figure = gain_plot(data)
    assert figure.layout.yaxis.type == "linear"
    assert gain_plot(data.assign(gain=10.0 ** -data["number"])).layout.yaxis.type == "log"
    assert gain_plot(data.assign(gain=0.0)).layout.yaxis.type == "linear"
    assert gain_data(make.filled(12)).empty


def test_networks_and_groups_are_counted_in_words():
    assert group_words([1, 1, 2]) == "3 networks in 2 groups"
    assert group_words([1]) == "1 network in 1 group"


def test_the_page_says_what_to_believe(make, tmp_path):
    folder = make.space_run(tmp_path / "run", 40, noise=0.01, gains=True, budgets={"madds": (None, 1e12)})
    text = write_page(folder).read_text()
    titles = ("What to believe", "How good the surrogate is", "Expected gain of each trial")
    for words in (*titles, "Budget never binding.", "Kendall&#x27;s tau", "p(front)"):
        assert words in text
    (folder / "space.toml").unlink()
    text = write_page(folder).read_text()
    assert "Measured values alone: the run&#x27;s space &#x27;space.toml&#x27; cannot be read" in text
    assert "How good the surrogate is" not in text


def test_the_record_of_a_surrogate_is_what_the_page_says_as_plain_json(make, tmp_path):
    seen = view(make.space_run(tmp_path / "run", 40, noise=0.01))
    told, record = checked(seen), surrogate_record(seen)
    assert record == json.loads(json.dumps(record, allow_nan=False))
    assert record["predicted"] == 40
    assert record["tau"]["low"] <= record["tau"]["value"] == told.ranks["surrogate"][0].value <= record["tau"]["high"]
    assert record["noise"] == told.noise
    assert [float(level) for level in record["coverage"]] == list(told.coverage)
    assert [text.partition(": ")[0] for text in record["findings"]] == [each.kind for each in findings(seen, told)]
    assert surrogate_record(view(make.space_run(tmp_path / "few", 5))) is None
