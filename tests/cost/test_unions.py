"""Draws from several spaces: every code of the sum equally likely, no network twice."""

from collections import Counter

import numpy as np
import pytest

from archsearch.cost import unions
from archsearch.cost.budget import Budget, Limit
from archsearch.cost.feasible import counted
from archsearch.cost.table import cost_table
from archsearch.cost.unions import draw_union, ends_of, union_budget
from archsearch.errors import BudgetError
from archsearch.spec.content import fingerprints
from archsearch.spec.narrow import restricted
from archsearch.spec.space_file import read_space
from archsearch.spec.union import union

MACRO = read_space("nas_bench_macro")


def narrow(**kept):
    """The space with few choices on most axes."""
    names = [axis.name for axis in MACRO.axes]
    return restricted(MACRO, {name: axis.values[: kept.get(f"at{place}", 1)] for place, (name, axis) in
                              enumerate(zip(names, MACRO.axes, strict=True))})  # fmt: skip


def codes_of(both, budget):
    """Network -> how many codes that fit spell it, by looking at every code."""
    found = Counter()
    for space in both.spaces:
        codes = np.concatenate(list(space.enumerate()))
        codes = codes[np.broadcast_to(budget.fits(cost_table(space, ("madds",)).count(codes)), (len(codes),))]
        for row in fingerprints(space, codes) if len(codes) else ():
            found[row.tobytes()] += 1
    return found


def prints(both, drawn):
    return [fingerprints(both.spaces[member], code[None])[0].tobytes() for member, code in drawn]


@pytest.mark.parametrize("small", [0, 10**6], ids=["looked at", "counted"])
def test_every_code_of_the_sum_is_equally_likely(monkeypatch, small):
    monkeypatch.setattr(unions, "SMALL", small)
    monkeypatch.setattr(unions, "DRAWS", 64)
    both = union(narrow(at0=3, at1=3, at2=2), narrow(at1=3, at7=3))
    budget = union_budget({"madds": "70%"}, both)
    want, rng = codes_of(both, budget), np.random.default_rng(0)
    seen = Counter(prints(both, [draw_union(both, budget, 1, rng)[0] for _ in range(600)]))
    assert seen.keys() <= want.keys()
    total, statistic = sum(want.values()), 0.0
    for network, codes in want.items():
        expected = 600 * codes / total
        statistic += (seen[network] - expected) ** 2 / expected
    free = len(want) - 1
    assert 0 < free
    assert statistic < free + 4 * (2 * free) ** 0.5


@pytest.mark.parametrize("high", [9e6, 2e7, 1e9])
def test_a_draw_of_more_than_there_are_gives_each_network_once(high):
    both, budget = union(MACRO, narrow(at3=3, at4=2)), Budget(limits={"madds": Limit(high=high)})
    drawn = prints(both, draw_union(both, budget, 10_000, np.random.default_rng(0)))
    assert len(set(drawn)) == len(drawn)
    assert set(drawn) == set(codes_of(both, budget))


def test_members_of_which_few_codes_fit_are_drawn_by_their_number():
    both = union(read_space("mobilenet_v2"), read_space("mobilenet_v2_small").with_classes(1000))
    budget = Budget(limits={"madds": Limit(low=1.0e9, high=1.03e9)})
    counts = [counted(space, budget).count for space in both.spaces]
    drawn = draw_union(both, budget, 40, np.random.default_rng(0))
    assert len(set(prints(both, drawn))) == min(40, sum(counts))
    assert all(counts[member] for member, _ in drawn)
    for member, code in drawn:
        assert budget.fits(cost_table(both.spaces[member], ("madds",)).count(code[None])).all()


def test_a_budget_that_no_member_meets_is_one_line():
    both = union(MACRO, narrow(at0=2))
    low, high, exact = ends_of(both, "madds")
    assert (low, high) == ends_of(union(MACRO), "madds")[:2]
    assert exact
    with pytest.raises(BudgetError, match="was found that fits; they can have madds from"):
        draw_union(both, Budget(limits={"madds": Limit(high=low - 1)}), 1, np.random.default_rng(0))
