"""Runs whose trainings halt at rungs: nothing is trained twice, nothing is lost, whatever happens on the way."""

import random
import time
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from optuna.trial import TrialState

from archsearch.errors import RunError, TrainingError
from archsearch.evaluate.base import Evaluation, Job
from archsearch.evaluate.synthetic import SyntheticEvaluator
from archsearch.records import RunFolder
from archsearch.search.finish import front_trials
from archsearch.search.given import Earlier
from archsearch.search.halving import Halving, Standing, epochs_of
from archsearch.search.history import read
from archsearch.search.mirror import Mirror
from archsearch.search.propose import Proposer
from archsearch.search.rungs import Rule
from archsearch.search.worker import Limits, Worker
from archsearch.spec.arch import Arch
from tests.search.conftest import Silent, make_run
from tests.search.workers import finish, kill, start

RUNGS = {"rungs": (1, 3, 9), "eta": 3, "epochs": 9, "budgets": {"madds": "20M"}}


class Learning(SyntheticEvaluator):
    """The synthetic evaluator with checkpoints: counts the epochs that it trains; fails where it is told to."""

    def __init__(self, fails_at: int | None = None) -> None:
        super().__init__(epochs=9)
        self.fails_at = fails_at
        self.trained: Counter[int] = Counter()

    def evaluate(self, arch: Arch, job: Job) -> Evaluation:
        job.folder.mkdir(parents=True, exist_ok=True)
        kept = job.folder / "last.pt"
        done = int(kept.read_text()) if kept.exists() else 0
        until = job.until or 9
        self.trained[job.number] += until - done
        if self.fails_at is not None and until >= self.fails_at and job.number % 2 == 0:
            raise TrainingError("the loss is not a number", reason="nan")
        kept.write_text(str(until))
        return super().evaluate(arch, job)


def finished(root, *, trials, eta):
    """The folder of a run of random networks with rungs, whole but for its tables and its manifest's words."""
    run = make_run(root, trials=trials, sampler="random", **RUNGS | {"eta": eta})
    run.search(Learning(), Silent())
    run.folder.manifest.write_text('{"budgets": {}}')
    return run.folder


def tale(run):
    """What must be the same however often a run was stopped."""
    return [(t.number, t.state.name, t.user_attrs["status"], t.user_attrs["key"], t.values, t.intermediate_values,
             t.user_attrs.get("expected")) for t in run.ledger.trials()]  # fmt: skip


def statuses(run):
    return Counter(t.user_attrs["status"] for t in run.ledger.trials())


@pytest.mark.parametrize(("options", "trials"), [
    ({"sampler": "greybox"}, 12), ({"minimize": (), "sampler": "nsga2"}, 20),
    ({"minimize": ("madds", "params"), "sampler": "random"}, 20), ({"sampler": "tpe"}, 20),
], ids=str)  # fmt: skip
def test_a_run_with_rungs_trains_nothing_twice_and_ends_clean(tmp_path, silent, options, trials):
    judge = Learning()
    run = make_run(tmp_path / "run", trials=trials, **RUNGS, **options)
    assert run.search(judge, silent) == "all trials done"
    begun = [t for t in run.ledger.trials() if t.intermediate_values]
    assert len(begun) == trials
    assert {t.number: max(t.intermediate_values) for t in begun} == dict(judge.trained)
    reached = [sum(max(t.intermediate_values) >= epochs for t in begun) for epochs in (1, 3, 9)]
    assert reached[1] <= reached[0] // 3
    assert reached[2] <= reached[1] // 3
    assert reached[2] >= 1
    assert sum(epochs_of(run.ledger.trials())) == judge.trained.total() < trials * 9
    assert all(t.state.is_finished() for t in run.ledger.trials())
    assert statuses(run)["stopped"] == trials - reached[2]
    assert not list(run.folder.checkpoints.iterdir())
    front = front_trials(run.ledger.trials(), run.problem.budget)
    assert front
    assert {t.user_attrs["status"] for t in front} == {"trained"}


def test_with_eta_1_all_are_judged_on_the_way_and_none_is_stopped(tmp_path, silent):
    judge = Learning()
    run = make_run(tmp_path / "run", trials=8, sampler="random", **RUNGS | {"eta": 1})
    assert run.search(judge, silent) == "all trials done"
    plain = make_run(tmp_path / "plain", trials=8, sampler="random", budgets={"madds": "20M"})
    plain.search(Learning(), silent)
    assert statuses(run) == statuses(plain) == {"trained": 8}
    assert dict(judge.trained) == dict.fromkeys(range(8), 9)
    assert all(list(t.intermediate_values) == [1, 3, 9] for t in run.ledger.trials())
    assert [t.values for t in run.ledger.trials()] == [t.values for t in plain.ledger.trials()]


def test_a_search_too_short_for_its_share_still_trains_its_best_network_to_the_end(tmp_path, silent):
    run = make_run(tmp_path / "run", trials=2, **RUNGS)
    run.search(Learning(), silent)
    best, other = sorted(run.ledger.trials(), key=lambda t: -max(t.intermediate_values))
    assert statuses(run) == {"trained": 1, "stopped": 1}
    assert max(best.intermediate_values) == 9
    assert max(other.intermediate_values) == 1


def test_stopped_and_waiting_networks_inform_samplers_and_are_not_proposed_again(tmp_path, silent):
    run = make_run(tmp_path / "run", trials=20, sampler="nsga2", **RUNGS)
    run.search(Learning(), silent)
    trials = run.ledger.trials()
    keys = [t.user_attrs["key"] for t in trials if t.user_attrs["status"] in ("trained", "stopped")]
    assert len(keys) == len(set(keys))
    for trial in trials:
        if trial.user_attrs["status"] == "stopped":
            assert trial.state == TrialState.PRUNED
            assert 0 < trial.user_attrs["expected"] <= 1
            assert trial.user_attrs["expected_se"] > 0
    mirror = Mirror(["maximize", "minimize"], run.problem.budget, Halving(run.problem, run.problem.rule).hopes)
    mirror.sync(run.ledger)
    history = read(mirror.study, run.problem.domain, {})
    assert sorted(history.numbers) == [t.number for t in trials if t.user_attrs["status"] in ("trained", "stopped")]
    row = history.numbers.tolist().index(next(t.number for t in trials if t.user_attrs["status"] == "stopped"))
    stopped = trials[history.numbers[row]]
    assert history.top1[row] == stopped.user_attrs["expected"]
    assert history.error[row] == stopped.user_attrs["expected_se"]


def test_a_dominated_curve_has_no_chance_and_the_cheapest_network_has_every():
    rng = np.random.default_rng(0)
    first = 0.5 + 0.1 * rng.random(12)
    curves = np.column_stack([first, first + 0.2 + 0.002 * rng.standard_normal(12)])
    curves[9:, 1] = np.nan
    curves[9:, 0] = 0.45, 0.45, 0.9  # dominated, the cheapest, better than all
    costs = np.array([[5.0 + i] for i in range(9)] + [[20.0], [1.0], [20.0]])
    now = Standing(numbers=np.arange(12), curves=curves, costs=costs, sizes=np.ones(12), waits=np.isnan(curves[:, 1]),
                   fits=np.ones(12, dtype=bool))  # fmt: skip
    assert now.chance[9] < 0.05
    assert now.chance[10] == 1
    assert now.chance[11] > 0.9
    assert now.foretold(0)
    assert now.worth[9] < 1e-3 * now.worth[11]  # what is beaten adds nothing


def test_worth_is_the_hypervolume_that_a_known_end_adds():
    curves = np.column_stack([np.full(6, 0.5), [0.6, 0.7, 0.6, 0.7, 0.6, np.nan]])
    costs = np.array([[1.0], [3.0], [1.0], [3.0], [1.0], [2.0]])
    final = np.where(np.isnan(curves[:, 1]), 0.65, curves[:, 1])
    known = Standing(numbers=np.arange(6), curves=np.column_stack([curves[:, 0], final]), costs=costs, sizes=np.ones(6),
                     waits=np.zeros(6, dtype=bool), fits=np.array([True] * 5 + [False]))  # fmt: skip
    assert known.worth[5] == pytest.approx((0.65 - 0.6) * (3.0 - 2.0), rel=1e-6)  # over 2 to 3, where 0.7 begins


def test_on_a_ladder_the_best_of_a_rung_is_what_must_be_beaten(tmp_path, silent):
    run = make_run(tmp_path / "run", trials=12, sampler="random", **RUNGS)
    run.search(Learning(), silent)
    ladder = replace(run.problem, ladder=(10e6, 20e6))
    now = Halving(ladder, Rule(rungs=(1, 3, 9))).look(run.ledger.trials())
    assert set(now.costs[:, 0]) == {0.0, 1.0}
    assert sorted(set(now.sizes)) == sorted({float(t.user_attrs["costs"]["madds"]) for t in run.ledger.trials()})


def test_a_time_limit_leaves_waiting_networks_and_going_on_promotes_them(tmp_path, silent):
    judge = Learning()
    run = make_run(tmp_path / "run", trials=20, timeout=0.3, sampler="random", **RUNGS)
    assert run.search(judge, silent) == "time limit"
    assert statuses(run)["stopped"] == 0
    waited = statuses(run)["waiting"]
    run = make_run(tmp_path / "run", trials=20, sampler="random", **RUNGS)
    run.search(judge, silent)
    assert waited < statuses(run)["stopped"] + statuses(run)["trained"] == 20
    assert {t.number: max(t.intermediate_values) for t in run.ledger.trials()} == dict(judge.trained)


def test_trainings_that_fail_are_no_results_and_the_run_goes_on(tmp_path, silent):
    judge = Learning(fails_at=3)
    run = make_run(tmp_path / "run", trials=20, sampler="random", **RUNGS)
    run.search(judge, silent)
    assert statuses(run)["failed"] >= 1
    assert all(t.state.is_finished() for t in run.ledger.trials())


def test_a_tighter_budget_stops_what_waits_and_does_not_fit(tmp_path, silent):
    class Tired(Learning):
        def evaluate(self, arch, job):
            if len(self.trained) == 8:
                raise KeyboardInterrupt
            return super().evaluate(arch, job)

    run = make_run(tmp_path / "run", trials=20, sampler="random", **RUNGS)
    with pytest.raises(KeyboardInterrupt):
        run.search(Tired(), silent)
    waited = statuses(run)["waiting"]
    assert waited > 2
    for trial in run.ledger.trials():
        (run.folder.checkpoints / f"trial-{trial.number}").mkdir(parents=True, exist_ok=True)
    tighter = make_run(tmp_path / "run", trials=20, sampler="random", **{**RUNGS, "budgets": {"madds": "4M"}})
    left = {int(path.name.removeprefix("trial-")) for path in run.folder.checkpoints.iterdir()}
    closed = {t.number for t in tighter.ledger.trials()
              if t.state.is_finished() and t.user_attrs["status"] != "trained"}  # fmt: skip
    assert left == {t.number for t in tighter.ledger.trials()} - closed
    assert 0 < len(left) < len(tighter.ledger.trials())
    stopped = [t for t in tighter.ledger.trials() if t.user_attrs["status"] == "stopped"]
    assert stopped
    assert all(t.user_attrs["costs"]["madds"] > 4e6 for t in stopped)
    tighter.search(Learning(), silent)
    assert all(t.state.is_finished() for t in tighter.ledger.trials())


def test_results_of_an_earlier_run_are_rivals(tmp_path, silent):
    first = make_run(tmp_path / "first", trials=12, epochs=9, sampler="random", budgets=RUNGS["budgets"])
    first.search(Learning(), silent)
    run = make_run(tmp_path / "run", trials=10, sampler="random", **RUNGS)
    run.take_over([Earlier(name="first", config=first.config, trials=first.ledger.trials())])
    run.search(Learning(), silent)
    counts = statuses(run)
    assert counts["given"] == 12
    assert counts["stopped"] + counts["trained"] == 10


def test_an_evaluator_that_cannot_halt_is_refused(tmp_path, silent):
    run = make_run(tmp_path / "run", trials=3, **RUNGS)
    with pytest.raises(RunError, match="last rung is epoch 9"):
        run.search(SyntheticEvaluator(), silent)


def test_stopping_and_going_on_gives_the_same_trials(tmp_path, silent):
    class Tired(Learning):
        def __init__(self, calls):
            super().__init__()
            self.left = calls

        def evaluate(self, arch, job):
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
            return super().evaluate(arch, job)

    options = {"trials": 16, "sampler": "nsga2", **RUNGS}
    for calls in (3, 7, 5):
        with pytest.raises(KeyboardInterrupt):
            make_run(tmp_path / "parts", **options).search(Tired(calls), silent)
    for folder in ("parts", "whole"):
        make_run(tmp_path / folder, **options).search(Learning(), silent)
    assert tale(make_run(tmp_path / "parts", **options)) == tale(make_run(tmp_path / "whole", **options))


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["greybox", "nsga2"])
def test_sigkill_at_random_moments_changes_nothing(tmp_path, sampler):
    rng, options = random.Random(sampler), {"sampler": sampler, "trials": 40, "finalists": 2, **RUNGS}
    for _ in range(5):
        worker = start(tmp_path / "killed", delay=0.03, **options)
        time.sleep(rng.uniform(0.1, 0.7))
        kill(worker)
    for folder in ("killed", "whole"):
        finish(start(tmp_path / folder, **options))
    killed, whole = (make_run(tmp_path / name, **options) for name in ("killed", "whole"))
    assert tale(killed) == tale(whole)
    assert whole.ledger.tally().begun == 40


@pytest.mark.slow
def test_two_workers_lose_nothing_and_keep_the_share(tmp_path):
    options = {"sampler": "nsga2", "trials": 40, "finalists": 2, **RUNGS}
    finish(*[start(tmp_path / "run", delay=0.02, **options) for _ in range(2)])
    run = make_run(tmp_path / "run", **options)
    begun = [t for t in run.ledger.trials() if t.intermediate_values]
    assert len(begun) == 40
    assert all(t.state.is_finished() for t in run.ledger.trials())
    reached = [sum(max(t.intermediate_values) >= epochs for t in begun) for epochs in (1, 3, 9)]
    assert reached[1] <= 13
    assert reached[2] <= reached[1] // 3
    assert not list(RunFolder(tmp_path / "run").checkpoints.glob("trial-*"))


def test_a_rung_that_ends_while_others_look_is_sent_on_not_stopped(tmp_path, silent):
    run = make_run(tmp_path / "run", trials=5, sampler="random", **RUNGS | {"eta": 1})
    limits = Limits(trials=5)
    workers = [
        Worker(run.folder, run.ledger, Learning(), seed=0, watch=silent, proposer=lambda name: Proposer(
            run.problem, run.ledger, sampler="random", seed=0, worker=name)) for _ in range(2)
    ]  # fmt: skip
    for worker in workers:
        worker._halving = Halving(run.problem, run.problem.rule)
    one, other = workers
    for _ in range(4):
        for _ in range(3):
            taken, _ = one._take(limits, late=False)
            one._evaluate(run.problem, *taken, None)
    taken, _ = other._take(limits, late=False)
    ask = one._new

    def meanwhile(limits):
        """Between this worker's look at who may go on and its look at who runs, the other one's rung ends."""
        told = ask(limits)
        other._evaluate(run.problem, *taken, None)
        return told

    one._new = meanwhile
    again, _ = one._take(limits, late=False)
    assert again[0] == taken[0]
    assert statuses(run)["stopped"] == 0
    for worker in workers:
        worker.leave()
