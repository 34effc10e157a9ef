"""Budgets: every form that is right, every form that is wrong, what fits and by how much it does not."""

import contextlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsearch.cost.budget import Budget, Limit, parse_limit, show
from archsearch.errors import BudgetError

LARGEST = 1001


def _limit(text: str, name: str = "madds") -> tuple[float, float]:
    limit = parse_limit(text, name, lambda: LARGEST)
    return limit.low, limit.high


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("300M", 0, 300_000_000),
        ("0.3G", 0, 300_000_000),
        ("1.1g", 0, 1_100_000_000),
        (" 300 m ", 0, 300_000_000),
        ("12345", 0, 12345),
        ("5k", 0, 5000),
        (".5k", 0, 500),
        ("200M..300M", 200_000_000, 300_000_000),
        ("200M .. 0.3G", 200_000_000, 300_000_000),
        ("7..7", 7, 7),
        ("60%", 0, 600),
        ("100%", 0, LARGEST),
        ("25%..60%", 250, 600),
    ],
)
def test_a_limit_in_numbers_or_shares_is_read(text, low, high):
    assert _limit(text) == (low, high)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("512KiB", 0, 512 * 1024), ("512kb", 0, 512_000), ("1MiB..4MiB", 2**20, 2**22), ("1Gi", 0, 2**30), ("9b", 0, 9),
     ("3M", 0, 3_000_000), ("60%", 0, 600)],
)  # fmt: skip
@pytest.mark.parametrize("name", ["peak_memory", "weight_bytes"])
def test_a_limit_in_bytes_is_read(text, low, high, name):
    assert _limit(text, name) == (low, high)


@pytest.mark.parametrize("text", ["banana", "", "..", "..3M", "3M..", "-5", "300e6", "nan", "inf", "1_000", "3MM",
                                  "5%%", "1M..2M..3M", "9" * 400, "9" * 5000, "300M€", "M", "%"])  # fmt: skip
@pytest.mark.parametrize(("name", "form"), [("madds", "write 300M,"), ("peak_memory", "write 512KiB,")])
def test_what_cannot_be_read_names_the_text_and_the_right_forms(text, name, form):
    with pytest.raises(BudgetError) as caught:
        _limit(text, name)
    assert f"budget {text!r} for {name} cannot be read; {form}" in str(caught.value)


@pytest.mark.parametrize("text", ["0", "0M", "0%", "0.5", "0..300M", "0.01%"])
def test_a_limit_is_above_zero(text):
    with pytest.raises(BudgetError, match="must be above 0"):
        _limit(text)


@pytest.mark.parametrize("text", ["300M..200M", "60%..50%", "2..1"])
def test_an_empty_range_is_an_error(text):
    with pytest.raises(BudgetError, match="is empty: the lower end comes first"):
        _limit(text)


@pytest.mark.parametrize("text", ["512KiB", "512KB", "5b", "1MiB..4MiB", "1Mi"])
@pytest.mark.parametrize("name", ["madds", "params"])
def test_bytes_are_refused_where_the_metric_has_none(text, name):
    with pytest.raises(BudgetError, match="is in bytes; write 300M"):
        _limit(text, name)


def test_the_largest_value_is_asked_for_only_by_a_share():
    def never() -> int:
        raise AssertionError("asked without need")

    assert parse_limit("300M", "madds", never).high == 300_000_000


@given(st.integers(1, 10**12))
def test_all_of_the_largest_is_the_largest(largest):
    assert parse_limit("100%", "madds", lambda: largest).high == largest
    assert parse_limit("100%..100%", "madds", lambda: largest).low == largest


@given(st.text(max_size=12))
def test_any_text_gives_a_limit_or_a_budget_error(text):
    with contextlib.suppress(BudgetError):
        limit = parse_limit(text, "madds", lambda: LARGEST)
        assert 0 <= limit.low <= limit.high < math.inf


BUDGET = Budget(limits={"madds": Limit(low=100, high=200), "params": Limit(high=50)})


@pytest.mark.parametrize(
    ("madds", "params", "fits"),
    [(100, 50, True), (200, 0, True), (99, 50, False), (201, 50, False), (150, 51, False), (300, 60, False)],
)
def test_a_network_fits_when_it_holds_every_limit_ends_included(madds, params, fits):
    costs = {"madds": madds, "params": params}
    assert BUDGET.fits(costs) is fits
    assert (max(BUDGET.excess(costs).values()) <= 0) is fits


def test_many_networks_are_judged_at_once():
    costs = {"madds": np.array([99, 100, 200, 201]), "params": np.array([50, 50, 50, 50])}
    assert BUDGET.fits(costs).tolist() == [False, True, True, False]


def test_excess_is_a_share_of_the_limit_positive_where_it_is_broken():
    assert BUDGET.excess({"madds": 300, "params": 25}) == {"madds<=200": 0.5, "madds>=100": -2.0, "params<=50": -0.5}
    assert BUDGET.excess({"madds": 50, "params": 75})["madds>=100"] == 0.5


def test_no_limit_is_always_held():
    assert Budget().fits({"madds": 1}) is True
    assert Budget().excess({"madds": 1}) == {}


@given(
    st.dictionaries(
        st.sampled_from(["madds", "params"]), st.tuples(st.integers(0, 9), st.integers(9, 20) | st.just(math.inf))
    )
)
def test_a_budget_in_a_file_reads_back(limits):
    budget = Budget(limits={name: Limit(low=low, high=high) for name, (low, high) in limits.items()})
    assert Budget.from_dict(budget.to_dict()) == budget


@pytest.mark.parametrize(
    ("value", "name", "text"),
    [(300_774_272, "madds", "300.8M"), (1_500_000, "madds", "1.5M"), (999, "params", "999"), (1.2e9, "madds", "1.2G"),
     (0, "madds", "0"), (1_572_864, "peak_memory", "1.5MiB"), (512, "weight_bytes", "512"),
     (2048, "peak_memory", "2KiB")],
)  # fmt: skip
def test_costs_are_shown_short(value, name, text):
    assert show(value, name) == text
