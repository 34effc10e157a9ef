"""Which networks take a step: the ends of a sandwich, strict fairness, budgets; the same again for the same seed."""

import numpy as np
import pytest

from archsearch.cost.budget import Budget, Limit
from archsearch.cost.count import count
from archsearch.cost.extremes import extremes
from archsearch.cost.table import cost_table
from archsearch.errors import BudgetError, RecipeError
from archsearch.spec.space_file import read_space
from archsearch.train.sandwich import Sampler
from archsearch.train.supernet_recipe import SupernetRecipe

SPACES = ["nas_bench_macro", "mobilenet_v2_small", "ofa_mobilenet_v3"]


@pytest.mark.parametrize("name", SPACES)
def test_a_sandwich_has_the_largest_and_the_smallest_network_of_the_space(name):
    space = read_space(name)
    largest, smallest, *others = Sampler(space, SupernetRecipe(networks=4), seed=0).codes(3)
    ends = extremes(space, "madds")
    assert count(space.decode(largest), ("madds",))["madds"] == ends.high
    assert count(space.decode(smallest), ("madds",))["madds"] == ends.low
    assert len(others) == 2


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("networks", [1, 3, 4])
def test_fair_sampling_uses_every_choice_of_every_axis_equally_often(name, networks):
    space = read_space(name)
    sampler = Sampler(space, SupernetRecipe(sampling="fair", networks=networks), seed=7)
    period = int(np.lcm.reduce(space.radix))
    steps = int(np.lcm(period, networks)) // networks
    codes = np.array([code for step in range(steps) for code in sampler.codes(step)])
    for axis, choices in enumerate(space.radix):
        times = np.bincount(codes[:, axis], minlength=int(choices))
        assert (times == len(codes) // choices).all()


def test_fair_sampling_never_lets_one_choice_lead_by_more_than_one():
    space = read_space("mobilenet_v2_small")
    sampler = Sampler(space, SupernetRecipe(sampling="fair", networks=2), seed=1)
    times = [np.zeros(int(choices), int) for choices in space.radix]
    for step in range(40):
        for code in sampler.codes(step):
            for axis, choice in enumerate(code):
                times[axis][choice] += 1
                assert times[axis].max() - times[axis].min() <= 1


@pytest.mark.parametrize("sampling", ["sandwich", "fair", "uniform"])
def test_the_networks_of_a_step_follow_from_seed_and_step_alone(sampling):
    space, recipe = read_space("mobilenet_v2_small"), SupernetRecipe(sampling=sampling, networks=3)
    one, other = Sampler(space, recipe, seed=3), Sampler(space, recipe, seed=3)
    one.codes(0)
    assert np.array_equal(one.codes(5), other.codes(5))
    assert not np.array_equal(one.codes(5), one.codes(6))
    assert not np.array_equal(one.codes(5), Sampler(space, recipe, seed=4).codes(5))


def test_under_a_budget_every_network_of_a_step_keeps_it():
    space, limit = read_space("nas_bench_macro"), Limit(low=20e6, high=40e6)
    sampler = Sampler(space, SupernetRecipe(networks=5), seed=0, budget=Budget(limits={"madds": limit}))
    every = cost_table(space, ("madds",)).count(next(space.enumerate(7000)))["madds"]
    fitting = every[(every >= limit.low) & (every <= limit.high)]
    found = [count(space.decode(code), ("madds",))["madds"] for step in range(3) for code in sampler.codes(step)]
    assert all(limit.low <= value <= limit.high for value in found)
    assert (max(found), min(found)) == (max(fitting), min(fitting))


def test_a_budget_that_nothing_meets_is_told():
    sampler = Sampler(read_space("nas_bench_macro"), SupernetRecipe(), seed=0,
                      budget=Budget(limits={"madds": Limit(high=10)}))  # fmt: skip
    with pytest.raises(BudgetError, match="no network of space nas_bench_macro"):
        sampler.codes(0)


def test_fairness_and_a_budget_do_not_go_together():
    budget = Budget(limits={"madds": Limit(high=40e6)})
    with pytest.raises(RecipeError, match="which a budget forbids"):
        Sampler(read_space("nas_bench_macro"), SupernetRecipe(sampling="fair"), seed=0, budget=budget)
