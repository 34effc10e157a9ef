"""Networks counted a second: the cost tables, the vectorised formula, one network at a time, and fvcore."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from archsearch.cost.count import count, count_codes
from archsearch.cost.table import cost_table
from archsearch.errors import CountError
from archsearch.records import environment
from archsearch.spec.space_file import read_space

METRICS = ("madds", "params", "peak_memory")
REPEATS = 3


def measure(space_name: str, number: int, *, peers: int, seed: int) -> dict[str, Any]:
    """Rates of all ways of counting over the same random networks; the best of three runs each.

    raises   CountError where two ways disagree
    """
    import torch

    from archsearch.nn.build import build, example_input
    from archsearch.nn.trace import by_fvcore

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    space = read_space(space_name)
    codes = space.sample(number, np.random.default_rng(seed))
    part, few = codes[: max(1, number // 10)], [space.decode(code) for code in codes[:200]]
    table, table_s = _best(lambda: cost_table(read_space(space_name), METRICS).count(codes))  # built anew each time
    formula, formula_s = _best(lambda: count_codes(space, part, METRICS))
    one, one_s = _best(lambda: [count(arch, METRICS) for arch in few])
    models = [(build(arch), example_input(arch)) for arch in few[:peers]]
    by_fvcore(*models[0])  # warm-up: its imports
    traced, traced_s = _best(lambda: [by_fvcore(model, image) for model, image in models], repeats=1)
    torch.set_num_threads(threads)
    _compare(table, formula, one, traced)
    return {
        "space": space.name, "number": number, "seed": seed, "cpu": environment()["cpu"], "checked": len(part),
        "metrics": list(METRICS),
        "networks_per_second": {
            "cost tables": number / table_s, "vectorised formula": len(part) / formula_s,
            "one at a time": len(few) / one_s, "fvcore": len(models) / traced_s,
        },
    }  # fmt: skip


def _best(work: Callable[[], Any], repeats: int = REPEATS) -> tuple[Any, float]:
    """The work's result and its shortest time [s]."""
    seconds = []
    result = None
    for _ in range(repeats):
        began = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - began)
    return result, min(seconds)


def _compare(table: Any, formula: Any, one: list[dict[str, int]], traced: list[dict[str, int]]) -> None:
    for name in METRICS:
        if not np.array_equal(table[name][: len(formula[name])], formula[name]):
            raise CountError(f"cost table and formula disagree on {name}")
        if [costs[name] for costs in one] != table[name][: len(one)].tolist():
            raise CountError(f"one at a time and cost table disagree on {name}")
    for costs, said in zip(one, traced, strict=False):
        if (costs["madds"], costs["params"]) != (said["madds"], said["params"]):
            raise CountError(f"fvcore disagrees: {said} against {costs}")
