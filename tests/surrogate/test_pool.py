"""The candidates: everything of a small domain; of a large one, networks that fit, each once, good ones among them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsearch.cost.budget import Budget, Limit
from archsearch.evaluate.table_domain import TableDomain
from archsearch.spec.space_file import read_space
from archsearch.surrogate.pool import BASE, FRESH, PARENTS, base, promising
from archsearch.surrogate.space_domain import SpaceDomain
from tests.strategies import plain_tables

LARGE = SpaceDomain(space=read_space("mobilenet_v2_small"), budget=Budget(limits={"madds": Limit(high=40e6)}))


@pytest.fixture(scope="module")
def drawn():
    """What is drawn once from a large domain."""
    found, whole = base(LARGE, 0, {})
    assert not whole
    return found


@given(plain_tables(), st.integers(0, 100), st.floats(0.1, 1))
def test_of_a_small_domain_all_that_fits_is_the_base_whatever_the_seed(table, seed, share):
    limit = float(np.quantile(table.costs["madds"], share))
    domain = TableDomain(table=table, budget=Budget(limits={"madds": Limit(high=limit)}))
    memory = {}
    found, whole = base(domain, seed, memory)
    assert whole
    assert set(found) == set(domain.look(table.codes[table.costs["madds"] <= limit]))
    assert len(set(found)) == len(found)
    assert base(domain, seed, memory)[0] is found


def test_of_a_large_domain_many_different_ones_that_fit_are_drawn_by_the_seed_alone(drawn):
    assert BASE * 0.9 <= len(drawn) <= BASE
    assert len(set(drawn)) == len(drawn)
    assert LARGE.fits(drawn.codes).all()
    again, other = base(LARGE, 0, {})[0], base(LARGE, 1, {})[0]
    assert (again.codes == drawn.codes).all()
    assert set(other) != set(drawn)


def by_cost(networks):
    """As if the dearest promised most."""
    return networks.traits[:, 0]


@pytest.mark.parametrize("seed", [0, 1])
def test_candidates_fit_are_different_and_hold_the_neighbours_of_the_best(drawn, seed):
    rng = np.random.default_rng(seed)
    front = drawn.take(np.arange(0, 2 * PARENTS))
    found = promising(LARGE, drawn, front, by_cost, rng)
    names = set(found)
    assert len(names) == len(found) > FRESH
    assert LARGE.fits(found.codes).all()
    assert set(LARGE.around(front.codes)) <= names
    assert len(names & set(drawn)) >= FRESH
    again = promising(LARGE, drawn, front, by_cost, np.random.default_rng(seed))
    assert (again.codes == found.codes).all()


def test_rounds_go_uphill_from_what_was_drawn(drawn):
    few = drawn.take(np.arange(FRESH))  # no more than is looked at, so that the start is known
    some = few.take(np.arange(1))
    found = promising(LARGE, few, some, by_cost, np.random.default_rng(0))
    start = np.argsort(-by_cost(few), kind="stable")[0]
    above = LARGE.around(few.codes[[start]])
    assert set(above) <= set(found)
    assert by_cost(found).max() >= max(by_cost(few).max(), by_cost(above).max(initial=-np.inf))
    scored = []
    promising(LARGE, few, some, lambda networks: scored.append(list(networks)) or by_cost(networks),
              np.random.default_rng(0))  # fmt: skip
    asked = [name for part in scored for name in part]
    assert len(asked) == len(set(asked))  # no network is scored twice
