"""The sample: distinct, within the budget, spread over the logarithm of MAdds, the first of a larger one."""

import numpy as np
import pytest

from archsearch.cost.budget import Budget, Limit
from archsearch.cost.count import count
from archsearch.errors import BudgetError, DataError
from archsearch.evaluate.table import Table
from archsearch.spec.fields import Axis
from archsearch.spec.space_file import read_space
from archsearch.trust.sample import expected, of_table, stratified, timed, within

SPACE = read_space("mobilenet_v2_small").restrict("resolution", (24, 32))
BUDGET = Budget(limits={"madds": Limit(low=0, high=6_000_000)})


@pytest.fixture(scope="module")
def thirty():
    return stratified(SPACE, BUDGET, 30, seed=0)


def test_networks_are_distinct_and_keep_the_budget(thirty):
    assert len({net.key for net in thirty}) == 30
    assert all(net.madds <= 6_000_000 for net in thirty)
    assert {"madds": thirty[7].madds, "params": thirty[7].params} == count(thirty[7].arch, ("madds", "params"))


def test_every_part_of_the_range_has_its_share(thirty):
    logs = np.log([net.madds for net in thirty])
    counts = np.histogram(logs, bins=5)[0]
    assert counts.min() >= 4  # of 6 in each
    assert np.diff(np.sort(logs)).max() < 0.25 * np.ptp(logs)


def test_the_first_of_a_larger_sample_are_a_sample_and_seeds_differ(thirty):
    assert stratified(SPACE, BUDGET, 12, seed=0) == thirty[:12]
    assert stratified(SPACE, BUDGET, 12, seed=1) != thirty[:12]


def test_a_small_space_gives_what_it_has():
    few = SPACE
    for axis in SPACE.axes[:-2]:
        few = few.restrict(axis.name, axis.values[:1])
    found = stratified(few, Budget(), 500, seed=0)
    assert 1 <= len({net.key for net in found}) == len(found) <= few.size


def test_a_budget_that_nothing_meets_is_told():
    with pytest.raises(BudgetError):
        stratified(SPACE, Budget(limits={"madds": Limit(low=0, high=10)}), 5, seed=0)


def table(n=50, space=None):
    macro = space or read_space("nas_bench_macro")
    codes = np.unique(macro.sample(4 * n, np.random.default_rng(0)), axis=0)[:n]
    madds = np.arange(1.0, len(codes) + 1)
    return Table(name="t", axes=macro.axes, codes=codes, top1=np.ones((len(codes), 3)), costs={"madds": madds},
                 space=macro)  # fmt: skip


def test_a_table_gives_random_networks_that_fit():
    known = table()
    networks, rows = of_table(known, Budget(limits={"madds": Limit(low=0, high=20)}), 10, seed=0)
    assert len(set(rows)) == len(networks) == 10
    assert max(rows) < 20
    assert of_table(known, Budget(), 30, seed=4)[1][:10] == of_table(known, Budget(), 10, seed=4)[1]
    with pytest.raises(BudgetError, match="fits the budget"):
        of_table(known, Budget(limits={"madds": Limit(low=0, high=0)}), 10, seed=0)


def test_a_table_without_a_space_is_refused():
    bare = Table(name="t", axes=(Axis(name="a", values=(1, 2)),), codes=np.array([[0], [1]]), top1=np.ones((2, 1)),
                 costs={})  # fmt: skip
    with pytest.raises(DataError, match="belongs to no design space"):
        of_table(bare, Budget(), 2, seed=0)


def test_the_plan_is_read_off_three_networks(thirty):
    three = timed(thirty)
    madds = sorted(net.madds for net in thirty)
    assert [net.madds for net in three] == [madds[0], madds[15], madds[-1]]
    seconds = expected(thirty, [(net.madds, 1e-6 * net.madds) for net in reversed(three)])
    assert seconds == pytest.approx([1e-6 * net.madds for net in thirty])
    assert within(seconds, sum(seconds[:7]) + 1e-9) == 7
    assert within([1.0, 1.0], 0.5) == 0
