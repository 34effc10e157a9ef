"""Weights fitted to whole networks, and the margin above a prediction."""

import numpy as np
import pytest

from archsearch.cost.latency import TRAITS, block_traits
from archsearch.measure.calibrate import COVER, UNKNOWN, Calibration, calibrate, strongest
from archsearch.measure.model import block
from archsearch.spec.copies import copies, describe
from archsearch.spec.lower import lower
from archsearch.spec.space_file import read_space
from tests.measure.fake import cost_ms


@pytest.fixture(scope="module")
def networks():
    space = read_space("mobilenet_v2_small")
    return [space.decode(code) for code in space.sample(60, np.random.default_rng(0))]


@pytest.fixture(scope="module")
def alone(networks):
    found = {describe(e.blocks[0]): e.blocks[0] for arch in networks for e in copies(lower(arch)) if e.blocks[0]}
    return {name: cost_ms(block(ops)) for name, ops in found.items()}


def weighted(**values):
    """Weights by the traits' names; the others are 0."""
    return np.array([values.get(name, 0.0) for name in TRAITS])


def total(arch, alone):
    rows, times = block_traits(arch, alone)
    return times @ rows


def truth(networks, alone, weights):
    return np.array([total(arch, alone) @ weights for arch in networks])


def test_weights_that_made_the_networks_are_found_again(networks, alone):
    weights = weighted(ms=0.8, block=0.003, input=2e-8, weights=5e-8, dense_ms=0.3)
    found = calibrate(networks, truth(networks, alone, weights), alone)
    told = truth(networks, alone, np.array(found.weights))
    assert told == pytest.approx(truth(networks, alone, weights), rel=2e-3)
    assert found.error < 0.005


def test_a_device_that_is_so_many_times_as_slow_needs_one_number(networks, alone):
    found = calibrate(networks[:5], 7 * truth(networks[:5], alone, np.eye(len(TRAITS))[0]), alone)
    assert truth(networks, alone, np.array(found.weights)) == pytest.approx(
        7 * truth(networks, alone, np.eye(len(TRAITS))[0]), rel=0.02)  # fmt: skip
    few = calibrate(networks[:2], 7 * truth(networks[:2], alone, np.eye(len(TRAITS))[0]), alone)
    assert few.weights == pytest.approx(weighted(ms=7.0))


def test_one_slip_among_the_networks_hardly_moves_the_rest(networks, alone):
    ms = truth(networks, alone, np.eye(len(TRAITS))[0])
    slipped = ms.copy()
    slipped[3] *= 3
    told = truth(networks, alone, np.array(calibrate(networks, slipped, alone).weights))
    assert np.median(np.abs(told / ms - 1)) < 0.02


def test_the_margin_holds_for_19_of_20_new_networks():
    rng = np.random.default_rng(1)
    held = []
    for _ in range(300):
        ratios = rng.lognormal(0, 0.05, 40)
        margin = Calibration(weights=(1.0,), ratios=ratios, ridge=0.0).margin
        held.append(np.mean(rng.lognormal(0, 0.05, 200) <= margin))
    assert np.mean(held) == pytest.approx(COVER, abs=0.015)


def test_the_margin_is_never_below_the_prediction():
    assert Calibration(weights=(1.0,), ratios=np.full(40, 0.7), ridge=0.0).margin == 1.0


def test_with_few_networks_the_margin_is_wider_and_still_holds():
    rng = np.random.default_rng(2)
    held = []
    for _ in range(400):
        margin = Calibration(weights=(1.0,), ratios=rng.lognormal(0, 0.05, 8), ridge=0.0).margin
        held.append(np.mean(rng.lognormal(0, 0.05, 200) <= margin))
    assert np.mean(held) == pytest.approx(COVER, abs=0.02)


def test_where_nothing_was_left_out_the_margin_says_that_nobody_knows():
    assert Calibration(weights=(1.0,), ratios=np.ones(2), ridge=0.0).margin == UNKNOWN


def test_the_fit_is_the_same_in_any_unit(networks, alone):
    ms = truth(networks, alone, weighted(ms=0.8, block=0.003, dense_ms=0.3)) * np.random.default_rng(3).lognormal(
        0, 0.03, len(networks))  # fmt: skip
    one = truth(networks, alone, np.array(calibrate(networks[:30], ms[:30], alone).weights))
    other = truth(networks, alone, np.array(calibrate(networks[:30], 1000 * ms[:30], alone).weights))
    assert other == pytest.approx(1000 * one, rel=1e-6)


def test_of_ridges_that_cannot_be_told_apart_the_strongest_is_taken():
    rng = np.random.default_rng(4)
    close = {1e-4: rng.lognormal(0, 0.05, 40), 1e-2: rng.lognormal(0, 0.051, 40), 1.0: rng.lognormal(0, 0.5, 40)}
    assert strongest(close) == 1e-2
