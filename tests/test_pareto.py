"""The front by its definition; hypervolume by counting cells, by inclusion and exclusion, by Optuna's, by pymoo's."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from archsearch.errors import SpecError
from archsearch.pareto import front, growth, hypervolume

small = st.integers(1, 4).flatmap(
    lambda m: arrays(np.float64, st.tuples(st.integers(0, 7), st.just(m)), elements=st.integers(0, 4))
)


def _beaten(values: np.ndarray, row: int) -> bool:
    return any((values[i] <= values[row]).all() and (values[i] < values[row]).any() for i in range(len(values)))


@given(small)
def test_the_front_is_what_no_other_row_beats(values):
    assert front(values).tolist() == [not _beaten(values, row) for row in range(len(values))]


@given(small, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(values, random):
    order = list(range(len(values)))
    random.shuffle(order)
    assert front(values[order]).tolist() == front(values)[order].tolist()


def test_equal_rows_stand_or_fall_together():
    assert front(np.array([[1.0, 2], [1, 2], [2, 1], [3, 3], [3, 3]])).tolist() == [True, True, True, False, False]


def test_a_row_with_nan_is_never_on_the_front_and_beats_nobody():
    assert front(np.array([[np.nan, 0.0], [1, 1], [0, np.nan]])).tolist() == [False, True, False]
    assert front(np.full((3, 2), np.nan)).tolist() == [False] * 3


def test_infinite_values_are_values():
    assert front(np.array([[np.inf, 0.0], [0, np.inf], [np.inf, np.inf], [-np.inf, 5]])).tolist() == [
        True,
        False,
        False,
        True,
    ]


def test_no_rows_have_no_front_and_no_volume():
    assert front(np.empty((0, 3))).shape == (0,)
    assert hypervolume(np.empty((0, 3)), np.ones(3)) == 0.0


def test_lists_are_taken_and_left_alone():
    values = np.array([[3.0, 1.0], [1.0, 3.0], [2.0, 2.0]])
    before = values.copy()
    hypervolume(values, np.array([4.0, 4.0]))
    front(values)
    assert (values == before).all()


@pytest.mark.parametrize("shape", [(3,), (2, 2, 2)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(SpecError, match=r"values must be \[n, m\]"):
        front(np.zeros(shape))
    with pytest.raises(SpecError, match=r"values must be \[n, m\]"):
        hypervolume(np.zeros(shape), np.ones(2))


def test_a_reference_of_another_length_is_refused():
    with pytest.raises(SpecError, match=r"reference must have 2 numbers, got shape \(3,\)"):
        hypervolume(np.zeros((1, 2)), np.ones(3))


def _cells(values: np.ndarray, reference: np.ndarray) -> int:
    """Unit cells of the grid that some row dominates."""
    lows = product(*(range(int(end)) for end in reference))
    return sum(any((row <= low).all() for row in values) for low in map(np.array, lows))


@given(small)
def test_hypervolume_is_the_number_of_dominated_cells(values):
    reference = np.full(values.shape[1], 4.0)
    assert hypervolume(values, reference) == _cells(values, reference)


@given(small, st.floats(0.1, 9), st.floats(-5, 5))
def test_hypervolume_scales_with_its_axes_and_moves_with_its_origin(values, scale, shift):
    reference = np.full(values.shape[1], 4.0)
    moved = hypervolume(values * scale + shift, reference * scale + shift)
    assert moved == pytest.approx(hypervolume(values, reference) * scale ** values.shape[1], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("m", [1, 2, 3, 4])
def test_hypervolume_is_that_of_optuna(m):
    wfg = pytest.importorskip("optuna._hypervolume.wfg")
    rng = np.random.default_rng(m)
    for _ in range(5):
        values, reference = rng.random((20, m)), np.full(m, 0.9)
        inside = values[(values < reference).all(axis=1)]
        assert hypervolume(values, reference) == pytest.approx(wfg.compute_hypervolume(inside, reference), rel=1e-12)


def test_rows_beyond_the_reference_add_nothing():
    assert hypervolume(np.array([[0.0, 5.0], [2.0, 2.0], [np.nan, 0.0], [1.0, 1.0]]), np.array([2.0, 2.0])) == 1.0


def _by_inclusion(values: np.ndarray, reference: np.ndarray) -> float:
    """The union of the rows' boxes: those of one, less those of two, and so on."""
    inside = values[(values < reference).all(axis=1)]
    return sum(
        (-1) ** (k + 1) * np.prod(reference - np.max(some, axis=0))
        for k in range(1, len(inside) + 1)
        for some in combinations(inside, k)
    )


@given(st.integers(1, 4).flatmap(
    lambda m: arrays(np.float64, st.tuples(st.integers(0, 7), st.just(m)), elements=st.floats(-1, 1, width=32))
))  # fmt: skip
def test_hypervolume_is_that_of_inclusion_and_exclusion(values):
    reference = np.full(values.shape[1], 0.8)
    assert hypervolume(values, reference) == pytest.approx(_by_inclusion(values, reference), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("m", [1, 2, 3, 4])
@pytest.mark.parametrize("shape", ["cloud", "front"])
def test_hypervolume_is_that_of_pymoo(m, shape):
    indicators = pytest.importorskip("pymoo.indicators.hv")
    rng = np.random.default_rng(m)
    values = rng.random((20 if m == 4 else 700, m))
    if shape == "front":
        values = values / np.linalg.norm(values, axis=1, keepdims=True)
    reference = np.full(m, 0.95)
    assert hypervolume(values, reference) == pytest.approx(indicators.HV(ref_point=reference)(values), rel=1e-12)


@given(small)
def test_growth_is_the_hypervolume_of_each_beginning(values):
    reference = np.full(values.shape[1], 4.0)
    wanted = [hypervolume(values[: i + 1], reference) for i in range(len(values))]
    assert growth(values, reference).tolist() == wanted


@pytest.mark.parametrize("m", [2, 3])
def test_growth_of_many_rows_is_the_hypervolume_of_each_beginning(m):
    rng = np.random.default_rng(m)
    values, reference = rng.random((200, m)) ** 2, np.full(m, 0.9)
    values[rng.integers(0, 200, 10), 0] = np.nan
    grown = growth(values, reference)
    assert (np.diff(grown) >= 0).all()
    for n in (1, 2, 50, 117, 200):
        assert grown[n - 1] == pytest.approx(hypervolume(values[:n], reference), rel=1e-12)


@pytest.mark.parametrize("m", [2, 3, 4])
def test_what_reaches_to_infinity_has_no_end(m):
    assert hypervolume(np.array([[-np.inf] + [0.0] * (m - 1)] * 2), np.ones(m)) == np.inf
    assert hypervolume(np.zeros((1, m)), np.full(m, np.inf)) == np.inf
    assert hypervolume(np.full((1, m), np.inf), np.full(m, np.inf)) == 0.0
