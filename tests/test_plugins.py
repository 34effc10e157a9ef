"""The table of open choices: every row loads, third parties add rows, two rows of one name are an error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsearch import plugins
from archsearch.cost.count import count, count_codes
from archsearch.errors import PluginError, choices
from archsearch.nn.trace import verify
from archsearch.spec.space_file import parse_space
from archsearch.spec.text import from_text, to_text

ROWS = [(group, name) for group, table in plugins.TABLE.items() for name in table]
MODULE = """
from dataclasses import replace

from archsearch.cost.metrics import Metric
from archsearch.spec.blocks import inverted_residual

def twice(b):
    '''An inverted residual whose depthwise layer stands twice.'''
    for op in inverted_residual(b):
        if op.label == "expansion add":
            size = op.size_out
            yield replace(op, kind="conv", label="again", kernel=b.kernel, norm=True, act=b.act, held=b.joins(
                "bottleneck", own="bottleneck") * b.keeps_shape * b.c_in * size * size, times=b.times,
                inputs=("depthwise",), per_group=1)
            op = replace(op, inputs=("again", "depthwise"))
        yield op

def additions(op):
    return op.c_out * op.size_out * op.size_out * (op.kind == "add")

ADDITIONS = Metric(name="additions", unit="", price=additions, about="elements that are added by shortcuts")
"""
POINTS = {"blocks": {"twice": "twice"}, "metrics": {"additions": "ADDITIONS"}}


@pytest.mark.parametrize(("group", "name"), ROWS)
def test_every_built_in_row_loads(group, name):
    assert plugins.load(group, name) is not None


@pytest.mark.parametrize("group", plugins.TABLE)
def test_names_are_sorted_and_are_those_of_the_table(group):
    assert plugins.names(group) == sorted(plugins.TABLE[group])


def test_an_unknown_name_or_group_names_the_nearest():
    with pytest.raises(PluginError, match="unknown metric 'param': did you mean 'params'. choices: activations, "):
        plugins.load("metrics", "param")
    with pytest.raises(PluginError, match="unknown plug-in group 'metric': did you mean 'metrics'"):
        plugins.names("metric")


def test_a_third_partys_block_works_everywhere(third_party):
    third_party(MODULE, POINTS)
    arch = from_text("r16 stem_c8 twice_r2_k5_c16_s2 twice_c16_xskip head_c0_n3")
    assert from_text(to_text(arch)) == arch
    verify(arch)
    plain = from_text(to_text(arch).replace("twice", "ir"))
    assert count(arch)["madds"] > count(plain)["madds"]


def test_a_third_partys_block_and_metric_work_in_a_space(third_party):
    third_party(MODULE, POINTS)
    space = parse_space(
        {"resolution": 8, "stage": [{"width": 8, "block": ["ir", "twice"], "repeats": [1, 2]}]}, name="s"
    )
    codes = next(space.enumerate())
    names = ("madds", "additions")
    one = [count(space.decode(code), names) for code in codes]
    many = count_codes(space, codes, names)
    assert all(many[name].tolist() == [costs[name] for costs in one] for name in names)
    assert len(set(many["madds"].tolist())) == 4
    assert many["additions"].dtype == np.int64


def test_listing_names_imports_nothing(third_party):
    third_party("raise AssertionError('imported')", {"blocks": {"late": "late"}})
    assert "late" in plugins.names("blocks")


def test_two_rows_of_one_name_are_an_error(third_party):
    third_party(MODULE, {"blocks": {"ir": "twice"}})
    told = "two blocks are called 'ir': archsearch.spec.blocks:inverted_residual and thirdparty:twice"
    with pytest.raises(PluginError, match=told):
        plugins.names("blocks")


def test_two_third_parties_of_one_name_are_an_error(third_party):
    third_party(MODULE, {"metrics": {"additions": "ADDITIONS"}})
    third_party(MODULE, {"metrics": {"additions": "ADDITIONS"}}, name="fourthparty")
    with pytest.raises(PluginError, match="two metrics are called 'additions'"):
        plugins.load("metrics", "madds")


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import a_package_that_is_not_there", "No module named 'a_package_that_is_not_there'"),
        ("", "has no attribute 'twice'"),
    ],
)
def test_a_plug_in_that_cannot_be_loaded_is_named(source, told, third_party):
    third_party(source, {"blocks": {"broken": "twice"}})
    with pytest.raises(PluginError) as caught:
        plugins.load("blocks", "broken")
    assert "block 'broken' (thirdparty:twice) cannot be loaded" in str(caught.value)
    assert told in str(caught.value)


@pytest.mark.parametrize("name", ["two_words", "Upper", "1st", "stem", "head", "with space"])
def test_a_block_whose_name_cannot_stand_in_a_text_form_is_refused(name, third_party):
    third_party(MODULE, {"blocks": {name: "twice"}})
    with pytest.raises(PluginError, match="small letters and digits"):
        plugins.names("blocks")


@given(st.text(), st.lists(st.text(), max_size=5))
def test_choices_are_told_for_any_name(name, known):
    told = choices(name, known)
    assert all(each in told for each in known)
