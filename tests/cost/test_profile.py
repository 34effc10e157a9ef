"""Profiles against looking at every network, and estimates against exact counts."""

import numpy as np
import pytest

from archsearch.cost import estimate as estimate_file
from archsearch.cost import feasible
from archsearch.cost import profile as profile_file
from archsearch.cost.budget import Budget, Limit
from archsearch.cost.count import BUILT_IN
from archsearch.cost.estimate import wilson
from archsearch.cost.exact import counting
from archsearch.cost.exact.counting import fitting
from archsearch.cost.profile import profile
from archsearch.cost.table import cost_table
from archsearch.errors import BudgetError, TooMany
from archsearch.spec.space_file import read_space

LIMITS = [
    {"madds": Limit(high=2e7)}, {"madds": Limit(low=1.5e7, high=3e7), "params": Limit(high=7e5)},
    {"peak_memory": Limit(high=500_000)}, {"madds": Limit(low=6e7), "peak_memory": Limit(low=300_000)}, {},
]  # fmt: skip


def looked_at(space, budget):
    codes = np.concatenate(list(space.enumerate()))
    costs = cost_table(space, BUILT_IN).count(codes)
    fits = np.broadcast_to(budget.fits(costs), (len(codes),))
    return codes[fits], {name: each[fits] for name, each in costs.items()}


@pytest.mark.parametrize("limits", LIMITS, ids=str)
def test_a_small_space_is_profiled_exactly(limits):
    space, budget = read_space("nas_bench_macro"), Budget(limits=limits)
    codes, costs = looked_at(space, budget)
    found = profile(space, budget, np.random.default_rng(0))
    assert (found.fits, found.interval, found.size) == (len(codes), None, 6561)
    for name, each in found.metrics.items():
        assert (each.low, each.median, each.high) == (
            costs[name].min(), np.median(costs[name]), costs[name].max())  # fmt: skip
        assert set(each.exact) == {"min", "median", "max"}
    for place, choices in enumerate(found.axes.values()):
        assert [each.count for each in choices] == np.bincount(codes[:, place], minlength=3).tolist()
        assert [each.ruled_out for each in choices] == [not each.count for each in choices]


@pytest.mark.parametrize("limits", LIMITS, ids=str)
def test_proved_ends_are_right_where_not_every_network_is_looked_at(monkeypatch, limits):
    monkeypatch.setattr(profile_file, "ALL", 0)
    monkeypatch.setattr(profile_file, "SAMPLE", 30)
    space, budget = read_space("nas_bench_macro"), Budget(limits=limits)
    _, costs = looked_at(space, budget)
    proved = 0
    for name, each in profile(space, budget, np.random.default_rng(0)).metrics.items():
        assert each.low == costs[name].min() or "min" not in each.exact
        assert each.high == costs[name].max() or "max" not in each.exact
        assert "median" not in each.exact
        proved += len(each.exact)
    assert proved >= 6


def test_an_estimate_holds_the_exact_count_in_its_interval_and_rules_out_only_what_is_proved(monkeypatch):
    space, budget = read_space("mobilenet_v2"), Budget(limits={"madds": Limit(high=1.8e7)})
    exact = fitting(space, budget)

    def refuse(*_):
        raise TooMany("too much")

    monkeypatch.setattr(profile_file, "fitting", refuse)
    monkeypatch.setattr(estimate_file, "DRAWN", 200_000)
    found = profile(space, budget, np.random.default_rng(0))
    assert found.interval[0] <= exact.count <= found.interval[1]
    assert found.interval[1] < 1.1 * found.interval[0]
    for name, choices in found.axes.items():
        for each, count in zip(choices, exact.marginals[name], strict=True):
            assert each.share == pytest.approx(count / exact.count, abs=2 * found.error)
            assert each.count is None
            assert not (each.ruled_out and count)
    assert any(each.ruled_out for each in found.axes["width"])
    assert found.error == pytest.approx(0.98 / found.looked**0.5, rel=1e-3)
    assert found.error < 0.02


def test_an_estimate_without_a_single_hit_still_profiles_what_can_be_found(monkeypatch):
    monkeypatch.setattr(counting, "WORK", 0)
    monkeypatch.setattr(feasible, "TRIES", feasible.LOOK + 1)
    monkeypatch.setattr(estimate_file, "DRAWN", 20)
    space = read_space("mobilenet_v2_small").with_classes(11)  # a fresh space: no count of it is kept
    found = profile(space, Budget(limits={"madds": Limit(low=3e8)}), np.random.default_rng(0))
    assert found.interval[0] >= 1
    assert (found.fits >= 1, found.error) == (True, None)
    assert found.metrics["madds"].low >= 3e8


def test_wilson_intervals_hold_the_true_share_nineteen_times_in_twenty():
    for share in (0.001, 0.03, 0.5):
        hits = np.random.default_rng(0).binomial(2000, share, size=2000)
        held = [low <= share <= high for low, high in (wilson(int(hit), 2000) for hit in hits)]
        assert 0.92 < np.mean(held) < 0.98
    assert wilson(0, 100)[0] == 0
    assert wilson(100, 100)[1] == 1


def test_nothing_fits():
    with pytest.raises(BudgetError, match="nearest possible"):
        profile(read_space("mobilenet_v2"), Budget(limits={"madds": Limit(high=1e6)}), np.random.default_rng(0))
