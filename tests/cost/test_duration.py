"""Times for reading."""

import math

import pytest

from archsearch.cost.duration import duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(4e-5, "40 us"), (0.0031, "3.1 ms"), (1, "1 s"), (119, "119 s"), (252, "4.2 min"), (4700, "78.3 min"),
     (9000, "2.5 h"), (0, "0 us"), (None, "-"), (math.nan, "-"), (math.inf, "-")],
)  # fmt: skip
def test_a_time_has_three_figures_and_a_unit(seconds, text):
    assert duration(seconds) == text
