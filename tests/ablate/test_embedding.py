"""Spirals through random layers: against the paper's theorem 1, least squares by hand, and without ReLU."""

import json
import math
from itertools import product

import numpy as np
import pytest

from archsearch.ablate import embedding as em
from archsearch.errors import ArchSearchError


@pytest.fixture(scope="module")
def found():
    return em.embedding(matrices=60, points=150)


def rows(found, act):
    return {row["n"]: row for row in found.rows if row["act"] == act}


def test_without_a_nonlinearity_nothing_is_lost(found):
    for row in rows(found, "linear").values():
        assert (row["kept"], row["kept_linear_map"], row["unique"]) == pytest.approx((1.0, 1.0, 1.0))
        assert (row["low"], row["high"]) == pytest.approx((1.0, 1.0))


def test_few_units_lose_much_and_many_keep_all_that_a_linear_map_can_read(found):
    shares = rows(found, "relu")
    for name in ("kept", "kept_linear_map", "unique"):
        assert shares[2][name] < shares[5][name] < shares[15][name]
    assert shares[2]["unique"] < 0.35
    assert shares[3]["kept_linear_map"] < 0.9
    assert shares[30]["kept_linear_map"] > 0.999
    assert (
        0.65 < shares[50]["kept"] < 0.75
    )  # the pseudo-inverse gives half of x back: a quarter of its variance is lost


def test_unique_points_are_as_many_as_the_theorem_says():
    for n, dimension in ((2, 2), (4, 2), (6, 3), (8, 5)):
        found = em.embedding(widths=(n,), matrices=300, points=60, dimension=dimension)
        row = rows(found, "relu")[n]
        heads = [sum(coins) >= dimension for coins in product((0, 1), repeat=n)]
        assert row["unique_expected"] == pytest.approx(np.mean(heads))
        error = (row["unique_high"] - row["unique_low"]) / 3.92
        assert abs(row["unique"] - row["unique_expected"]) < 3.5 * error


def test_a_unique_point_is_one_that_no_neighbour_shares_its_image_with():
    rng = np.random.default_rng(1)
    layer = rng.normal(size=(3, 2))
    x = rng.normal(size=(200, 2))
    seen = x @ layer.T
    steps = 1e-6 * np.stack([np.cos(np.arange(0, 7, 0.05)), np.sin(np.arange(0, 7, 0.05))], axis=1)
    moved = np.maximum((x[:, None] + steps) @ layer.T, 0) - np.maximum(seen, 0)[:, None]
    nearest = np.abs(moved).max(axis=2).min(axis=1)  # with one active unit some direction leaves the image where it is
    alone = (seen > 0).sum(axis=1) >= 2
    assert np.array_equal(alone, nearest > 1e-8)
    assert em.unique((seen > 0)[None], 2) == pytest.approx([alone.mean()])


def test_shares_by_hand():
    x = em.spiral(100)
    assert x.mean(axis=0) == pytest.approx([0, 0], abs=1e-12)
    assert x.std(axis=0) == pytest.approx([1, 1])
    assert em.kept(np.stack([x, 0.5 * x, -x, 0 * x]), x) == pytest.approx([1.0, 0.75, 0.0, 0.0])
    out = np.maximum(x @ np.random.default_rng(0).normal(size=(3, 2, 4)), 0)
    by_hand = []
    for each in out:
        design = np.column_stack([np.ones(100), each])
        left = x - design @ np.linalg.lstsq(design, x, rcond=None)[0]
        by_hand.append(1 - (left**2).sum() / (x**2).sum())
    assert em.kept_linear(out, x) == pytest.approx(by_hand)


def test_the_best_linear_map_is_never_worse_than_the_pseudo_inverse(found):
    for row in found.rows:
        assert row["kept_linear_map"] >= row["kept"] - 1e-9


def test_a_saturated_unit_of_relu6_tells_nothing():
    seen = np.array([[[7.0, 0.5, -1.0], [5.0, 0.5, -1.0]]])
    assert em.unique(em.ACTIVE["relu6"](seen), 2) == pytest.approx([0.5])
    assert em.unique(em.ACTIVE["relu"](seen), 2) == pytest.approx([1.0])
    assert em.ACTS["relu6"](seen).max() == 6.0


def test_curves_are_the_points_of_one_matrix_sent_back(found):
    assert [(each["n"], each["act"]) for each in found.curves] == [(n, act) for n in em.WIDTHS for act in em.ACTS]
    assert np.allclose(found.curves[0]["points"], found.original)
    collapsed = np.array(next(each["points"] for each in found.curves if (each["n"], each["act"]) == (2, "relu")))
    assert collapsed.shape == found.original.shape
    assert len(np.unique(collapsed.round(9), axis=0)) < len(found.original)


def test_the_same_seed_gives_the_same_plain_rows(found):
    again, other = (em.embedding(seed, matrices=60, points=150) for seed in (0, 1))
    assert again.rows == found.rows
    assert other.rows != found.rows
    assert json.loads(json.dumps(found.rows, allow_nan=False)) == found.rows
    assert all(row["low"] <= row["kept"] <= row["high"] or math.isclose(row["low"], row["high"]) for row in found.rows)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [({"widths": (1, 5)}, "at least the 2"), ({"widths": ()}, "at least the 2"), ({"matrices": 7}, "at least 8"),
     ({"dimension": 0}, "at least 1"), ({"points": 2}, "more than 2"),
     ({"dimension": 9, "widths": (9,), "points": 9}, "more than 9")],
)  # fmt: skip
def test_what_cannot_be_done_is_told(wrong, word):
    with pytest.raises(ArchSearchError, match=word):
        em.embedding(**wrong)
