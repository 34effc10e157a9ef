"""Open choices as one table: group, name, "module:attribute". Listing names imports nothing.

Third parties add rows through the entry-point groups `archsearch.<group>`; two rows with one name are an error.
"""

import importlib
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from archsearch.errors import PluginError, choices

TABLE: dict[str, dict[str, str]] = {
    "blocks": {
        "ir": "archsearch.spec.blocks:inverted_residual",
        "ds": "archsearch.spec.blocks:depthwise_separable",
        "cr": "archsearch.spec.blocks:classic_residual",
        "id": "archsearch.spec.blocks:identity",
    },
    "metrics": {
        "madds": "archsearch.cost.metrics:MADDS",
        "params": "archsearch.cost.metrics:PARAMS",
        "activations": "archsearch.cost.metrics:ACTIVATIONS",
        "peak_memory": "archsearch.cost.metrics:PEAK_MEMORY",
        "weight_bytes": "archsearch.cost.metrics:WEIGHT_BYTES",
    },
    "datasets": {
        "digits": "archsearch.data.digits:digits",
        "cifar10": "archsearch.data.cifar:cifar10",
        "cifar100": "archsearch.data.cifar:cifar100",
        "folder": "archsearch.data.folder:folder",
        "parquet": "archsearch.data.parquet:parquet",
    },
    "evaluators": {
        "train": "archsearch.evaluate.training:train_evaluator",
        "synthetic": "archsearch.evaluate.synthetic:synthetic_evaluator",
    },
    "samplers": {
        "random": "archsearch.search.stratified:StratifiedSampler",
        "nsga2": "archsearch.search.samplers:nsga2",
        "nsga3": "archsearch.search.samplers:nsga3",
        "tpe": "archsearch.search.samplers:tpe",
        "gp": "archsearch.search.samplers:gp",
    },
}


@cache
def table(group: str) -> dict[str, str]:
    """Name -> "module:attribute" of one group, built-in rows and entry points together.

    raises   PluginError for an unknown group, or for two rows with one name
    """
    if group not in TABLE:
        raise PluginError(f"unknown plug-in group {group!r}: {choices(group, TABLE)}")
    rows = dict(TABLE[group])
    for point in entry_points(group=f"archsearch.{group}"):
        if point.name in rows and rows[point.name] != point.value:
            raise PluginError(f"two {group} are called {point.name!r}: {rows[point.name]} and {point.value}")
        rows[point.name] = point.value
    return rows


def names(group: str) -> list[str]:
    """The names of a group, sorted; imports nothing."""
    return sorted(table(group))


@cache
def load(group: str, name: str) -> Any:
    """The object behind a name.

    raises   PluginError naming the nearest known name
    """
    rows = table(group)
    if name not in rows:
        raise PluginError(f"unknown {group.removesuffix('s')} {name!r}: {choices(name, rows)}")
    module, _, attribute = rows[name].partition(":")
    return getattr(importlib.import_module(module), attribute)
