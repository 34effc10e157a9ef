"""The commands `archsearch bench ...-latency`: how well latencies are foretold."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from archsearch.cli.latency_options import DtypeOption, ThreadsNumber
from archsearch.cli.options import JsonOption, SeedOption

HEADINGS = {"median": "median error", "p95": "95th percentile", "tau": "Kendall's tau", "rho": "Spearman's rho"}
READING = (
    "medians over the splits, lowest and highest in brackets; errors of what was left out; model: prices of work, "
    "corrected by a Gaussian process; ... only: a power of that cost, fitted to the same measurements"
)


def outside_latency(
    tables: Annotated[
        Path, typer.Option("--tables", help="Folder with the published tables (CSV).", exists=True, file_okay=False)
    ],
    splits: Annotated[int, typer.Option("--splits", help="Random splits of each table.", min=1, max=1000)] = 10,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Latencies that others measured, foretold from a part of them: two devices' blocks, and whole networks.

    Example: archsearch bench outside-latency --tables ../shared/data/tables --splits 10
    """
    from archsearch.bench.outside import measure
    from archsearch.cli.bars import bar
    from archsearch.cli.show import console, print_json

    with bar(console(error=True), "bench outside-latency") as progress:
        result = measure(tables, splits=splits, seed=seed, told=progress)
    if as_json:
        print_json(result)
        return
    say = partial(console().print, markup=False, soft_wrap=True)
    for row in result["blocks"]:
        _print(row, f"blocks of {row['device']}")
    _print(result["networks"], "networks of archai, whole, 1-thread CPU")
    say(f"{result['splits']} splits, seeds [{seed}, 0] to [{seed}, {result['splits'] - 1}]; {READING}")


def _print(row: dict[str, Any], what: str) -> None:
    """One data set and split: a line for each way of foretelling."""
    from archsearch.cli.show import console, table

    say = partial(console().print, markup=False, soft_wrap=True)
    middle, low, high = (f"{100 * share:.0f}" for share in row["within_95"])
    say(f"{what}: {row['learned']:,} learned, {row['left']:,} left out; {middle} % [{low}, {high}] of them within the "
        f"model's own 95 % interval")  # fmt: skip
    names = list(row["ways"]["model"])
    lines = [[way, *(_cell(name, figures[name]) for name in names)] for way, figures in row["ways"].items()]
    console().print(table(["way", *(HEADINGS[name] for name in names)], lines))


def _cell(name: str, summary: list[float]) -> str:
    """Errors in percent, correlations as they are."""
    if name in ("tau", "rho"):
        return "{:.3f} [{:.3f}, {:.3f}]".format(*summary)
    return "{:.1f} % [{:.1f}, {:.1f}]".format(*(100 * each for each in summary))


def remote_latency(
    host: Annotated[
        str, typer.Argument(help="This machine as USER@HOST or a name of your ssh configuration.", metavar="HOST")
    ],
    archs: Annotated[list[str] | None, typer.Argument(help="Networks. [default: five]", metavar="ARCH")] = None,
    rounds: Annotated[int, typer.Option("--rounds", help="Of local, remote, local.", min=1)] = 3,
    threads: ThreadsNumber = 1,
    dtype: DtypeOption = "float32",
    target: Annotated[float, typer.Option("--target", help="Half-width of the 95 % interval, a share.")] = 0.03,
    python: Annotated[str, typer.Option("--python", help="Python on the host, with onnxruntime.")] = "python3",
    config: Annotated[Path | None, typer.Option("--ssh-config", help="Another configuration file for ssh.")] = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Networks timed here and over SSH in turns: whether their intervals meet, beside those of two local turns.

    Example: archsearch bench remote-latency localhost mobilenet_v2 mobilenet_v2_0.5_128 --rounds 3
    """
    from archsearch.bench.remote_latency import NETWORKS, compare_remote
    from archsearch.cli.bars import bar
    from archsearch.cli.show import console, print_json
    from archsearch.measure.device import Settings
    from archsearch.measure.method import Effort
    from archsearch.measure.pick import DEFAULT, pick
    from archsearch.measure.remote import remote_device

    settings = Settings(threads=threads, dtype=dtype)
    ssh = ("ssh",) if config is None else ("ssh", "-F", str(config))
    remote = remote_device(host, settings, python=python, ssh=ssh)
    with bar(console(error=True), "bench remote-latency") as progress:
        result = compare_remote(pick(DEFAULT, settings), remote, archs or NETWORKS, rounds=rounds,
                                effort=Effort(target=target), seed=seed, told=progress)  # fmt: skip
    if as_json:
        print_json(result)
    else:
        _print_remote(result)


def _print_remote(result: dict[str, Any]) -> None:
    """A line for each network, and how many agree."""
    from archsearch.cli.latency_options import device_line
    from archsearch.cli.show import console, table

    say = partial(console().print, markup=False, soft_wrap=True)
    rows = [
        [row["name"], *("{:.4g} [{:.4g}, {:.4g}]".format(*row[turn]) for turn in ("local", "remote", "again")),
         *("{:.3f}, {}".format(row[f"{name}_ratio"], "yes" if row[f"{name}_overlaps"] else "no")
           for name in ("remote", "control"))]
        for row in result["networks"]
    ]  # fmt: skip
    heads = ["network", "local ms", "remote ms", "local again", "remote/local, meet", "again/local, meet"]
    console().print(table(heads, rows))
    for name, other in (("remote", "remote"), ("control", "local again")):
        pooled, single = (sum(row[f"{name}_{what}"] for row in result["networks"]) for what in ("overlaps", "rounds"))
        number = len(result["networks"])
        say(f"local and {other}: intervals meet for {pooled} of {number} networks, medians over {result['rounds']} "
            f"rounds; in {single} of {number * result['rounds']} single rounds")  # fmt: skip
    say(f"local:  {device_line(result['local'])}")
    say(f"remote: {device_line(result['remote'])}")
