"""The command `proxies`: zero-cost scores of networks side by side, and how well each orders trained networks."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archsearch.cli.options import (
    DataOption,
    DeviceOption,
    JsonOption,
    SeedOption,
    ThreadsOption,
    at_least,
    read_arch,
)
from archsearch.errors import RunError

if TYPE_CHECKING:
    from archsearch.data.dataset import Dataset
    from archsearch.evaluate.table import Table
    from archsearch.proxies.compare import Scored
    from archsearch.spec.arch import Arch

ARCHS = "Networks to score: presets, .json files, text forms, RUN#12. Or give --space or --table."
SPACE = "Score networks drawn from this design space."
TABLE = "Networks that somebody trained: networks are drawn from it, and each proxy's rank correlation is told."
PROXY = "Proxy to ask; may repeat. [default: all]"


def proxies(
    arch: Annotated[list[str] | None, typer.Argument(help=ARCHS, metavar="[ARCH]...")] = None,
    space: Annotated[str | None, typer.Option("--space", help=SPACE)] = None,
    number: Annotated[int, typer.Option("-n", "--number", help="Networks to draw.")] = 20,
    data: DataOption = None,
    proxy: Annotated[list[str] | None, typer.Option("--proxy", metavar="NAME", help=PROXY)] = None,
    table: Annotated[Path | None, typer.Option("--table", metavar="FILE", help=TABLE)] = None,
    mapping: Annotated[Path | None, typer.Option("--mapping", help="What its columns mean (docs/tables.md).")] = None,
    images: Annotated[int | None, typer.Option("--images", help="Images in the batch. [default: 32]")] = None,
    device: DeviceOption = None,
    threads: ThreadsOption = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Scores that untrained networks get from zero-cost proxies. They are no accuracies: only their order counts.

    With --table also Kendall's tau of each proxy with the accuracies there: of all networks, of the best tenth, and
    among networks of nearly equal MAdds. A proxy that does not beat madds, params and depth is of no use.

    \b
    Examples:
      archsearch proxies mobilenet_v2_0.5_96 mobilenet_v2_0.35_96 --data photos/
      archsearch proxies --space mobilenet_v2_small -n 20 --data cifar10 --proxy naswot --proxy params
      archsearch proxies --table nas_bench_macro.csv -n 200 --data cifar10
    """
    from archsearch.cli.loading import default_threads, load_data, pick_device
    from archsearch.cli.show import console, print_json
    from archsearch.train.tuning import tune_process

    at_least(1, number=number, threads=threads)
    at_least(2, images=images)
    names = known_proxies(proxy)
    chosen, truth = _networks(arch or [], space, number, (table, mapping), seed)
    log, where = console(error=True), pick_device(device)
    dataset = load_data(data or "digits", log)
    tune_process(threads or default_threads(dataset.native, where))
    found, stopped = _scored(chosen, names, dataset, {"images": images, "device": where, "seed": seed}, log)
    told = _judged(found, names, truth)
    if as_json:
        print_json(_document(found, told, {"data": dataset.name, "seed": seed, "device": where, "threads": threads,
                                           "seconds_of": "one core" if where == "cpu" else where,
                                           "images": images or _images(), "asked": len(chosen),
                                           "table": str(table) if table else None}))  # fmt: skip
    else:
        _print(console(), found, names, told)
    if stopped:
        log.print(f"stopped after {len(found)} of {len(chosen)} networks", style="yellow")
        raise typer.Exit(130)


def known_proxies(asked: Sequence[str] | None) -> list[str]:
    """The proxies that are asked for, each once; all where none is. Raises PluginError for a name that is none."""
    from archsearch import plugins

    names = list(dict.fromkeys(asked or plugins.names("proxies")))
    for name in names:
        plugins.load("proxies", name)
    return names


def _images() -> int:
    from archsearch.proxies.batch import IMAGES

    return IMAGES


def _networks(
    texts: Sequence[str], space: str | None, number: int, files: tuple[Path | None, Path | None], seed: int
) -> "tuple[list[Arch], Any]":  # fmt: skip
    """The networks to score, and of those from a table their mean accuracies float[n], else None.

    raises   RunError unless they come from exactly one place
    """
    import numpy as np

    from archsearch.evaluate.table import sample_rows
    from archsearch.spec.content import fingerprints, first_of_each
    from archsearch.spec.lower import check_classifies
    from archsearch.spec.space_file import read_space

    table, mapping = files
    if bool(texts) + (table is not None or space is not None) != 1:
        raise RunError("name networks, or a --space or a --table to draw them from: exactly one of these")
    if texts:
        made, truth = [read_arch(text) for text in texts], None
    elif table is not None:
        known = _table(table, mapping, space)
        rows = sample_rows(known, number, seed)
        made, truth = [known.space.decode(code) for code in known.codes[rows]], known.mean[rows]
    else:
        drawn = read_space(str(space))
        codes = drawn.sample(20 * number, np.random.default_rng(seed))
        codes = codes[first_of_each(fingerprints(drawn, codes))][:number]
        made, truth = [drawn.decode(code) for code in codes], None
    for network in made:
        check_classifies(network)
    return made, truth


def _table(file: Path, mapping: Path | None, space: str | None) -> "Table":
    from archsearch.cli.loading import load_table

    made = load_table(file, mapping, space=space, evaluator="table-mean")
    assert made is not None
    return made


def _scored(
    networks: "list[Arch]", names: list[str], dataset: "Dataset", means: dict[str, Any], log: Any
) -> "tuple[list[Scored], bool]":  # fmt: skip
    """Each network's scores, one after the other; whether Ctrl-C ended it.

    On a CPU the time is this process's own, in core-seconds: what else the machine does changes little of it.
    """
    import time

    from archsearch.cli.bars import bar
    from archsearch.proxies.compare import Asked, scored

    asked = Asked(names=tuple(names), dataset=dataset, images=means["images"] or _images(), device=means["device"],
                  seed=means["seed"])  # fmt: skip
    found: list[Scored] = []
    try:
        with bar(log, "scoring") as progress:
            clock = time.process_time if means["device"] == "cpu" else time.perf_counter
            for each in scored(networks, asked, clock=clock):
                found.append(each)
                progress(len(found), len(networks), "")
    except KeyboardInterrupt:
        return found, True
    return found, False


def _judged(found: "list[Scored]", names: list[str], truth: Any) -> dict[str, dict[str, Any]]:
    """Of each proxy its mean seconds (of a core, or of the GPU), and with a truth its rank correlations."""
    import numpy as np

    told: dict[str, dict[str, Any]] = {
        name: {"seconds": float(np.mean([each.seconds[name] for each in found])) if found else None} for name in names
    }
    if truth is None or len(found) < 2:
        return told
    from archsearch.cost.count import count
    from archsearch.trust import statistics as st

    top1, counts = np.asarray(truth)[: len(found)], st.resamples(len(found), np.random.default_rng(0))
    costs = np.array([count(each.arch, ("madds",))["madds"] for each in found], dtype=float)
    pairs = {"tau": None, "tau_top": st.top(top1), "tau_band": st.near(costs)}
    for name in names:
        values = np.array([each.scores[name] for each in found])
        for what, among in pairs.items():
            tau = st.interval(st.taus(values, top1, counts, among))
            told[name][what] = {end: _number(getattr(tau, end)) for end in ("value", "low", "high")}
        told[name]["failed"] = int(np.isnan(values).sum())
    return told


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _document(found: "list[Scored]", told: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    from archsearch.cost.count import record

    rows = [
        {**record(each.arch), "scores": {name: _number(value) for name, value in each.scores.items()},
         "seconds": each.seconds, "failed": each.failed}
        for each in found
    ]  # fmt: skip
    return {**facts, "proxies": told, "networks": rows}


def _print(out: Any, found: "list[Scored]", names: list[str], told: dict[str, Any]) -> None:
    """The scores with networks in rows; below, what each proxy costs and, where it is known, is worth."""
    from archsearch.cli.show import table
    from archsearch.spec.text import to_text

    if len(found) <= 50:
        cells = [[str(i), *("-" if math.isnan(each.scores[name]) else f"{each.scores[name]:.5g}" for name in names)]
                 for i, each in enumerate(found, start=1)]  # fmt: skip
        out.print(table(["network", *names], cells))
        for i, each in enumerate(found, start=1):
            out.print(f"{i:<4} {to_text(each.arch)}", markup=False, style="dim", soft_wrap=True)
    judged = [name for name in ("tau", "tau_top", "tau_band") if any(name in each for each in told.values())]
    words = {"tau": "tau, 95 %", "tau_top": "of the best tenth", "tau_band": "at equal MAdds"}
    order = sorted(names, key=lambda name: -((told[name].get("tau") or {}).get("value") or -1.0))
    rows = [[name, *(_tau(told[name][what]) for what in judged), f"{1000 * (told[name]['seconds'] or 0):.3g}"]
            for name in order]  # fmt: skip
    out.print(table(["proxy", *(words[name] for name in judged), "ms a network"], rows))  # of a core, or of the GPU
    for name in names:
        reasons = [each.failed[name] for each in found if name in each.failed]
        if reasons:
            out.print(f"{len(reasons)} of {len(found)} without a score: {reasons[0]}", markup=False, style="yellow")
    out.print("scores are no accuracies: only their order counts", style="dim")


def _tau(tau: dict[str, float | None]) -> str:
    if tau["value"] is None:
        return "-"
    interval = "" if tau["low"] is None else f" ({tau['low']:.2f} to {tau['high']:.2f})"
    return f"{tau['value']:.3f}{interval}"
