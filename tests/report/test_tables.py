"""trials.csv, front.csv and the records behind `archsearch front --json`."""

import json

import pandas as pd
import pytest

from archsearch.cost.count import BUILT_IN
from archsearch.errors import RunError
from archsearch.report.beliefs import BELIEFS
from archsearch.report.open import open_run
from archsearch.report.tables import front_records, write_tables
from archsearch.report.view import view
from archsearch.spec.canon import key
from archsearch.spec.text import from_text


def test_tables_hold_every_trial_and_the_front(run_dir):
    trials, front = (pd.read_csv(path) for path in write_tables(run_dir))
    assert len(trials) == 60
    assert front["key"].isin(trials["key"]).all()
    assert front["key"].is_unique


def test_counts_are_written_without_a_decimal_point(run_dir):
    path, _ = write_tables(run_dir)
    assert pd.read_csv(path)["madds"].dtype == "int64"


def test_writing_twice_gives_the_same_files(run_dir):
    first = [path.read_bytes() for path in write_tables(run_dir)]
    assert [path.read_bytes() for path in write_tables(run_dir)] == first


def test_records_are_json_and_name_networks_that_cost_what_they_say(run_dir):
    records = json.loads(json.dumps(front_records(open_run(run_dir)[0]), allow_nan=False))
    assert len(records) > 2
    for record in records:
        assert {"arch", "key", "trial", "top1", "top1_se", "top1_test", *BUILT_IN} <= set(record)
        assert key(from_text(record["arch"])) == record["key"]
        assert isinstance(record["madds"], int)


def test_what_was_not_tested_is_null(make):
    records = front_records(make.filled(8, tested=False))
    assert records
    assert [record["top1_test"] for record in records] == [None] * len(records)


def test_measured_latency_is_in_the_record(make):
    study = make.empty(objectives=["top1", "latency_ms"])
    costs = {"madds": 1, "latency_ms": 2.5}
    study.add_trial(make.trial(make.point(0), "trained", objectives=["top1", "latency_ms"], costs=costs))
    assert [record["latency_ms"] for record in front_records(study)] == [2.5]


def test_a_study_without_trials_has_an_empty_front(make):
    assert front_records(make.empty()) == []


def test_tables_of_no_run_are_refused(tmp_path):
    with pytest.raises(RunError, match="is not a run"):
        write_tables(tmp_path)


def test_what_is_believed_is_in_every_table(make, tmp_path):
    folder = make.space_run(tmp_path / "run", 60, noise=0.02)
    seen = view(folder)
    records = json.loads(json.dumps(front_records(seen.study, seen), allow_nan=False))
    table = pd.read_csv(write_tables(folder, seen)[1])
    assert table["trial"].tolist() == [record["trial"] for record in records]
    for name in BELIEFS:
        assert table[name].tolist() == pytest.approx([record[name] for record in records])
    assert {type(record["group"]) for record in records} == {int}
    assert {type(record[name]) for record in records for name in ("observed", "handed_over")} == {bool}
    assert any(not record["observed"] for record in records)


def test_without_the_run_records_are_of_the_measured_front_alone(make, tmp_path):
    seen = view(make.space_run(tmp_path / "run", 40, noise=0.02))
    records = front_records(seen.study)
    assert [record["trial"] for record in records] == seen.front["number"].tolist()
    assert all(record["observed"] and record["believed"] == record["top1"] for record in records)
