"""`archsearch bench counters` on the command line."""

import sys

import pytest

from archsearch.bench import counters


@pytest.mark.slow
def test_the_rates_are_printed_beside_ratios_and_what_is_not_installed_is_told(cli, monkeypatch):
    monkeypatch.setitem(sys.modules, "torchinfo", None)
    out = cli("bench", "counters", "-n", 2000, "--peers", 1, "--space", "nas_bench_macro").out
    for told in (counters.TABLES, counters.TABLES_ALL, counters.FORMULA, counters.ONE, counters.FLOOR, "fvcore"):
        assert told in out
    assert "pip install 'archsearch[bench]'" in out
    assert "tables = formula on 2,000 networks" in out


@pytest.mark.slow
def test_the_json_document_has_all_rates_and_repeats_its_networks(cli):
    command = ("bench", "counters", "-n", 5000, "--peers", 1, "--space", "nas_bench_macro", "--json")
    result = cli(*command).json
    assert result["checked"] == result["number"] == 5000
    assert set(result["networks_per_second"]) >= {counters.TABLES, counters.TABLES_ALL, counters.FORMULA, "fvcore"}
    assert set(result) == {
        "space", "number", "seed", "cpu", "checked", "metrics", "networks_per_second", "tables_are_times_as_fast",
        "making_share", "memory_bytes", "peers", "published",
    }  # fmt: skip


def test_an_unknown_space_is_one_line(cli):
    done = cli("bench", "counters", "--space", "mobilenet_v3_", "-n", 10)
    assert done.code == 2
    assert len(done.err.strip().splitlines()) == 1
