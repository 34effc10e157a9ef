"""Contrasts by hand: seeds and treatments that failed, fractions of a design, wrong input."""

import itertools
import math

import numpy as np
import pytest

from archsearch.ablate.contrasts import contrast, cost, seed_contrasts, sides
from archsearch.errors import ArchSearchError

NAN = math.nan
TWO = np.array([[0], [1]])
FULL = np.array([[a, b] for a in range(2) for b in range(3)])


def test_a_contrast_is_the_mean_over_seeds_of_level_less_base():
    top1 = np.array([[[0.5, 0.6], [0.4, 0.7]], [[0.2, 0.2], [0.5, 0.4]]])
    assert contrast(top1, TWO, 0, 1) == pytest.approx([0.0, 0.25])
    assert seed_contrasts(top1, TWO, 0, 1) == pytest.approx(np.array([[-0.1, 0.1], [0.3, 0.2]]))


def test_a_seed_that_failed_on_one_side_does_not_tilt_the_difference():
    good, bad = 0.9, 0.1  # what the seeds give, whatever the level
    top1 = np.array([[[good, bad, 0.5], [NAN, bad + 0.02, 0.52]]])
    assert contrast(top1, TWO, 0, 1) == pytest.approx([0.02])


def test_a_pair_without_one_side_has_no_difference():
    top1 = np.array([[[0.5], [NAN]], [[NAN], [0.5]], [[NAN], [NAN]], [[0.5], [0.6]]])
    assert contrast(top1, TWO, 0, 1) == pytest.approx([NAN, NAN, NAN, 0.1], nan_ok=True)
    apart = np.array([[[0.5, NAN], [NAN, 0.6]]])  # no seed has both
    assert np.isnan(contrast(apart, TWO, 0, 1)).all()


def test_with_all_treatments_a_contrast_is_a_difference_of_means():
    top1 = np.random.default_rng(0).uniform(size=(7, 6, 2))
    for factor, level in ((0, 1), (1, 1), (1, 2)):
        parts = [top1[:, FULL[:, factor] == each].mean(axis=(1, 2)) for each in (0, level)]
        assert contrast(top1, FULL, factor, level) == pytest.approx(parts[1] - parts[0])
        assert sides(top1, FULL, factor, level) == (pytest.approx(parts[0]), pytest.approx(parts[1]))


def test_a_treatment_that_failed_does_not_let_the_other_factor_in():
    top1 = np.array([[[0.1 + 0.01 * a + 0.3 * b] for a, b in FULL]])
    top1[0, 5] = NAN  # level 1 of the first factor with the best level of the second
    assert contrast(top1, FULL, 0, 1) == pytest.approx([0.01])
    assert contrast(top1, FULL, 1, 2) == pytest.approx([0.6])


def test_a_half_fraction_gives_main_effects_by_its_means():
    cube = np.array([[a, b, c] for a in range(2) for b in range(2) for c in range(2)])
    half = cube.sum(axis=1) % 2 == 0
    top1 = (0.5 + cube @ [0.01, -0.02, 0.03])[None, :, None] + np.array([0.0, 0.1])  # two seeds
    top1 = np.where(half[None, :, None], top1, NAN)
    for factor, effect in enumerate((0.01, -0.02, 0.03)):
        assert contrast(top1, cube, factor, 1) == pytest.approx([effect])
    top1[0, np.flatnonzero(half)[0], 1] = NAN  # one seed of one of its treatments: the other seed is enough
    for factor, effect in enumerate((0.01, -0.02, 0.03)):
        assert contrast(top1, cube, factor, 1) == pytest.approx([effect])


@pytest.mark.parametrize(
    ("treatments", "factor", "level", "word"),
    [(TWO, 1, 1, "no factor 1"), (TWO, 0, 2, "level 2"), (TWO, 0, 0, "level 0"), (FULL, 0, 1, "shapes"),
     (np.array([[1], [1]]), 0, 1, "same")],
)  # fmt: skip
def test_what_does_not_go_together_is_told(treatments, factor, level, word):
    with pytest.raises(ArchSearchError, match=word):
        contrast(np.zeros((3, 2, 1)), treatments, factor, level)


def test_the_cost_of_a_pair_is_the_geometric_mean():
    assert cost(np.array([[1e6, 4e6], [3e6, NAN]])) == pytest.approx([2e6, 3e6])


def test_a_pair_of_a_fraction_that_lost_its_balance_is_left_out():
    treatments = np.array(list(itertools.product(range(2), repeat=3)))
    half = treatments[treatments.sum(axis=1) % 2 == 0]
    top1 = np.random.default_rng(0).random((3, 4, 2))
    top1[1, 2] = np.nan  # a treatment that failed with both seeds
    top1[2, 1, 0] = np.nan  # one with one seed alone
    found = contrast(top1, half, 0, 1)
    assert np.isnan(found).tolist() == [False, True, False]
    assert found[0] == pytest.approx(top1[0, half[:, 0] == 1].mean() - top1[0, half[:, 0] == 0].mean())
    assert found[2] == pytest.approx(top1[2, half[:, 0] == 1, 1].mean() - top1[2, half[:, 0] == 0, 1].mean())
