"""The front is retrained and tested once."""

import numpy as np

from archsearch.errors import TrainingError
from archsearch.pareto import front
from archsearch.records import TESTED
from archsearch.search.believed import chosen
from archsearch.search.finish import finalists, front_trials, trained
from tests.search.conftest import Noting, make_run


def test_the_front_is_what_no_trained_network_beats(tmp_path, silent):
    run = make_run(tmp_path / "run", sampler="nsga2", trials=30)
    run.search(Noting(), silent)
    trials = run.ledger.trials()
    members = front_trials(trials, run.problem.budget)
    values = np.array([[-t.values[0], t.values[1]] for t in trained(trials)])
    assert {t.number for t in members} == {t.number for t, on in zip(trained(trials), front(values), strict=True) if on}
    costs = [t.values[1] for t in members]
    assert costs == sorted(costs)


def test_few_finalists_hold_the_most_accurate_and_the_cheapest(tmp_path, silent):
    run = make_run(tmp_path / "run", trials=40)
    run.search(Noting(), silent)
    members = front_trials(run.ledger.trials(), run.problem.budget)
    assert len(members) > 4
    chosen = finalists(members, 3)
    assert len(chosen) == 3
    assert chosen[0] == members[0]
    assert chosen[-1] == members[-1]
    assert finalists(members, 1) == [members[-1]]
    assert finalists(members, 0) == []
    assert finalists(members, 1000) == members


def test_each_finalist_is_tested_once_and_its_result_kept(tmp_path, silent):
    evaluator = Noting()
    run = make_run(tmp_path / "run", trials=12, finalists=3)
    run.search(evaluator, silent)
    run.finish(evaluator, silent)
    told = chosen(run.ledger.trials(), run.problem, 3)
    assert evaluator.tested == [t.user_attrs["key"] for t in told]
    for trial in told:
        result = run.ledger.recall(TESTED.format(trial.number))
        assert 0 < result["top1_test"] < 1
        assert result["top1_test"] != trial.user_attrs["top1"]


def test_a_failed_retraining_is_recorded_and_the_others_are_tested(tmp_path, silent):
    class Failing(Noting):
        def final(self, arch, job):
            if not self.tested:
                self.tested.append("failed")
                raise TrainingError("too big", reason="out of memory")
            return super().final(arch, job)

    evaluator = Failing()
    run = make_run(tmp_path / "run", trials=12, finalists=3)
    run.search(evaluator, silent)
    run.finish(evaluator, silent)
    results = [v for k, v in run.ledger.study.user_attrs.items() if k.startswith("archsearch:test:")]
    assert [("failed" in result) for result in results].count(True) == 1
    assert len(results) == len(evaluator.tested)
