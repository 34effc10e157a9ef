"""Whether the method notices a load on another core, and how fast latencies are foretold."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from archsearch.bench.repeatability import Question, child, method
from archsearch.cost.count import bind, count_codes
from archsearch.cost.latency import LatencyTable, metrics_of
from archsearch.cost.table import cost_table
from archsearch.errors import DeviceError
from archsearch.measure.pinning import BUSY
from archsearch.spec.space import SearchSpace

BURN = (
    "import os\nif hasattr(os, 'sched_setaffinity'): os.sched_setaffinity(0, {{{core}}})\nwhile True: sum(range(10000))"
)
CHECKED = 2000  # networks whose tabled prediction is compared with the one that is summed anew


def other_core(threads: int) -> int:
    """A core of this process on which a measurement with so many threads does not run.

    raises   DeviceError where it may use no other
    """
    if not hasattr(os, "sched_getaffinity"):
        return 0  # nothing is pinned
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) <= threads:
        raise DeviceError(
            f"a busy core beside {threads} measuring thread(s) needs {threads + 1} cores, here are {len(cores)}"
        )
    return cores[0]  # the method measures on the last ones


@contextmanager
def burner(core: int) -> "Iterator[subprocess.Popen[bytes]]":
    """A process that keeps one core busy while it lasts."""
    with subprocess.Popen([sys.executable, "-c", BURN.format(core=core)]) as process:
        try:
            yield process
        finally:
            process.kill()


def caught(question: Question, folder: Path) -> dict[str, Any]:
    """The same measurement on a quiet machine and beside a burner on another core: what the sentinels say of each.

    raises   DeviceError where there is no other core
    """
    core = other_core(question.threads)
    anchor = folder / "anchor.json"
    told = {}
    for name in ("quiet", "burner", "quiet again"):
        if name == "burner":
            with burner(core):
                time.sleep(0.5)
                made = child(method(question, anchor, 0))["measurements"][0]
        else:
            made = child(method(question, anchor, 0))["measurements"][0]
        load = made["foreign_load"]
        told[name] = {"ms": made["ms"], "raw_ms": made["raw_ms"], "foreign_load": load, "drifted": made["repeated"],
                      "visits": made["visits"], "caught": bool(load is not None and load > BUSY)}  # fmt: skip
    return told


def speed(table: LatencyTable, space: SearchSpace, n: int, *, seed: int = 0) -> dict[str, Any]:
    """Networks of a space foretold a second, one thread; the making of the table's gathers is told apart.

    raises   AssertionError where tabled predictions differ from those that are summed anew
    """
    bind(*metrics_of(table))
    began = time.perf_counter()
    made = cost_table(space, ("latency",))
    made.count(space.sample_compact(2, np.random.default_rng(0)))
    making = time.perf_counter() - began
    codes = space.sample_compact(n, np.random.default_rng(seed))
    rates = []
    for _ in range(3):
        began = time.perf_counter()
        found = made.count(codes)["latency"]
        rates.append(n / (time.perf_counter() - began))
    few = np.asarray(codes[:CHECKED], dtype=np.int64)
    began = time.perf_counter()
    summed = count_codes(space, few, ["latency"])["latency"]
    formula = len(few) / (time.perf_counter() - began)
    assert (summed == found[: len(few)]).all(), "the two ways of foretelling disagree"
    one = [int(table.predict(space.decode(code)) * 1e6) for code in few[:20]]
    assert np.allclose(one, summed[:20], rtol=1e-4), "many and one disagree"
    return {
        "networks": n, "making_seconds": making, "networks_per_second": max(rates),
        "with_making": n / (n / max(rates) + making), "formula_per_second": formula, "checked": len(few),
    }  # fmt: skip
