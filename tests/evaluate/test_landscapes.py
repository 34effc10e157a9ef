"""Made-up truths: fixed by their seed, plausible, of the character that they are named for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from archsearch.cost.budget import Budget
from archsearch.errors import DataError
from archsearch.evaluate.landscapes import (
    FAMILIES,
    HIGHEST,
    LOWEST,
    NOISE,
    coarsened,
    every_code,
    landscape,
    shuffled,
    tabulated,
)
from archsearch.evaluate.table import counted
from archsearch.evaluate.table_domain import TableDomain
from archsearch.pareto import front
from archsearch.spec.algebra import settled
from archsearch.spec.fields import Axis
from archsearch.spec.space_file import read_space
from archsearch.surrogate.space_domain import SpaceDomain
from tests.strategies import plain_tables

MACRO = read_space("nas_bench_macro")
PLAIN = [Axis(name, (0, 1, 2, 3)) for name in "abcdefg"]
HUGE = [Axis(f"a{number}", (0, 1, 2, 3)) for number in range(30)]  # 10^18 codes


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("where", [MACRO, PLAIN, HUGE, read_space("mobilenet_v2")], ids=["space", "axes", "huge", "v2"])
def test_a_seed_fixes_a_landscape_and_another_seed_gives_another(family, where):
    axes = where if isinstance(where, list) else where.axes
    codes = np.random.default_rng(0).integers(0, [len(axis.values) for axis in axes], size=(200, len(axes)))
    one, same, other = (landscape(family, where, seed)(codes) for seed in (1, 1, 2))
    assert (one == same).all()
    assert (one != other).mean() > 0.9
    assert ((LOWEST < one) & (one < HIGHEST)).all()
    assert 0.7 < np.median(one) < 0.9


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("where", [MACRO, PLAIN], ids=["space", "axes"])
def test_accuracy_goes_with_cost_where_it_is_additive_and_hardly_where_it_deceives(where, seed):
    tables = {family: tabulated(family, where, seed) for family in FAMILIES}
    rank = {family: spearmanr(table.mean, table.cost("madds"))[0] for family, table in tables.items()}
    assert rank["additive"] > 0.5
    assert rank["deceptive"] < min(0.45, rank["additive"] - 0.2)
    for table in tables.values():
        assert front(np.stack([-table.mean, table.cost("madds")], axis=1)).sum() >= 8
        assert table.mean.max() > 0.9


@pytest.mark.parametrize("seed", range(3))
def test_the_best_deceptive_network_is_far_from_the_dearest(seed):
    table = tabulated("deceptive", PLAIN, seed, noise=0)
    dearest = table.mean[table.cost("madds").argmax()]
    assert (table.mean > dearest).sum() > 100


@pytest.mark.parametrize("family", FAMILIES)
def test_what_makes_no_difference_to_a_network_makes_none_to_its_accuracy(family):
    space = read_space("mobilenet_v2")
    codes = space.sample(100, np.random.default_rng(2))
    still = settled(space, codes)[0]
    assert (still != codes).any()
    assert np.allclose(landscape(family, space)(codes), landscape(family, space)(still))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_domain_gives_the_landscape_of_its_space(family):
    domain = SpaceDomain(space=MACRO, budget=Budget())
    codes = MACRO.sample(50, np.random.default_rng(0))
    assert (landscape(family, domain, 3)(codes) == landscape(family, MACRO, 3)(codes)).all()


@pytest.mark.parametrize("where", [MACRO, PLAIN], ids=["space", "axes"])
def test_a_table_of_a_landscape_is_its_truth_and_the_noise_that_was_asked_for(where):
    truth = tabulated("additive", where, 2, noise=0.0)
    assert np.allclose(truth.mean, landscape("additive", where, 2)(truth.codes))
    noisy = tabulated("additive", where, 2, seeds=5)
    assert noisy.top1.shape[1] == 5
    assert abs(noisy.noise / NOISE - 1) < 0.05
    assert abs((noisy.mean - truth.mean).std() / (NOISE / 5**0.5) - 1) < 0.1
    assert (truth.cost("madds") > 0).all()


def test_dearer_choices_cost_more_where_costs_are_made_up():
    table = tabulated("additive", PLAIN)
    for axis in range(len(PLAIN)):
        low = table.codes[:, axis] == 0
        high = table.rows(table.codes[low] + np.eye(len(PLAIN), dtype=int)[axis])
        assert (table.cost("madds")[high] > table.cost("madds")[low]).all()


def test_an_unknown_family_and_a_table_too_large_are_one_line():
    with pytest.raises(DataError, match="landscape 'additiv' is not known: did you mean 'additive'"):
        landscape("additiv", MACRO)
    with pytest.raises(DataError, match="1,152,921,504,606,846,976 codes are too many for a table"):
        tabulated("additive", HUGE)


@given(table=plain_tables(), seed=st.integers(0, 99))
def test_a_shuffled_table_holds_the_same_networks(table, seed):
    other = shuffled(table, np.random.default_rng(seed))

    def told(each):
        rows = np.column_stack([np.nan_to_num(each.top1), *each.costs.values()])
        return sorted(map(tuple, rows.tolist()))

    assert told(other) == told(table)
    assert [len(axis.values) for axis in other.axes] == [len(axis.values) for axis in table.axes]
    assert not any(axis.numeric for axis in other.axes)
    assert other.codes.tolist() == sorted(other.codes.tolist())


def test_shuffling_keeps_which_networks_are_near_and_which_codes_are_one():
    table = tabulated("additive", MACRO)
    other = shuffled(table, np.random.default_rng(5))
    assert (len(other), len(other.spellings)) == (len(table), len(table.spellings))
    place = {mean: row for row, mean in enumerate(other.mean.tolist())}  # noise makes each its own
    assert len(place) == len(table)
    one, two = TableDomain(table=table), TableDomain(table=other)
    for row in range(0, len(table), 500):
        match = place[float(table.mean[row])]
        assert other.cost("params")[match] == table.cost("params")[row]
        near = one.lookup(one.around(table.codes[row][None]).codes)
        spellings = table.spellings[table.rows_of == row], other.spellings[other.rows_of == match]
        assert len(spellings[0]) == len(spellings[1])
        if len(spellings[0]) == 1:
            assert sorted(near) == sorted(two.lookup(two.around(other.codes[match][None]).codes))


@given(table=plain_tables(), most=st.integers(1, 4))
def test_a_coarsened_table_holds_the_networks_whose_choices_stay(table, most):
    kept = [np.unique(np.linspace(0, len(axis.values) - 1, most).round().astype(int)).tolist() for axis in table.axes]
    inside = [
        row for row, code in enumerate(table.codes.tolist()) if all(c in k for c, k in zip(code, kept, strict=True))
    ]
    if not inside:
        with pytest.raises(DataError, match="no network is left"):
            coarsened(table, most)
        return
    other = coarsened(table, most)
    assert np.array_equal(other.top1, table.top1[inside], equal_nan=True)
    assert [axis.values for axis in other.axes] == [
        tuple(axis.values[k] for k in keep) for axis, keep in zip(table.axes, kept, strict=True)
    ]


def test_a_coarsened_table_keeps_its_space():
    other = coarsened(tabulated("additive", MACRO), 2)
    assert other.space.size == 2**8
    assert (counted(other.space, other.codes, "madds") == other.cost("madds")).all()


def test_every_code_is_each_code_once_in_order():
    codes = every_code(PLAIN[:3])
    assert len({tuple(code) for code in codes.tolist()}) == len(codes) == 4**3
    assert codes.tolist() == sorted(codes.tolist())


@pytest.mark.parametrize("family", ["additive", "deceptive"])
def test_a_space_of_one_network_has_one_accuracy(family, tmp_path):
    (tmp_path / "one.toml").write_text("resolution = 32\n[[stage]]\nwidth = 16\n")
    one = read_space(tmp_path / "one.toml")
    assert one.size == 1
    (top1,) = landscape(family, one, seed=0)(one.sample(1, np.random.default_rng(0)))
    assert 0.1 <= top1 <= 0.95
