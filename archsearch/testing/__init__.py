"""Conformance checks: does a plug-in keep its promises? Third parties call them from their own tests, as we do.

    from archsearch.testing import check_block
    def test_my_block():
        check_block("mine")

Each raises AssertionError saying what is wrong; none needs a GPU, a network or data.
"""

from archsearch.testing.common import SPACE
from archsearch.testing.devices import check_device
from archsearch.testing.exporters import check_exporter
from archsearch.testing.networks import check_block, check_head, check_metric, live_bytes
from archsearch.testing.runs import check_evaluator, check_sampler

__all__ = [
    "SPACE",
    "check_block",
    "check_device",
    "check_evaluator",
    "check_exporter",
    "check_head",
    "check_metric",
    "check_sampler",
    "live_bytes",
]
