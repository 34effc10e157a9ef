"""Many workers at once on the default sampler: what is being trained is taken into account by the next proposals."""

import pytest
from optuna.trial import TrialState

from archsearch.records import GAIN
from archsearch.search.propose import Proposer
from tests.search.conftest import Noting, make_run
from tests.search.workers import finish, start

OPTIONS = {"space": "nas_bench_macro", "budgets": {"madds": "60M"}, "sampler": "greybox", "finalists": 1}
WORKERS = 8


@pytest.mark.parametrize("minimize", [(), ("madds",), ("madds", "params")], ids=len)
def test_proposals_while_others_train_are_new_differ_and_promise_less_than_the_first(tmp_path, silent, minimize):
    run = make_run(tmp_path / "run", **OPTIONS, minimize=minimize, trials=24)
    run.search(Noting(), silent)
    known = set(run.ledger.tally().by_key)
    proposer = Proposer(run.problem, run.ledger, sampler="greybox", seed=0, worker="someone")
    found = [proposer.next() for _ in range(WORKERS)]
    assert None not in found
    trials = run.ledger.trials()
    keys = [trials[number].user_attrs["key"] for number, _ in found]
    assert len(set(keys)) == WORKERS
    assert not known & set(keys)
    assert all(trials[number].state == TrialState.RUNNING for number, _ in found)
    gains = [trials[number].system_attrs[GAIN] for number, _ in found]
    assert max(gains[1:]) < gains[0]
    assert sum(gains[WORKERS // 2 :]) < sum(gains[: WORKERS // 2])


def test_a_pending_network_changes_what_is_proposed_next(tmp_path, silent):
    run = make_run(tmp_path / "run", **OPTIONS, trials=24)
    run.search(Noting(), silent)
    proposer = Proposer(run.problem, run.ledger, sampler="greybox", seed=0, worker="someone")
    first, _ = proposer.next()
    again = Proposer(run.problem, run.ledger, sampler="greybox", seed=0, worker="another")
    second, _ = again.next()  # it has seen the first one on the way, in the study alone
    costs = [run.ledger.trials()[number].user_attrs["costs"]["madds"] for number in (first, second)]
    keys = [run.ledger.trials()[number].user_attrs["key"] for number in (first, second)]
    assert keys[0] != keys[1]
    assert costs[0] != costs[1]


@pytest.mark.slow
def test_eight_processes_share_a_search_evenly_and_repeat_nothing(tmp_path):
    amount = 5 * WORKERS
    finish(*[start(tmp_path / "run", delay=1.5, trials=amount, **OPTIONS) for _ in range(WORKERS)])
    run = make_run(tmp_path / "run", trials=amount, **OPTIONS)
    trials = [t for t in run.ledger.trials() if t.user_attrs["status"] == "trained"]
    assert len(trials) == len({t.user_attrs["key"] for t in trials}) == amount
    workers = [t.user_attrs["worker"] for t in trials]
    assert len(set(workers)) == WORKERS
    began = sorted(t.datetime_start for t in trials)
    assert min(workers.count(name) for name in set(workers)) >= 2, began
