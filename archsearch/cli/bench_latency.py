"""The commands `archsearch bench ...-latency`: how well latencies are foretold."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

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
