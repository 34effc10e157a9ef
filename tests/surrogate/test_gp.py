"""The Gaussian process is the one of the textbooks, however its observations come in."""

from copy import copy
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from archsearch.surrogate.features import Rows
from archsearch.surrogate.gp import BOUND, JITTER, PRIORS, ROOM, TOLD, Kernel, Posterior, _loss, fitted, prior

CHOICES = (3, 2, 4)
TRAITS = 2
AXIS_OF = np.repeat(np.arange(len(CHOICES)), CHOICES)
SEEDS = st.integers(0, 10_000)


def rows(rng, n):
    """n random networks of three axes; few choices, so that some are equal but for their traits."""
    codes = rng.integers(0, CHOICES, (n, len(CHOICES)))
    marks = np.concatenate([np.eye(c)[codes[:, a]] for a, c in enumerate(CHOICES)], axis=1)
    line = rng.normal(size=(n, len(CHOICES) + TRAITS))
    return Rows(marks, line, line[:, len(CHOICES) :])


def kernel(rng):
    """A random kernel near the middle of its priors, its noise not too small to compare numbers."""
    start = prior(AXIS_OF, len(CHOICES), TRAITS)
    logs = start.logs + rng.normal(0, 0.7, len(start.logs))
    logs[-1] = rng.uniform(-5, 0)
    return replace(start, logs=logs)


def covariances(kernel, a, b):
    """The kernel's formula, pair by pair."""
    theta, (scale, slope) = np.exp(kernel.logs[:-3]), np.exp(kernel.logs[-3:-1])
    found = np.zeros((len(a), len(b)))
    for i in range(len(a)):
        for j in range(len(b)):
            apart = 0.0
            for axis in range(kernel.axes):
                mine = kernel.axis_of == axis
                apart += theta[axis] * (a.marks[i, mine] != b.marks[j, mine]).any()
            apart += (theta[kernel.axes :] * (a.traits[i] - b.traits[j]) ** 2).sum()
            found[i, j] = scale * np.exp(-apart) + slope * a.line[i] @ b.line[j] / a.line.shape[1]
    return found


def textbook(kernel, known, targets, at):
    """Mean and covariance by the dense formulas (Rasmussen and Williams 2006, equations 2.23 and 2.24)."""
    noisy = covariances(kernel, known, known) + kernel.noise * np.eye(len(known))
    across = covariances(kernel, known, at)
    solved = np.linalg.solve(noisy, across)
    return solved.T @ targets, covariances(kernel, at, at) - across.T @ solved


def taken(rows, *places):
    return rows.take(np.array(places))


@given(SEEDS)
def test_the_kernel_is_its_formula_and_positive_definite(seed):
    rng = np.random.default_rng(seed)
    k, a, b = kernel(rng), rows(rng, 12), rows(rng, 5)
    assert k.cross(a, b) == pytest.approx(covariances(k, a, b))
    whole = k.cross(a, a)
    assert whole == pytest.approx(whole.T)
    assert np.diag(whole) == pytest.approx(k.variance(a))
    assert np.linalg.eigvalsh(whole).min() > -1e-9 * whole.max()
    assert np.linalg.eigvalsh(whole + k.noise * np.eye(12)).min() >= k.noise * (1 - 1e-6)
    assert k.noise > JITTER


@given(SEEDS, st.integers(1, 8), st.integers(0, 8))
def test_added_one_at_a_time_the_posterior_is_that_of_all_at_once_and_the_textbooks(seed, first, more):
    rng = np.random.default_rng(seed)
    k, known, at = kernel(rng), rows(rng, first + more), rows(rng, 6)
    targets = rng.normal(size=first + more)
    grown = Posterior(k, known.take(np.arange(first)), targets[:first], at)
    for row in range(first, first + more):
        grown.add(taken(known, row), float(targets[row]))
    mean, covariance = textbook(k, known, targets, at)
    for posterior in (grown, Posterior(k, known, targets, at)):
        assert posterior.mean == pytest.approx(mean, abs=1e-7)
        assert posterior.covariance() == pytest.approx(covariance, abs=1e-7)
        assert posterior.sd**2 == pytest.approx(np.diag(covariance), abs=1e-7)


def test_more_can_be_added_than_room_was_made_for():
    rng = np.random.default_rng(1)
    k, at = kernel(rng), rows(rng, 6)
    known, targets = rows(rng, 2 * ROOM + 5), rng.normal(size=2 * ROOM + 5)
    grown = Posterior(k, known.take(np.arange(2)), targets[:2], at)
    for row in range(2, len(known)):
        grown.add(taken(known, row), float(targets[row]))
    mean, covariance = textbook(k, known, targets, at)
    assert grown.mean == pytest.approx(mean, abs=1e-6)
    assert grown.covariance() == pytest.approx(covariance, abs=1e-6)


@given(SEEDS, st.integers(1, 6))
def test_a_network_under_way_moves_no_mean_and_takes_variance_away_as_a_result_would(seed, under_way):
    rng = np.random.default_rng(seed)
    k, known, at = kernel(rng), rows(rng, 5 + under_way), rows(rng, 8)
    targets = rng.normal(size=5)
    posterior = Posterior(k, known.take(np.arange(5)), targets, at)
    for row in range(5, 5 + under_way):
        mean, sd = posterior.mean.copy(), posterior.sd
        posterior.add(taken(known, row), None)
        assert (posterior.mean == mean).all()
        assert (posterior.sd <= sd).all()
    _, covariance = textbook(k, known, np.zeros(len(known)), at)  # variances know nothing of targets
    assert posterior.covariance() == pytest.approx(covariance, abs=1e-7)


@given(SEEDS)
def test_a_result_after_networks_under_way_counts_as_if_they_had_come_out_as_believed(seed):
    rng = np.random.default_rng(seed)
    k, known, at = kernel(rng), rows(rng, 8), rows(rng, 6)
    targets = rng.normal(size=8)
    posterior = Posterior(k, known.take(np.arange(5)), targets[:5], at)
    for row in (5, 6):
        targets[row] = textbook(k, known.take(np.arange(row)), targets[:row], taken(known, row))[0][0]
        posterior.add(taken(known, row), None)
    posterior.add(taken(known, 7), float(targets[7]))
    assert posterior.mean == pytest.approx(textbook(k, known, targets, at)[0], abs=1e-7)


@given(SEEDS, st.integers(1, ROOM + 3))
def test_what_is_added_to_a_copy_leaves_the_original_as_it_was(seed, more):
    rng = np.random.default_rng(seed)
    k, known, at = kernel(rng), rows(rng, 4), rows(rng, 6)
    posterior = Posterior(k, known, rng.normal(size=4), at)
    posterior.add(rows(rng, 1), 0.3)
    mean, sd, covariance = posterior.mean.copy(), posterior.sd, posterior.covariance()
    for _ in range(2):  # one copy after the other, as for each proposal
        other = copy(posterior)
        for number in range(more):
            other.add(rows(rng, 1), None if number % 2 else 1.0)
    assert (posterior.mean == mean).all()
    assert (posterior.sd == sd).all()
    assert (posterior.covariance() == covariance).all()
    late, twin = rows(rng, 1), Posterior(k, posterior._known, posterior._targets, at)
    posterior.add(late, -0.5)
    twin.add(late, -0.5)
    assert posterior.mean == pytest.approx(twin.mean, abs=1e-7)
    assert posterior.covariance() == pytest.approx(twin.covariance(), abs=1e-7)


@settings(max_examples=20)
@given(SEEDS, st.none() | st.floats(1e-4, 1))
def test_the_gradient_of_the_loss_is_its_finite_differences(seed, noise):
    rng = np.random.default_rng(seed)
    k, some = kernel(rng), rows(rng, 10)
    loss = _loss(k, some, rng.normal(size=10), noise)
    step = 1e-5 * np.eye(len(k.logs))
    numeric = [(loss(k.logs + each)[0] - loss(k.logs - each)[0]) / 2e-5 for each in step]
    assert loss(k.logs)[1] == pytest.approx(numeric, rel=1e-4, abs=1e-4)


@given(SEEDS, st.none() | st.floats(1e-4, 1))
def test_the_loss_is_minus_the_log_posterior_up_to_a_constant(seed, noise):
    rng = np.random.default_rng(seed)
    some, targets = rows(rng, 8), rng.normal(size=8)
    names = ["choice"] * len(CHOICES) + ["trait"] * TRAITS + ["scale", "slope", "noise"]
    normals = [PRIORS[name] for name in names]
    if noise is not None:
        normals[-1] = (np.log(noise), TOLD)

    def dense(k):
        whole = covariances(k, some, some) + k.noise * np.eye(len(some))
        own = sum(stats.norm.logpdf(log, *normal) for log, normal in zip(k.logs, normals, strict=True))
        return -stats.multivariate_normal.logpdf(targets, cov=whole) - own

    one, other = kernel(rng), kernel(rng)
    loss = _loss(one, some, targets, noise)
    assert loss(one.logs)[0] - loss(other.logs)[0] == pytest.approx(dense(one) - dense(other), rel=1e-6, abs=1e-6)


@settings(max_examples=20)
@given(SEEDS, st.integers(2, 12), st.none() | st.floats(0, 10))
def test_a_fit_is_never_worse_than_its_start_and_stays_within_its_bounds(seed, n, noise):
    rng = np.random.default_rng(seed)
    start, some, targets = kernel(rng), rows(rng, n), rng.normal(size=n)
    found = fitted(start, some, targets, steps=15, noise=noise)
    loss = _loss(start, some, targets, noise)
    assert loss(found.logs)[0] <= loss(start.logs)[0]
    assert (np.abs(found.logs) <= BOUND).all()


def test_an_axis_that_matters_gets_a_higher_rate_than_one_that_does_not():
    rng = np.random.default_rng(3)
    some = rows(rng, 60)
    effect = some.marks[:, AXIS_OF == 2] @ np.array([1.0, -1.0, 0.5, -0.5])
    k = fitted(prior(AXIS_OF, len(CHOICES), TRAITS), some, effect / effect.std(), steps=40)
    assert k.rates[2] > 3 * k.rates[[0, 1]].max()


def test_the_prior_is_at_the_middle_of_what_it_says():
    start = prior(AXIS_OF, len(CHOICES), TRAITS)
    assert isinstance(start, Kernel)
    pulled = _loss(start, rows(np.random.default_rng(0), 1), np.zeros(1), None)
    moved = start.logs.copy()
    moved[0] += 1  # one observation of 0 says nothing of an axis, so that only the prior pulls
    assert pulled(moved)[0] - pulled(start.logs)[0] == pytest.approx(0.5 / PRIORS["choice"][1] ** 2)
