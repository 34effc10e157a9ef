"""Networks as numbers: the same ones however a space happens to be written down."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsearch.spec.fields import Axis
from archsearch.surrogate.domain import IDLE, Networks
from archsearch.surrogate.features import encoder, stacked
from archsearch.surrogate.gp import prior

SEEDS = st.integers(0, 10_000)


def made(codes, slots, effects, rng):
    """Networks whose first trait is the sum of what their choices do to cost; a second trait is anything."""
    cost = sum(effect[codes[:, a]] for a, effect in enumerate(effects)) + np.zeros(len(codes))
    names = np.arange(len(codes), dtype=np.int64).view(np.dtype((np.void, 8)))
    traits = np.stack([cost, rng.normal(size=len(codes))], axis=1)
    return Networks(codes=codes, slots=slots, costs=np.exp(cost)[:, None], traits=traits, names=names)


@st.composite
def domains(draw, idle=True):
    """Up to four axes of words or numbers; choices that cost the same are common; some axes idle here and there."""
    kinds = draw(st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=1, max_size=4))
    rng = np.random.default_rng(draw(SEEDS))
    axes, effects = [], []
    for a, (count, numeric) in enumerate(kinds):
        values = rng.permutation(10)[:count].tolist()
        axes.append(Axis(f"a{a}", tuple(values if numeric else (f"w{value}" for value in values))))
        effects.append(rng.integers(0, 3, count) * 0.5)
    codes = np.stack([each.ravel() for each in np.indices([count for count, _ in kinds])], axis=1)
    codes = codes[rng.permutation(len(codes))[:200]]
    slots = np.where(rng.random(codes.shape) < 0.2, IDLE, codes) if idle else codes
    return tuple(axes), made(codes, slots, effects, rng), rng


def rewritten(axes, networks, rng):
    """The same domain with the choices of each axis in another order."""
    orders = [rng.permutation(len(axis.values)) for axis in axes]
    turned = tuple(
        Axis(axis.name, tuple(axis.values[i] for i in order)) for axis, order in zip(axes, orders, strict=True)
    )
    places = [np.argsort(order) for order in orders]
    codes = np.stack([place[networks.codes[:, a]] for a, place in enumerate(places)], axis=1)
    slots = np.stack(
        [np.where(networks.slots[:, a] == IDLE, IDLE, place[networks.slots[:, a]]) for a, place in enumerate(places)],
        axis=1,
    )
    return turned, replace(networks, codes=codes, slots=slots)


@given(domains())
def test_an_axis_written_down_in_another_order_gives_the_same_rows(told):
    axes, networks, rng = told
    plain, turned = encoder(axes, networks), rewritten(axes, networks, rng)
    rows, again = plain.rows(networks), encoder(*turned).rows(turned[1])
    assert again.line == pytest.approx(rows.line, abs=1e-6)
    assert again.traits == pytest.approx(rows.traits, abs=1e-9)
    assert again.marks @ again.marks.T == pytest.approx(rows.marks @ rows.marks.T)  # the same but for their columns
    kernel = prior(plain.axis_of, plain.axes, 2)
    turned_kernel = replace(kernel, axis_of=encoder(*turned).axis_of)
    assert turned_kernel.cross(again, again) == pytest.approx(kernel.cross(rows, rows), abs=1e-6)


@given(domains())
def test_each_axis_has_one_mark_and_two_networks_share_the_marks_of_the_axes_where_they_agree(told):
    axes, networks, _ = told
    marks = encoder(axes, networks).rows(networks).marks
    assert set(np.unique(marks)) <= {0.0, 1.0}
    assert (marks.sum(axis=1) == len(axes)).all()
    agree = (networks.slots[:, None] == networks.slots[None]).sum(axis=2)
    assert marks @ marks.T == pytest.approx(agree)


@given(domains())
def test_over_the_sample_every_number_has_mean_nothing_and_spread_one_or_none(told):
    axes, networks, _ = told
    rows = encoder(axes, networks).rows(networks)
    assert rows.line.mean(axis=0) == pytest.approx(0, abs=1e-7)
    spread = rows.line.std(axis=0)
    assert np.where(spread > 0.5, 1, 0) == pytest.approx(spread, abs=1e-6)
    assert (rows.line[:, len(axes) :] == rows.traits).all()


@given(domains(idle=False))
def test_what_moves_neither_numbers_nor_cost_has_no_score_and_the_rest_is_ranked(told):
    axes, networks, _ = told
    line = encoder(axes, networks).rows(networks).line
    for a, axis in enumerate(axes):
        here = line[:, a]
        if axis.numeric:
            order = np.array(axis.values)[networks.codes[:, a]]
            assert (np.sign(here[:, None] - here[None]) == np.sign(order[:, None] - order[None])).all()
    flat = [a for a, axis in enumerate(axes) if not axis.numeric and effect_of(networks, a) < 1e-9]
    assert (line[:, flat] == 0).all()


def effect_of(networks, axis):
    """The greatest change of cost by one axis, all others left; codes of the full grid only."""
    if len(networks) == 200:
        return np.inf  # the grid may have been cut
    others = np.delete(networks.codes, axis, axis=1)
    _, group = np.unique(others, axis=0, return_inverse=True)
    costs = networks.traits[:, 0]
    return max(np.ptp(costs[group.ravel() == g]) for g in set(group.ravel()))


def test_words_are_ranked_by_what_they_do_to_cost_and_equal_effects_share_a_rank():
    effects = np.array([0.7, 0.0, 0.7, 2.0, 0.7 + 1e-5])
    codes = np.stack([each.ravel() for each in np.indices((5, 2))], axis=1)
    axes = Axis("op", tuple("vwxyz")), Axis("k", (3, 5))
    rng = np.random.default_rng(0)
    found = encoder(axes, made(codes, codes, [effects, np.array([0.0, 0.3])], rng))
    mine = found.scores[found.axis_of == 0]
    assert mine.tolist() == [2.0, 2.0, 0.0, 2.0, 4.0, 2.0]  # idle first, in the middle


@given(domains())
def test_an_idle_axis_scores_like_the_middle_of_its_choices(told):
    axes, networks, _ = told
    found = encoder(axes, networks)
    for a in range(len(axes)):
        scores = found.scores[found.axis_of == a]
        assert scores[0] == pytest.approx(scores[1:].mean())


@given(domains(), SEEDS)
def test_a_row_is_the_networks_own_whatever_stands_beside_it(told, seed):
    axes, networks, _ = told
    found, rng = encoder(axes, networks), np.random.default_rng(seed)
    some, rest = np.split(rng.permutation(len(networks)), [len(networks) // 2])
    parts, whole = stacked(found.rows(networks.take(some)), found.rows(networks.take(rest))), found.rows(networks)
    order = np.concatenate([some, rest])
    for name in ("marks", "line", "traits"):
        assert getattr(parts, name) == pytest.approx(getattr(whole.take(order), name), abs=1e-12)
    assert len(parts) == len(networks)


def test_without_axes_or_traits_there_are_no_columns():
    none = Networks(codes=np.zeros((1, 0), dtype=np.int64), slots=np.zeros((1, 0), dtype=np.int64),
                    costs=np.zeros((1, 1)), traits=np.zeros((1, 0)), names=np.zeros(1, dtype="V8"))  # fmt: skip
    rows = encoder((), none).rows(none)
    assert [part.shape for part in (rows.marks, rows.line, rows.traits)] == [(1, 0)] * 3
