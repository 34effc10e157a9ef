"""Searches replayed on the learning curves of a run that stopped nobody."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from archsearch.bench.real_curves import curves_table
from archsearch.bench.rungs import ORACLE, Play, replayed, run, telling, ways
from archsearch.bench.rungs_told import REAL, WHOLE
from archsearch.cost.budget import Budget
from archsearch.errors import DataError, RunError
from archsearch.report.kept import kept
from archsearch.report.tables import write_tables
from archsearch.search.propose import Problem
from archsearch.search.rungs import Rule
from tests.search.conftest import Silent, make_run
from tests.search.test_halving import Learning, finished


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run whose rungs judge all its networks and stop none; only its tables are kept."""
    root = tmp_path_factory.mktemp("curves") / "run"
    made = finished(root, trials=24, eta=1)
    write_tables(root)
    made.journal.unlink()
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
    assert figures["rank_correlation"]["1"] == pytest.approx(spearmanr(table.curves[:, 0], table.mean).statistic)
    assert {way["ran_dry"] for way in figures["ways"].values()} == {0}
    story = run(problem, play, "a", 0)
    assert set(-story.points[:, 0]) <= set(table.mean)
    assert story.networks > 6  # more than whole trainings would have begun


def test_epochs_that_curves_do_not_tell_are_refused(folder):
    table = curves_table(kept(folder))
    table.check_told((1, 3, 9))
    with pytest.raises(DataError, match="tells top-1 of all its networks after 1, 3, 9 epochs, not after 2, 9"):
        table.check_told((2, 9))
    with pytest.raises(DataError, match="not after 3, 27"):
        table.check_told((3, 27))


def test_ties_are_one_rank_and_a_constant_has_none(folder):
    table = curves_table(kept(folder))
    play = Play(sampler="random", seeds=(0,), trainings=6, ways={WHOLE: None, "a": Rule(rungs=(1, 3, 9), eta=4)})
    flat = table.curves.copy()
    flat[:, 0] = 0.1
    flat[:, 2] = np.round(flat[:, 2], 1)
    told = telling(replace(table, curves=flat), play)
    assert told["1"] is None
    assert told["3"] == pytest.approx(spearmanr(flat[:, 2], table.mean).statistic)


def test_more_epochs_than_the_networks_can_take_are_refused_or_told(folder):
    table = curves_table(kept(folder))
    problem = Problem(space=table.space, budget=Budget(), minimize=("madds",), table=table)
    rule = Rule(rungs=(1, 9), eta=9)
    with pytest.raises(RunError, match=r"24 networks, and the epochs of 6 .* begin 29 \(a\): give --trainings 5"):
        replayed(problem, Play(sampler="random", seeds=(0,), trainings=6, ways={WHOLE: None, "a": rule}))
    told = replayed(problem, Play(sampler="random", seeds=(0,), trainings=5, ways=ways(rule)))
    assert told["ways"][WHOLE]["ran_dry"] == 0
    assert told["ways"]["pareto-asha"]["networks"] <= 24
    halted = run(problem, Play(sampler="random", seeds=(0,), trainings=20, ways={"a": rule}), "a", 0)
    assert halted.networks == 24
    assert halted.dry  # ended with epochs to spare
    assert ORACLE in told["ways"]


def test_a_run_without_curves_is_refused(tmp_path):
    plain = make_run(tmp_path / "plain", trials=3, sampler="random")
    plain.search(Learning(), Silent())
    plain.folder.manifest.write_text("{}")
    with pytest.raises(RunError, match="no learning curves of all its networks"):
        curves_table(kept(tmp_path / "plain"))


@pytest.mark.parametrize(("changed", "says"), [
    ({"eta": 3}, "no learning curves of all"), ({"budgets": {"madds": "3M,8M"}}, "a ladder"),
    ({"space": "nas_bench_macro"}, "does not tell its networks"), ({"space": ""}, "does not tell its networks"),
])  # fmt: skip
def test_a_run_that_tells_no_fair_curves_is_refused(folder, changed, says):
    told = kept(folder)
    with pytest.raises(RunError, match=says):
        curves_table(replace(told, run={**told.run, **changed}))


def test_tables_of_trials_that_lack_or_mistell_curves_are_one_line(folder):
    told = kept(folder)
    old = told.frame.drop(columns=[name for name in told.frame if str(name).startswith("top1_after_")])
    with pytest.raises(RunError, match="does not tell top-1 at its rungs"):
        curves_table(replace(told, frame=old))
    with pytest.raises(RunError, match="has trained 1 networks"):
        curves_table(replace(told, frame=told.frame.head(1)))
    strange = told.frame.assign(top1_after_x=0.5)
    assert curves_table(replace(told, frame=strange)).fingerprint == curves_table(told).fingerprint
