"""What fits: pools, draws, bands, and the nearest network where nothing fits."""

import math

import numpy as np
import pytest

from archsearch.cost import feasible
from archsearch.cost.budget import Budget, Limit
from archsearch.cost.ends import end
from archsearch.cost.exact.counting import Effort
from archsearch.cost.extremes import extremes
from archsearch.cost.feasible import check, counted, pool, read_budget
from archsearch.cost.nearest import nearest, worst
from archsearch.cost.sampling import draw, narrowed
from archsearch.cost.table import cost_table
from archsearch.errors import BudgetError, TooMany
from archsearch.spec.space_file import read_space


def budget(**limits):
    return Budget(limits={name: Limit(low=low, high=high) for name, (low, high) in limits.items()})


def test_where_almost_nothing_fits_the_exact_count_draws():
    space = read_space("mobilenet_v2")
    narrow = budget(madds=(1e9, 1.03e9))
    exact = counted(space, narrow)
    assert 0 < exact.count < feasible.RARE * space.size
    found = pool(space, narrow, 3000, np.random.default_rng(0))
    assert len(found.codes) == min(3000, exact.count)
    assert len(np.unique(found.codes, axis=0)) == len(found.codes)
    assert narrow.fits(found.costs).all()
    if exact.count > 3000:  # as often as their number says
        share = np.bincount(found.codes[:, 0], minlength=6) / 3000
        want = np.array(exact.marginals["width"]) / exact.count
        assert np.abs(share - want).max() < 4 * math.sqrt(0.25 / 3000)


def test_without_exact_counting_a_climb_still_finds_some(monkeypatch):
    monkeypatch.setattr(feasible, "counted", lambda *_: None)
    monkeypatch.setattr(feasible, "TRIES", feasible.LOOK + 1)
    found = pool(read_space("mobilenet_v2"), budget(madds=(1e9, 1.1e9)), 5, np.random.default_rng(0))
    assert len(found.codes) >= 1
    assert (found.costs["madds"] >= 1e9).all()


@pytest.mark.parametrize("limits", [
    {"madds": (8e6, 9e6), "params": (1.5e6, 2e6)}, {"params": (1e6, 1.000001e6)},
    {"madds": (0, 2e7), "peak_memory": (5e5, 6e5), "params": (1.2e6, 9e9)},
])  # fmt: skip
def test_the_nearest_network_is_that_of_looking_at_every_one(limits):
    space, wanted = read_space("nas_bench_macro"), budget(**limits)
    codes = np.concatenate(list(space.enumerate()))
    shares = worst(wanted, cost_table(space, tuple(limits)).count(codes))
    assert shares.min() > 0
    best, proved = nearest(space, wanted, space.sample(5, np.random.default_rng(0)))
    assert proved
    assert worst(wanted, cost_table(space, tuple(limits)).count(best[None]))[0] == shares.min()
    with pytest.raises(BudgetError, match="meets the whole budget; the nearest possible has"):
        check(space, wanted)


def test_a_nearest_network_that_is_not_proved_says_so(monkeypatch):
    from archsearch.cost import nearest as nearest_file

    def refuse(*_):
        raise TooMany("too much")

    monkeypatch.setattr(nearest_file.Effort, "fitting", refuse)
    monkeypatch.setattr(feasible, "counted", lambda *_: None)
    monkeypatch.setattr(feasible, "TRIES", feasible.LOOK + 1)
    space = read_space("mobilenet_v2")
    wanted = read_budget({"madds": "300M..301M", "peak_memory": "1MiB"}, space)
    with pytest.raises(BudgetError, match="mobilenet_v2 meets the whole budget; the nearest found has"):
        check(space, wanted)  # rounded costs prove that none fits, but not which is nearest
    monkeypatch.setattr(feasible, "near", lambda *_: None)
    with pytest.raises(BudgetError, match="was found that meets the whole budget; the nearest found has"):
        check(space, wanted)


def test_draws_fit_are_distinct_and_repeat_with_their_seed():
    space, wanted = read_space("mobilenet_v2_small"), budget(madds=(1e7, 3e7), params=(0, 8e5))
    for spread in ("uniform", "log-madds"):
        drawn, again = (draw(space, wanted, 200, np.random.default_rng(3), spread=spread) for _ in range(2))
        assert (drawn == again).all()
        assert len(np.unique(drawn, axis=0)) == 200
        assert wanted.fits(cost_table(space, ("madds", "params")).count(drawn)).all()


def test_no_code_is_drawn_twice_where_many_of_those_that_fit_are_wanted():
    space = read_space("mobilenet_v1")
    wanted = budget(madds=(1e8, 1.01e8))
    number = counted(space, wanted).count
    for n in (2000, 9000, number + 1):
        assert n**2 / 2 > 10 * number  # as many repeats would be drawn
        codes = pool(space, wanted, n, np.random.default_rng(0)).codes
        assert len(codes) == len(np.unique(codes, axis=0)) == min(n, number)


@pytest.mark.parametrize("greatest", [2, 300, 70_000])
def test_each_code_once_keeps_the_order(greatest):
    codes = np.random.default_rng(0).integers(0, greatest, size=(500, 3)) // (greatest // 2) * (greatest // 2)
    assert [tuple(code) for code in feasible.once(codes)] == list(dict.fromkeys(tuple(code) for code in codes))
    assert feasible.once(codes[:0]).shape == (0, 3)


def test_the_nearest_network_is_looked_for_with_limited_work():
    space, wanted = read_space("mobilenet_v2"), budget(madds=(0, 2e7), params=(4e6, 9e6))
    codes, told = space.sample(64, np.random.default_rng(0)), []
    table = cost_table(space, ("madds", "params"))
    best, _ = nearest(space, wanted, codes, lambda done, total, text: told.append((done, total)))
    assert worst(wanted, table.count(best[None]))[0] <= worst(wanted, table.count(codes)).min()
    assert told


def test_the_log_spread_is_even_over_the_logarithm_of_cost_and_the_uniform_one_is_not():
    space = read_space("mobilenet_v2")
    tenths = {}
    for spread in ("uniform", "log-madds"):
        drawn = draw(space, budget(madds=(0, 3e8)), 1000, np.random.default_rng(0), spread=spread)
        logs = np.log(cost_table(space, ("madds",)).count(drawn)["madds"])
        tenths[spread] = np.histogram(logs, 10, (math.log(4_621_520), math.log(3e8)))[0]
    assert tenths["log-madds"].min() > 60
    assert tenths["uniform"].min() < 20


def test_the_log_spread_is_even_over_what_other_limits_leave_of_the_range():
    space = read_space("mobilenet_v2_small")
    limits = budget(params=(0, 2e6))
    drawn = draw(space, limits, 1000, np.random.default_rng(0), spread="log-madds")
    costs = cost_table(space, ("madds", "params")).count(drawn)
    assert costs["params"].max() <= 2e6
    least, most = (end(space, limits, "madds", sign, codes=drawn, effort=Effort(left=0))[0] for sign in (1, -1))
    assert most < 0.8 * extremes(space, "madds").high
    tenths = np.histogram(np.log(costs["madds"]), 10, (math.log(least), math.log(most)))[0]
    assert tenths.min() > 60


@pytest.mark.parametrize("limits", [{"params": (0, 8e5)}, {"peak_memory": (0, 4e5), "madds": (0, 4e7)}])
def test_all_that_fits_can_be_drawn_whatever_is_limited(limits):
    space = read_space("nas_bench_macro")
    codes = np.concatenate(list(space.enumerate()))
    wanted = budget(**limits)
    fits = codes[wanted.fits(cost_table(space, tuple(limits)).count(codes))]
    drawn = draw(space, wanted, len(codes), np.random.default_rng(0), spread="log-madds")
    assert {code.tobytes() for code in drawn} == {code.tobytes() for code in fits}


def test_fewer_than_asked_for_means_all():
    space, wanted = read_space("nas_bench_macro"), budget(madds=(0, 1.4e7))
    number = counted(space, wanted).count
    assert 1 < number < 500
    for spread in ("uniform", "log-madds"):
        assert len(draw(space, wanted, 500, np.random.default_rng(0), spread=spread)) == number
        for most in (space.size, space.size + 1):
            whole = draw(space, Budget(), most, np.random.default_rng(0), spread=spread)
            assert len(np.unique(whole, axis=0)) == len(whole) == space.size


def test_an_unknown_spread_is_refused():
    with pytest.raises(BudgetError, match="'even' is none of uniform, log-madds"):
        draw(read_space("nas_bench_macro"), Budget(), 1, np.random.default_rng(0), spread="even")


def test_a_band_is_a_share_of_the_first_budget():
    texts = {"madds": "300M", "params": "3M"}
    limits = narrowed(read_budget(texts, read_space("mobilenet_v2")), texts, "0.9..1.0").limits
    assert limits == {"madds": Limit(low=270e6, high=300e6), "params": Limit(high=3e6)}


@pytest.mark.parametrize(("texts", "band", "told"), [
    ({"madds": "300M"}, "0.9", "write 0.9..1.0"), ({"madds": "300M"}, "1..0.9", "write 0.9..1.0"),
    ({"madds": "300M"}, "0.9..1.1", "write 0.9..1.0"), ({}, "0.9..1", "give one, like --budget-madds 300M"),
    ({"madds": "200M..300M"}, "0.9..1", "both give a lower end"),
])  # fmt: skip
def test_a_wrong_band_is_one_line(texts, band, told):
    with pytest.raises(BudgetError, match=told):
        narrowed(read_budget(texts, read_space("mobilenet_v2")), texts, band)
