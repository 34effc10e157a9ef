"""Designs: combinations, regular fractions of them, ready-made questions."""

import itertools

import numpy as np
import pytest

from archsearch.ablate.design import DESIGNS, check_fraction, fraction, own_design, ready
from archsearch.ablate.factor import read_factor
from archsearch.errors import RunError


def made(*factors, match="none"):
    return own_design([read_factor(text) for text in factors], match=match)


def test_treatments_are_all_combinations_the_bases_first():
    design = made("bottleneck=linear,relu6", "expand=2,3,4")
    assert design.treatments.tolist() == [list(row) for row in itertools.product(range(2), range(3))]
    assert design.sets(design.treatments[0]) == {"bottleneck": "linear", "expand": 2}
    assert design.label(design.treatments[5]) == "relu6, 4"


def test_a_half_of_two_levels_is_regular_and_two_halves_are_the_whole():
    design = made("bottleneck=linear,relu6", "shortcut=bottleneck,none", "expand=2,4")
    halves = [fraction(design.treatments, pair, 2) for pair in range(2)]
    assert (halves[0] ^ halves[1]).all()
    for half in halves:
        rows = design.treatments[half]
        assert (rows.mean(axis=0) == 0.5).all()  # every level as often
        signs = 2 * rows - 1
        assert (signs.T @ signs == 4 * np.eye(3)).all()  # factors are orthogonal
        assert len(set(np.prod(signs, axis=1))) == 1  # the highest interaction alone is given up


def test_a_third_of_three_levels_is_a_latin_square():
    design = made("expand=2,3,4", "kernel=3,5,7", "se=0,0.1,0.2")
    thirds = [design.treatments[fraction(design.treatments, pair, 3)] for pair in range(3)]
    assert [len(rows) for rows in thirds] == [9, 9, 9]
    for rows in thirds:
        for a, b in itertools.combinations(range(3), 2):
            assert len({(row[a], row[b]) for row in rows}) == 9  # all pairs of levels, each once
    assert len({tuple(row) for rows in thirds for row in rows}) == 27


@pytest.mark.parametrize("parts", [0, -1, 65])
def test_a_fraction_out_of_range_is_told(parts):
    with pytest.raises(RunError, match="--fraction must be"):
        check_fraction(made("bottleneck=linear,relu6"), parts)


def test_a_fraction_that_leaves_a_level_out_is_told():
    with pytest.raises(RunError, match="--fraction 2 is too small a part"):
        check_fraction(made("bottleneck=linear,relu6"), 2)
    with pytest.raises(RunError, match=r"would lack a level of expand; leave it out$"):
        check_fraction(made("expand=2,3", "kernel=3,5"), 5)


FACTORS = ("expand=2,3,4,6", "kernel=3,5,7,9", "se=0,0.1,0.2,0.3", "shortcut=bottleneck,none")


def levels(*numbers):
    """A design with factors of so many levels."""
    return made(*(",".join(text.split(",")[:n]) for text, n in zip(FACTORS, numbers, strict=False)))


def mixed(design, parts):
    """The largest difference that a factor seems to make inside a pair, while another one alone does anything."""
    most = 0.0
    for pair in range(parts):
        rows = design.treatments[fraction(design.treatments, pair, parts)]
        for a, b in itertools.permutations(range(rows.shape[1]), 2):
            worth = np.random.default_rng(0).normal(size=1 + rows[:, b].max())[rows[:, b]]
            means = [worth[rows[:, a] == level].mean() for level in set(rows[:, a])]
            most = max(most, float(np.ptp(means)))
    return most


@pytest.mark.parametrize(("numbers", "parts"), [((2, 2), 2), ((3, 3), 3), ((2, 4), 2), ((2, 2, 3), 2), ((4, 4), 2)])
def test_a_fraction_that_puts_one_factor_into_the_others_difference_is_refused(numbers, parts):
    assert mixed(levels(*numbers), parts) > 0.05
    cure = f"leave it out or take at least three factors whose numbers of levels are multiples of {parts}$"
    with pytest.raises(RunError, match=f"--fraction {parts} would mix up expand and .* {cure}"):
        check_fraction(levels(*numbers), parts)


@pytest.mark.parametrize(
    ("numbers", "parts"), [((2, 2, 2), 2), ((3, 3, 3), 3), ((2, 2, 4), 2), ((4, 4, 4), 4), ((2, 2, 2, 2), 2), ((2,), 1)]
)
def test_a_balanced_fraction_is_taken(numbers, parts):
    assert mixed(levels(*numbers), parts) == pytest.approx(0)
    check_fraction(levels(*numbers), parts)


def test_too_many_combinations_and_a_factor_twice_are_told():
    with pytest.raises(RunError, match="have 125 combinations, at most 64"):
        made("expand=1,2,3,4,5", "kernel=1,3,5,7,9", "se=0,0.1,0.2,0.3,0.4")
    with pytest.raises(RunError, match="--factor expand is given twice"):
        made("expand=1,2", "expand=3,4")


def test_ready_designs_are_matched_as_they_say_unless_told_otherwise():
    assert {name: each.match for name, each in DESIGNS.items()} == {
        "linear-vs-relu": "none", "shortcut": "none", "expansion": "madds", "v1-vs-v2": "madds", "block": "madds",
    }  # fmt: skip
    assert ready("block", match=None) is DESIGNS["block"]
    assert ready("block", match="none").match == "none"
    with pytest.raises(RunError, match="did you mean 'shortcut'"):
        ready("shortcuts", match=None)
