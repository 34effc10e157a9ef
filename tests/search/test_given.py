"""Earlier runs as a warm start."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from optuna.trial import TrialState

from archsearch.evaluate.landscapes import landscape
from archsearch.records import GIVEN, TRAINED
from archsearch.search.finish import front_trials, trained
from archsearch.search.given import Earlier, take_over
from archsearch.search.history import read
from archsearch.search.mirror import Mirror
from archsearch.search.propose import is_first
from tests.search.conftest import Noting, make_run, story

SPACE = {"space": "nas_bench_macro", "budgets": {"madds": "70M"}}


def earlier(tmp_path, silent, name="first", **options):
    """A finished run, as `--from` opens it."""
    run = make_run(tmp_path / name, **{"trials": 15, **SPACE} | options)
    run.search(Noting(), silent)
    return Earlier(name=name, config=run.config, trials=run.ledger.trials())


def shown(run):
    """The history as samplers read it."""
    mirror = Mirror(["maximize", "minimize"], run.problem.budget)
    mirror.sync(run.ledger)
    return mirror.study.get_trials(deepcopy=False), read(mirror.study, run.problem.domain, {})


@pytest.mark.parametrize("sampler", ["greybox", "random", "tpe"])
def test_results_made_alike_are_own_and_never_made_again(tmp_path, silent, sampler):
    before = earlier(tmp_path, silent)
    run = make_run(tmp_path / "run", trials=10, sampler=sampler, **SPACE)
    (taken,) = run.take_over([before])
    assert (taken.new, taken.known, taken.differs, taken.outside) == (15, 0, (), ())
    evaluator = Noting()
    run.search(evaluator, silent)
    trials = run.ledger.trials()
    old = {t.user_attrs["key"]: t.values for t in before.trials if t.user_attrs["status"] == TRAINED}
    assert len(evaluator.evaluated) == 10
    assert not old.keys() & {name for name, _ in evaluator.evaluated}
    given = [t for t in trials if t.user_attrs["status"] == GIVEN]
    assert {t.user_attrs["key"]: t.values for t in given} == old
    assert sum(map(is_first, trials)) == 10
    assert len(trained(trials)) == 25
    assert any(t.user_attrs["status"] == GIVEN for t in front_trials(trials, run.problem.budget))


@pytest.mark.parametrize("other", [{"epochs": 9}, {"trial_images": 77}, {"recipe": "full"}, {"batch": 3}])
def test_results_made_otherwise_inform_and_nothing_else(tmp_path, silent, other):
    before = earlier(tmp_path, silent, **other)
    run = make_run(tmp_path / "run", trials=4, sampler="greybox", **SPACE)
    (taken,) = run.take_over([before])
    assert taken.differs == tuple(other)
    trials, history = shown(run)
    assert {t.state for t in trials} == {TrialState.FAIL}
    assert history.source.tolist() == [1] * 15
    assert history.sources == ("first",)
    assert history.top1.tolist() == [t.user_attrs["top1"] for t in before.trials]
    assert history.seen == set()
    assert front_trials(run.ledger.trials(), run.problem.budget) == []


def test_a_network_known_from_elsewhere_may_be_trained_here(tmp_path, silent):
    before = earlier(tmp_path, silent, epochs=9)
    run = make_run(tmp_path / "run", trials=2, **SPACE)
    run.take_over([before])
    code = run.problem.space.code(before.trials[3].params)
    assert run.ask_for([code]) == []
    evaluator = Noting()
    run.search(evaluator, silent)
    assert evaluator.evaluated[0][0] == before.trials[3].user_attrs["key"]


def test_each_result_is_taken_once_however_often_it_is_named(tmp_path, silent):
    before = earlier(tmp_path, silent)
    half = replace(before, trials=before.trials[:6])
    run = make_run(tmp_path / "run", **SPACE)
    assert run.take_over([half])[0].new == 6  # a kill on the way
    taken = run.take_over([before, before])
    assert [(each.new, each.known) for each in taken] == [(9, 6), (0, 15)]


def copied(tmp_path, name, new):
    """A copy of a run's folder, as `--from` opens it."""
    shutil.copytree(tmp_path / name, tmp_path / new)
    run = make_run(tmp_path / new, **{"trials": 15, **SPACE})
    return Earlier(name=new, config=run.config, trials=run.ledger.trials())


def test_a_copy_of_a_run_gives_what_its_original_did_not(tmp_path, silent):
    first = earlier(tmp_path, silent)
    copy = copied(tmp_path, "first", "copy")
    grown = make_run(tmp_path / "copy", trials=18, **SPACE)
    grown.search(Noting(), silent)
    copy = replace(copy, trials=grown.ledger.trials())
    run = make_run(tmp_path / "run", **SPACE)
    taken = run.take_over([first, copy])
    assert [(each.new, each.known) for each in taken] == [(15, 0), (3, 15)]
    later = make_run(tmp_path / "run", **SPACE)
    assert [(each.new, each.known) for each in later.take_over([copy, first])] == [(0, 18), (0, 15)]


def test_a_copy_of_the_run_itself_or_of_one_between_gives_nothing_twice(tmp_path, silent):
    first = earlier(tmp_path, silent)
    run = make_run(tmp_path / "middle", trials=3, **SPACE)
    run.take_over([first])
    run.search(Noting(), silent)
    assert [(each.new, each.known) for each in run.take_over([copied(tmp_path, "middle", "copy")])] == [(0, 18)]


def test_the_same_search_done_twice_gives_both_results(tmp_path, silent):
    one, two = (earlier(tmp_path, silent, name=name) for name in ("one", "two"))
    run = make_run(tmp_path / "run", **SPACE)
    assert [each.new for each in run.take_over([one, two])] == [15, 15]


def test_what_was_given_is_handed_on_under_its_first_name(tmp_path, silent):
    first = earlier(tmp_path, silent)
    middle = make_run(tmp_path / "middle", trials=3, **SPACE)
    middle.take_over([first])
    middle.search(Noting(), silent)
    second = Earlier(name="middle", config=middle.config, trials=middle.ledger.trials())
    run = make_run(tmp_path / "run", **SPACE)
    taken = run.take_over([second, first])
    assert [(each.new, each.known) for each in taken] == [(18, 0), (0, 15)]
    sources = [t.user_attrs["source"] for t in run.ledger.trials()]
    assert sources == ["first"] * 15 + ["middle"] * 3


def test_networks_outside_the_space_are_told_and_skipped(tmp_path, silent):
    before = earlier(tmp_path, silent, space="mobilenet_v2_small", budgets={"madds": "20M"}, trials=3)
    run = make_run(tmp_path / "run", **SPACE)
    (taken,) = run.take_over([before])
    assert taken.new == 0
    assert len(taken.outside) == 3
    assert all("not in space nas_bench_macro" in reason for reason in taken.outside)


def test_another_number_of_classes_is_another_task(tmp_path, silent):
    before = earlier(tmp_path, silent)
    run = make_run(tmp_path / "run", **SPACE)
    problem = replace(run.problem, space=run.problem.space.with_classes(3))
    taken = take_over(run.ledger, problem, run.config, before)
    assert (taken.new, taken.differs) == (15, ())
    assert not any(t.user_attrs["equal"] for t in run.ledger.trials())


def test_given_networks_over_the_budget_inform_only(tmp_path, silent):
    before = earlier(tmp_path, silent)
    run = make_run(tmp_path / "run", space="nas_bench_macro", budgets={"madds": "50M"})
    run.take_over([before])
    _, history = shown(run)
    assert len(history.judged) == 15
    costs = [t.user_attrs["costs"]["madds"] for t in front_trials(run.ledger.trials(), run.problem.budget)]
    assert costs
    assert max(costs) <= 50e6


def test_a_warm_start_killed_on_the_way_goes_on_as_one_that_was_not(tmp_path, silent):
    before = earlier(tmp_path, silent, epochs=9)
    options = {"sampler": "greybox", **SPACE}
    for name, stops in (("whole", [14]), ("stopped", [4, 9, 14])):
        for trials in stops:
            run = make_run(tmp_path / name, trials=trials, **options)
            run.take_over([before])
            run.search(Noting(), silent)
    assert story(make_run(tmp_path / "whole", **options)) == story(make_run(tmp_path / "stopped", **options))


class Imagined(Noting):
    """Accuracies of a made-up landscape, as they are or told otherwise."""

    def __init__(self, space, tell=lambda top1: top1):
        super().__init__()
        self.space, self.tell, self.truth = space, tell, landscape("additive", space, 3)

    def evaluate(self, arch, job):
        result = super().evaluate(arch, job)
        return replace(result, top1=self.tell(float(self.truth(self.space.encode(arch)[None])[0])))


def test_earlier_runs_made_otherwise_save_trainings(tmp_path, silent):
    source = make_run(tmp_path / "source", trials=60, epochs=9, sampler="random", **SPACE)
    source.search(Imagined(source.problem.space, lambda top1: 0.6 * top1 + 0.1), silent)
    before = Earlier(name="source", config=source.config, trials=source.ledger.trials())
    best = []
    for warm in (False, True):
        found = []
        for seed in range(3):
            run = make_run(tmp_path / f"{warm}{seed}", trials=12, seed=seed, sampler="greybox", minimize=(), **SPACE)
            run.take_over([before] if warm else [])
            run.search(Imagined(run.problem.space), silent)
            found.append(max(t.user_attrs["top1"] for t in trained(run.ledger.trials())))
        best.append(np.mean(found))
    assert best[1] > best[0] + 0.005


@pytest.mark.parametrize("trials", [3, 9])
def test_few_results_made_otherwise_disturb_nothing(tmp_path, silent, trials):
    before = earlier(tmp_path, silent, epochs=9, trials=trials)
    run = make_run(tmp_path / "run", trials=12, sampler="greybox", **SPACE)
    run.take_over([before])
    evaluator = Noting()
    run.search(evaluator, silent)
    assert len({name for name, _ in evaluator.evaluated}) == 12
