"""What a sampler that learns makes of earlier runs: its own results apart, and the others as traits of networks."""

from dataclasses import replace
from typing import Any

import numpy as np

from archsearch.search.history import History
from archsearch.search.samplers import SamplerSetup
from archsearch.surrogate.belief import Belief, learn
from archsearch.surrogate.informed import InformedDomain

FEWEST = 8  # results of an earlier run from which a surrogate of it is made; fewer say too little


def informed(setup: SamplerSetup, history: History) -> tuple[SamplerSetup, History]:
    """The setup whose domain knows what earlier runs say, and the history of this search's own results in it.

    Nothing changes where no earlier run gave results that were made otherwise.
    """
    if not history.source.any():
        return setup, history
    mine = history.source == 0
    history, others = replace(
        history, judged=history.judged.take(mine), top1=history.top1[mine], error=history.error[mine],
        numbers=history.numbers[mine], source=history.source[mine],
    ), history  # fmt: skip
    counts = np.bincount(others.source)[1:]
    telling = tuple((k, int(n)) for k, n in enumerate(counts, start=1) if n >= FEWEST)
    own: dict[str, Any] = setup.memory.setdefault(f"informed by {telling}", {})
    if not telling:
        return replace(setup, memory=own), history
    if "domain" not in own:
        own["domain"] = InformedDomain(plain=setup.domain, beliefs=tuple(_belief(setup, others, k) for k, _ in telling))
    domain: InformedDomain = own["domain"]
    judged, pending, failed = (domain.informed(part) for part in (history.judged, history.pending, history.failed))
    return replace(setup, domain=domain, memory=own), replace(history, judged=judged, pending=pending, failed=failed)


def _belief(setup: SamplerSetup, history: History, source: int) -> Belief:
    """What one earlier run says."""
    rows = history.source == source
    return learn(history.judged.take(rows), setup.domain.axes, history.top1[rows], history.error[rows])
