"""Searches replayed on the learning curves of a run that stopped nobody."""

from dataclasses import replace

import numpy as np
import pytest

from archsearch.bench.real_curves import curves_table
from archsearch.bench.rungs import REAL, WHOLE, Play, check_known, replayed, run
from archsearch.cost.budget import Budget
from archsearch.errors import RunError
from archsearch.report.kept import kept
from archsearch.report.tables import write_tables
from archsearch.search.propose import Problem
from archsearch.search.rungs import Rule
from tests.search.conftest import Silent, make_run
from tests.search.test_halving import Learning


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run whose rungs judge all its networks and stop none; only its tables are kept."""
    root = tmp_path_factory.mktemp("curves") / "run"
    made = make_run(root, trials=24, sampler="random", rungs=(1, 3, 9), eta=1, epochs=9, budgets={"madds": "20M"})
    made.search(Learning(), Silent())
    made.folder.manifest.write_text('{"budgets": {}}')
    write_tables(root)
    made.folder.journal.unlink()
    return root


def test_the_table_of_a_runs_curves_tells_what_its_trials_told(folder):
    told = kept(folder)
    table = curves_table(told)
    frame = told.frame[told.frame["status"] == "trained"]
    assert len(frame) == len(table) == 24
    assert table.curves.shape == (24, 9)
    assert np.flatnonzero(~np.isnan(table.curves).any(axis=0)).tolist() == [0, 2, 8]
    assert (table.curves[:, 8] == table.mean).all()
    for column, epoch in ((0, 1), (2, 3)):
        assert sorted(table.curves[:, column]) == sorted(frame[f"top1_after_{epoch}"])
    by_cost = dict(zip(frame["madds"], frame["top1"], strict=True))
    assert all(by_cost[cost] == top1 for cost, top1 in zip(table.cost("madds"), table.mean, strict=True))


def test_searches_are_replayed_on_real_curves(folder):
    told = kept(folder)
    table = curves_table(told)
    problem = Problem(space=table.space, budget=Budget(), minimize=("madds",), table=table)
    play = Play(sampler="random", seeds=(0, 1), trainings=6, ways={WHOLE: None, "a": Rule(rungs=(1, 9), eta=4)})
    figures = replayed(problem, play)
    assert figures["curves"] == REAL
    assert figures["known"] == 24
    assert "own_way" not in figures
    ranks = [np.argsort(np.argsort(table.curves[:, epoch])) for epoch in (0, 8)]
    assert figures["rank_correlation"]["1"] == pytest.approx(np.corrcoef(*ranks)[0, 1])
    story = run(problem, play, "a", 0)
    assert set(-story.points[:, 0]) <= set(table.mean)
    assert story.networks > 6  # more than whole trainings would have begun


def test_epochs_that_curves_do_not_tell_are_refused(folder):
    table = curves_table(kept(folder))
    check_known(table, (1, 3, 9))
    check_known(replace(table, curves=None), (2, 9))
    with pytest.raises(RunError, match="tells top-1 after 1, 3, 9 epochs, not after 2, 9"):
        check_known(table, (2, 9))
    with pytest.raises(RunError, match="not after 3, 27"):
        check_known(table, (3, 27))


def test_a_run_without_curves_is_refused(tmp_path):
    plain = make_run(tmp_path / "plain", trials=3, sampler="random")
    plain.search(Learning(), Silent())
    plain.folder.manifest.write_text("{}")
    with pytest.raises(RunError, match="no learning curves"):
        curves_table(kept(tmp_path / "plain"))
