"""Blocks of networks: one copy of each, in words, one network and many alike."""

import numpy as np
import pytest
from hypothesis import given

from archsearch.cost.metrics import MADDS, PARAMS
from archsearch.spec.copies import copies, describe
from archsearch.spec.lower import lower, lower_part, parts
from archsearch.spec.presets import read_arch
from archsearch.spec.space_file import read_space
from tests.strategies import SHIPPED, archs


def test_mobilenet_v2_in_words():
    told = [(describe(each.blocks[0]), int(each.times)) for each in copies(lower(read_arch("mobilenet_v2")))]
    assert told[0] == ("224x224x3 | conv3 s2 32 relu6", 1)
    assert ("28x28x32 | conv1 192 relu6 | dw3 192 relu6 | conv1 32 | add (3,0)", 2) in told
    assert ("14x14x96 | conv1 576 relu6 | dw3 s2 576 relu6 | conv1 160", 1) in told
    assert told[-1] == ("7x7x320 | conv1 1280 relu6 | pool | linear 1000", 1)


def test_squeeze_and_excitation_says_what_it_reads():
    told = [describe(each.blocks[0]) for each in copies(lower(read_arch("mobilenet_v3_large")))]
    assert ("7x7x160 | conv1 960 hard_swish | dw5 960 hard_swish | pool | conv1 240 relu | conv1 960 hard_sigmoid | "
            "mul (2,5) | conv1 160 | add (7,0)") in told  # fmt: skip


@given(arch=archs())
def test_the_blocks_of_a_network_are_all_of_it(arch):
    ops = lower(arch)
    for metric in (MADDS, PARAMS):
        whole = sum(metric.total(list(each.blocks[0])) * int(each.times) for each in copies(ops))
        assert whole == metric.total(ops)


@pytest.mark.parametrize("name", SHIPPED)
def test_many_networks_at_once_have_the_blocks_that_each_has_alone(name):
    space = read_space(name)
    codes = space.sample(12, np.random.default_rng(3))
    population = space.population(codes)
    together: list[dict[str, int]] = [{} for _ in codes]
    for part in parts(population):
        for each in copies(lower_part(population, part)):
            which, times = np.broadcast_to(each.which, len(codes)), np.broadcast_to(each.times, len(codes))
            for row, (block, n) in enumerate(zip(which, times, strict=True)):
                if n and each.blocks[block]:
                    told = describe(each.blocks[block])
                    together[row][told] = together[row].get(told, 0) + int(n)
    for row, code in enumerate(codes):
        alone: dict[str, int] = {}
        for each in copies(lower(space.decode(code))):
            if each.blocks[0]:
                told = describe(each.blocks[0])
                alone[told] = alone.get(told, 0) + int(each.times)
        assert together[row] == alone


@given(arch=archs(), other=archs())
def test_blocks_of_one_description_cost_the_same(arch, other):
    found: dict[str, int] = {}
    for each in (*copies(lower(arch)), *copies(lower(other))):
        if each.blocks[0]:
            madds = MADDS.total(list(each.blocks[0]))
            assert found.setdefault(describe(each.blocks[0]), madds) == madds
