"""Networks counted a second: cost tables, the vectorised formula, one at a time, other counters, and the floor."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from archsearch.bench.peers import PEERS, seconds
from archsearch.cost.count import count, count_codes
from archsearch.cost.table import cost_table
from archsearch.errors import CountError
from archsearch.records import environment
from archsearch.spec.arch import Arch
from archsearch.spec.presets import preset
from archsearch.spec.space_file import read_space

METRICS = ("madds", "params", "peak_memory")
ADDED = METRICS[:2]  # what other counters know too
TABLES = f"tables: {' + '.join(ADDED)}"
TABLES_ALL = f"tables: {' + '.join(METRICS)}"
FORMULA, ONE, FLOOR = "vectorised formula", "one at a time", "reading the codes once"
PUBLISHED = "mobilenet_v2_1.0_224"  # the largest of the paper's own networks; random ones differ in size
REPEATS = 5
FORMULA_LEAST, FORMULA_MOST, FEW = 100_000, 200_000, 200  # networks counted the slow ways

Told = Callable[[int, int, str], None]  # (steps done, of, what comes next)


def measure(space_name: str, number: int, *, peers: int, seed: int, told: Told = lambda *_: None) -> dict[str, Any]:
    """Rates of all ways of counting over the same random networks on one thread; ours are the best of five runs.

    peers    random networks that other counters count too, besides the published one
    told     is called with (steps done, of, what comes next)
    raises   CountError where two ways disagree
    """
    steps = 5 + len(PEERS)
    told(0, steps, "drawing networks")
    space = read_space(space_name)
    codes = space.sample_compact(number, np.random.default_rng(seed))
    told(1, steps, TABLES)
    two_s = _best(_tabulated, space_name, codes, ADDED)[1]
    told(2, steps, TABLES_ALL)
    table, three_s = _best(_tabulated, space_name, codes, METRICS)
    memory = _memory(codes, table)
    making = {TABLES: _best(_tabulated, space_name, codes[:1], ADDED)[1] / two_s,
              TABLES_ALL: _best(_tabulated, space_name, codes[:1], METRICS)[1] / three_s}  # fmt: skip
    floor_s = _best(_read_once, codes)[1]
    told(3, steps, FORMULA)
    part, few = codes[: max(FORMULA_LEAST, min(number // 10, FORMULA_MOST))], [space.decode(c) for c in codes[:FEW]]
    formula, formula_s = _best(count_codes, space, part, METRICS)
    told(4, steps, ONE)
    one, one_s = _best(lambda: [count(arch, METRICS) for arch in few])
    compare(table, formula, one)
    rates: dict[str, float | None] = {
        TABLES: number / two_s, TABLES_ALL: number / three_s,
        FORMULA: len(part) / formula_s, ONE: len(few) / one_s, FLOOR: number / floor_s,
    }  # fmt: skip
    others, published = _others(few[:peers], lambda nth, name: told(5 + nth, steps, name))
    rates |= others
    return {
        "space": space.name, "number": number, "seed": seed, "cpu": environment()["cpu"], "checked": len(part),
        "metrics": list(METRICS), "networks_per_second": rates, "tables_are_times_as_fast": ratios(rates),
        "making_share": making, "memory_bytes": memory,
        "peers": {"networks": len(few[:peers]), "convention": {peer.name: peer.convention for peer in PEERS}},
        "published": {"network": PUBLISHED, **count(preset(PUBLISHED), ADDED), "networks_per_second": published},
    }  # fmt: skip


def ratios(rates: Mapping[str, float | None]) -> dict[str, float | None]:
    """How many times as fast as each way the tables are, for the same metrics; below 1 where they are slower."""
    of = {FORMULA: TABLES_ALL, ONE: TABLES_ALL, TABLES_ALL: TABLES_ALL}
    ours = {name: rates[of.get(name, TABLES)] or 0.0 for name in rates}
    return {name: ours[name] / rate if rate else None for name, rate in rates.items()}


def _tabulated(space_name: str, codes: Any, metrics: tuple[str, ...]) -> dict[str, Any]:
    """Costs by tables, the reading of the space and the making of its tables included."""
    return cost_table(read_space(space_name), metrics).count(codes)


def _read_once(codes: Any) -> int:
    """The codes read from memory with next to no work: what no way of counting can be faster than."""
    flat = codes.T.reshape(-1)
    words = flat[: len(flat) // 8 * 8].view(np.uint64)
    return int(np.bitwise_or.reduce(words, initial=np.uint64(0)))


def _memory(codes: Any, totals: Mapping[str, Any]) -> dict[str, int]:
    """Bytes of codes and totals, and the largest that the process has been so far."""
    import resource
    import sys

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {"codes": codes.nbytes, "totals": sum(total.nbytes for total in totals.values()), "process_most": most}


def _best(work: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """The work's result and its shortest time [s]."""
    taken = []
    result = None
    for _ in range(REPEATS):
        result = None  # let go of the last one before the next is made
        began = time.perf_counter()
        result = work(*arguments)
        taken.append(time.perf_counter() - began)
    return result, min(taken)


def _others(archs: list[Arch], told: Callable[[int, str], None]) -> tuple[dict[str, float | None], ...]:
    """Networks a second of each other counter: over random networks, and on the published one."""
    import torch

    from archsearch.nn.build import build, example_input

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        networks = [(arch, build(arch).eval(), example_input(arch)) for arch in [*archs, preset(PUBLISHED)]]
        taken = {}
        for nth, peer in enumerate(PEERS):
            told(nth, peer.name)
            taken[peer.name] = seconds(peer, networks)
    finally:
        torch.set_num_threads(threads)
    return (
        {name: times and len(archs) / sum(times[:-1]) for name, times in taken.items()},
        {name: times and 1 / times[-1] for name, times in taken.items()},
    )


def compare(table: Mapping[str, Any], formula: Mapping[str, Any], one: list[dict[str, int]]) -> None:
    """Raise CountError where ways of counting disagree on the networks that both have counted."""
    for name in METRICS:
        if not np.array_equal(table[name][: len(formula[name])], formula[name]):
            raise CountError(f"cost table and formula disagree on {name}")
        if [costs[name] for costs in one] != formula[name][: len(one)].tolist():
            raise CountError(f"one at a time and formula disagree on {name}")
