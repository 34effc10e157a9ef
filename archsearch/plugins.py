"""Open choices as one table: group, name, "module:attribute". Listing names imports nothing.

Third parties add rows through the entry-point groups `archsearch.<group>`; two rows with one name are an error.
"""

import importlib
import re
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
        "cn": "archsearch.spec.blocks:plain",
        "er": "archsearch.spec.blocks:fused",
        "sg": "archsearch.spec.sandglass:sandglass",
        "uib": "archsearch.spec.universal:universal",
    },
    "heads": {
        "classifier": "archsearch.spec.heads:CLASSIFIER",
        "ssdlite": "archsearch.spec.heads:SSDLITE",
        "deeplabv3": "archsearch.spec.heads:DEEPLABV3",
        "deeplabv3aspp": "archsearch.spec.heads:DEEPLABV3ASPP",
        "lraspp": "archsearch.spec.heads:LRASPP",
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
        "supernet": "archsearch.evaluate.supernet:supernet_evaluator",
        "synthetic": "archsearch.evaluate.synthetic:synthetic_evaluator",
        "table": "archsearch.evaluate.tabular:table_evaluator",
        "table-mean": "archsearch.evaluate.tabular:mean_evaluator",
        "additive": "archsearch.evaluate.imagined:additive_evaluator",
        "deceptive": "archsearch.evaluate.imagined:deceptive_evaluator",
        "naswot": "archsearch.evaluate.proxy:NASWOT",
        "synflow": "archsearch.evaluate.proxy:SYNFLOW",
        "grad_norm": "archsearch.evaluate.proxy:GRAD_NORM",
        "snip": "archsearch.evaluate.proxy:SNIP",
        "fisher": "archsearch.evaluate.proxy:FISHER",
        "jacov": "archsearch.evaluate.proxy:JACOV",
        "zen": "archsearch.evaluate.proxy:ZEN",
        "zico": "archsearch.evaluate.proxy:ZICO",
        "params": "archsearch.evaluate.proxy:PARAMS",
        "madds": "archsearch.evaluate.proxy:MADDS",
        "depth": "archsearch.evaluate.proxy:DEPTH",
        "predictor": "archsearch.evaluate.predictor:predictor_evaluator",
        "ensemble": "archsearch.evaluate.ensemble:ensemble_evaluator",
    },
    "proxies": {
        "naswot": "archsearch.proxies.naswot:naswot",
        "synflow": "archsearch.proxies.synflow:synflow",
        "grad_norm": "archsearch.proxies.loss:grad_norm",
        "snip": "archsearch.proxies.loss:snip",
        "fisher": "archsearch.proxies.loss:fisher",
        "jacov": "archsearch.proxies.jacov:jacov",
        "zen": "archsearch.proxies.zen:zen",
        "zico": "archsearch.proxies.zico:zico",
        "params": "archsearch.proxies.costs:params",
        "madds": "archsearch.proxies.costs:madds",
        "depth": "archsearch.proxies.costs:depth",
    },
    "devices": {
        "onnxruntime": "archsearch.measure.onnxruntime_device:onnxruntime_device",
        "torch-eager": "archsearch.measure.torch_eager:torch_eager",
        "torch-compile": "archsearch.measure.torch_compile:torch_compile",
        "openvino": "archsearch.measure.openvino_device:openvino_device",
        "cuda": "archsearch.measure.cuda:cuda",
    },
    "exporters": {
        "onnx": "archsearch.export.traced:ONNX",
        "pt2": "archsearch.export.traced:PT2",
        "state-dict": "archsearch.export.plain:STATE_DICT",
        "python": "archsearch.export.python:PYTHON",
        "json": "archsearch.export.plain:JSON",
    },
    "samplers": {
        "greybox": "archsearch.search.greybox:greybox",
        "random": "archsearch.search.stratified:stratified",
        "nsga2": "archsearch.search.samplers:nsga2",
        "nsga3": "archsearch.search.samplers:nsga3",
        "tpe": "archsearch.search.samplers:tpe",
        "gp": "archsearch.search.samplers:gp",
    },
}

WORDS = {"blocks": "block", "heads": "head"}  # groups whose names are words of the text form
RESERVED = {"blocks": ("stem", "head", *TABLE["heads"]), "heads": ("stem", "head", *TABLE["blocks"])}


@cache
def table(group: str) -> dict[str, str]:
    """Name -> "module:attribute" of one group, built-in rows and entry points together.

    raises   PluginError for an unknown group, for two rows with one name, for a block whose name cannot stand in a text
    """
    if group not in TABLE:
        raise PluginError(f"unknown plug-in group {group!r}: {choices(group, TABLE)}")
    rows = dict(TABLE[group])
    for point in entry_points(group=f"archsearch.{group}"):
        if point.name in rows and rows[point.name] != point.value:
            raise PluginError(f"two {group} are called {point.name!r}: {rows[point.name]} and {point.value}")
        if group in WORDS and (not re.fullmatch("[a-z][a-z0-9]*", point.name) or point.name in RESERVED[group]):
            raise PluginError(
                f"{WORDS[group]} {point.name!r} ({point.value}) must be named with small letters and digits, "
                f"not {' or '.join(RESERVED[group])}"
            )
        rows[point.name] = point.value
    return rows


def names(group: str) -> list[str]:
    """The names of a group, sorted; imports nothing."""
    return sorted(table(group))


@cache
def load(group: str, name: str) -> Any:
    """The object behind a name.

    raises   PluginError naming the nearest known name, or what keeps a row from loading
    """
    rows = table(group)
    kind = f"{group[:-3]}y" if group.endswith("ies") else group.removesuffix("s")
    if name not in rows:
        raise PluginError(f"unknown {kind} {name!r}: {choices(name, rows)}")
    path, _, attribute = rows[name].partition(":")
    try:
        module = importlib.import_module(path)
    except ImportError as error:
        raise PluginError(f"{kind} {name!r} ({rows[name]}) cannot be loaded: {error}") from error
    if not hasattr(module, attribute):
        raise PluginError(f"{kind} {name!r} ({rows[name]}) cannot be loaded: {path} has no attribute {attribute!r}")
    return getattr(module, attribute)
