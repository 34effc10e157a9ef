"""Four processes at once, every sampler there is, one objective to three: no limit broken, no network twice."""

import pytest

from archsearch import plugins
from tests.search.conftest import make_run
from tests.search.workers import finish, start

BUDGETS = {"madds": "15M..45M", "params": "80%"}
OBJECTIVES = [(), ("madds",), ("madds", "params")]
TRIALS = 20
SLOW = {"gp": 6}  # a proposal takes it a second


@pytest.mark.slow
@pytest.mark.parametrize("minimize", OBJECTIVES, ids=len)
@pytest.mark.parametrize("sampler", plugins.names("samplers"))
def test_four_processes_break_no_limit_and_repeat_nothing(tmp_path, sampler, minimize):
    amount = SLOW.get(sampler, TRIALS)
    options = {
        "space": "nas_bench_macro", "budgets": BUDGETS, "minimize": minimize, "sampler": sampler, "trials": amount,
        "finalists": 1,
    }  # fmt: skip
    finish(*[start(tmp_path / "run", **options) for _ in range(4)])
    run = make_run(tmp_path / "run", **options)
    trials = run.ledger.trials()
    assert [t.number for t in trials] == list(range(len(trials)))
    assert all(t.state.is_finished() for t in trials)
    trained = [t for t in trials if t.user_attrs["status"] == "trained"]
    assert len(trained) == len({t.user_attrs["key"] for t in trained}) == amount
    params = run.problem.budget.limits["params"].high
    for trial in trained:
        costs = trial.user_attrs["costs"]
        assert 15_000_000 <= costs["madds"] <= 45_000_000
        assert costs["params"] <= params
        assert max(trial.constraints.values()) <= 0
        assert trial.values == [trial.user_attrs["top1"], *(costs[name] for name in minimize)]
    for trial in trials:
        assert (max(trial.constraints.values()) > 0) == (trial.user_attrs["status"] == "over_budget")
    assert sum(name.startswith("archsearch:test:") for name in run.ledger.study.user_attrs) == 1
