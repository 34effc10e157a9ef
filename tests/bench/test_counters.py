"""The benchmark of counters compares like with like."""

import numpy as np
import pytest

from archsearch.bench import counters
from archsearch.bench.peers import PEERS
from archsearch.errors import CountError

COSTS = {"madds": 1, "params": 2, "peak_memory": 3}


@pytest.mark.slow
def test_all_ways_are_timed_on_the_same_networks_and_their_ratios_follow():
    steps = []
    result = counters.measure("nas_bench_macro", 3000, peers=1, seed=0, told=lambda *step: steps.append(step))
    rates, times = result["networks_per_second"], result["tables_are_times_as_fast"]
    assert result["checked"] == 3000
    assert set(rates) == set(times) >= {"fvcore", "torch flop_counter", "torchinfo", counters.FLOOR}
    assert rates["fvcore"] > 0
    assert times["fvcore"] == rates[counters.TABLES] / rates["fvcore"]
    assert times["one at a time"] == rates[counters.TABLES_ALL] / rates["one at a time"]
    assert result["published"]["madds"] == 300_774_272
    assert result["memory_bytes"]["codes"] == 8 * 3000
    assert result["memory_bytes"]["totals"] == 3 * 8 * 3000 < result["memory_bytes"]["process_most"]
    assert [done for done, _, _ in steps] == list(range(5 + len(PEERS)))
    assert {of for _, of, _ in steps} == {5 + len(PEERS)}


def test_ratios_set_each_way_beside_the_tables_of_its_own_metrics():
    rates = {counters.TABLES: 60.0, counters.TABLES_ALL: 40.0, counters.FORMULA: 4.0, "fvcore": 2.0, "absent": None}
    assert counters.ratios(rates) == {
        counters.TABLES: 1.0, counters.TABLES_ALL: 1.0, counters.FORMULA: 10.0, "fvcore": 30.0, "absent": None,
    }  # fmt: skip


def test_the_floor_reads_every_code():
    codes = np.zeros((64, 3), dtype=np.uint8, order="F")
    assert counters._read_once(codes) == 0
    for place in range(codes.size):
        codes.T.reshape(-1)[place] = 1
        assert counters._read_once(codes) != 0
        codes[:] = 0


def test_ways_that_disagree_are_an_error():
    table = {name: np.array([value]) for name, value in COSTS.items()}
    counters.compare(table, table, [COSTS])
    with pytest.raises(CountError, match="table and formula disagree on params"):
        counters.compare(table, {**table, "params": np.array([9])}, [COSTS])
    with pytest.raises(CountError, match="one at a time and formula disagree on peak_memory"):
        counters.compare(table, table, [{**COSTS, "peak_memory": 4}])
