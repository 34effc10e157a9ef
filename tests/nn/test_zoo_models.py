"""Every network of the zoo is built, and what hooks count of it is what the counters say."""

from dataclasses import replace

import pytest

from archsearch.cost.count import count
from archsearch.nn.build import build, example_input
from archsearch.nn.trace import by_hooks
from archsearch.spec.presets import preset
from archsearch.spec.zoo import FAMILIES


@pytest.mark.parametrize("name", FAMILIES)
def test_the_built_network_costs_what_is_counted(name):
    arch = preset(f"{name}_0.35_128") if FAMILIES[name].scaled else replace(preset(name), resolution=64)
    measured = by_hooks(build(arch), example_input(arch))
    assert count(arch, measured) == measured
