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
    design = made("expand=2,3,4", "kernel=3,5,7")
    thirds = [design.treatments[fraction(design.treatments, pair, 3)] for pair in range(3)]
    assert [len(rows) for rows in thirds] == [3, 3, 3]
    for rows in thirds:
        assert sorted(rows[:, 0]) == sorted(rows[:, 1]) == [0, 1, 2]
    assert len({tuple(row) for rows in thirds for row in rows}) == 9


@pytest.mark.parametrize("parts", [0, -1, 65])
def test_a_fraction_out_of_range_is_told(parts):
    with pytest.raises(RunError, match="--fraction must be"):
        check_fraction(made("bottleneck=linear,relu6"), parts)


def test_a_fraction_that_leaves_a_level_out_is_told():
    with pytest.raises(RunError, match="--fraction 2 is too small a part"):
        check_fraction(made("bottleneck=linear,relu6"), 2)
    check_fraction(made("bottleneck=linear,relu6", "shortcut=bottleneck,none"), 2)


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
