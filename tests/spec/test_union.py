"""Unions: what lies in one or another space."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archsearch.errors import SpaceError
from archsearch.spec.canon import canonical, key
from archsearch.spec.narrow import restricted
from archsearch.spec.presets import mobilenet_v1
from archsearch.spec.space_file import read_space
from archsearch.spec.union import Union, union
from tests.strategies import spaces

SEEDS = st.integers(0, 2**31)


@settings(max_examples=40)
@given(spaces(), spaces(), SEEDS)
def test_a_union_has_what_one_or_the_other_has(one, other, seed):
    rng = np.random.default_rng(seed)
    both = union(one, other)
    assert both.size == one.size + other.size
    drawn = both.sample(4, rng)
    assert [codes.shape[1] for codes in drawn] == [len(one.axes), len(other.axes)]
    assert sum(map(len, drawn)) == 4
    for member, codes in enumerate(drawn):
        for code in codes:
            arch = both.decode(member, code)
            assert both.contains(arch) is None
            found, code = both.encode(arch)
            assert key(both.decode(found, code)) == key(arch)
            assert found == (0 if one.contains(arch) is None else 1)


@settings(max_examples=25)
@given(spaces(), spaces())
def test_the_networks_of_a_small_union_are_counted(one, other):
    assume(one.size + other.size <= 600)
    sets = [[canonical(space.decode(code)) for code in next(space.enumerate())] for space in (one, other)]
    known = union(one, other).overlap(np.random.default_rng(0))
    assert known.exact
    assert known.networks == len({*sets[0], *sets[1]})
    assert known.shared[0] == pytest.approx(np.mean([each in set(sets[1]) for each in sets[0]]))
    assert known.shared[1] == pytest.approx(np.mean([each in set(sets[0]) for each in sets[1]]))


def test_a_large_overlap_is_estimated():
    whole = read_space("mobilenet_v2")
    known = union(whole, restricted(whole, {"width": [1.0, 1.4]})).overlap(np.random.default_rng(0), draws=60)
    assert not known.exact
    assert known.networks is None
    assert known.shared[1] == 1
    assert 0.1 < known.shared[0] < 0.6  # a third


def test_codes_of_the_sum_are_equally_likely_and_weights_change_that():
    macro = read_space("nas_bench_macro")
    both = union(macro, restricted(macro, {"stage1.op": ["id", "ir_k3_e3"]}))
    counts = [len(codes) for codes in both.sample(30_000, np.random.default_rng(1))]
    assert abs(counts[0] - 18_000) < 5 * 85  # 3 to 2; five standard deviations
    assert [len(codes) for codes in both.sample(50, np.random.default_rng(1), weights=[0, 1])] == [0, 50]
    for weights in ([1], [0, 0], [-1, 2]):
        with pytest.raises(SpaceError, match="needs 2 weights"):
            both.sample(1, np.random.default_rng(0), weights=weights)


def test_a_network_of_neither_is_told_with_both_reasons():
    both = union(read_space("mobilenet_v2"), read_space("nas_bench_macro"))
    told = both.contains(mobilenet_v1())
    assert "not in space mobilenet_v2: " in told
    assert "not in space nas_bench_macro: " in told


def test_enumeration_goes_member_by_member():
    macro = restricted(read_space("nas_bench_macro"), {"stage*.op": ["id", "ir_k3_e3"]})
    both = union(macro, union(macro, macro))
    assert [(member, len(codes)) for member, codes in both.enumerate(200)] == [
        (0, 200), (0, 56), (1, 200), (1, 56), (2, 200), (2, 56)]  # fmt: skip
    assert both.name == "nas_bench_macro+nas_bench_macro+nas_bench_macro"
    with pytest.raises(SpaceError, match="at least one"):
        Union(spaces=())
