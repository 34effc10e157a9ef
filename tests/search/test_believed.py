"""What a run hands over and tests is what is believed of its results, and the report says the same."""

import numpy as np
import pytest

from archsearch.cost.feasible import read_budget
from archsearch.cost.ladder import read_limits
from archsearch.errors import TrainingError
from archsearch.evaluate.imagined import ImaginedEvaluator
from archsearch.evaluate.landscapes import landscape
from archsearch.records import RunFolder, write_manifest
from archsearch.report.networks import run_networks
from archsearch.report.tables import front_records, ladder_records
from archsearch.report.view import view
from archsearch.search.believed import chosen, evidence_of
from archsearch.search.config import RunConfig
from archsearch.search.finish import finalists, front_trials
from archsearch.search.propose import Problem
from archsearch.search.run import fit_to_images, open_run, space_hash
from archsearch.spec.space_file import read_space
from archsearch.surrogate.handover import FEWEST
from tests.search.conftest import Noting, make_run

MACRO = {"space": "nas_bench_macro", "budgets": {"madds": "60M"}}
ALIKE = {"sampler": "random", "minimize": (), "budgets": {"madds": "40M..60M"}}  # accuracy alone, at similar cost
ALL = 10**6


class Scattered(ImaginedEvaluator):
    """A landscape seen through two points of noise."""

    def evaluate(self, arch, job):
        noise = 0.02 * float(np.random.default_rng(job.seed).standard_normal())
        return self._told(arch, noise, 0.02)


class Exact(ImaginedEvaluator):
    """A landscape as it is."""

    def evaluate(self, arch, job):
        return self._told(arch, 0.0, 0.0)


def noisy(run):
    """Made-up accuracies whose order by measurement is partly luck."""
    return Scattered(landscape=landscape("additive", run.problem.space), space=run.problem.space)


def searched(folder, silent, **options):
    run = make_run(folder, **{**MACRO, **options})
    run.search(noisy(run), silent)
    return run


def seen(run):
    """The run as its report reads it."""
    write_manifest(run.folder, {})
    return view(run.folder.root)


def numbers(trials):
    return [trial.number for trial in trials]


@pytest.mark.parametrize("minimize", [("madds",), ("madds", "params")], ids=len)
@pytest.mark.parametrize("sampler", ["random", "nsga2"])
def test_finalists_are_what_the_report_hands_over_and_each_has_its_test(tmp_path, silent, sampler, minimize):
    run = searched(tmp_path / "run", silent, sampler=sampler, minimize=minimize, trials=40, finalists=ALL)
    told = chosen(run.ledger.trials(), run.problem, ALL)
    handed = [row["trial"] for row in front_records(run.ledger.study, seen(run)) if row["handed_over"]]
    assert numbers(told) == handed
    assert 2 < len(handed) < 40
    run.finish(noisy(run), silent)
    after = front_records(run.ledger.study, seen(run))
    assert [row["trial"] for row in after if row["handed_over"]] == handed
    assert [row["trial"] for row in after if row["top1_test"] is not None] == handed


def test_where_accuracy_is_all_the_best_and_its_equals_are_finalists_and_are_listed(tmp_path, silent):
    run = searched(tmp_path / "run", silent, **ALIKE, trials=40, finalists=4, seed=2)
    trials = run.ledger.trials()
    told = chosen(trials, run.problem, ALL)
    assert 1 < len(told) < 40
    assert numbers(chosen(trials, run.problem, 4)) == numbers(told[:4])
    assert chosen(trials, run.problem, 0) == []
    table = seen(run).beliefs.table
    assert numbers(told[:1]) == table.index[table["handed_over"]].tolist()
    assert table["believed"][numbers(told)].is_monotonic_decreasing
    run.finish(noisy(run), silent)
    rows = front_records(run.ledger.study, seen(run))
    assert {row["trial"] for row in rows if row["top1_test"] is not None} == set(numbers(told[:4]))


def test_the_winners_of_rungs_are_those_that_the_report_names(tmp_path, silent):
    space = read_space("nas_bench_macro")
    texts = {"madds": "30M,45M,60M"}
    budget, ladder = read_limits(texts, space)
    problem = Problem(space=space, budget=budget, minimize=("madds",), ladder=ladder.rungs)
    config = RunConfig(space=space.name, space_hash=space_hash(space), data="none", data_hash="", budgets=texts,
                       evaluator="additive", sampler="random", trials=40, finalists=3)  # fmt: skip
    run = open_run(config, problem, RunFolder(tmp_path / "run"))
    run.search(noisy(run), silent)
    run.finish(noisy(run), silent)
    rungs = ladder_records(seen(run))
    told = chosen(run.ledger.trials(), problem, 3)
    assert list(dict.fromkeys(row["trial"] for row in rungs)) == numbers(told)
    assert all(row["top1_test"] is not None and row["madds"] <= row["budget"] for row in rungs)
    believed = [row["believed"] for row in rungs]
    assert believed == sorted(believed)


def test_with_few_results_finalists_are_the_measured_front(tmp_path, silent):
    run = searched(tmp_path / "run", silent, sampler="random", trials=FEWEST - 1)
    trials = run.ledger.trials()
    front = front_trials(trials, run.problem.budget)
    for most in (0, 2, ALL):
        assert numbers(chosen(trials, run.problem, most)) == numbers(finalists(front, most))
    assert chosen([], run.problem, 3) == []


def test_a_kill_between_or_within_tests_changes_no_finalist(tmp_path, silent):
    class Killed(Noting):
        def final(self, arch, job):
            if len(self.tested) == 2:
                raise KeyboardInterrupt
            return super().final(arch, job)

    first = searched(tmp_path / "run", silent, sampler="random", trials=30, finalists=5)
    told = numbers(chosen(first.ledger.trials(), first.problem, 5))
    again = make_run(tmp_path / "run", **MACRO, sampler="random", trials=30, finalists=5)
    with pytest.raises(KeyboardInterrupt):
        again.finish(Killed(), silent)
    last = make_run(tmp_path / "run", **MACRO, sampler="random", trials=30, finalists=5)
    evaluator = Noting()
    last.finish(evaluator, silent)
    trials = last.ledger.trials()
    assert evaluator.tested == [trials[number].user_attrs["key"] for number in told[2:]]
    assert numbers(chosen(trials, last.problem, 5)) == told


def test_the_report_sees_the_networks_that_the_search_saw_also_where_resolutions_were_left_out(tmp_path, silent):
    whole = read_space("mobilenet_v2_small")
    space, note = fit_to_images(whole.with_classes(7), 24)
    assert note is not None
    config = RunConfig(space=whole.name, space_hash=space_hash(space), data="none", data_hash="", sampler="random",
                       evaluator="additive", trials=12)  # fmt: skip
    problem = Problem(space=space, budget=read_budget({"madds": "20M"}, space))
    run = open_run(config, problem, RunFolder(tmp_path / "run"))
    run.search(noisy(run), silent)
    mine = evidence_of(run.ledger.trials(), problem)
    axes, theirs = run_networks(run.ledger.study, config.to_dict(), mine.numbers, minimize=problem.minimize)
    assert axes == mine.axes
    for name in ("codes", "slots", "costs", "traits", "names"):
        assert (getattr(theirs, name) == getattr(mine.networks, name)).all()


def test_failed_trainings_are_no_evidence(tmp_path, silent):
    class Failing(Noting):
        def evaluate(self, arch, job):
            if job.number % 2:
                raise TrainingError("too big", reason="out of memory")
            return super().evaluate(arch, job)

    run = make_run(tmp_path / "run", **MACRO, sampler="random", trials=30)
    run.search(Failing(), silent)
    assert evidence_of(run.ledger.trials(), run.problem).numbers == list(range(0, 30, 2))


def test_of_networks_that_are_all_equally_accurate_only_the_cheapest_is_handed_over(tmp_path, silent):
    run = make_run(tmp_path / "run", **MACRO, trials=18)
    run.search(Exact(landscape=lambda codes: np.full(len(codes), 0.9), space=run.problem.space), silent)
    trials = run.ledger.trials()
    (handed,) = chosen(trials, run.problem, ALL)
    assert handed.values[1] == min(trial.values[1] for trial in trials)
