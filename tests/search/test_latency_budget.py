"""A limit on latency: predicted while searching, measured before anything is reported; on a device that is made up."""

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from archsearch.cost.budget import Budget, Limit, lower_by_expectation
from archsearch.cost.count import BOUND, bind
from archsearch.cost.feasible import read_budget
from archsearch.cost.latency import metrics_of, read_table
from archsearch.errors import RunError
from archsearch.measure.local import Local
from archsearch.measure.method import Effort
from archsearch.measure.model import whole
from archsearch.measure.pick import reference
from archsearch.records import TIMED, RunFolder
from archsearch.search import timed
from archsearch.search.believed import chosen, reported
from archsearch.search.config import RunConfig
from archsearch.search.propose import Problem
from archsearch.search.run import latency_hash, open_run, space_hash
from archsearch.search.timed import digest, standing
from archsearch.spec.arch import Arch
from tests.latency_tables import fake_table, small_space, stopwatch, true_ms
from tests.measure.fake import cost_ms
from tests.search.conftest import Noting, story

QUICK = Effort(least=3, most=6)
LIMIT_MS = 0.35


@pytest.fixture(autouse=True)
def unbound():
    yield
    BOUND.clear()


def timed_run(folder, table, *, limit="0.35ms", minimize=("latency",), ladder=(), **options):
    """A run under a limit on latency, searched and not timed yet."""
    bind(*metrics_of(table))
    space = small_space()
    budgets = {"latency_upper": limit}
    budget = lower_by_expectation(read_budget(budgets, space))
    problem = Problem(space=space, budget=budget, minimize=minimize, latency=table, ladder=ladder)
    config = RunConfig(
        space="tiny", space_hash=space_hash(space), data="none", data_hash="", budgets=budgets, minimize=minimize,
        evaluator="synthetic", latency="t.json", latency_hash=latency_hash(table), latency_device="fake",
        **{"trials": 24, "finalists": 3, **options},
    )  # fmt: skip
    return open_run(config, problem, RunFolder(folder))


def finished(folder, silent, table, **options):
    run, evaluator = timed_run(folder, table, **options), Noting()
    run.search(evaluator, silent)
    outcome = run.time(stopwatch(), silent, QUICK)
    run.finish(evaluator, silent)
    return run, evaluator, outcome


def arch_of(trial):
    return Arch.from_dict(trial.user_attrs["arch_json"])


@pytest.mark.parametrize("sampler", ["greybox", "random", "nsga2", "tpe"])
def test_a_table_that_is_too_low_is_found_out_and_the_front_holds_the_limit(tmp_path, silent, sampler):
    run, evaluator, outcome = finished(tmp_path / "run", silent, fake_table(share=0.6), sampler=sampler)
    trials, times = run.ledger.trials(), standing(run.ledger)
    trained = [t.user_attrs["costs"] for t in trials if t.user_attrs["status"] == "trained"]
    assert all(costs["latency_upper"] <= 350_000 for costs in trained)
    shown = reported(trials, run.problem, times)
    assert shown
    assert all(true_ms(arch_of(t)) <= LIMIT_MS for t in shown)
    assert all(t.user_attrs["key"] in times.results for t in shown)
    assert outcome.struck
    assert all(true_ms(arch_of(trials[number])) > LIMIT_MS for number in outcome.struck)
    tested = {t.number for t in trials if run.ledger.recall(f"archsearch:test:{t.number}")}
    assert tested
    assert not tested & {*outcome.struck}
    assert tested <= {t.number for t in shown}


def test_how_often_the_prediction_would_have_been_wrong_is_told(tmp_path, silent):
    run, _, outcome = finished(tmp_path / "run", silent, fake_table(share=0.8))
    first, alone, gone = replace(outcome, busy=0).lines()
    assert f"{outcome.networks} network(s) of the front measured on fake" in first
    assert outcome.error == pytest.approx(0.2, abs=0.03)
    assert f"wrong for {len(outcome.struck)} of {outcome.networks}" in alone
    assert gone == "struck out: " + ", ".join(f"#{number}" for number in outcome.struck)
    assert outcome.above_expected == outcome.networks
    assert outcome.above_upper == outcome.networks  # 0.8 x 1.1 is below 1


def test_a_true_table_strikes_nothing_out(tmp_path, silent):
    _, _, outcome = finished(tmp_path / "run", silent, fake_table(margin=1.15))
    assert outcome.struck == ()
    assert outcome.above_upper == 0
    assert outcome.error < 0.03


def test_the_search_itself_is_the_same_whatever_is_measured(tmp_path, silent):
    table = fake_table(share=0.8)
    one, other = timed_run(tmp_path / "one", table), timed_run(tmp_path / "other", table)
    for run in (one, other):
        run.search(Noting(), silent)
    one.time(stopwatch(), silent, QUICK)
    assert story(one) == story(other)


def test_a_kill_while_timing_loses_one_group_at_most_and_nothing_is_timed_twice(tmp_path, silent, monkeypatch):
    monkeypatch.setattr(timed, "GROUP", 2)
    table = fake_table(share=0.8)
    whole = timed_run(tmp_path / "whole", table)
    whole.search(Noting(), silent)
    whole.time(stopwatch(), silent, QUICK)
    run = timed_run(tmp_path / "run", table)
    run.search(Noting(), silent)
    with pytest.raises(KeyboardInterrupt):
        run.time(stopwatch(fail_after=900), silent, QUICK)
    known = {name for name in run.ledger.study.user_attrs if name.startswith("archsearch:latency:")}
    assert known
    again, device = timed_run(tmp_path / "run", table), stopwatch()
    again.time(device, silent, QUICK)
    texts = [run.ledger.trials()[int(name.rpartition(":")[2])].user_attrs["arch"] for name in known]
    assert not {*texts} & {*device.device.loaded}
    assert {*standing(again.ledger).results} == {*standing(whole.ledger).results}
    last = stopwatch()
    again.time(last, silent, QUICK)
    assert last.device.loaded == []


def test_what_another_device_measured_is_measured_again(tmp_path, silent):
    run, _, _ = finished(tmp_path / "run", silent, fake_table())
    place = {each["fingerprint"] for each in standing(run.ledger).results.values()}
    assert place == {digest(stopwatch().fingerprint())}
    other = stopwatch(name="faker", factor=0.5)
    outcome = run.time(other, silent, QUICK)
    times = standing(run.ledger).results
    assert {each["fingerprint"] for each in times.values()} == {digest(other.fingerprint())}
    assert outcome.networks == len(times) > 0
    for trial in reported(run.ledger.trials(), run.problem, standing(run.ledger), run.config.finalists):
        assert times[trial.user_attrs["key"]]["ms"] == pytest.approx(true_ms(arch_of(trial)) / 2)


def test_what_another_device_struck_out_comes_back(tmp_path, silent):
    run, _, slow = finished(tmp_path / "run", silent, fake_table(share=0.8))
    quick = run.time(stopwatch(name="faker", factor=0.1), silent, QUICK)
    assert slow.struck
    assert not quick.struck


def test_a_table_of_another_machine_gives_no_scale(tmp_path, silent):
    run = timed_run(tmp_path / "run", fake_table(), limit="2ms", trials=8)
    run.search(Noting(), silent)
    run.time(stopwatch(name="faker", factor=2.0), silent, QUICK)
    first = standing(run.ledger).results
    slower = timed_run(tmp_path / "run", fake_table(), limit="2ms", trials=24)  # more comes on the front, and is timed
    slower.search(Noting(), silent)
    slower.time(stopwatch(name="faker", factor=2.0, speed=lambda _: 1.5), silent, QUICK)
    then, keys = standing(slower.ledger).results, {t.user_attrs["key"]: t for t in slower.ledger.trials()}
    assert len(then) > len(first)
    for name, told in then.items():
        assert told["ms"] == pytest.approx(2 * true_ms(arch_of(keys[name])))
    (kept,) = (value for name, value in run.ledger.study.user_attrs.items() if name.startswith("archsearch:anchor:"))
    assert kept == pytest.approx(2 * cost_ms(reference()))


@dataclass
class Disturbed:
    """The fake device beside busy processes: intervals of the first sessions of each network are wide."""

    sessions: int
    inner: Local = field(default_factory=stopwatch)
    seen: Counter[str] = field(default_factory=Counter)

    @property
    def settings(self):
        return self.inner.settings

    def fingerprint(self):
        return self.inner.fingerprint()

    def measure(self, models, reference, **options):
        found, anchor = self.inner.measure(models, reference, **options)
        self.seen.update(each.name for each in found)
        return [self.disturbed(each) for each in found], anchor

    def disturbed(self, told):
        if self.seen[told.name] > self.sessions:
            return replace(told, foreign_load=0.0)
        return replace(told, low=0.5 * told.ms, high=1.5 * told.ms, foreign_load=2.0)


def test_a_disturbed_measurement_that_leaves_the_limit_open_is_made_again(tmp_path, silent):
    run = timed_run(tmp_path / "run", fake_table())
    run.search(Noting(), silent)
    device = Disturbed(sessions=timed.SESSIONS)
    outcome = run.time(device, silent, QUICK)
    assert outcome.struck == ()
    assert {*device.seen.values()} == {timed.SESSIONS, 2 * timed.SESSIONS}
    assert outcome.busy == sum(times == timed.SESSIONS for times in device.seen.values())
    assert f"other processes were busy while {outcome.busy} of {outcome.networks}" in outcome.lines()[-1]


def test_a_machine_that_never_rests_is_not_asked_for_ever(tmp_path, silent):
    run = timed_run(tmp_path / "run", fake_table())
    run.search(Noting(), silent)
    device = Disturbed(sessions=1000)
    outcome = run.time(device, silent, QUICK)
    assert outcome.struck
    assert max(device.seen.values()) == timed.TRIES * timed.SESSIONS
    again = Disturbed(sessions=1000)
    run.time(again, silent, QUICK)
    assert not again.seen


def test_what_the_front_holds_it_holds_when_it_is_measured_afresh(tmp_path, silent):
    table = fake_table(share=0.85)
    run = timed_run(tmp_path / "run", table)
    run.search(Noting(), silent)
    run.time(stopwatch(noise=0.02), silent)
    shown = reported(run.ledger.trials(), run.problem, standing(run.ledger), run.config.finalists)
    fresh = stopwatch(noise=0.03)
    fresh.device.rng = np.random.default_rng(1)
    models = [whole(arch_of(t), t.user_attrs["arch"]) for t in shown]
    found, _ = fresh.measure(models, reference(), anchor=None, effort=Effort(), seed=9)
    assert len(found) > 2
    assert all(each.ms <= LIMIT_MS for each in found)


def test_however_few_are_timed_in_a_round_all_that_is_reported_is_timed(tmp_path, silent, monkeypatch):
    monkeypatch.setattr(timed, "ROUND", 2)
    run, _, outcome = finished(tmp_path / "run", silent, fake_table(share=0.8))
    times = standing(run.ledger)
    shown = reported(run.ledger.trials(), run.problem, times, run.config.finalists)
    assert outcome.struck
    assert all(t.user_attrs["key"] in times.results for t in shown)


def test_where_accuracy_is_all_that_counts_as_many_are_timed_as_may_be_finalists(tmp_path, silent):
    run = timed_run(tmp_path / "run", fake_table(), minimize=(), finalists=2)
    run.search(Noting(), silent)
    trials = run.ledger.trials()
    few, many = (reported(trials, run.problem, most=most) for most in (2, 24))
    assert len(few) < len(many)
    assert {t.number for t in chosen(trials, run.problem, 2)} <= {t.number for t in few}
    device = stopwatch()
    run.time(device, silent, QUICK)
    assert len({*device.device.loaded} - {reference().name}) == len(few)


def test_a_rungs_winner_holds_its_own_rung(tmp_path, silent):
    rungs = (150_000.0, 220_000.0, 350_000.0)
    run, _, _ = finished(tmp_path / "run", silent, fake_table(share=0.8), minimize=("latency_upper",), ladder=rungs)
    trials, times = run.ledger.trials(), standing(run.ledger)
    best = chosen(trials, run.problem, 9, times)
    assert len(best) == len(rungs)
    for rung, trial in zip(rungs, best, strict=True):
        assert true_ms(arch_of(trial)) * 1e6 <= rung
        assert trial.user_attrs["key"] in times.results
    moved = [t for t in trials if t.user_attrs["key"] in times.results
             and times.worst(t, "latency_upper") > t.user_attrs["costs"]["latency_upper"]]  # fmt: skip
    assert moved


def test_accuracy_alone_is_minded_too(tmp_path, silent):
    run, _, outcome = finished(tmp_path / "run", silent, fake_table(share=0.8), minimize=())
    times = standing(run.ledger)
    for trial in chosen(run.ledger.trials(), run.problem, 9, times):
        assert true_ms(arch_of(trial)) <= LIMIT_MS
    assert outcome.networks


def test_limits_that_change_judge_measurements_anew(tmp_path, silent):
    table = fake_table(share=0.8)
    run, _, first = finished(tmp_path / "run", silent, table)
    wider, _, second = finished(tmp_path / "run", silent, table, limit="0.5ms")
    assert not {*first.struck} & {*second.struck}
    assert len(wider.ledger.trials()) == len(run.ledger.trials())


def test_the_runs_copy_of_the_table_is_whole_and_says_the_same(tmp_path, silent):
    table = fake_table()
    run = timed_run(tmp_path / "run", table)
    kept = read_table(run.folder.latency)
    assert latency_hash(kept) == latency_hash(table)
    assert latency_hash(replace(table, verified=None)) == latency_hash(table)
    with pytest.raises(RunError, match="latency 't.json' has changed"):
        timed_run(tmp_path / "run", fake_table(share=0.9))
    assert latency_hash(read_table(run.folder.latency)) == latency_hash(table)


def test_a_run_cut_off_before_its_command_was_written_begins_again(tmp_path):
    run = timed_run(tmp_path / "run", fake_table())
    for path in (*run.folder.root.glob("run.toml"), *run.folder.root.glob("study.*")):
        path.unlink()
    assert timed_run(tmp_path / "run", fake_table()).folder.latency.is_file()


def test_a_run_without_a_table_cannot_get_one(tmp_path):
    table = fake_table()
    run = timed_run(tmp_path / "run", table)
    plain = run.config.to_dict() | {"latency": None, "latency_hash": None, "latency_device": None}
    (tmp_path / "old").mkdir()
    with pytest.raises(RunError, match="begun with a latency table"):
        open_run(RunConfig.from_dict({k: v for k, v in plain.items() if v is not None}), run.problem, run.folder)


def test_the_lower_end_of_a_range_is_on_what_is_expected():
    budget = Budget(limits={"latency_upper": Limit(low=5.0, high=9.0), "madds": Limit(high=3.0)})
    parted = lower_by_expectation(budget)
    assert parted.limits["latency_upper"] == Limit(high=9.0)
    assert parted.limits["latency"] == Limit(low=5.0)
    assert parted.limits["madds"] == Limit(high=3.0)
    both = replace(budget, limits={**budget.limits, "latency": Limit(low=6.0, high=8.0)})
    assert lower_by_expectation(both).limits["latency"] == Limit(low=6.0, high=8.0)
    assert lower_by_expectation(Budget(limits={"latency_upper": Limit(high=9.0)})).limits["latency_upper"].high == 9.0


def test_a_range_holds_at_both_ends(tmp_path, silent):
    run, _, _ = finished(tmp_path / "run", silent, fake_table(share=0.9), limit="0.2ms..0.35ms")
    shown = reported(run.ledger.trials(), run.problem, standing(run.ledger))
    assert shown
    assert all(0.2 <= true_ms(arch_of(t)) * 1.0001 and true_ms(arch_of(t)) <= 0.35 for t in shown)


def test_measurements_are_kept_with_interval_and_device(tmp_path, silent):
    run, _, _ = finished(tmp_path / "run", silent, fake_table())
    shown = reported(run.ledger.trials(), run.problem, standing(run.ledger))
    for trial in shown:
        told = run.ledger.recall(TIMED.format(trial.number))
        assert told["low"] <= told["ms"] <= told["high"]
        assert told["name"] == trial.user_attrs["arch"]
        assert len(told["fingerprint"]) == 12
