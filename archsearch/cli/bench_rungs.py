"""The command `archsearch bench rungs`: trainings that halt beside whole ones, by epochs."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from archsearch.cli.options import JsonOption, SeedOption
from archsearch.errors import RunError

READING = (
    "hypervolume of networks trained to the end, as a share of the true front's (of runs: of that of all of them); "
    "times fewer: epochs until there is what {beside} have at the end; medians over seeds, quartiles in "
    "brackets; - = not reached by half of the seeds"
)
SHARE = "One in so many goes on. [default: 3; auto: 9]"
TABLE = "Networks that somebody trained, to replay on."
CURVES = "A run with --rungs and --eta 1, to replay on its real learning curves."
EPOCHS = "Of a whole training. [default: those of the curves, 9 where they are made up]"
RUNS = "Finished runs instead of a replay, with --rungs and without, which others are set beside; may repeat."
TRAININGS = "Whole ones whose epochs may be spent. [default: 60, or as many as there are networks for]"
SLOWER = "How much more of their accuracy the largest networks lack after one epoch than the smallest. [default: 0.1]"
OWN = "How much networks of one size differ in how they learn, as a share; more: early epochs say less. [default: 0.05]"


def rungs(
    table: Annotated[Path | None, typer.Option("--table", help=TABLE)] = None,
    curves: Annotated[Path | None, typer.Option("--curves", metavar="RUN", help=CURVES)] = None,
    runs: Annotated[list[Path] | None, typer.Option("--runs", metavar="RUN", help=RUNS)] = None,
    sampler: Annotated[str, typer.Option("--sampler", help="Sampler of every way.")] = "random",
    at: Annotated[str, typer.Option("--rungs", metavar="N|EPOCHS|auto", help="The rungs to compare.")] = "auto",
    eta: Annotated[int | None, typer.Option("--eta", min=2, help=SHARE)] = None,
    doubt: Annotated[float, typer.Option("--doubt", min=0.0, max=0.99, help="Chance to stop below.")] = 0.05,
    epochs: Annotated[int | None, typer.Option("--epochs", min=2, help=EPOCHS)] = None,
    trainings: Annotated[int | None, typer.Option("--trainings", min=2, help=TRAININGS)] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Searches of each way.")] = 20,
    own: Annotated[float | None, typer.Option("--own", min=0.0, max=0.5, help=OWN)] = None,
    slower: Annotated[float | None, typer.Option("--slower", min=0.0, max=0.5, help=SLOWER)] = None,
    seed: SeedOption = 0,
    out: Annotated[Path | None, typer.Option("--out", help="JSON file for the figures.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Trainings that halt at rungs beside whole ones: hypervolume against epochs, medians over seeds.

    On a table the search is the real one and the learning curves are MADE UP: a power law towards the table's accuracy,
    slower for larger networks, with noise, unless the table has its own. With --curves they are those of a run that
    trained all its networks to the end and judged them on the way; with --runs the searches are finished runs.

    \b
    Examples:
      archsearch bench rungs --table nas_bench_macro.csv
      archsearch bench rungs --table nas_bench_macro.csv --rungs 1,3,9 --eta 3 --sampler greybox --seeds 3
      archsearch run --data cifar10 --sampler random --trials 300 --epochs 27 --rungs 1,3,9 --eta 1 --out results/curves
      archsearch bench rungs --curves results/curves --rungs 3,27 --eta 9
      archsearch bench rungs --runs results/whole-0 --runs results/rungs-0
    """
    from archsearch.cli.show import print_json
    from archsearch.records import write_atomic

    if [table is None, curves is None, not runs].count(False) != 1:
        raise RunError("give --table or --curves to replay, or --runs to compare finished runs")
    if runs:
        told = _real(runs)
    else:
        from archsearch.cli.rung_replays import of_run, of_table, replayed_with_bar

        problem = of_table(table) if table is not None else of_run(cast(Path, curves))
        asked = {"at": at, "eta": eta, "doubt": doubt, "epochs": epochs, "trainings": trainings, "own": own}
        told = replayed_with_bar(problem, asked | {"slower": slower}, sampler, range(seed, seed + seeds))
    if out is not None:
        import json

        write_atomic(out, json.dumps(told, indent=2) + "\n")
    print_json(told) if as_json else show(told)


def _real(folders: list[Path]) -> dict[str, Any]:
    from archsearch.bench.rungs_of_runs import from_runs
    from archsearch.cli.bars import bar
    from archsearch.cli.show import console
    from archsearch.report.kept import kept

    read = []
    with bar(console(error=True), "bench rungs") as progress:
        for done, folder in enumerate(folders):
            progress(done, len(folders), str(folder))
            read.append(kept(folder))
    return from_runs(read)


def show(told: Mapping[str, Any]) -> None:
    """One table for each reference point, one row a way."""
    from archsearch.bench.rungs_told import WHOLE
    from archsearch.cli.show import console, table

    say = partial(console().print, markup=False, soft_wrap=True)
    what = f"{told['table']}, {told['known']:,} networks, " if "table" in told else ""
    say(f"{what}sampler {told['sampler']}: {told['epochs']:,} epochs each way, {told['whole']} a whole training; "
        f"learning curves {told['curves']}")  # fmt: skip
    if "rank_correlation" in told:
        told_at = ", ".join(f"{'-' if value is None else format(value, '.2f')} after {epoch}"
                            for epoch, value in told["rank_correlation"].items())  # fmt: skip
        say(f"rank correlation of a curve with its end: {told_at} epoch(s)")
    for name in next(iter(told["ways"].values()))["references"]:
        say(f"\nreference: the {'lowest' if name == 'min' else name} accuracy, the largest cost")
        console().print(table(*cells(told, name)))
    if dry := [f"{way} ({each['ran_dry']})" for way, each in told["ways"].items() if each["ran_dry"]]:
        say(f"searches that ran out of networks before all epochs were spent, and count too little: {', '.join(dry)}")
    beside = told.get("beside", WHOLE)
    say(READING.format(beside="whole trainings" if beside == WHOLE else f"the runs of {beside!r}"))


def cells(told: Mapping[str, Any], reference: str) -> tuple[list[str], list[list[str]]]:
    """Column names and cells of the table of one reference point."""
    from archsearch.cli.race import hundred, spread

    rows = []
    for way, each in told["ways"].items():
        at = each["references"][reference]
        volumes = [spread(hundred(at["volume_at"][part]), [hundred(end) for end in at["volume_at_quartiles"][part]],
                          "{:.1f}") for part in at["volume_at"]]  # fmt: skip
        rows.append([way, f"{each['networks']:.0f}", f"{each['trained_whole']:.0f}", *volumes,
                     spread(at["times_fewer"], at["times_fewer_quartiles"], "{:.2f}")])  # fmt: skip
    parts = [
        f"% at {float(part):.0%} of epochs"
        for part in next(iter(told["ways"].values()))["references"][reference]["volume_at"]
    ]
    return ["way", "networks", "to the end", *parts, "times fewer"], rows
