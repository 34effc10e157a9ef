"""A device tried with one network of a search before the search begins: whether it can run such networks at all."""

import numpy as np

from archsearch.cost.budget import EXPECTED
from archsearch.cost.count import metric
from archsearch.measure.method import Effort
from archsearch.measure.model import whole
from archsearch.measure.pick import Stopwatch, reference
from archsearch.search.propose import Problem
from archsearch.spec.arch import Arch
from archsearch.spec.lower import lower
from archsearch.spec.text import to_text

ONCE = Effort(least=1, most=1, runs=1, warm_ms=1.0)
DRAWN = 16  # networks of which the quickest is tried


def try_one(stopwatch: Stopwatch, problem: Problem) -> None:
    """Run one quick network that fits, and the reference, a few times.

    raises   DeviceError or SpecError, which say why the device cannot
    """
    arch = quick(problem)
    stopwatch.measure([whole(arch, to_text(arch))], reference(), anchor=None, effort=ONCE)


def quick(problem: Problem) -> Arch:
    """A network that fits the budget and takes little, by the latency table."""
    found = problem.domain.draw(DRAWN, np.random.default_rng(0))
    archs = [problem.space.decode(code) for code in found.codes]
    return min(archs, key=lambda arch: int(metric(EXPECTED).total(lower(arch))))
