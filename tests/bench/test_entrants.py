"""Every sampler that may race keeps the rules of the race."""

import numpy as np
import pytest

from archsearch.bench.entrants import SLOW, chosen, enter, is_optuna, names
from archsearch.bench.goal import goal
from archsearch.bench.race import Rules, race
from archsearch.bench.score import score
from archsearch.errors import PluginError
from tests.bench.courses import constant, eighty_one, six

NEVER_REPEAT = ("greybox", "random", "local")
MODES = {
    "two": (("madds",), None, {}),
    "one, limited, 4 open": ((), "20M", {"pending": 4}),
    "three, limited, noisy": (("madds", "params"), "40M", {"noisy": True}),
}


def _told(name, mode):
    """The slow ones are run in one mode each."""
    return name not in SLOW or (name, mode) in [("gp", "two"), ("optuna_gp", "one, limited, 4 open")]


def _run(name, course, seed=0, **rules):
    if name == "pymoo_nsga2":
        pytest.importorskip("pymoo")
    return race(course, enter(name, course, seed), Rules(**rules), np.random.default_rng(seed))


@pytest.mark.parametrize(("name", "mode"), [(name, mode) for name in names() for mode in MODES if _told(name, mode)])
def test_every_proposal_is_an_evaluation_a_duplicate_or_over_budget(name, mode):
    minimize, limit, rules = MODES[mode]
    budgets = () if limit is None else (("madds", limit),)
    course = eighty_one(minimize=minimize, budgets=budgets)
    budget = 11 if name in SLOW else 20
    log = _run(name, course, budget=budget, **rules)
    assert len(log.truth) == budget
    assert len(log.ask_ms) == budget + log.duplicates + log.over_budget
    assert len(set(log.names.tolist())) == budget
    assert course.domain.fits(log.codes).all()
    assert (log.truth == course.truth(log.codes)).all()
    if name in NEVER_REPEAT:
        assert (log.duplicates, log.over_budget) == (0, 0)


@pytest.mark.parametrize("name", [name for name in names() if name not in SLOW])
def test_one_seed_is_one_run_and_another_seed_is_another(name):
    course = eighty_one()
    runs = [_run(name, course, seed, budget=15).codes.tolist() for seed in (3, 3, 4)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


@pytest.mark.parametrize("name", NEVER_REPEAT[1:])
def test_a_sampler_that_never_repeats_itself_finds_all_there_is_and_stops(name):
    course = six()
    log = _run(name, course, budget=10)
    assert (len(log.truth), log.duplicates, log.ended) == (6, 0, "nothing left")
    assert score(log, goal(course, []), Rules(budget=10)).front_share[-1] == 1


@pytest.mark.parametrize("name", [name for name in names() if name not in SLOW])
@pytest.mark.parametrize("choices", [1, 3])
def test_axes_of_one_value_change_nothing(name, choices):
    log = _run(name, constant(choices), budget=10)
    assert len(log.truth) == choices
    if name in NEVER_REPEAT or choices == 1:
        assert (log.duplicates, log.ended) == (0, "nothing left")


def test_a_table_with_gaps_is_no_trouble_to_a_sampler_that_does_not_know_it():
    log = _run("optuna_random", six(left_out=(0, 3)), budget=4)
    assert len(log.truth) == 4
    assert log.missing > 0


def test_names_are_listed_once_and_words_stand_for_several():
    assert chosen("random, local,random") == ["random", "local"]
    assert chosen("all") == names()
    assert set(names()) - set(chosen("default")) >= SLOW
    assert set(chosen("default")) >= {"random", "optuna_tpe", "optuna_tpe_mv_int", "pymoo_nsga2", "local"}


def test_an_unknown_name_is_told_with_the_nearest():
    with pytest.raises(PluginError, match="unknown sampler 'optuna_tpe_mvint': did you mean 'optuna_tpe_mv_int'"):
        chosen("random,optuna_tpe_mvint")
    with pytest.raises(PluginError, match="no sampler is named"):
        chosen(" , ")


def test_samplers_of_ours_that_are_optunas_count_as_such():
    assert {name for name in names() if is_optuna(name)} == {
        "nsga2", "nsga3", "tpe", "gp", "optuna_random", "optuna_nsga2", "optuna_nsga2_20", "optuna_nsga3", "optuna_tpe",
        "optuna_tpe_mv", "optuna_tpe_mv_int", "optuna_gp",
    }  # fmt: skip


def test_a_sampler_of_others_joins_and_hands_over_what_its_own_rule_says(third_party):
    third_party(
        "from archsearch.search.stratified import stratified\n"
        "def make(setup):\n    return stratified(setup)\n"
        "def handed_over(study, domain):\n    return [t.number for t in study.trials if t.values][:2]\n",
        {"samplers": {"theirs": "make"}},
    )
    assert "theirs" in names()
    course = eighty_one()
    log = _run("theirs", course, budget=10, noisy=True)
    assert log.handed == {10: [0, 1]}
    assert log.codes.tolist() == _run("random", course, budget=10, noisy=True).codes.tolist()
