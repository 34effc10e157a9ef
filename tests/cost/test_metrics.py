"""Prices of single operations by hand, laws for every network, peak memory against a walk through the wiring."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given

from archsearch import plugins
from archsearch.cost.count import BUILT_IN, count, count_codes, metric, record
from archsearch.errors import CountError, PluginError
from archsearch.spec.arch import Arch, Head, Stage, Stem
from archsearch.spec.canon import key
from archsearch.spec.lower import lower, unroll
from archsearch.spec.ops import Op
from archsearch.spec.presets import mobilenet_v1, mobilenet_v2
from archsearch.spec.space_file import read_space
from archsearch.spec.text import from_text
from archsearch.testing import live_bytes
from tests.strategies import SHIPPED, archs, dense_archs

CONV = Op(kind="conv", label="c", c_in=8, c_out=16, size_in=10, size_out=5, kernel=3, stride=2, per_group=8, norm=True)
DEPTHWISE = replace(CONV, c_out=8, per_group=1)
LINEAR = Op(kind="linear", label="l", c_in=16, c_out=10, size_in=1, size_out=1, per_group=16, bias=True)
POOL = Op(kind="pool", label="p", c_in=16, c_out=16, size_in=5, size_out=1, kernel=5, stride=5)
ADD = Op(kind="add", label="a", c_in=8, c_out=8, size_in=5, size_out=5, held=200)
ACT = Op(kind="act", label="t", c_in=8, c_out=8, size_in=5, size_out=5, act="relu6")


@pytest.mark.parametrize(
    ("op", "costs"),  # madds, params, activations, peak_memory
    [
        (CONV, (9 * 8 * 16 * 25, 9 * 8 * 16 + 32, 400, 4 * (800 + 400))),
        (DEPTHWISE, (9 * 8 * 25, 9 * 8 + 16, 200, 4 * (800 + 200))),
        (LINEAR, (160, 170, 10, 4 * 26)),
        (POOL, (0, 0, 0, 4 * (400 + 16))),
        (ADD, (0, 0, 0, 4 * 600)),
        (ACT, (0, 0, 0, 4 * 200)),
    ],
)
def test_prices_are_those_worked_out_by_hand(op, costs):
    names = ("madds", "params", "activations", "peak_memory")
    assert tuple(metric(name).total([op]) for name in names) == costs
    assert metric("weight_bytes").total([op]) == 4 * costs[1]


def test_an_absent_op_costs_nothing():
    assert [metric(name).total([replace(CONV, times=0)]) for name in BUILT_IN] == [0] * 5


def test_times_multiplies_a_sum_but_not_a_peak():
    thrice = [replace(CONV, times=3)]
    assert metric("madds").total(thrice) == 3 * metric("madds").total([CONV])
    assert metric("peak_memory").total(thrice) == metric("peak_memory").total([CONV])


@pytest.mark.parametrize("name", BUILT_IN)
def test_an_op_without_a_price_is_an_error(name):
    with pytest.raises(CountError, match="ops of kind 'attention' have no price"):
        metric(name).total([replace(CONV, kind="attention")])


@given(archs() | dense_archs())
def test_written_out_a_network_costs_the_same(arch):
    ops = unroll(lower(arch))
    assert {name: metric(name).total(ops) for name in BUILT_IN} == count(arch)


@given(archs() | dense_archs())
def test_peak_memory_counts_the_tensors_that_are_live_at_each_op(arch):
    ops = unroll(lower(arch))
    assert [metric("peak_memory").price(op) for op in ops] == live_bytes(ops)
    assert count(arch)["peak_memory"] == max(live_bytes(ops))


@pytest.mark.parametrize("arch", [mobilenet_v2(), mobilenet_v2(0.35, 96), mobilenet_v1(), Arch(), Arch(resolution=1)])
def test_peak_memory_of_known_networks_is_that_of_their_live_tensors(arch):
    ops = unroll(lower(arch))
    assert [metric("peak_memory").price(op) for op in ops] == live_bytes(ops)
    assert count(arch)["peak_memory"] == max(live_bytes(ops))


@pytest.mark.parametrize("name", SHIPPED)
def test_peak_memory_in_shipped_spaces_is_that_of_the_live_tensors(name):
    space = read_space(name)
    codes = space.sample(25, np.random.default_rng(4))
    peaks = [max(live_bytes(unroll(lower(space.decode(code))))) for code in codes]
    assert count_codes(space, codes, ("peak_memory",))["peak_memory"].tolist() == peaks


def test_the_liveness_walk_knows_a_small_case_by_hand():
    arch = Arch(
        resolution=4, stem=Stem(width=8, stride=1), stages=(Stage(width=8, expand=2),), head=Head(width=0, classes=2)
    )
    # depthwise: 16 channels in and out, and the 8 of the shortcut, at 4x4
    assert max(live_bytes(unroll(lower(arch)))) == 4 * (16 + 16 + 8) * 16


@given(archs())
def test_one_more_block_never_costs_less(arch):
    assume(any(stage.block != "id" for stage in arch.stages))
    number = next(i for i, stage in enumerate(arch.stages) if stage.block != "id")
    stages = list(arch.stages)
    stages[number] = replace(stages[number], repeats=stages[number].repeats + 1)
    deeper, costs = count(replace(arch, stages=tuple(stages))), count(arch)
    for name in ("madds", "params", "activations", "weight_bytes"):
        assert deeper[name] > costs[name]
    assert deeper["peak_memory"] >= costs["peak_memory"]


@given(archs() | dense_archs())
def test_resolution_changes_no_parameter_and_never_lowers_a_cost(arch):
    larger, costs = count(replace(arch, resolution=arch.resolution + 1)), count(arch)
    assert larger["params"] == costs["params"]
    assert all(larger[name] >= costs[name] for name in BUILT_IN)


def test_a_record_holds_text_key_and_all_costs():
    told = record(mobilenet_v2())
    assert from_text(str(told["arch"])) == mobilenet_v2()
    assert told["key"] == key(mobilenet_v2())
    assert list(told)[2:] == list(BUILT_IN)
    assert set(BUILT_IN) <= set(plugins.names("metrics"))


def test_an_unknown_metric_names_the_nearest():
    with pytest.raises(PluginError, match="unknown metric 'madd': did you mean 'madds'"):
        metric("madd")
