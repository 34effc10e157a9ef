"""Numbers for reading."""

import math

import pytest

from archsearch.report.theme import percent, scaled, tick_format


@pytest.mark.parametrize(
    ("metric", "value", "shown"),
    [
        ("madds", 300_774_272, "300.8M"),
        ("params", 3_504_872, "3.5M"),
        ("madds", 999, "999"),
        ("peak_memory", 1_572_864, "1.5 MiB"),
        ("weight_bytes", 100, "100 B"),
        ("latency_ms", 12.345, "12.3 ms"),
        ("madds", math.nan, "–"),
        ("madds", None, "–"),
    ],
)
def test_costs_are_scaled_with_their_unit(metric, value, shown):
    assert scaled(metric, value) == shown


def test_fractions_are_printed_as_percent():
    assert percent(0.9123) == "91.2 %"
    assert percent(0.9123, 0.0041) == "91.2 ± 0.4 %"
    assert percent(0.5, math.nan) == "50.0 %"
    assert percent(math.nan) == "–"


def test_an_axis_writes_parts_of_a_millisecond_as_such():
    assert tick_format("madds") == "~s"
    assert {tick_format(name) for name in ("latency", "latency_upper", "latency_ms")} == {".4~g"}
