"""Optuna's own tools work on a run's journal: dashboard, load_study, importances, a writer of its own."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
import warnings

import optuna
import pytest
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.storages.journal import JournalFileBackend

from archsearch.search.tally import is_first
from tests.search.conftest import Noting, Silent, make_run

OPTIONS = {"space": "nas_bench_macro", "budgets": {"madds": "40%", "params": "80%"}, "sampler": "nsga2", "trials": 24}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    made = make_run(tmp_path_factory.mktemp("dashboard") / "run", **OPTIONS)
    made.search(Noting(), Silent())
    return made


@pytest.fixture(scope="module")
def address(run):
    """A dashboard that serves the run's journal."""
    pytest.importorskip("optuna_dashboard")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", "from optuna_dashboard._cli import main; main()", str(run.folder.journal),
               "--port", str(port), "--host", "127.0.0.1"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(600):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                assert server.poll() is None
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()


def fetched(url):
    """What a server answers."""
    with urllib.request.urlopen(url, timeout=60) as answer:
        assert answer.status == 200
        return answer.read().decode()


def loaded(run):
    """The study as a notebook opens it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        storage = optuna.storages.JournalStorage(JournalFileBackend(str(run.folder.journal)))
    return optuna.load_study(study_name="archsearch", storage=storage)


def test_the_dashboard_serves_its_pages(address):
    for page in ("/", "/dashboard", "/dashboard/studies/0", "/dashboard/studies/0/trialTable"):
        assert "<html" in fetched(address + page).lower()


def test_the_dashboard_shows_trials_with_readable_parameters_and_constraints(run, address):
    studies = json.loads(fetched(f"{address}/api/studies"))["study_summaries"]
    assert [study["study_name"] for study in studies] == ["archsearch"]
    assert studies[0]["directions"] == ["maximize", "minimize"]
    shown = json.loads(fetched(f"{address}/api/studies/{studies[0]['study_id']}"))["trials"]
    trials = run.ledger.trials()
    assert len(shown) == len(trials)
    for trial, there in zip(trials, shown, strict=True):
        told = {each["name"]: each["param_external_value"] for each in there["params"]}
        assert told == {name: str(value) for name, value in trial.params.items()}
        attrs = {each["key"]: each["value"] for each in there["user_attrs"]}
        assert trial.user_attrs["arch"] in attrs["arch"]
        assert (max(there["constraints"]) > 0) == (trial.user_attrs["status"] == "over_budget")
        assert len(there["constraints"]) == 2


def test_load_study_gives_the_trials_and_a_feasible_front(run):
    study = loaded(run)
    assert study.get_trials() == run.ledger.trials()
    assert study.best_trials
    for trial in study.best_trials:
        assert run.problem.budget.fits(trial.user_attrs["costs"])


def test_importances_of_optuna_run_on_the_study_and_the_reports_leave_over_budget_rows_out(run):
    from archsearch.report.figures import importance_data

    study = loaded(run)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shares = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator(), target=lambda t: t.values[0])
    assert set(shares) == {axis.name for axis in run.problem.space.axes}
    data = importance_data(study, ["top1", "madds"])
    without = optuna.create_study(directions=study.directions)
    without.add_trials([t for t in study.trials if is_first(t)])
    assert len(data)
    assert data.equals(importance_data(without, ["top1", "madds"]))


def test_a_run_goes_on_after_another_tool_wrote_to_its_journal(tmp_path):
    run = make_run(tmp_path / "run", **{**OPTIONS, "trials": 4})
    run.search(Noting(), Silent())
    loaded(run).set_user_attr("note", "looked at")
    loaded(run)._storage.set_study_user_attr(0, "note", "twice")
    again = make_run(tmp_path / "run", **{**OPTIONS, "trials": 8})
    again.search(Noting(), Silent())
    whole = make_run(tmp_path / "whole", **{**OPTIONS, "trials": 8})
    whole.search(Noting(), Silent())
    assert [t.params for t in again.ledger.trials()] == [t.params for t in whole.ledger.trials()]
    assert again.ledger.recall("note") == "twice"
