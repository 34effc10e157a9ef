"""Architectures as plain data: what can exist, and width rounding."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsearch.errors import SpecError
from archsearch.spec.arch import Arch, Head, Stage, Stem, make_divisible, scaled, scaled_head


@given(st.floats(0.01, 10_000))
def test_make_divisible_keeps_its_three_promises(wanted):
    got = make_divisible(wanted)
    assert got % 8 == 0
    assert got >= 8
    assert got >= 0.9 * wanted
    assert got <= max(8, wanted + 8)


def test_make_divisible_of_an_array_is_that_of_its_numbers():
    wanted = np.arange(1, 2000)
    assert make_divisible(wanted).tolist() == [make_divisible(int(each)) for each in wanted]


@pytest.mark.parametrize(("width", "multiplier", "want"), [(32, 0.35, 16), (16, 0.35, 8), (24, 0.35, 8), (24, 0.5, 16),
                         (96, 0.75, 72), (320, 1.4, 448), (32, 1.3, 40), (0, 1.4, 0)])  # fmt: skip
def test_scaled_widths_are_those_of_the_published_networks(width, multiplier, want):
    assert scaled(width, multiplier) == want


def test_the_last_convolution_never_shrinks_but_grows():
    assert [scaled_head(1280, m) for m in (0.35, 1.0, 1.4)] == [1280, 1280, 1792]


@pytest.mark.parametrize("part", [Stem(), Stage(width=8), Head(), Arch()])
def test_parts_cannot_be_changed(part):
    with pytest.raises((dataclasses.FrozenInstanceError, AttributeError)):
        setattr(part, dataclasses.fields(part)[0].name, 1)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Stage(width=0), "stage width must be a whole number, at least 1, got 0"),
        (lambda: Stage(width=8.0), "got 8.0"),
        (lambda: Stage(width=True), "got True"),
        (lambda: Stage(width=8, kernel=4), "stage kernel must be odd, got 4"),
        (lambda: Stage(width=8, kernel="3"), "got '3'"),
        (lambda: Stage(width=8, stride=0), "stage stride"),
        (lambda: Stage(width=8, block="ri"), "block 'ri' is unknown; choices: cn, cr, ds, er, id, ir, sg, uib"),
        (lambda: Stage(width=8, shortcut="botleneck"), "did you mean 'bottleneck'"),
        (lambda: Stage(width=8, bottleneck="relu"), "did you mean 'relu6'"),
        (lambda: Stem(act=None), "stem act None is unknown"),
        (lambda: Head(classes=0), "head classes"),
        (lambda: Arch(stages=[Stage(width=8)]), "must be a tuple of Stage"),
        (lambda: Arch(resolution=0), "arch resolution"),
        (lambda: Arch(stages=(Stage(width=8, repeats=10_001),)), "at most 1,000 stages and 10,000 blocks"),
        (lambda: Arch(stages=(Stage(width=8),) * 1001), "got 1,001 and 1,001"),
    ],
)
def test_what_cannot_exist_is_refused_by_name(make, told):
    with pytest.raises(SpecError) as caught:
        make()
    assert told in str(caught.value)
