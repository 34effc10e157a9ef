"""No sampler ever gets a network over budget trained, nor one network twice."""

import pytest

from archsearch import plugins
from archsearch.cost.budget import Budget
from archsearch.records import TRAINED
from archsearch.search.propose import Problem, Proposer, is_first
from archsearch.spec.narrow import restricted
from archsearch.spec.space_file import read_space
from tests.search.conftest import Noting, Silent, make_run

BUDGETS = {"madds": "4M..30M", "params": "1.2M", "peak_memory": "60%"}


def evaluated_by(tmp_path, sampler, proposals, **options):
    """An evaluator that has seen a search of at least `proposals` trials in the study."""
    evaluator = Noting()
    trials = 0
    while trials < proposals:
        done = len(evaluator.evaluated)
        run = make_run(tmp_path / "run", sampler=sampler, trials=done + max(5, (proposals - trials) // 2), **options)
        run.search(evaluator, Silent())
        trials = len(run.ledger.trials())
        if len(evaluator.evaluated) == done:
            break
    return evaluator, run


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["random", "nsga2", "nsga3", "tpe"])  # one by one; all at once: hard_limits
def test_500_trials_hold_three_budgets_and_repeat_nothing(tmp_path, sampler):
    evaluator, run = evaluated_by(tmp_path, sampler, 500, budgets=BUDGETS)
    assert len(run.ledger.trials()) >= 500
    assert len(evaluator.evaluated) > 100
    for _, costs in evaluator.evaluated:
        assert 4_000_000 <= costs["madds"] <= 30_000_000
        assert costs["params"] <= 1_200_000
        assert costs["peak_memory"] <= 0.6 * 1_966_080
    keys = [key for key, _ in evaluator.evaluated]
    assert len(set(keys)) == len(keys)


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["gp", "nsga2", "tpe"])
def test_a_space_of_many_duplicates_gives_each_network_once(tmp_path, sampler):
    proposals = 25 if sampler == "gp" else 200
    options = {"space": "nas_bench_macro", "budgets": {"madds": "40%"}}
    evaluator, run = evaluated_by(tmp_path, sampler, proposals, **options)
    keys = [key for key, _ in evaluator.evaluated]
    assert len(set(keys)) == len(keys) == sum(map(is_first, run.ledger.trials()))
    assert max(costs["madds"] for _, costs in evaluator.evaluated) <= 0.4 * 105_660_928


def test_over_budget_proposals_carry_a_broken_constraint_and_no_training(tmp_path, silent):
    run = make_run(tmp_path / "run", sampler="nsga2", trials=15, budgets={"madds": "8M"})
    run.search(Noting(), silent)
    over = [t for t in run.ledger.trials() if t.user_attrs["status"] == "over_budget"]
    assert over
    for trial in over:
        assert trial.user_attrs["costs"]["madds"] > 8_000_000
        assert max(trial.constraints.values()) > 0
        assert "seconds" not in trial.user_attrs
    for trial in run.ledger.trials():
        if trial not in over:
            assert max(trial.constraints.values()) <= 0


def test_a_replayed_network_has_the_first_ones_result(tmp_path, silent):
    run = make_run(tmp_path / "run", sampler="nsga2", trials=50, space="nas_bench_macro", budgets={"madds": "25%"})
    run.search(Noting(), silent)
    trials = run.ledger.trials()
    replays = [t for t in trials if t.user_attrs["status"] == "replayed"]
    assert replays
    for trial in replays:
        first = trials[trial.user_attrs["replay_of"]]
        assert first.user_attrs["status"] == "trained"
        assert (trial.values, trial.user_attrs["key"]) == (first.values, first.user_attrs["key"])


def test_a_search_ends_when_every_network_that_fits_has_been_tried(tmp_path, silent):
    evaluator = Noting()
    run = make_run(tmp_path / "run", sampler="random", trials=10_000, space="nas_bench_macro", budgets={"madds": "13M"})
    assert run.search(evaluator, silent) == "every network that fits has been tried"
    keys = {key for key, _ in evaluator.evaluated}
    assert len(keys) == len(evaluator.evaluated)
    space = run.problem.space
    from archsearch.cost.table import cost_table
    from archsearch.spec.canon import key

    codes = next(space.enumerate())
    fitting = codes[cost_table(space, ("madds",)).count(codes)["madds"] <= 13_000_000]
    assert keys == {key(space.decode(code)) for code in fitting}


@pytest.mark.parametrize("sampler", plugins.names("samplers"))
def test_a_space_of_one_network_is_searched_in_one_trial(tmp_path, silent, sampler):
    path = tmp_path / "one.toml"
    path.write_text("resolution = 16\n[[stage]]\nwidth = 8\n")
    run = make_run(tmp_path / "run", space=str(path), budgets={}, sampler=sampler, trials=3)
    assert run.search(Noting(), silent) == "every network that fits has been tried"
    assert len(run.ledger.trials()) == 1


@pytest.mark.parametrize("fixed", [2, 8])
@pytest.mark.parametrize("sampler", ["greybox", "random", "tpe"])
def test_axes_narrowed_to_one_value_are_no_trouble(tmp_path, silent, sampler, fixed):
    space = read_space("nas_bench_macro")
    narrowed = restricted(space, {axis.name: axis.values[1] for axis in space.axes[:fixed]})
    problem = Problem(space=narrowed, budget=Budget())
    ledger = make_run(tmp_path / "run", space="nas_bench_macro", budgets={}, trials=9).ledger
    proposer = Proposer(problem, ledger, sampler=sampler, seed=0, worker="someone")
    for _ in range(min(9, narrowed.size)):
        number, arch = proposer.next()
        costs = problem.costs(narrowed.encode(arch))
        ledger.finish(number, problem.values(0.5, costs), {"status": TRAINED, "top1": 0.5})
    if narrowed.size == 1:
        assert proposer.next() is None
