"""Halted trainings replayed on a table."""

from dataclasses import replace

import numpy as np
import pytest

from archsearch.bench.goal import best_known
from archsearch.bench.rungs import ORACLE, Play, replayed, run, telling, ways, with_curves
from archsearch.bench.rungs_told import WHOLE, Story, figures, needed
from archsearch.cost.feasible import read_budget
from archsearch.evaluate.landscapes import tabulated
from archsearch.search.propose import Problem
from archsearch.search.rungs import Rule
from archsearch.spec.space_file import read_space

SPACE = read_space("nas_bench_macro")


@pytest.fixture(scope="module")
def problem() -> Problem:
    table = tabulated("additive", SPACE)
    return Problem(space=SPACE, budget=read_budget({"madds": "60M"}, SPACE), minimize=("madds",), table=table)


def test_a_replay_spends_what_it_may_and_the_same_seed_tells_the_same(problem):
    play = Play(sampler="random", seeds=(0,), trainings=5, ways=ways(Rule(rungs=(1, 9), eta=3)))
    whole, halted = (run(problem, play, way, 0) for way in (WHOLE, "pareto-asha"))
    assert len(whole.spent) == 5
    assert whole.spent.tolist() == [9, 18, 27, 36, 45]
    assert halted.networks > 8
    assert halted.spent.max() <= 45
    again = run(problem, play, "pareto-asha", 0)
    assert again.points.tolist() == halted.points.tolist()
    short = Play(sampler="random", seeds=(0,), trainings=4, ways={WHOLE: None, "a": Rule(rungs=(1, 9))})
    told = replayed(problem, short)
    assert told["ways"][WHOLE]["references"]["min"]["times_fewer"] == 1
    assert 0 < told["rank_correlation"]["1"] < 1


def test_curves_that_are_less_unlike_tell_more_and_the_end_told_at_once_tells_all(problem):
    told = {}
    for slower in (0.0, 0.1, 0.4):
        play = Play(sampler="random", seeds=(3,), trainings=4, ways=ways(Rule(rungs=(1, 9), eta=3)), slower=slower)
        told[slower] = telling(problem.table, play)["1"]
    assert told[0.0] > told[0.1] > told[0.4]
    knowing = run(problem, play, ORACLE, 3)
    trained = [point[0] for point in knowing.points.tolist()]
    whole = run(problem, replace(play, trainings=knowing.networks), WHOLE, 3)
    known = whole.points[: knowing.networks]  # the same networks: the sampler draws them in the same order
    assert min(trained) == min(known[:-1, 0])  # the most accurate one of those begun is never left behind


def test_needed_epochs_and_times_fewer_by_hand():
    at = np.array([0.0, 10.0])
    slow = Story(spent=np.array([10.0, 20.0]), points=np.array([[-0.5, 5.0], [-0.9, 5.0]]), networks=2)
    fast = Story(spent=np.array([5.0]), points=np.array([[-0.9, 5.0]]), networks=5)
    assert needed(slow, at, 2.5) == 10
    assert needed(slow, at, 4.5) == 20
    assert needed(fast, at, 4.6) == np.inf
    points = np.concatenate([slow.points, [[-0.4, 6.0]]])
    goal = best_known(points, [point.tobytes() for point in points])
    told = figures({WHOLE: [slow], "fast": [fast]}, goal, epochs=20)
    assert told["ways"]["fast"]["references"]["min"]["times_fewer"] == 4
    nothing = Story(spent=np.array([10.0]), points=np.array([[-0.4, 6.0]]), networks=1)
    told = figures({WHOLE: [nothing], "fast": [fast]}, goal, epochs=20)
    assert told["ways"]["fast"]["references"]["median"]["times_fewer"] is None  # there is nothing to be reached


def test_curves_of_a_replay_end_at_the_table(problem):
    table = with_curves(problem.table, 9, np.random.default_rng(0))
    assert np.allclose(table.curves[:, -1], table.mean)
