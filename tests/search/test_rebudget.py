"""Budgets that change when a run goes on, with kills between."""

import pytest
from optuna.trial import TrialState

from archsearch.errors import RunError
from archsearch.records import OVER, SINCE, TRAINED
from archsearch.report.tables import front_records
from archsearch.search.finish import front_trials
from archsearch.search.history import read
from archsearch.search.mirror import Mirror
from archsearch.search.worker import Presence
from tests.search.conftest import Noting, make_run, story

WIDE, TIGHT = {"madds": "60M"}, {"madds": "20M"}


class Killed(Noting):
    """An evaluator whose process ends when it begins the n-th network that is so large."""

    def __init__(self, after, above=0):
        super().__init__()
        self.after, self.above = after, above

    def evaluate(self, arch, job):
        result = super().evaluate(arch, job)
        if len(self.evaluated) > self.after and self.evaluated[-1][1]["madds"] > self.above:
            raise KeyboardInterrupt
        return result


def killed(folder, silent, evaluator, **options):
    """A run that ends in the middle of a trial."""
    run = make_run(folder, **options)
    with pytest.raises(KeyboardInterrupt):
        run.search(evaluator, silent)
    return run


@pytest.mark.parametrize("sampler", ["random", "nsga2", "tpe", "greybox"])
def test_tighter_nothing_over_the_new_budget_is_trained_or_handed_over(tmp_path, silent, sampler):
    killed(tmp_path / "run", silent, Killed(11, above=20e6), sampler=sampler, trials=20, budgets=WIDE)
    before = make_run(tmp_path / "run", sampler=sampler, trials=20, budgets=WIDE)
    unfinished = [t.number for t in before.ledger.trials() if t.state == TrialState.RUNNING]
    evaluator = Noting()
    run = make_run(tmp_path / "run", sampler=sampler, trials=24, budgets=TIGHT)
    assert "do not fit and only inform the search; 1 unfinished trial(s) closed untrained" in run.note
    known = len(run.ledger.trials())
    assert run.search(evaluator, silent) == "all trials done"
    run.finish(evaluator, silent)
    trials = run.ledger.trials()
    assert evaluator.evaluated
    assert all(costs["madds"] <= 20e6 for _, costs in evaluator.evaluated)
    assert [trials[number].user_attrs["status"] for number in unfinished] == [OVER]
    assert sum(t.user_attrs["status"] == TRAINED for t in trials) == 24
    outside = [t for t in trials[:known] if t.user_attrs["status"] == TRAINED and t.user_attrs["costs"]["madds"] > 20e6]
    assert outside
    handed = [row["madds"] for row in front_records(run.ledger.study)]
    assert handed == [t.user_attrs["costs"]["madds"] for t in front_trials(trials, run.problem.budget)]
    assert max(handed) <= 20e6
    tested = {t.user_attrs["key"] for t in trials if t.user_attrs["costs"]["madds"] > 20e6} & set(evaluator.tested)
    assert not tested


@pytest.mark.parametrize("sampler", ["random", "nsga2", "greybox"])
def test_looser_the_search_goes_on_into_what_was_over_budget(tmp_path, silent, sampler):
    killed(tmp_path / "run", silent, Killed(11), sampler=sampler, trials=20, budgets=TIGHT)
    run = make_run(tmp_path / "run", sampler=sampler, trials=40, budgets=WIDE)
    evaluator = Noting()
    run.search(evaluator, silent)
    assert max(costs["madds"] for _, costs in evaluator.evaluated) > 20e6
    keys = [t.user_attrs["key"] for t in run.ledger.trials() if t.user_attrs["status"] == TRAINED]
    assert len(keys) == len(set(keys)) == 40


def test_what_was_over_budget_and_fits_now_is_unknown_not_bad(tmp_path, silent):
    run = make_run(tmp_path / "run", space="nas_bench_macro", sampler="nsga2", trials=20, budgets=TIGHT)
    run.search(Noting(), silent)
    over = [t.number for t in run.ledger.trials() if t.user_attrs["status"] == OVER]
    assert over
    run = make_run(tmp_path / "run", space="nas_bench_macro", sampler="nsga2", trials=20, budgets={})
    mirror = Mirror(["maximize", "minimize"], run.problem.budget)
    mirror.sync(run.ledger)
    shown = mirror.study.get_trials(deepcopy=False)
    assert {shown[number].state for number in over} == {TrialState.FAIL}
    history = read(mirror.study, run.problem.domain, {})
    names = list(
        run.problem.domain.look(run.problem.space.code(shown[n].params)[None]).names[0].tobytes() for n in over
    )
    trained = set(history.judged)
    assert all(name in trained or name not in history.seen for name in names)


def test_what_was_trained_and_fits_no_more_is_judged_and_told_as_infeasible(tmp_path, silent):
    make_run(tmp_path / "run", trials=15, budgets=WIDE).search(Noting(), silent)
    run = make_run(tmp_path / "run", trials=15, budgets=TIGHT)
    mirror = Mirror(["maximize", "minimize"], run.problem.budget)
    mirror.sync(run.ledger)
    history = read(mirror.study, run.problem.domain, {})
    assert len(history.judged) == 15
    for trial in mirror.study.get_trials(deepcopy=False):
        (excess,) = trial.constraints.values()
        assert (excess > 0) == (trial.values[1] > 20e6)


def test_a_change_is_noted_once_and_back_again(tmp_path, silent):
    make_run(tmp_path / "run", trials=5, budgets=WIDE).search(Noting(), silent)
    assert make_run(tmp_path / "run", trials=5, budgets=WIDE).note is None
    assert make_run(tmp_path / "run", trials=5, budgets={"madds": "60000k"}).note is None  # the same limit
    assert make_run(tmp_path / "run", trials=5, budgets=TIGHT).ledger.recall(SINCE) == 5
    again = make_run(tmp_path / "run", trials=5, budgets=WIDE)
    assert "0 of 5 trained networks do not fit" in again.note
    assert make_run(tmp_path / "run", trials=5, budgets=WIDE).note is None


def test_budgets_stay_while_another_worker_is_at_work(tmp_path):
    run = make_run(tmp_path / "run", budgets=WIDE)
    other = Presence(run.folder)
    written = run.folder.command.read_text()
    with pytest.raises(RunError, match="at work under its budgets"):
        make_run(tmp_path / "run", budgets=TIGHT)
    assert run.folder.command.read_text() == written
    make_run(tmp_path / "run", budgets=WIDE)
    other.leave()
    make_run(tmp_path / "run", budgets=TIGHT)


def test_a_kill_right_after_a_change_changes_nothing(tmp_path, silent):
    for name, after in (("whole", 100), ("killed", 3)):
        make_run(tmp_path / name, sampler="nsga2", trials=8, budgets=WIDE).search(Noting(), silent)
        run = make_run(tmp_path / name, sampler="nsga2", trials=16, budgets=TIGHT)
        if name == "killed":
            with pytest.raises(KeyboardInterrupt):
                run.search(Killed(after), silent)
            run = make_run(tmp_path / name, sampler="nsga2", trials=16, budgets=TIGHT)
        run.search(Noting(), silent)
    stories = [
        story(make_run(tmp_path / name, sampler="nsga2", trials=16, budgets=TIGHT)) for name in ("whole", "killed")
    ]
    assert stories[0] == stories[1]
