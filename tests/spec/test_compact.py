"""Compact samples: uniform codes in one byte an axis, one axis after the other."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from archsearch.spec.space_file import parse_space, read_space
from tests.strategies import space_tables


@given(space_tables(), st.integers(0, 50))
def test_compact_codes_are_codes_of_any_space_and_decode_alike(plain, n):
    space = parse_space(plain, name="generated")
    codes = space.sample_compact(n, np.random.default_rng(0))
    assert codes.shape == (n, len(space.axes))
    assert codes.dtype == np.uint8
    assert (codes < space.radix).all()
    assert all(space.decode(code) == space.decode(code.astype(np.int64)) for code in codes[:3])


def test_each_axis_lies_whole_in_memory_and_takes_a_byte_a_network():
    codes = read_space("mobilenet_v2").sample_compact(1000, np.random.default_rng(0))
    assert codes.flags.f_contiguous
    assert codes.nbytes == 1000 * codes.shape[1]


def test_more_choices_than_a_byte_holds_take_two():
    for choices, kind in ((256, np.uint8), (257, np.uint16)):
        space = parse_space({"resolution": list(range(1, choices + 1)), "stage": [{"width": 8}]}, name="tall")
        codes = space.sample_compact(20_000, np.random.default_rng(0))
        assert codes.dtype == kind
        assert (codes.min(), codes.max()) == (0, choices - 1)


def test_compact_sampling_is_uniform_and_repeatable():
    space = read_space("mobilenet_v2")
    codes = space.sample_compact(20_000, np.random.default_rng(3))
    assert (codes == space.sample_compact(20_000, np.random.default_rng(3))).all()
    for axis, choices in enumerate(space.radix):
        expected = len(codes) / choices
        seen = np.bincount(codes[:, axis], minlength=choices)
        assert ((seen - expected) ** 2 / expected).sum() < 34  # chi-square of at most 5 degrees: 1 in 400,000
    pairs = np.bincount(codes[:, 2].astype(int) * 3 + codes[:, 3], minlength=6)  # neighbours do not hang together
    assert ((pairs - 20_000 / 6) ** 2 / (20_000 / 6)).sum() < 34
