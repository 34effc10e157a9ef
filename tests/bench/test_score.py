"""Figures of a race, worked out by hand; quantiles against numpy's."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsearch.bench.goal import goal
from archsearch.bench.race import Rules, race
from archsearch.bench.score import first, handed_sets, quantile, score, summary, told_counts
from archsearch.cost.budget import Limit
from archsearch.errors import BudgetError
from tests.bench.courses import CODES, MADDS, TOP1, Script, eighty_one, six


def _run(codes, course=None, hands_over=None, **rules):
    course = course or six()
    kept = Rules(**rules)
    return race(course, Script(codes, hands_over), kept, np.random.default_rng(0)), course, kept


def test_the_goal_of_six_networks():
    aim = goal(six(), [])
    assert aim.references["min"].tolist() == pytest.approx([-0.4, 35])
    assert aim.references["median"].tolist() == pytest.approx([-0.65, 35])
    assert "strict" not in aim.references
    assert aim.volumes["min"] == pytest.approx(0.1 * 10 + 0.3 * 10 + 0.4 * 5)
    assert aim.volumes["median"] == pytest.approx(0.05 * 10 + 0.15 * 5)
    assert (len(aim.front), aim.best, aim.top, aim.exact, aim.networks) == (4, 0.9, 0.9, True, 6)


def test_a_third_reference_and_a_limit_on_the_best_network_may_be_given():
    aim = goal(six(), [], strict=0.75, under=Limit(high=30))
    assert aim.volumes["strict"] == pytest.approx(0.05 * 5)
    assert aim.best == pytest.approx(0.8)
    with pytest.raises(BudgetError, match="within --under"):
        goal(six(), [], under=Limit(high=9))


def test_a_hard_limit_leaves_the_rest_out_of_the_goal():
    aim = goal(six(limit="30"), [])
    assert aim.references["min"].tolist() == pytest.approx([-0.4, 30])
    assert (aim.best, aim.networks, len(aim.front)) == (pytest.approx(0.8), 5, 3)


def test_accuracy_alone_is_a_goal_of_one_column():
    aim = goal(six(minimize=()), [])
    assert aim.references["min"].tolist() == pytest.approx([-0.4])
    assert aim.volumes["min"] == pytest.approx(0.5)
    assert len(aim.front) == 1


def test_shares_of_hypervolume_after_each_evaluation():
    log, course, rules = _run([(0, 1), (1, 0), (2, 0), (0, 0), (2, 1)], budget=6)
    marks = score(log, goal(course, []), rules)
    # covered: nothing above 0.4; 0.3 over 15; then 0.1 more over 5; then 0.1 over 10; the dearest adds no area
    assert marks.volume["min"] == pytest.approx(np.array([0, 4.5, 5, 6, 6, 6]) / 6)
    assert marks.best == pytest.approx([0.4, 0.7, 0.8, 0.8, 0.9, 0.9])
    assert marks.front_share.tolist() == [0, 0.25, 0.5, 0.75, 1, 1]


def test_the_best_network_counts_only_where_it_is_cheap_enough():
    log, course, rules = _run([(2, 1), (1, 0), (2, 0)], budget=3)
    marks = score(log, goal(course, [], under=Limit(high=20)), rules)
    assert math.isnan(marks.best[0])
    assert marks.best[1:].tolist() == pytest.approx([0.7, 0.7])


def test_under_noise_the_set_handed_over_is_judged_by_the_truth():
    codes = [tuple(code) for code in CODES]
    log, course, rules = _run(codes, hands_over=[2, 4], budget=6, noisy=True)
    assert log.handed == {6: [2, 4]}
    marks = score(log, goal(course, []), rules)
    assert marks.volume["min"][-1] == pytest.approx((0.3 * 10 + 0.4 * 5) / 6)
    assert marks.best[-1] == pytest.approx(0.8)  # the dearest of the set
    assert marks.volume["min"][3] == pytest.approx((0.1 * 10 + 0.3 * 15) / 6)  # before: the front of what was seen


def test_the_front_of_what_was_seen_is_handed_over_by_default():
    log, _, _ = _run([(0, 1), (0, 0), (1, 0)], budget=3, noisy=True)
    sets = handed_sets(log, np.array([True, True, False]))
    assert [rows for rows, _ in sets] == [[0], [1], [1, 2]]
    assert [best for _, best in sets] == [0, 1, 1]


def test_three_objectives_are_scored_too():
    log, course, rules = _run([tuple(code) for code in CODES], six(minimize=("madds", "params")), budget=6)
    aim = goal(course, [])
    marks = score(log, aim, rules)
    assert aim.volumes["min"] > 0
    assert marks.volume["min"][-1] == pytest.approx(1)
    assert (np.diff(marks.volume["min"]) >= 0).all()


def test_everything_found_is_all_of_the_goal_on_any_order():
    course = eighty_one()
    aim = goal(course, [])
    for seed in range(5):
        codes = np.random.default_rng(seed).permutation(course.whole.codes)
        log, _, rules = _run(codes, course, budget=81)
        marks = score(log, aim, rules)
        assert [marks.volume[name][-1] for name in aim.references] == pytest.approx([1, 1])
        assert marks.front_share[-1] == 1
        assert marks.best[-1] == aim.best


def test_the_summary_has_medians_and_nothing_where_half_of_the_seeds_did_not_arrive():
    course = six()
    aim, rules = goal(course, []), Rules(budget=6)
    orders = [[2, 4, 0], [0, 2, 4], [1, 3, 5]]  # the first two get there after three, the last one never
    logs = [_run([tuple(CODES[i]) for i in order], course, budget=6)[0] for order in orders]
    told = summary(logs, [score(log, aim, rules) for log in logs], aim, rules)
    assert told["evaluations_to"]["min"]["0.999"] == 3
    assert told["evaluations_to_quartiles"]["min"]["0.999"] == [3, None]
    assert told["hypervolume_at"]["min"]["6"] == pytest.approx(1)
    assert told["hypervolume_at"]["min"]["50"] is None
    assert told["evaluations_to_best"]["best"] is None
    assert told["ended"] == {"nothing left": 3}
    json.dumps(told, allow_nan=False)


def test_figures_are_told_at_50_100_200_their_doubles_and_the_end():
    assert told_counts(30) == [30, 50, 100, 200]
    assert told_counts(200) == [50, 100, 200]
    assert told_counts(900) == [50, 100, 200, 400, 800, 900]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=9), st.sampled_from([0, 0.25, 0.5, 0.75, 1]))
def test_quantiles_of_known_values_are_those_of_numpy(values, share):
    assert quantile(values, share) == pytest.approx(np.quantile(values, share), rel=1e-9, abs=1e-6)


@given(st.lists(st.integers(1, 99), max_size=5), st.integers(0, 5))
def test_a_seed_that_did_not_arrive_is_infinite(values, lost):
    reached = [*map(float, values), *[math.inf] * lost]
    median = quantile(reached, 0.5)
    if lost > len(values) or (lost == len(values)):
        assert median is None
    else:
        assert median is not None
        assert min(values) <= median <= max(values)


def test_the_first_evaluation_at_which_something_holds():
    assert first(np.array([False, True, False, True])) == 2
    assert first(np.array([False, False])) == math.inf
    assert first(np.array([], dtype=bool)) == math.inf


def test_the_hand_made_numbers_are_what_the_course_says():
    course = six()
    assert course.truth(CODES).tolist() == pytest.approx(TOP1.tolist())
    assert course.costs(CODES, ("madds",))["madds"].tolist() == MADDS.tolist()
