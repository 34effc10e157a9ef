"""The command `trust`: which evaluator to believe, by rank correlations with networks that were trained alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from archsearch.cli.options import (
    DataOption,
    DeviceOption,
    EpochsOption,
    JsonOption,
    MaddsBudget,
    MemoryBudget,
    ParamsBudget,
    SeedOption,
    ThreadsOption,
    at_least,
    budget_texts,
)
from archsearch.errors import RunError

SPACE = "A design space by name or a .toml file; chosen by the images' size where not given."
NETWORKS = "Networks of the sample; more on the same folder adds to them. [default: 24, or what fits --max-hours]"
SEEDS = "Trainings of each network. [default: 2, or all that the table has]"
IMAGES = "Training images that a network sees in each epoch. [default: sized for the device]"
NAMES = "Evaluator to judge; may repeat. [default: all that are cheap]"
SHORT = "Judge trainings of so many epochs, too, like 1,3."
TABLE = "Take the truth from networks that somebody trained, as .csv, .parquet or .json; nothing is trained."
SUPERNET = "Folder of a trained supernet, which is judged, too."
HOURS = "Train as many networks as fit into so many hours, by a timing of three of them."
OUT = "Results folder; the same command on it goes on. [default: results/trust-...]"


def trust(
    space: Annotated[str | None, typer.Option("--space", help=SPACE)] = None,
    data: DataOption = None,
    budget_madds: MaddsBudget = None,
    budget_params: ParamsBudget = None,
    budget_memory: MemoryBudget = None,
    networks: Annotated[int | None, typer.Option("--networks", "-n", help=NETWORKS)] = None,
    seeds: Annotated[int | None, typer.Option("--seeds", help=SEEDS)] = None,
    epochs: EpochsOption = None,
    images: Annotated[int | None, typer.Option("--images", help=IMAGES)] = None,
    recipe: Annotated[str, typer.Option("--recipe", help="Recipe of a training.")] = "quick",
    evaluator: Annotated[list[str] | None, typer.Option("--evaluator", metavar="NAME", help=NAMES)] = None,
    short: Annotated[str | None, typer.Option("--short", metavar="EPOCHS", help=SHORT)] = None,
    table: Annotated[Path | None, typer.Option("--table", help=TABLE)] = None,
    mapping: Annotated[Path | None, typer.Option("--mapping", help="What its columns mean (docs/tables.md).")] = None,
    supernet: Annotated[Path | None, typer.Option("--supernet", metavar="DIR", help=SUPERNET)] = None,
    out: Annotated[Path | None, typer.Option("--out", help=OUT)] = None,
    max_hours: Annotated[float | None, typer.Option("--max-hours", help=HOURS)] = None,
    device: DeviceOption = None,
    threads: ThreadsOption = None,
    seed: SeedOption = 0,
    png: Annotated[bool, typer.Option("--png", help="Also write the figure as PNG (needs a browser).")] = False,
    as_json: JsonOption = False,
) -> None:
    """Which evaluator to believe on your data and space: how well each ranks networks that were trained alone.

    A sample of networks, spread over MAdds, is trained with several seeds: the truth. Then every evaluator judges the
    same networks. Told of each: Kendall's tau, among the best, at equal MAdds, cost per network, regret; and which one
    to use for a given time. Stopped or killed, the same command goes on; in a second shell it helps.

    \b
    Examples:
      archsearch trust --data cifar10 --budget-madds 60M --max-hours 2 --short 1,3
      archsearch trust --table nas_bench_macro.csv --data cifar10 --networks 200
    """
    at_least(5, networks=networks)
    at_least(1, seeds=seeds, epochs=epochs, images=images, threads=threads)
    at_least(0.001, max_hours=max_hours)
    from archsearch.cli.show import print_json
    from archsearch.cli.trust_work import carried_out
    from archsearch.cli.trusting import Trusting

    given = {"evaluator": "train" if table is None else "table", "epochs": epochs, "trial_images": images,
             "recipe": recipe, "final_recipe": "full", "device": device, "threads": threads, "seed": seed}  # fmt: skip
    asked = Trusting(
        budgets=budget_texts(budget_madds, budget_params, budget_memory), space=space, data=data, minimize=(), out=out,
        given=given, table_file=table, mapping=mapping, networks=networks, seeds=seeds, names=tuple(evaluator or ()),
        short=epochs_of(short), net=supernet, hours=max_hours,
    )  # fmt: skip
    (print_json if as_json else print_report)(carried_out(asked, png=png))


def epochs_of(text: str | None) -> tuple[int, ...]:
    """The epochs of `--short`; raises RunError where they cannot be read."""
    words = [word.strip() for word in (text or "").split(",")]
    if text is not None and not all(word.isdecimal() and int(word) > 0 for word in words):
        raise RunError(f"--short {text!r} cannot be read; write epochs like 1,3")
    return tuple(dict.fromkeys(int(word) for word in words if word))


def print_report(told: Mapping[str, Any]) -> None:
    """The evaluators as a table, what the truth allows, the recommendation."""
    from archsearch.cli.show import console, table
    from archsearch.report.ranked import COLUMNS, cells, notes

    out = console()
    out.print(table(COLUMNS, [cells(row) for row in told["rows"]]))
    for row in told["rows"]:
        if row["failed"]:
            out.print(f"{row['name']}: {row['failed']}", markup=False, soft_wrap=True, style="yellow")
    for line in [*notes(told), *told["sentences"]]:
        out.print(line, markup=False, soft_wrap=True, style="dim")
    out.print(told["advice"], markup=False, soft_wrap=True)
    out.print(f"page: {told['written'][3]}", markup=False, soft_wrap=True)
