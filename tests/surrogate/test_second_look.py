"""What a second measurement is worth, against a simulation of it."""

import numpy as np
import pytest

from archsearch.surrogate.acquire import BEYOND, learned, second_look, volume

DRAWS = 1000


def simulated(mean, sd, costs, row, noise, rng):
    """The mean gain in volume of the front of means, when the mean of one row moves as a measurement would move it."""
    floor, top = mean.min(), costs.max(axis=0)
    reference = top + BEYOND * (top - costs.min(axis=0))
    least = costs.min(axis=0)
    before = volume(mean, costs, floor, reference, least)
    gains = []
    for z in rng.standard_normal(DRAWS):
        moved = mean.copy()
        moved[row] += z * learned(sd[row], noise)
        gains.append(volume(moved, costs, floor, reference, least) - before)
    return np.mean(gains), np.std(gains) / np.sqrt(DRAWS)


@pytest.mark.parametrize("costs", [0, 1, 2])
@pytest.mark.parametrize("seed", [0, 1])
def test_it_is_worth_what_it_adds_to_the_front_on_average(costs, seed):
    rng = np.random.default_rng([seed, costs])
    mean, sd = rng.normal(size=7), rng.uniform(0.1, 0.6, size=7)
    table = rng.random((7, costs))
    worth = second_look(mean, sd, table, np.ones(7, dtype=bool), noise=0.05)
    for row in range(7):
        expected, error = simulated(mean, sd, table, row, 0.05, rng)
        assert worth[row] == pytest.approx(expected, abs=5 * error + 1e-6)
    assert worth.max() > 0


def test_what_may_not_be_measured_is_worth_nothing_and_what_is_known_well_little():
    rng = np.random.default_rng(3)
    mean, table = rng.normal(size=6), rng.random((6, 1))
    may = np.array([True, False] * 3)
    assert not second_look(mean, np.ones(6), table, may, noise=0.1)[~may].any()
    unsure = second_look(mean, np.full(6, 0.5), table, may, noise=0.1)
    sure = second_look(mean, np.full(6, 1e-6), table, may, noise=0.1)
    assert (sure <= unsure + 1e-12).all()
    assert sure.max() < 1e-9
