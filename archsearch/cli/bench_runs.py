"""The command `archsearch bench runs`: finished runs side by side, by sampler."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from archsearch.cli.options import JsonOption
from archsearch.errors import RunError

TITLES = {
    "min": "reference: the lowest accuracy, the largest cost",
    "median": "reference: the median accuracy, the largest cost",
}
BELIEVED = "Judge networks by what a surrogate of all runs expects of them, not by one noisy training."
JUDGED = {
    "measured": "as measured on validation images, each network by its one training",
    "believed": "what each run would hand over, judged by a surrogate that learnt from all trainings of all runs",
}
READING = (
    "hypervolume as a share of that of all runs' front; medians over seeds, quartiles in brackets; - = not reached by "
    "half of the seeds; best other's end: trainings until there is what the best other sampler has at the end"
)


def runs(
    folders: Annotated[list[Path], typer.Argument(help="Folders of finished runs.", metavar="RUN...")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder for runs.json, runs.csv, runs.html.")] = None,
    believed: Annotated[bool, typer.Option("--believed", help=BELIEVED)] = False,
    png: Annotated[bool, typer.Option("--png", help="Also write the figures as PNG (needs a browser).")] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare finished runs by sampler: hypervolume after so many trained networks, medians over seeds.

    The runs must be alike in all but sampler and seed: space, data, recipe, epochs, images, objectives, limits. A run
    of which only trials.csv, run.toml and manifest.json were kept is read from these.

    \b
    Examples:
      archsearch bench runs results/greybox-0 results/greybox-1 results/tpe-0 results/tpe-1
      archsearch bench runs results/cifar/*-? --out results/cifar --png --json
    """
    if png and out is None:
        raise RunError("--png needs --out, the folder for the figures")
    from archsearch.bench.believed import believed as truth
    from archsearch.bench.runs import check, compare, document, rows
    from archsearch.cli.bars import bar
    from archsearch.cli.race_files import Sheet, write_race
    from archsearch.cli.show import console, print_json
    from archsearch.report.kept import kept

    read = []
    with bar(console(error=True), "bench runs") as progress:
        for done, folder in enumerate(folders):
            progress(done, len(folders), str(folder))
            read.append(kept(folder))
    check(read)
    made = compare(read, truth(read) if believed else None)
    told = document(made) | {"written": []}
    if out is not None:
        sheet = Sheet(name="runs", title="Samplers on real runs", lead=lead(told), counted="networks trained",
                      titles={name: TITLES[name] for name in made.goal.references})  # fmt: skip
        paths = write_race(out, sheet, told=told, rows=rows(made), scores=made.scores, png=png)
        told["written"] = [str(path) for path in paths]
    print_json(told) if as_json else print_runs(told)


def lead(told: Mapping[str, Any]) -> str:
    """What is compared, in one line."""
    seeds = ", ".join(f"{name} {len(each['seeds'])}" for name, each in told["samplers"].items())
    settings = told["settings"]
    training = [f"{settings[name]} {unit}" for name, unit in (("epochs", "epochs"), ("trial_images", "images"))
                if settings[name] is not None]  # fmt: skip
    how = ", ".join(training) or settings["evaluator"]
    return (f"{told['trained']} trainings of each run ({how}); seeds: {seeds}; {told['networks']} different networks, "
            f"{told['best_front']} on the front of all runs; {JUDGED[told['judged']]}")  # fmt: skip


def print_runs(told: Mapping[str, Any]) -> None:
    """One table for each reference point, one row a sampler; then the best network and what was proposed in vain."""
    from archsearch.cli.show import console, table

    say = partial(console().print, markup=False, soft_wrap=True)
    say(lead(told))
    short = {run["left_out"] for run in told["runs"]} - {0}
    if short:
        say(f"longer runs are cut to {told['trained']} trainings; at most {max(short)} are left out")
    for name, at in told["references"].items():
        corner = ", ".join([f"{100 * at['top1']:.2f} %", *(f"{cost:,.0f}" for cost in at["costs"])])
        say(f"\n{TITLES[name]} ({corner})")
        console().print(table(*volume_rows(told, name)))
    say(f"\nmost accurate network of all runs: {100 * told['best_top1']:.2f} %")
    console().print(table(*other_rows(told)))
    repeated = told["repeated"]
    if repeated["networks"]:
        say(f"{repeated['networks']} networks were trained more than once; one result of theirs has a standard "
            f"deviation of {100 * repeated['top1_sd']:.2f} points")  # fmt: skip
    say(READING)
    for path in told["written"]:
        say(f"written: {path}")


def volume_rows(told: Mapping[str, Any], reference: str) -> tuple[list[str], list[list[str]]]:
    """Column names and cells of the table of one reference point."""
    from archsearch.cli.race import hundred, spread

    counts = list(next(iter(told["samplers"].values()))["hypervolume_at"][reference])
    cells = []
    for name, each in told["samplers"].items():
        middles, ends = each["hypervolume_at"][reference], each["hypervolume_at_quartiles"][reference]
        other = each["to_best_other"][reference]
        row = [name, *(spread(hundred(middles[n]), [hundred(end) for end in ends[n]], "{:.1f}") for n in counts)]
        if other is None:
            row += ["-", "-", "-"]
        else:
            ratio = "-" if other["ratio"] is None else f"{other['ratio']:.2g}"
            row += [other["other"], spread(other["trained"], other["quartiles"], "{:g}"), ratio]
        cells.append(row)
    return ["sampler", *(f"% at {n}" for n in counts), "best other", "to its end after", "times fewer"], cells


def other_rows(told: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Column names and cells of the table of all that is no hypervolume."""
    from archsearch.cli.race import hundred, spread

    last = str(told["trained"])
    fates = sorted({fate for each in told["samplers"].values() for fate in each["statuses_all_seeds"]})
    cells = []
    for name, each in told["samplers"].items():
        ends = [hundred(end) for end in each["best_top1_at_quartiles"][last]]
        share = each["best_front_found_at"][last]
        cells.append([
            name, str(len(each["seeds"])), spread(hundred(each["best_top1_at"][last]), ends, "{:.2f}"),
            f"{100 * share:.0f} %", *(str(each["statuses_all_seeds"].get(fate, 0)) for fate in fates),
        ])  # fmt: skip
    return ["sampler", "seeds", "best top-1 [%]", "of the front", *(fate.replace("_", " ") for fate in fates)], cells
