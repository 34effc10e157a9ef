"""What the trials say of any network: its scale, its samples, its noise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsearch.cost.budget import Budget
from archsearch.spec.space_file import read_space
from archsearch.surrogate.belief import (
    FLOOR,
    accuracy,
    active,
    expected_noise,
    learn,
    peeled,
    standardised,
    target,
)
from archsearch.surrogate.domain import Networks
from archsearch.surrogate.space_domain import SpaceDomain

DOMAIN = SpaceDomain(space=read_space("nas_bench_macro"), budget=Budget())
FRACTIONS = st.floats(0, 1)


@given(st.lists(FRACTIONS, min_size=1, max_size=20))
def test_accuracy_undoes_target_and_both_keep_the_order(top1):
    top1 = np.sort(np.array(top1))
    assert accuracy(target(top1)) == pytest.approx(top1, abs=1e-12)
    assert (np.diff(target(top1)) >= 0).all()


@given(st.floats(-50, 50))
def test_any_value_is_an_accuracy_between_none_and_all(value):
    back = float(accuracy(np.array(value)))
    assert 0 <= back <= 1
    if 0 < back < 1:
        assert float(target(np.array(back))) == pytest.approx(value, rel=1e-6, abs=1e-6)


def test_what_halves_the_error_counts_the_same_everywhere():
    error = np.array([0.4, 0.1, 0.01])
    steps = target(1 + FLOOR - error / 2) - target(1 + FLOOR - error)
    assert steps == pytest.approx(np.log(2))


def truth(networks, rng):
    """An accuracy by choices and cost, between 0.5 and 0.9."""
    cost = networks.traits[:, 0]
    kinds = (networks.codes == 2).sum(axis=1) / 8
    return 0.5 + 0.3 * (cost - cost.min()) / np.ptp(cost) + 0.1 * kinds


def trained(n, seed, noise=0.0):
    """n networks of the domain with what one noisy training each told."""
    rng = np.random.default_rng(seed)
    networks = DOMAIN.draw(n, rng)
    return networks, truth(networks, rng) + noise * rng.standard_normal(len(networks))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_samples_have_the_mean_and_the_covariance_of_the_textbook_and_of_predict(seed):
    networks, top1 = trained(25, seed, 0.01)
    belief = learn(networks, DOMAIN.axes, top1, np.full(len(top1), 0.01))
    at = DOMAIN.draw(6, np.random.default_rng(seed + 100))
    n = 20_000
    draws = target(belief.draw(at, n, np.random.default_rng(seed)))
    mean, sd = belief.predict(at)
    known, rows = belief.encoder.rows(networks), belief.encoder.rows(at)
    noisy = belief.kernel.cross(known, known) + belief.kernel.noise * np.eye(len(networks))
    across = belief.kernel.cross(known, rows)
    covariance = belief.kernel.cross(rows, rows) - across.T @ np.linalg.solve(noisy, across)
    assert mean == pytest.approx(
        belief.centre + belief.spread * across.T @ np.linalg.solve(noisy, belief.targets), abs=1e-6
    )
    assert sd == pytest.approx(belief.spread * np.sqrt(np.diag(covariance)), abs=1e-6)
    assert (np.abs(draws.mean(axis=0) - mean) < 5 * sd / np.sqrt(n)).all()
    expected = belief.spread**2 * covariance
    slack = 5 * np.sqrt((np.outer(sd, sd) ** 2 + expected**2) / n)
    assert (np.abs(np.cov(draws.T) - expected) < slack).all()


def test_samples_are_accuracies_and_repeat_with_their_seed():
    networks, top1 = trained(12, 0)
    belief = learn(networks, DOMAIN.axes, np.clip(top1 + 0.15, 0, 1), np.zeros(len(top1)))
    at = DOMAIN.draw(40, np.random.default_rng(5))
    draws = belief.draw(at, 50, np.random.default_rng(1))
    assert draws.shape == (50, len(at))
    assert ((draws >= 0) & (draws <= 1)).all()
    assert (draws == belief.draw(at, 50, np.random.default_rng(1))).all()


def test_what_was_measured_without_noise_is_believed_and_the_order_of_trials_does_not_matter():
    networks, top1 = trained(40, 3)
    belief = learn(networks, DOMAIN.axes, top1, np.zeros(len(top1)))
    assert accuracy(belief.predict(networks)[0]) == pytest.approx(top1, abs=0.02)
    rows = np.random.default_rng(0).permutation(len(top1))
    other = learn(networks.take(rows), DOMAIN.axes, top1[rows], np.zeros(len(top1)), sample=networks)
    same = learn(networks, DOMAIN.axes, top1, np.zeros(len(top1)), sample=networks)
    assert other.predict(networks)[0] == pytest.approx(same.predict(networks)[0], abs=0.01)


def found_noise(seed, *, told):
    """The noise found, as a multiple of the true one: 14 networks whose trainings scatter by 6 points."""
    networks, top1 = trained(14, seed, 0.06)
    belief = learn(networks, DOMAIN.axes, top1, np.full(len(top1), 0.06 * told))
    return belief.noise / float(np.median(0.06 / (1 + FLOOR - top1)))


def test_known_standard_errors_keep_the_noise_from_collapsing():
    told = sum(1 / 3 < found_noise(seed, told=True) < 3 for seed in range(20))
    untold = sum(1 / 3 < found_noise(seed, told=False) < 3 for seed in range(20))
    assert told >= 18 > untold


@given(st.lists(st.tuples(FRACTIONS, st.floats(0, 0.1)), min_size=1, max_size=12), st.floats(0.1, 2))
def test_the_noise_to_expect_is_the_middle_one_of_those_that_are_known(trials, spread):
    top1, error = np.array([each[0] for each in trials]), np.array([each[1] for each in trials])
    slope = (target(top1 + 1e-7) - target(top1 - 1e-7)) / 2e-7  # how a small error grows on the scale of the targets
    found = expected_noise(top1, error, spread)
    known = error > 0
    if known.any():
        assert found == pytest.approx(np.median((error * slope / spread)[known] ** 2), rel=1e-4)
    else:
        assert found is None
    unknown = np.where(np.arange(len(error)) % 2, np.nan, error)
    kept = error * (np.arange(len(error)) % 2 == 0)
    assert expected_noise(top1, unknown, spread) == expected_noise(top1, kept, spread)


@given(st.lists(st.floats(-3, 5), min_size=1, max_size=20))
def test_standardised_values_come_back_from_their_centre_and_spread(values):
    scaled, centre, spread = standardised(np.array(values))
    assert centre + spread * scaled == pytest.approx(values)
    assert abs(scaled.mean()) < 1e-6
    assert scaled.std() < 1 + 1e-6


@st.composite
def results(draw):
    """Trials with ties in accuracy and cost."""
    n, metrics = draw(st.integers(1, 14)), draw(st.integers(0, 2))
    cells = st.lists(st.integers(0, 5), min_size=n, max_size=n)
    top1 = np.array(draw(cells)) / 5
    costs = np.stack([draw(cells) for _ in range(metrics)], axis=1) if metrics else np.zeros((n, 0))
    bare = np.zeros((n, 0), dtype=np.int64)
    names = np.arange(n, dtype=np.int64).view(np.dtype((np.void, 8)))
    return top1, Networks(codes=bare, slots=bare, costs=costs.astype(float), traits=np.zeros((n, 0)), names=names)


@given(results())
def test_how_far_below_the_best_no_dearer_network_one_is(told):
    top1, networks = told
    best = [max(own for own, other in zip(top1, networks.costs, strict=True) if (other <= cost).all())
            for cost in networks.costs]  # fmt: skip
    assert peeled(top1, networks.costs) == pytest.approx(np.array(best) - top1)


@given(results(), st.integers(2, 10))
def test_of_many_trials_the_nearest_to_the_front_and_some_others_are_learned_from(told, most):
    top1, networks = told
    rows = active(top1, networks, most)
    assert len(rows) == min(most, len(top1))
    assert (np.diff(rows) > 0).all()
    if len(top1) > most:
        left = np.setdiff1d(np.arange(len(top1)), rows)
        depth = peeled(top1, networks.costs)
        assert (np.sort(depth[rows])[: most // 2] <= depth[left].min()).all()


def test_accuracies_that_are_all_equal_are_believed():
    networks, _ = trained(5, 0)
    belief = learn(networks, DOMAIN.axes, np.full(len(networks), 0.7), np.zeros(len(networks)))
    mean, sd = belief.predict(networks)
    assert accuracy(mean) == pytest.approx(0.7, abs=1e-6)
    assert np.isfinite(sd).all()
    assert 0 < belief.noise < 1e-6
