"""Expected gains are integrals of hypervolume, and staircases say what is had at each cost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from archsearch.pareto import hypervolume
from archsearch.surrogate.acquire import (
    CELLS,
    beyond,
    gain,
    improvement,
    learned,
    second_look,
    stairs,
    volume,
    volume_of,
)

FLOOR = 0.0
END = 5.0  # the reference in every cost


@st.composite
def fronts(draw, most=3):
    """Networks on a small grid: many ties, some below the floor, some at the reference or beyond it."""
    n, m = draw(st.integers(0, 6)), draw(st.integers(0, most))
    cells = st.lists(st.integers(-1, 4), min_size=n, max_size=n)
    values = np.array(draw(cells), dtype=float)
    costs = np.array([draw(st.lists(st.integers(0, 6), min_size=m, max_size=m)) for _ in range(n)], dtype=float)
    return values, costs.reshape(n, m)


@st.composite
def newcomers(draw, m):
    """Mean, standard deviation and costs of one network."""
    costs = draw(st.lists(st.integers(0, 10).map(lambda x: x / 2), min_size=m, max_size=m))
    return draw(st.floats(-2, 5)), draw(st.floats(0.01, 3)), np.array(costs, dtype=float)


def built(values, costs):
    return stairs(values, costs, FLOOR, np.full(costs.shape[1], END))


def covered(values, costs):
    """The hypervolume by pareto.py, which knows nothing of stairs."""
    table = np.column_stack([-values, costs])
    return hypervolume(table, np.array([-FLOOR, *[END] * costs.shape[1]]))


def added(value, at, values, costs):
    """What one network of known value adds."""
    return covered(np.append(values, value), np.vstack([costs, at])) - covered(values, costs)


def one(mean, sd, at, under):
    return float(gain(np.array([mean]), np.array([sd]), at[None], under)[0])


@settings(max_examples=25)
@given(st.data(), fronts())
def test_the_gain_is_the_mean_of_what_the_network_adds(data, had):
    mean, sd, at = data.draw(newcomers(had[1].shape[1]))
    z = np.linspace(-8, 8, 801)
    mass = stats.norm.pdf(z) * (z[1] - z[0])
    expected = mass @ [added(mean + sd * each, at, *had) for each in z]
    scale = END ** had[1].shape[1] * max(sd, 1)
    assert one(mean, sd, at, built(*had)) == pytest.approx(expected, abs=1e-4 * scale)


@given(st.data(), fronts())
def test_without_doubt_the_gain_is_what_the_network_adds(data, had):
    mean, _, at = data.draw(newcomers(had[1].shape[1]))
    assert one(mean, 0.0, at, built(*had)) == pytest.approx(added(mean, at, *had), abs=1e-9)


@given(st.data(), fronts())
def test_a_beaten_network_gains_nothing_without_doubt(data, had):
    values, costs = had
    inside = np.flatnonzero((costs < END).all(axis=1))
    if not len(inside):
        values, costs, inside = np.ones(1), np.full((1, costs.shape[1]), 1.0), np.array([0])
    row = data.draw(st.sampled_from(inside.tolist()))
    worse, dearer = data.draw(st.floats(0, 3)), data.draw(st.floats(0, 3))
    assert one(values[row] - worse, 0.0, costs[row] + dearer, built(values, costs)) == 0


@given(st.data(), fronts())
def test_the_level_is_the_best_value_at_no_higher_cost(data, had):
    values, costs = had
    m = costs.shape[1]
    cells = st.lists(st.integers(-1, 9).map(lambda x: x / 2), min_size=m, max_size=m)
    at = np.array(data.draw(st.lists(cells, min_size=1, max_size=8)), dtype=float)
    expected = [max([FLOOR, *values[(costs <= each).all(axis=1)]]) for each in at]
    assert built(values, costs).levels(at).tolist() == expected
    top = max([FLOOR, *values[(costs < END).all(axis=1)]])
    assert built(values, costs).levels(np.full((1, m), END)).tolist() == [top]


@given(st.data(), fronts())
def test_boxes_are_disjoint_and_leave_no_gap_below_the_reference(data, had):
    under, m = built(*had), had[1].shape[1]
    inside = st.lists(st.floats(-3, END, exclude_max=True), min_size=m, max_size=m)
    for at in np.array(data.draw(st.lists(inside, min_size=1, max_size=20)), dtype=float):
        assert ((under.low <= at) & (at < under.high)).all(axis=1).sum() == 1
    assert (under.low < under.high).all()
    assert (under.high <= END).all()


@given(fronts(), st.floats(-3, 0))
def test_the_volume_is_the_hypervolume_wherever_the_cheap_end_is(had, least):
    values, costs = had
    ends = np.full(costs.shape[1], END), np.full(costs.shape[1], least)
    assert volume(values, costs, FLOOR, *ends) == pytest.approx(covered(values, costs))
    assert volume_of(built(values, costs), ends[1], FLOOR) == pytest.approx(covered(values, costs))


@given(fronts())
def test_the_volume_above_its_own_lowest_level_needs_no_floor(had):
    values, costs = had
    if costs.shape[1]:  # the cheapest part holds no network, so that its level is the floor
        assert volume_of(built(values, costs), np.full(costs.shape[1], -1.0)) == pytest.approx(covered(values, costs))


@given(st.data(), fronts())
def test_neither_the_order_of_networks_nor_that_of_costs_changes_a_gain(data, had):
    values, costs = had
    mean, sd, at = data.draw(newcomers(costs.shape[1]))
    rows = np.array(data.draw(st.permutations(range(len(values)))), dtype=int)
    columns = np.array(data.draw(st.permutations(range(costs.shape[1]))), dtype=int)
    plain = one(mean, sd, at, built(values, costs))
    assert one(mean, sd, at, built(values[rows], costs[rows])) == pytest.approx(plain, abs=1e-12)
    assert one(mean, sd, at[columns], built(values, costs[:, columns])) == pytest.approx(plain, rel=1e-9, abs=1e-12)


@given(st.data(), fronts(), st.floats(0, 3))
def test_more_doubt_never_lowers_the_gain_nor_does_more_value(data, had, more):
    mean, sd, at = data.draw(newcomers(had[1].shape[1]))
    under = built(*had)
    for low, high in (((mean, sd), (mean, sd + more)), ((mean, 0.0), (mean, sd)), ((mean, sd), (mean + more, sd))):
        assert one(*high, at, under) >= one(*low, at, under) - 1e-9 * END**3


@given(st.data(), fronts())
def test_a_cheaper_network_never_gains_less(data, had):
    mean, sd, at = data.draw(newcomers(had[1].shape[1]))
    cut = data.draw(st.floats(0, 2))
    assert one(mean, sd, at - cut, built(*had)) >= one(mean, sd, at, built(*had)) - 1e-9 * END**3


@given(st.data(), fronts())
def test_many_networks_gain_what_each_gains_alone_with_and_without_doubt(data, had):
    some = data.draw(st.lists(newcomers(had[1].shape[1]), min_size=1, max_size=5))
    mean, at = (
        np.array([each[0] for each in some]),
        np.array([each[2] for each in some]).reshape(len(some), had[1].shape[1]),
    )
    sd = np.array([each[1] for each in some]) * (np.arange(len(some)) % 2)
    under = built(*had)
    alone = [one(*each, under) for each in zip(mean, sd, at, strict=True)]
    assert gain(mean, sd, at, under) == pytest.approx(alone, abs=1e-12)


def test_more_networks_than_are_worked_on_at_once_gain_the_same():
    rng = np.random.default_rng(0)
    under = built(rng.uniform(0, 4, 400), rng.uniform(0, END, (400, 2)))
    n = 2 * CELLS // len(under.level) + 3
    mean, sd, at = rng.normal(3, 1, n), rng.uniform(0.1, 1, n), rng.uniform(0, END, (n, 2))
    whole, some = gain(mean, sd, at, under), rng.integers(0, n, 50)
    assert whole[some] == pytest.approx(gain(mean[some], sd[some], at[some], under))
    assert whole.max() > 0
    assert gain(mean[:0], sd[:0], at[:0], under).shape == (0,)


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), max_size=6), st.floats(-1, 5), st.integers(0, 3))
def test_on_a_ladder_a_gain_is_the_sum_of_improvements_over_the_best_of_each_rung_that_holds_it(had, mean, rung):
    values = np.array([value for value, _ in had], dtype=float)
    rungs = np.array([rung for _, rung in had], dtype=float)[:, None]
    under = stairs(values, rungs, FLOOR, np.array([4.0]))  # four rungs, 0 to 3; the steps between them are 1 wide
    best = [max([FLOOR, *values[rungs[:, 0] <= each]]) for each in range(4)]
    expected = sum(improvement(np.array(mean), np.array(0.5), np.array(level)) for level in best[rung:])
    assert one(mean, 0.5, np.array([float(rung)]), under) == pytest.approx(float(expected), abs=1e-9)


@given(st.floats(-3, 3), st.floats(0.01, 3), st.floats(-3, 3))
def test_an_improvement_is_never_below_the_plain_one_and_meets_it_without_doubt(mean, sd, level):
    plain = max(mean - level, 0)
    assert improvement(np.array(mean), np.array(sd), np.array(level)) >= plain - 1e-12
    assert improvement(np.array(mean), np.array(0.0), np.array(level)) == pytest.approx(plain, abs=1e-12)


@settings(max_examples=15)
@given(st.data(), fronts(most=2), st.floats(0.01, 2))
def test_a_second_look_is_worth_what_the_front_of_means_is_expected_to_grow_by(data, had, noise):
    mean, costs = had
    n = len(mean)
    sd = np.array(data.draw(st.lists(st.floats(0.05, 2), min_size=n, max_size=n)))
    may = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)), dtype=bool)
    worth = second_look(mean, sd, costs, may, noise=noise)
    assert (worth[~may] == 0).all()
    z = np.linspace(-8, 8, 401)
    mass = stats.norm.pdf(z) * (z[1] - z[0])
    for row in np.flatnonzero(may):
        reference = np.array([-mean.min(), *beyond(costs.min(axis=0), costs.max(axis=0))])
        volumes = []
        for each in [0.0, *z]:
            moved = mean.copy()
            moved[row] += each * learned(sd[row], noise)
            volumes.append(hypervolume(np.column_stack([-moved, costs]), reference))
        assert worth[row] == pytest.approx(mass @ volumes[1:] - volumes[0], abs=1e-3 * max(1, max(volumes)))


@given(st.floats(0.01, 3), st.floats(0.01, 3))
def test_what_a_measurement_teaches_is_what_it_takes_from_the_variance(sd, noise):
    left = 1 / (1 / sd**2 + 1 / noise)
    assert learned(np.array(sd), noise) ** 2 == pytest.approx(sd**2 - left)


def test_a_reference_lies_beyond_the_dearest_in_every_cost():
    least, most = np.array([1.0, 3.0]), np.array([2.0, 3.0])
    assert beyond(least, most).tolist() == pytest.approx([2.05, 4.0])
