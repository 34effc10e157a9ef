"""Costs of one network, or of a population in cache-sized chunks."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from archsearch import plugins
from archsearch.cost.budget import LATENCIES
from archsearch.cost.metrics import Metric
from archsearch.errors import LatencyError
from archsearch.spec.arch import Arch
from archsearch.spec.canon import key
from archsearch.spec.lower import lower
from archsearch.spec.text import to_text
from archsearch.spec.trunk import Net

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from archsearch.spec.space import SearchSpace

BUILT_IN = ("madds", "params", "activations", "peak_memory", "weight_bytes")
CHUNK = 8192  # networks counted at once: their arrays stay in the cache


BOUND: dict[str, Any] = {}  # metrics that a command brought with it: those of a latency table, one device a process


def bind(*metrics: Any) -> None:
    """Make metrics known that no table of plug-ins holds: those of a latency table. Others of their names go."""
    BOUND.update({each.name: each for each in metrics})


def metric(name: str) -> Metric:
    """A metric that was bound, or one by its name in plug-in group "metrics"; raises PluginError naming the nearest."""
    if name in BOUND:
        bound: Metric = BOUND[name]
        return bound
    if name in LATENCIES:
        raise LatencyError(f"metric {name!r} needs a latency table: archsearch latency table build makes one")
    loaded: Metric = plugins.load("metrics", name)
    return loaded


def all_metrics() -> tuple[str, ...]:
    """Names of all metrics: the built-in ones in their order, then those of third parties."""
    return tuple(dict.fromkeys([*BUILT_IN, *plugins.names("metrics")]))


def count(net: Net, names: Iterable[str] = BUILT_IN) -> dict[str, int]:
    """Costs of one network: metric name -> int."""
    ops = lower(net)
    return {name: int(metric(name).total(ops)) for name in names}


def count_codes(
    space: "SearchSpace", codes: "NDArray[np.int64]", names: Sequence[str] = BUILT_IN
) -> "dict[str, NDArray[np.int64]]":
    """Costs of n networks of a space.

    codes    int[n, axes], as `SearchSpace.sample` gives them
    returns  metric name -> int64[n]
    """
    import numpy as np

    metrics = {name: metric(name) for name in names}
    totals = {name: np.empty(len(codes), dtype=np.int64) for name in names}
    for start in range(0, len(codes), CHUNK):
        part = slice(start, start + CHUNK)
        ops = lower(space.population(codes[part]))
        for name, each in metrics.items():
            totals[name][part] = each.total(ops)
    return totals


def record(arch: Arch) -> dict[str, object]:
    """The object that every `--json` prints of a network: text form, key and all costs."""
    return {"arch": to_text(arch), "key": key(arch), **count(arch, all_metrics())}
