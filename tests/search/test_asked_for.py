"""Networks asked for by hand come first, once each, and only where they may be trained."""

from dataclasses import replace

import numpy as np
import pytest

from archsearch.errors import BudgetError, SpaceError
from archsearch.records import TRAINED
from archsearch.search.wanted import code_of, still_wanted
from archsearch.spec.canon import key
from archsearch.spec.presets import preset
from tests.search.conftest import Noting, make_run

OPTIONS = {"space": "nas_bench_macro", "budgets": {"madds": "60M"}}


def some(run, n, seed=0):
    """Codes of n networks that fit."""
    return list(run.problem.domain.draw(n, np.random.default_rng(seed)).codes[:n])


def keys_of(run, codes):
    return [key(run.problem.space.decode(code)) for code in codes]


@pytest.mark.parametrize("sampler", ["greybox", "nsga2"])
def test_wanted_networks_are_trained_first_in_their_order(tmp_path, silent, sampler):
    run = make_run(tmp_path / "run", sampler=sampler, trials=8, **OPTIONS)
    codes = some(run, 3)
    assert run.ask_for(codes) == []
    evaluator = Noting()
    run.search(evaluator, silent)
    found = [name for name, _ in evaluator.evaluated]
    assert found[:3] == keys_of(run, codes)
    assert len(found) == len(set(found)) == 8


def test_on_resume_they_come_next_and_beyond_the_trials_where_these_are_done(tmp_path, silent):
    make_run(tmp_path / "run", trials=4, **OPTIONS).search(Noting(), silent)
    run = make_run(tmp_path / "run", trials=4, **OPTIONS)
    codes = some(run, 2, seed=7)
    assert run.ask_for(codes) == []
    assert run.trials == 6
    evaluator = Noting()
    assert run.search(evaluator, silent) == "all trials done"
    assert [name for name, _ in evaluator.evaluated] == keys_of(run, codes)
    assert still_wanted(run.ledger, run.problem) == 0
    assert make_run(tmp_path / "run", trials=4, **OPTIONS).trials == 6


def test_what_was_tried_or_asked_for_is_told_and_left_out(tmp_path, silent):
    run = make_run(tmp_path / "run", trials=3, **OPTIONS)
    codes = some(run, 2)
    run.ask_for(codes[:1])
    told = run.ask_for([codes[0], codes[1]])
    assert len(told) == 1
    assert "asked for already" in told[0]
    run.search(Noting(), silent)
    told = run.ask_for(codes)
    assert [f"trial {number} has tried it already" in line for number, line in enumerate(told)] == [True, True]


def test_wanted_networks_that_fit_no_more_are_passed_over(tmp_path, silent):
    run = make_run(tmp_path / "run", trials=4, **OPTIONS)
    codes = some(run, 20)
    run.ask_for(codes)
    tight = make_run(tmp_path / "run", trials=4, space="nas_bench_macro", budgets={"madds": "40M"})
    evaluator = Noting()
    tight.search(evaluator, silent)
    fitting = [c for c in codes if tight.problem.domain.fits(c[None])[0]]
    assert 0 < len(fitting) < 20
    assert [name for name, _ in evaluator.evaluated][: len(fitting)] == keys_of(run, fitting)
    assert all(costs["madds"] <= 40e6 for _, costs in evaluator.evaluated)


def test_only_what_may_be_trained_is_accepted_and_the_reason_told(tmp_path):
    run = make_run(tmp_path / "run", **OPTIONS)
    space = run.problem.space
    with pytest.raises(SpaceError, match="mine cannot be added: not in space nas_bench_macro"):
        code_of(run.problem, preset("mobilenet_v2"), "mine")
    drawn = run.problem.domain.look(space.sample(500, np.random.default_rng(0)))
    large = drawn.codes[drawn.costs[:, 0].argmax()]
    with pytest.raises(BudgetError, match=r"big cannot be added: madds .*M is .*M above 60M"):
        code_of(run.problem, space.decode(large), "big")
    code = some(run, 1)[0]
    arch = space.decode(code)
    other = replace(arch, head=replace(arch.head, classes=7))
    assert key(space.decode(code_of(run.problem, other, "small"))) == key(arch)


def test_a_wanted_network_counts_as_any_other(tmp_path, silent):
    run = make_run(tmp_path / "run", trials=2, **OPTIONS)
    run.ask_for(some(run, 1))
    run.search(Noting(), silent)
    assert [t.user_attrs["status"] for t in run.ledger.trials()] == [TRAINED, TRAINED]
