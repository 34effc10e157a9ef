"""The benchmark of counters compares like with like."""

import pytest

from archsearch.bench import counters
from archsearch.errors import CountError


@pytest.mark.slow
def test_all_ways_are_timed_on_the_same_networks():
    result = counters.measure("nas_bench_macro", 3000, peers=1, seed=0)
    assert result["checked"] == 300
    assert all(rate > 0 for rate in result["networks_per_second"].values())


def test_ways_that_disagree_are_an_error():
    one = [{"madds": 1, "params": 2, "peak_memory": 3}]
    import numpy as np

    table = {name: np.array([value]) for name, value in one[0].items()}
    counters._compare(table, table, one, [{"madds": 1, "params": 2}])
    wrong = {**table, "params": np.array([9])}
    with pytest.raises(CountError, match="disagree on params"):
        counters._compare(table, wrong, one, [])
    with pytest.raises(CountError, match="fvcore disagrees"):
        counters._compare(table, table, one, [{"madds": 7, "params": 2}])
