"""A table as a domain: the same as looking through all of its rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsearch.cost.budget import Budget, Limit
from archsearch.evaluate.landscapes import shuffled, tabulated
from archsearch.evaluate.table_domain import TableDomain
from archsearch.evaluate.table_file import read_table
from archsearch.spec.content import fingerprints
from archsearch.spec.space_file import parse_space, read_space
from archsearch.surrogate import domain
from archsearch.surrogate.domain import IDLE
from archsearch.surrogate.space_domain import SpaceDomain
from tests.strategies import plain_tables

SPACE = parse_space({"width": [0.5, 1.0], "resolution": 32, "classes": 10, "head": {"width": 64}, "stage": [
    {"width": 16, "stride": 2, "kernel": [3, 5], "block": ["ds", "ir"], "expand": [3, 6]},
    {"width": 16, "op": ["id", "ir_k3_e3", "ir_k5_e6"]}]}, name="small")  # fmt: skip


def limited(table, share) -> TableDomain:
    """A domain whose budget lets a share of the table through."""
    most = float(np.quantile(table.cost("madds"), share))
    return TableDomain(table=table, budget=Budget(limits={"madds": Limit(high=most)}), minimize=("madds", "ms"))


@given(table=plain_tables(), share=st.floats(0, 1))
def test_everything_is_what_fits_row_by_row(table, share):
    fit = limited(table, share)
    most = fit.budget.limits["madds"].high
    rows = [row for row in range(len(table)) if table.cost("madds")[row] <= most]
    found = fit.everything()
    assert found.codes.tolist() == table.codes[rows].tolist()
    assert found.costs.tolist() == [[table.cost("madds")[row], table.cost("ms")[row]] for row in rows]
    assert fit.fits(table.codes).tolist() == [row in rows for row in range(len(table))]
    assert list(found) == list(fit.look(found.codes))


@given(table=plain_tables(), share=st.floats(0, 1))
def test_around_is_what_fits_and_differs_in_one_axis(table, share):
    fit = limited(table, share)
    inside = table.codes[fit.fits(table.codes)]
    for centres in (inside[:1], inside[:3]):
        near = fit.around(centres).codes.tolist()
        given = centres.tolist()
        wanted = [code for code in inside.tolist() if code not in given
                  and any(sum(a != b for a, b in zip(code, centre, strict=True)) == 1 for centre in given)]  # fmt: skip
        assert sorted(near) == sorted(wanted)


@given(table=plain_tables(), share=st.floats(0, 1), n=st.integers(0, 40), seed=st.integers(0, 9))
def test_a_draw_is_of_different_networks_that_fit_and_repeats_itself(table, share, n, seed):
    fit = limited(table, share)
    drawn = fit.draw(n, np.random.default_rng(seed))
    assert fit.fits(drawn.codes).all()
    assert len(set(drawn)) == len(drawn) == min(n, int(fit.fits(table.codes).sum()))
    assert (fit.draw(n, np.random.default_rng(seed)).codes == drawn.codes).all()


def test_a_draw_is_spread_over_the_logarithm_of_cost():
    table = tabulated("additive", read_space("nas_bench_macro"))
    fit = TableDomain(table=table)
    whole, drawn = np.log(table.cost("madds")), np.log(fit.draw(60, np.random.default_rng(0)).costs[:, 0])
    middle = (whole.min() + whole.max()) / 2
    assert np.mean(drawn < middle) > 5 * np.mean(whole < middle) > 0  # cheap ones are rare, yet drawn


def test_a_table_beyond_what_is_looked_at_whole_is_drawn_from(monkeypatch):
    table = tabulated("additive", SPACE)
    monkeypatch.setattr("archsearch.evaluate.table_domain.WHOLE", len(table) - 1)
    assert TableDomain(table=table).everything() is None
    assert len(TableDomain(table=table).draw(5, np.random.default_rng(0))) == 5
    assert domain.WHOLE == 20_000


@pytest.mark.parametrize("high", [np.inf, 400_000])
def test_a_table_of_a_whole_space_is_the_space(high):
    budget = Budget(limits={"madds": Limit(high=high)})
    table, space = (
        TableDomain(table=tabulated("additive", SPACE), budget=budget),
        SpaceDomain(space=SPACE, budget=budget),
    )
    one, other = table.everything(), space.everything()
    assert 5 < len(one) <= SPACE.size
    assert (one.slots == IDLE).any()
    for name in ("codes", "slots", "costs", "traits", "names"):
        assert (getattr(one, name) == getattr(other, name)).all(), name
    for code in one.codes[:8]:
        assert set(table.around(code[None])) >= set(space.around(code[None])) - set(table.look(code[None]))


def test_equal_networks_look_alike_under_every_code():
    table = TableDomain(table=tabulated("additive", SPACE))
    codes = np.concatenate(list(SPACE.enumerate()))
    seen = {}
    for name, row in zip(table.look(codes), range(len(codes)), strict=True):
        looked = table.look(codes[row][None])
        assert looked.codes.tolist() == [codes[row].tolist()]
        told = (looked.slots.tolist(), looked.costs.tolist(), table.lookup(codes[row][None]).tolist())
        assert seen.setdefault(name, told) == told
    assert len(seen) == len(table.table) < len(codes)


def test_idle_axes_are_found_without_the_space_too():
    table = tabulated("additive", SPACE)
    plain = shuffled(table, np.random.default_rng(1))
    one, other = TableDomain(table=table).everything(), TableDomain(table=plain).everything()
    assert sorted((one.slots == IDLE).sum(axis=1)) == sorted((other.slots == IDLE).sum(axis=1))
    assert (other.slots == IDLE).any()


def test_a_code_that_the_table_has_not_is_counted_in_its_space_and_fits_nowhere(layouts):
    table = read_table(layouts["csv"][0])
    part = TableDomain(table=table, minimize=("madds", "peak_memory"))
    lost = np.array(
        [code for code in table.space.sample(50, np.random.default_rng(9)) if table.rows(code[None])[0] < 0]
    )
    both = np.concatenate([lost[:5], table.codes[:5]])
    looked, whole = part.look(both), SpaceDomain(space=table.space, budget=Budget(), minimize=part.minimize).look(both)
    assert (looked.costs == whole.costs).all()
    assert (looked.names == whole.names).all()
    assert part.fits(both).tolist() == [False] * 5 + [True] * 5
    assert np.isnan(part.lookup(both)).tolist() == [True] * 5 + [False] * 5


@given(table=plain_tables())
def test_a_look_up_is_the_mean_or_one_seed(table):
    fit = TableDomain(table=table)
    assert np.allclose(fit.lookup(table.codes), np.nanmean(table.top1, axis=1))
    for seed in range(3):
        one = fit.lookup(table.codes, seed)
        assert all(value in row for value, row in zip(one, table.top1, strict=True))


def test_one_axis_away_in_nas_bench_macro_is_what_the_space_says(macro):
    table, space = TableDomain(table=macro), SpaceDomain(space=macro.space, budget=Budget())
    codes = macro.codes[::400]
    assert set(table.around(codes)) == set(space.around(codes))
    assert (table.everything().names == space.everything().names).all()
    assert (fingerprints(macro.space, macro.codes).tobytes()) == table.everything().names.tobytes()
