"""The bookkeeping of a race, worked out by hand on six networks."""

import numpy as np
import pytest

from archsearch.bench.race import Rules, race
from tests.bench.courses import CODES, Script, six


def _race(script, course=None, **rules):
    return race(course or six(), script, Rules(**rules), np.random.default_rng(0))


def test_each_distinct_network_is_one_evaluation_and_a_repeated_one_is_free():
    script = Script([(1, 0), (1, 0), (2, 1), (1, 0), (0, 0), (0, 1)])
    log = _race(script, budget=3)
    assert log.codes.tolist() == [[1, 0], [2, 1], [0, 0]]
    assert log.truth.tolist() == pytest.approx([0.7, 0.9, 0.5])
    assert log.costs.ravel().tolist() == [20, 35, 10]
    assert (log.duplicates, log.over_budget, log.missing, log.ended) == (2, 0, 0, "budget")
    assert log.proposals.tolist() == [1, 3, 5]
    assert len(log.ask_ms) == 5
    assert [ticket for ticket, _ in script.told] == [0, 1, 2, 3, 4]
    assert [answer.top1 for _, answer in script.told] == pytest.approx([0.7, 0.7, 0.9, 0.7, 0.5])
    assert [answer.costs for _, answer in script.told] == [(20,), (20,), (35,), (20,), (10,)]


def test_a_network_over_budget_is_answered_from_its_costs_and_the_usual_accuracy():
    script = Script([(2, 1), (0, 0), (1, 0), (2, 1), (2, 0)])
    log = _race(script, six(limit="30"), budget=3)
    assert log.codes.tolist() == [[0, 0], [1, 0], [2, 0]]
    assert (log.over_budget, log.duplicates, log.ended) == (2, 0, "budget")
    first, _, _, last, fits = (answer for _, answer in script.told)
    assert not first.fits
    assert first.broken == {"madds<=30": pytest.approx((35 - 30) / 30)}
    assert last.top1 == pytest.approx(0.6)  # the median of 0.5 and 0.7
    assert fits.fits
    assert fits.broken == {"madds<=30": 0}


def test_a_network_that_the_table_does_not_hold_is_neither_evaluated_nor_a_duplicate():
    script = Script([(1, 1), (1, 1), (0, 0)])
    log = _race(script, six(left_out=(3,)), budget=1)
    assert (log.missing, log.duplicates, len(log.truth)) == (2, 0, 1)
    assert [answer.missing for _, answer in script.told] == [True, True, False]


def test_with_two_open_the_oldest_result_arrives_before_the_next_is_asked_for():
    events = []

    class Told(Script):
        def ask(self):
            events.append("ask")
            return super().ask()

        def tell(self, ticket, answer):
            events.append(ticket)

    _race(Told(CODES[:4]), budget=4, pending=2)
    assert events == ["ask", "ask", 0, "ask", 1, "ask", 2, 3]


def test_the_answer_to_a_network_that_is_open_comes_with_its_result():
    script = Script([(0, 0), (0, 0), (1, 0), (2, 0)])
    log = _race(script, budget=3, pending=2)
    assert [ticket for ticket, _ in script.told] == [0, 1, 2, 3]
    assert log.duplicates == 1
    assert log.codes.tolist() == [[0, 0], [1, 0], [2, 0]]


def test_a_run_ends_where_a_sampler_knows_of_nothing_more_and_open_results_still_arrive():
    script = Script([(0, 0), (1, 0)])
    log = _race(script, budget=5, pending=3)
    assert (len(log.truth), log.ended, len(script.told)) == (2, "nothing left", 2)


def test_a_sampler_that_only_repeats_itself_is_stopped():
    log = _race(Script([(0, 0)] * 10_000), budget=4)
    assert (len(log.truth), log.ended) == (1, "stalled")
    assert len(log.ask_ms) == Rules(budget=4).proposals == log.duplicates + 1


def test_noise_is_one_training_each_and_the_same_one_when_the_network_is_proposed_again():
    script = Script([(0, 0), (0, 0), *map(tuple, CODES)])
    log = race(six(), script, Rules(budget=6, noisy=True), np.random.default_rng(1))
    assert np.abs(log.shown - log.truth) == pytest.approx(0.01)
    assert len(set(np.sign(log.shown - log.truth))) == 2
    told = [answer.top1 for _, answer in script.told]
    assert told[0] == told[1] == told[2] == log.shown[0]
    assert [answer.error for _, answer in script.told] == pytest.approx([np.sqrt(2) * 0.01] * 8)


def test_what_a_sampler_hands_over_is_kept_as_rows():
    script = Script([(0, 1), (0, 1), (2, 0), (1, 0)], hands_over=[1, 3, 2])
    log = _race(script, budget=3, noisy=True)
    assert log.handed == {3: [1, 2]}  # ticket 1 was a duplicate: it has no row of its own


def test_without_noise_nobody_is_asked_what_to_hand_over():
    assert _race(Script([(0, 0)], hands_over=[0]), budget=1).handed == {}


def test_another_training_asked_for_as_such_is_an_evaluation_and_shows_another_seed():
    codes = [(0, 0), (0, 0), (1, 0), (0, 0), (0, 0)]
    log = _race(Script(codes, again=(1, 4)), budget=4, noisy=True, repeats=True)
    assert log.codes.tolist() == [[0, 0], [0, 0], [1, 0], [0, 0]]
    assert (log.repeats, log.duplicates) == (2, 1)  # the fourth proposal did not ask for a training
    shown = log.shown[[0, 1, 3]]
    assert sorted({*shown.round(6).tolist()}) == pytest.approx([0.49, 0.51])  # both seeds, then the first again
    assert log.truth.tolist() == pytest.approx([0.5, 0.5, 0.7, 0.5])


def test_another_training_is_a_duplicate_where_the_rules_allow_none():
    log = _race(Script([(0, 0), (0, 0), (1, 0)], again=(1,)), budget=2, noisy=True)
    assert (log.repeats, log.duplicates, len(log.truth)) == (0, 1, 2)
