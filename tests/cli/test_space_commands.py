"""space list, show, sample; help."""

import pytest


def test_list_names_every_shipped_space(cli):
    listed = {row["name"]: row["size"] for row in cli("space", "list", "--json").json}
    assert set(listed) >= {"mobilenet_v2", "mobilenet_v2_small", "linear_vs_relu", "nas_bench_macro"}
    assert listed["nas_bench_macro"] == 6561
    assert "nas_bench_macro" in cli("space", "list").out


def test_show_gives_axes_and_cost_ranges(cli):
    shown = cli("space", "show", "nas_bench_macro", "--json").json
    assert shown["costs"]["madds"] == {"min": 7_713_280, "max": 105_660_928, "exact": True}
    assert shown["axes"]["stage1.op"] == ["id", "ir_k3_e3", "ir_k5_e6"]
    assert "stage8.op" in cli("space", "show", "nas_bench_macro").out


def test_sample_holds_the_budget_and_its_seed(cli):
    command = ("space", "sample", "mobilenet_v2", "-n", 7, "--budget-madds", "200M..300M", "--json")
    first, again, other = cli(*command).json, cli(*command).json, cli(*command, "--seed", 1).json
    assert len(first) == 7
    assert first == again != other
    assert all(200_000_000 <= row["madds"] <= 300_000_000 for row in first)


def test_sample_of_an_impossible_budget_tells_the_nearest(cli):
    done = cli("space", "sample", "mobilenet_v2", "--budget-madds", "1M")
    assert done.code == 2
    assert "nearest possible is 4,621,520" in done.err


@pytest.mark.parametrize("words", [
    (), ("run",), ("train",), ("count",), ("front",), ("report",), ("space",), ("space", "list"), ("space", "show"),
    ("space", "sample"), ("space", "profile"), ("space", "contains"), ("space", "neighbours"), ("bench",),
    ("bench", "counters"),
])  # fmt: skip
def test_every_command_has_help(cli, words):
    done = cli(*words, "--help")
    assert done.code == 0
    assert "Usage:" in done.out
    if len(words) == 2 or words in (("run",), ("train",), ("count",), ("front",), ("report",)):
        assert "Example" in done.out


def test_version(cli):
    from archsearch import __version__

    assert __version__ in cli("--version").out
