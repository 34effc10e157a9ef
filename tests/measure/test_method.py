"""The measuring method on a made-up clock: drift, noise, bursts, precision."""

import numpy as np
import pytest

from archsearch.measure.method import Effort, measure, warm_up
from tests.measure.fake import FakeModel


class Machine:
    """Its speed changes with the time that has passed."""

    def __init__(self, slowness, noise=0.0):
        self.now, self.slowness, self.noise, self.rng = 0.0, slowness, noise, np.random.default_rng(0)

    def model(self, ms):
        return FakeModel(ms, self._run)

    def _run(self, ms):
        took = ms * self.slowness(self.now) * float(np.exp(self.noise * abs(self.rng.standard_normal())))
        self.now += took
        return took


def timed(machine, costs, *, anchor=None, effort=Effort(), seed=0):
    models = [(str(n), machine.model(ms)) for n, ms in enumerate(costs)]
    return measure(models, machine.model(2.0), anchor=anchor, effort=effort, seed=seed)


def test_on_a_steady_machine_everything_takes_what_it_takes():
    found, base = timed(Machine(lambda _: 1.0), [1.0, 3.0, 0.1])
    assert base == pytest.approx(2.0)
    assert [made.ms for made in found] == pytest.approx([1.0, 3.0, 0.1])
    assert all(made.precise and made.settled and not made.repeated for made in found)
    assert all(made.low <= made.ms <= made.high for made in found)


def test_slow_drift_cancels_against_the_reference():
    drifting = Machine(lambda now: 1 + 0.4 * np.sin(now / 900))
    found, _ = timed(drifting, [1.0, 4.0], anchor=2.0)
    assert [made.ms for made in found] == pytest.approx([1.0, 4.0], rel=0.02)
    assert abs(found[1].raw_ms / 4.0 - 1) > 0.05  # what is not corrected is off


def test_a_jump_of_the_machines_speed_marks_and_repeats_what_lay_around_it():
    jumping = Machine(lambda now: 1.0 if (now // 60) % 2 == 0 else 1.3)
    found, _ = timed(jumping, [1.0] * 6, anchor=2.0, effort=Effort(target=0.01))
    assert sum(made.repeated for made in found) > 0
    assert [made.ms for made in found] == pytest.approx([1.0] * 6, rel=0.02)


def test_bursts_that_only_make_runs_longer_hardly_move_the_result():
    rng = np.random.default_rng(3)
    bursts = Machine(lambda _: 1.0 if rng.random() > 0.15 else 3.0)
    found, _ = timed(bursts, [1.0, 5.0], anchor=2.0)
    assert [made.ms for made in found] == pytest.approx([1.0, 5.0], rel=0.03)


def test_it_stops_when_the_interval_is_as_narrow_as_asked_and_not_before():
    effort = Effort(target=0.02, least=6, most=400)
    quiet, _ = timed(Machine(lambda _: 1.0, noise=0.001), [1.0], effort=effort)
    loud, _ = timed(Machine(lambda _: 1.0, noise=0.2), [1.0], effort=effort)
    assert quiet[0].visits == 6
    assert loud[0].visits > 12
    assert loud[0].precise
    assert (loud[0].high - loud[0].low) / 2 / loud[0].ms <= 0.02 + 1e-9


def test_what_cannot_be_measured_exactly_ends_at_the_limit_and_says_so():
    rng = np.random.default_rng(4)
    found, _ = timed(Machine(lambda _: float(rng.uniform(1, 3))), [1.0], effort=Effort(target=0.001, most=20))
    assert not found[0].precise
    assert found[0].runs == 20 * 4


def test_candidates_are_visited_in_turns_and_in_random_order():
    seen = []

    class Noted(FakeModel):
        def run(self):
            seen.append(self.ms)
            return self.ms

    models = [(str(ms), Noted(ms, float)) for ms in (1.0, 1.5, 2.5)]
    measure(models, Noted(9.0, float), anchor=None, effort=Effort(least=8, every=3, segment_ms=1e9))
    visits = [a for a, b in zip(seen, seen[1:], strict=False) if a != b]
    rounds = [tuple(visits[n : n + 3]) for n, ms in enumerate(visits[:-3]) if ms == 9.0 for n in [n + 1]]
    orders = {order for order in rounds if 9.0 not in order}
    assert len(orders) > 1
    assert all(sorted(order) == [1.0, 1.5, 2.5] for order in orders)


def test_an_anchor_puts_another_days_results_on_the_same_scale():
    fast, base = timed(Machine(lambda _: 1.0), [3.0])
    slow, _ = timed(Machine(lambda _: 1.7), [3.0], anchor=base)
    assert slow[0].ms == pytest.approx(fast[0].ms)
    assert slow[0].raw_ms == pytest.approx(1.7 * fast[0].raw_ms)


def test_warming_up_goes_on_while_runs_get_faster():
    times = iter([9.0, 8, 7, 6, 5, 4, 3, 2, 1.5, 1.2, *[1.0] * 100])
    calm, seen = warm_up(FakeModel(0.0, lambda _: next(times)), Effort())
    assert calm
    assert len(seen) >= 18
    assert seen[-5:] == [1.0] * 5


def test_the_distribution_holds_every_run():
    found, _ = timed(Machine(lambda _: 1.0, noise=0.05), [1.0])
    assert sum(found[0].bins) == found[0].runs
    assert found[0].bins_ms[0] <= found[0].q25_ms <= found[0].raw_ms <= found[0].q75_ms


def test_short_models_run_more_often_in_a_visit():
    found, _ = timed(Machine(lambda _: 1.0), [0.05, 5.0])
    assert found[0].runs / found[0].visits > found[1].runs / found[1].visits
