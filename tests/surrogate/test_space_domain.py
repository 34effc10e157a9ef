"""A space under a budget is what counting and comparing its networks one by one gives."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archsearch.cost.budget import Budget, Limit
from archsearch.cost.count import count
from archsearch.errors import BudgetError
from archsearch.spec.algebra import used
from archsearch.spec.canon import key
from archsearch.spec.space_file import read_space
from archsearch.surrogate.domain import IDLE, spelled
from archsearch.surrogate.space_domain import SpaceDomain
from tests.strategies import spaces

SMALL = 80  # codes of a space that is gone through one by one
METRICS = ("madds", "params")


class Listed:
    """All codes of a small space with their networks, one by one."""

    def __init__(self, space, budget) -> None:
        self.codes = np.concatenate(list(space.enumerate()))
        nets = [space.decode(code) for code in self.codes]
        self.keys = [key(net) for net in nets]
        self.costs = [count(net, METRICS) for net in nets]
        self.fits = np.array([budget.fits(cost) for cost in self.costs])
        self.row = {tuple(code): row for row, code in enumerate(self.codes.tolist())}

    def rows(self, codes):
        return [self.row[tuple(code)] for code in codes.tolist()]

    def keys_of(self, codes):
        return [self.keys[row] for row in self.rows(codes)]


@st.composite
def domains(draw):
    """A small space and a budget that some of its networks fit; both metrics or one are minimised, or none."""
    space = draw(spaces().filter(lambda space: 1 < space.size <= SMALL))
    listed = Listed(space, Budget())
    limits = {}
    for name in draw(st.sets(st.sampled_from(METRICS))):
        limits[name] = Limit(high=draw(st.sampled_from([cost[name] for cost in listed.costs])))
    budget = Budget(limits=limits)
    listed.fits = np.array([bool(budget.fits(cost)) for cost in listed.costs])
    minimize = draw(st.sampled_from([(), ("madds",), ("params", "madds")]))
    return SpaceDomain(space=space, budget=budget, minimize=minimize), listed


def some(draw, listed):
    """A few codes, repeats among them."""
    rows = draw(st.lists(st.integers(0, len(listed.codes) - 1), min_size=1, max_size=4))
    return listed.codes[np.array(rows)]


@settings(max_examples=25)
@given(domains(), st.data())
def test_what_a_domain_says_is_what_its_networks_say_one_by_one(told, data):
    domain, listed = told
    codes = listed.codes
    networks = domain.look(codes)
    assert domain.fits(codes).tolist() == listed.fits.tolist()
    assert (networks.codes == codes).all()
    assert networks.costs.tolist() == [[float(cost[name]) for name in domain.minimize] for cost in listed.costs]
    logs = [[np.log(max(cost[name], 1)) for name in domain.traits] for cost in listed.costs]
    assert networks.traits == pytest.approx(np.array(logs))
    names = list(networks)
    assert len(set(names)) == len(set(listed.keys)) == len(set(zip(names, listed.keys, strict=True)))
    picked = some(data.draw, listed)
    again = domain.look(picked)
    assert list(again) == [names[row] for row in listed.rows(picked)]
    assert (again.slots == networks.slots[listed.rows(picked)]).all()


@settings(max_examples=25)
@given(domains())
def test_slots_are_the_choices_or_idle_and_equal_ones_are_the_same_network(told):
    domain, listed = told
    networks = domain.look(listed.codes)
    idle = networks.slots == IDLE
    assert (networks.slots[~idle] == networks.codes[~idle]).all()
    assert not (idle & used(domain.space, networks.codes)).any()  # an axis that matters is never idle
    by_slots = {}
    for slots, name in zip(networks.slots.tolist(), networks, strict=True):
        assert by_slots.setdefault(tuple(slots), name) == name
    alike = spelled(networks, domain.look(listed.codes))  # and spelled alike the same network has the same slots
    assert len({(name, tuple(s)) for name, s in zip(alike, alike.slots.tolist(), strict=True)}) == len(set(networks))


@settings(max_examples=25)
@given(domains())
def test_everything_is_the_first_code_of_each_network_that_fits(told):
    domain, listed = told
    first = {}
    for row in np.flatnonzero(listed.fits):
        first.setdefault(listed.keys[row], row)
    assert listed.rows(domain.everything().codes) == sorted(first.values())


@settings(max_examples=25)
@given(domains(), st.data())
def test_around_are_the_other_networks_that_fit_one_axis_away_each_once(told, data):
    domain, listed = told
    centres = some(data.draw, listed)
    beside = ((listed.codes[:, None] != centres).sum(axis=2) == 1).any(axis=1)
    wanted = {listed.keys[row] for row in np.flatnonzero(beside & listed.fits)} - set(listed.keys_of(centres))
    found = domain.around(centres)
    assert sorted(listed.keys_of(found.codes)) == sorted(wanted)
    assert beside[listed.rows(found.codes)].all()
    assert not set(found) & set(domain.look(centres))  # in no spelling


@settings(max_examples=25)
@given(domains(), st.integers(1, 40), st.integers(0, 1000))
def test_a_draw_is_of_different_networks_that_fit(told, n, seed):
    domain, listed = told
    assume(listed.fits.any())
    found = domain.draw(n, np.random.default_rng(seed))
    keys = listed.keys_of(found.codes)
    assert 0 < len(keys) == len(set(keys)) <= n
    assert listed.fits[listed.rows(found.codes)].all()
    assert (found.codes == domain.draw(n, np.random.default_rng(seed)).codes).all()


@pytest.mark.parametrize("space", ["nas_bench_macro", "mobilenet_v2_small"])
def test_where_nothing_fits_nothing_is_around_and_a_draw_says_so(space):
    domain = SpaceDomain(space=read_space(space), budget=Budget(limits={"madds": Limit(high=10)}))
    codes = domain.space.sample(3, np.random.default_rng(0))
    assert len(domain.around(codes)) == 0
    assert not domain.fits(codes).any()
    with pytest.raises(BudgetError):
        domain.draw(5, np.random.default_rng(0))


def test_a_draw_of_a_large_space_is_spread_over_the_logarithm_of_cost():
    domain = SpaceDomain(space=read_space("mobilenet_v2_small"), budget=Budget(limits={"madds": Limit(high=40e6)}))
    assert domain.everything() is None
    logs = np.log(domain.draw(400, np.random.default_rng(0)).costs[:, 0])
    shares = np.histogram(logs, bins=5)[0] / len(logs)
    assert (np.abs(shares - 0.2) < 0.08).all()
