"""Pairs: only the factor differs, in width too where MAdds are matched; all fit and are distinct."""

import numpy as np
import pytest

from archsearch.ablate.design import DESIGNS, own_design
from archsearch.ablate.factor import read_factor
from archsearch.ablate.match import matched, scaled_stages
from archsearch.ablate.pairs import by_cost, differences, pairs
from archsearch.cost.budget import Budget, Limit
from archsearch.cost.count import count
from archsearch.cost.extremes import extremes
from archsearch.errors import BudgetError
from archsearch.spec.canon import key
from archsearch.spec.presets import preset
from archsearch.spec.space_file import read_space

SPACE = read_space("mobilenet_v2_small").with_classes(10)
BUDGET = Budget(limits={"madds": Limit(high=20_000_000)})
FIELDS = {"linear-vs-relu": "bottleneck", "shortcut": "shortcut", "expansion": "expand", "v1-vs-v2": "block",
          "block": "block"}  # fmt: skip


def madds(arch):
    return count(arch, ("madds",))["madds"]


@pytest.mark.parametrize("name", sorted(DESIGNS))
@pytest.mark.parametrize("space", ["mobilenet_v2_small", "linear_vs_relu"])
def test_networks_of_a_pair_differ_in_the_factor_alone(name, space):
    design = DESIGNS[name]
    made = pairs(read_space(space), BUDGET, design, 3, seed=1)
    assert [each.number for each in made] == list(range(3))
    for pair in made:
        first, *others = pair.networks
        assert len(others) == len(design.treatments) - 1
        for other in others:
            told = differences(first.arch, other.arch)
            if design.match == "madds":
                assert told - {"width"} == {FIELDS[name]}
                assert abs(other.costs["madds"] / first.costs["madds"] - 1) <= 0.02
            else:
                assert told == {FIELDS[name]}
                assert other.costs["madds"] == first.costs["madds"]


@pytest.mark.parametrize("text", [
    "width=0.5,0.25", "resolution=32,24", "stage3.kernel=3,5", "act=relu6,hard_swish", "head.width=1280,320",
    "se=0,0.25", "stage2.repeats=1,3", "kernel=3,5,7",
])  # fmt: skip
def test_any_axis_and_field_can_be_a_factor(text):
    design = own_design([read_factor(text)], match="none")
    made = pairs(SPACE.restrict("resolution", (24, 32)), Budget(), design, 2, seed=0)
    named = text.partition("=")[0].rpartition("stage")[2].lstrip("23.")
    for pair in made:
        archs = [each.arch for each in pair.networks]
        assert len({key(arch) for arch in archs}) == len(archs)
        told = differences(archs[0], archs[1])
        assert named in told
        assert told <= {named, *(("stem.width",) if named == "width" else ())}  # the multiplier scales the stem, too


def test_several_factors_are_crossed_and_a_fraction_leaves_some_out():
    factors = ("bottleneck=linear,relu6", "shortcut=bottleneck,none", "act=relu6,relu")
    design = own_design([read_factor(text) for text in factors], match="none")
    whole = pairs(SPACE, BUDGET, design, 4, seed=0)
    half = pairs(SPACE, BUDGET, design, 4, seed=0, parts=2)
    halves = [[0, 3, 5, 6], [1, 2, 4, 7]]
    assert [[each.treatment for each in pair.networks] for pair in half] == [*halves, *halves]
    assert [pair.networks[0].key for pair in half[::2]] == [pair.networks[0].key for pair in whole[::2]]


def test_a_longer_list_begins_alike_and_is_spread_over_madds():
    few, many = (pairs(SPACE, BUDGET, DESIGNS["linear-vs-relu"], n, seed=3) for n in (5, 40))
    assert [pair.networks[0].key for pair in few] == [pair.networks[0].key for pair in many[:5]]
    costs = np.array([pair.madds for pair in many])
    assert len({pair.networks[0].key for pair in many}) == 40
    assert np.quantile(costs, 0.25) < 6e6 < 9e6 < np.quantile(costs, 0.75)
    assert costs.max() <= 20_000_000


def test_networks_in_which_the_factor_changes_nothing_are_passed_over():
    design = own_design([read_factor("shortcut=auto,bottleneck")], match="none")  # "auto" means that in ir, not in ds
    made = pairs(SPACE, BUDGET, design, 8, seed=0)
    for pair in made:
        assert pair.networks[0].key != pair.networks[1].key
        assert any(stage.block == "ds" for stage in pair.networks[0].arch.stages)


def test_no_pair_is_told():
    design = own_design([read_factor("stage1.kernel=3,5")], match="none")
    least = extremes(SPACE, "madds").low  # a network with kernel 3; one with 5 is over
    with pytest.raises(BudgetError, match="can be compared: [0-9]+ over the budget"):
        pairs(SPACE, Budget(limits={"madds": Limit(high=least)}), design, 3, seed=0)


def test_the_smallest_the_median_and_the_largest():
    made = pairs(SPACE, BUDGET, DESIGNS["linear-vs-relu"], 9, seed=0)
    told = [pair.madds for pair in by_cost(made)]
    assert told == [sorted(pair.madds for pair in made)[place] for place in (0, 4, 8)]
    assert len(by_cost(made[:1])) == 1


@pytest.mark.parametrize("share", [0.3, 0.8, 1.0, 2.5])
def test_madds_are_met_by_the_widths_of_stages_alone(share):
    arch = preset("mobilenet_v2_0.5_96")
    made = matched(arch, int(share * madds(arch)))
    assert abs(madds(made) / (share * madds(arch)) - 1) <= 0.02
    assert differences(arch, made) <= {"width"}
    assert all(stage.width % 2 == 0 for stage in made.stages)  # so large a network needs no single channels


def test_madds_that_cannot_be_met_give_none():
    arch = preset("mobilenet_v2_0.5_96")
    assert matched(arch, 1000) is None
    assert matched(arch, 10**12) is None


def test_a_scaled_network_keeps_its_shape():
    arch = preset("mobilenet_v2_0.5_96")
    assert scaled_stages(arch, 1.0, 8) == arch
    assert [stage.width for stage in scaled_stages(arch, 0.01, 2).stages] == [2] * len(arch.stages)
