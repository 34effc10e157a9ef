"""Carrying out `archsearch bench search`: the runs, the files, the tables on the terminal."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archsearch.bench.search import Contest, Outcome
    from archsearch.bench.tracks import Asked

READING = (
    "medians over seeds, quartiles in brackets; - = not reached by half of the seeds; times: fewer than the best of "
    "Optuna's samplers in this run, > where that did not get there; ms: median of the last 50 proposals of a run"
)
TITLES = {
    "min": "reference: the lowest accuracy, the highest cost",
    "median": "reference: the median accuracy",
    "strict": "reference: an accuracy below which nobody wants a network",
}


def carried_out(
    asked: "Asked", contest: "Contest", *, jobs: int = 1, out: Path | None = None, png: bool = False
) -> tuple["Outcome", dict[str, Any]]:
    """The runs with a progress bar; tables and figures written; the document that `--json` prints."""
    from archsearch.bench.search import document, search
    from archsearch.cli.bars import bar
    from archsearch.cli.race_files import made
    from archsearch.cli.show import console

    if out is not None:
        made(out)  # before minutes of searching, not after
    with bar(console(error=True), "bench search") as progress:
        outcome = search(asked, contest, workers=jobs, told=progress)
    told = document(outcome)
    folder = out or Path("results") / f"bench-search-{_short(outcome.course.name)}-{_digest(asked, contest)}"
    told["command"] = {"table": asked.table, "space": asked.space, "shuffle": asked.shuffle, "coarsen": asked.coarsen,
                       "jobs": jobs}  # fmt: skip
    return outcome, told | {"written": [str(path) for path in written(outcome, told, folder, png=png)]}


def written(outcome: "Outcome", told: Mapping[str, Any], folder: Path, *, png: bool) -> list[Path]:
    """search.json, search.csv, search.html, and where wanted and possible search-<reference>.png."""
    from archsearch.bench.search import rows
    from archsearch.cli.race_files import Sheet, write_race

    sheet = Sheet(name="search", title=told["table"], lead=lead(told), counted="evaluations of distinct networks",
                  titles={name: TITLES[name] for name in outcome.goal.references})  # fmt: skip
    return write_race(folder, sheet, told=told, rows=rows(outcome), scores=outcome.scores, png=png)


def lead(told: Mapping[str, Any]) -> str:
    """What was run, in one line."""
    front, count = told["true_front"], f"{told['networks']:,} networks"
    kind = f"{count}, {front['networks']} on the true front"
    if not front["exact"]:
        kind = (f"{front['networks']} networks on the best front known (all samplers' and a long local search's), "
                f"reference points from {count} that were drawn")  # fmt: skip
    extras = [f"{told['pending']} evaluations open at a time"] * (told["pending"] > 1)
    extras += ["one training's accuracy shown, the mean of all counted"] * told["noisy"]
    runs = f"{told['seeds']} seeds, {told['budget']} evaluations"
    return "; ".join([f"{told['table']}: {kind}", runs, *extras])


def print_outcome(told: Mapping[str, Any]) -> None:
    """One table for each reference point, one row a sampler; then what they proposed in vain and what they took."""
    from archsearch.cli.show import console, table

    out = console()
    out.print(lead(told), markup=False, soft_wrap=True)
    for name, at in told["references"].items():
        corner = ", ".join([f"{100 * at['top1']:.2f} %", *(f"{cost:,.0f}" for cost in at["costs"])])
        out.print(f"\n{TITLES[name]} ({corner})", markup=False, soft_wrap=True)
        columns, cells = volume_rows(told, name)
        out.print(table(columns, cells))
    out.print(f"\nbest network{_under(told)}: {100 * told['best']['top1']:.3f} %", markup=False, soft_wrap=True)
    columns, cells = other_rows(told)
    out.print(table(columns, cells))
    out.print(READING, markup=False, soft_wrap=True)
    for path in told["written"]:
        out.print(f"written: {path}", markup=False, soft_wrap=True)


def volume_rows(told: Mapping[str, Any], reference: str) -> tuple[list[str], list[list[str]]]:
    """Column names and cells of the table of one reference point."""
    samplers = told["samplers"]
    shares = list(next(iter(samplers.values()))["evaluations_to"][reference])
    counts = [n for n in next(iter(samplers.values()))["hypervolume_at"][reference] if int(n) <= told["budget"]]
    rivals = any(_times(each["times_fewer_than_optuna"][reference][s]) for each in samplers.values() for s in shares)
    columns = ["sampler"]
    for share in shares:
        columns += [f"to {100 * float(share):g} %", "times"][: 1 + rivals]
    cells = []
    for name, each in samplers.items():
        row = [name]
        for share in shares:
            ends = each["evaluations_to_quartiles"][reference][share]
            row += [spread(each["evaluations_to"][reference][share], ends, "{:g}"),
                    _times(each["times_fewer_than_optuna"][reference][share])][: 1 + rivals]  # fmt: skip
        row += [spread(hundred(each["hypervolume_at"][reference][n]),
                       [hundred(end) for end in each["hypervolume_at_quartiles"][reference][n]], "{:.2f}")
                for n in counts]  # fmt: skip
        cells.append(row)
    return [*columns, *(f"% at {n}" for n in counts)], cells


def other_rows(told: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Column names and cells of the table of all that is no hypervolume."""
    last = str(told["budget"])
    columns = ["sampler", "best found at", "top 0.1 % at", f"best at {last}", f"front at {last}", "duplicates",
               "over budget", "proposals", "ms", "ended"]  # fmt: skip
    cells = []
    for name, each in told["samplers"].items():
        found, ends = each["evaluations_to_best"], each["evaluations_to_best_quartiles"]
        top1, share = each["best_top1_at"][last], each["true_front_found_at"][last]
        cells.append([
            name, *(spread(found[what], ends[what], "{:g}") for what in found),
            "-" if top1 is None else f"{100 * top1:.3f} %", "-" if share is None else f"{100 * share:.0f} %",
            f"{each['duplicates']:g}", f"{each['over_budget']:g}", f"{each['proposals']:g}",
            f"{each['suggest_ms']:.2f}", ", ".join(f"{why} {n}" for why, n in each["ended"].items()),
        ])  # fmt: skip
    return columns, cells


def recorded(asked: "Asked", outcome: "Outcome", path: Path) -> None:
    """Write the band of a quality gate."""
    from archsearch.bench.gate import band
    from archsearch.records import write_atomic

    write_atomic(path, json.dumps(band(asked, outcome), indent=2) + "\n")


def checked(path: Path, *, jobs: int, as_json: bool) -> int:
    """Run what a band records; 0, or 1 where a figure is worse."""
    from archsearch.bench.gate import complaints, read_band
    from archsearch.bench.search import search
    from archsearch.cli.bars import bar
    from archsearch.cli.show import console, print_json

    kept, asked, contest = read_band(path)
    with bar(console(error=True), "bench search") as progress:
        outcome = search(asked, contest, workers=jobs, told=progress)
    lines = complaints(kept, outcome)
    more = ", and better than random search" if "random" in contest.samplers[1:] else ""
    if as_json:
        print_json({"passed": not lines, "complaints": lines})
    else:
        for line in lines or [f"{contest.samplers[0]} is as good as recorded{more}"]:
            console().print(line, markup=False, soft_wrap=True)
    return int(bool(lines))


def _under(told: Mapping[str, Any]) -> str:
    return f" at or below {told['best']['under'][1]:,.0f}" if told["best"]["under"] else ""


def spread(middle: float | None, ends: list[float | None], form: str) -> str:
    """A median with its quartiles: 28 [24-31]; a dash where one is not reached."""
    if middle is None and ends[0] is None:
        return "-"
    low, high = ("-" if end is None else form.format(end) for end in ends)
    return f"{'-' if middle is None else form.format(middle)} [{low} {high}]"


def _times(told: Mapping[str, Any]) -> str:
    if told["ratio"] is not None:
        return f"{told['ratio']:.2g}"
    return f">{told['at_least']:.2g}" if told["at_least"] is not None else ""


def hundred(share: float | None) -> float | None:
    """A share as percent; None stays None."""
    return None if share is None else 100 * share


def _short(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name)[:40]


def _digest(asked: "Asked", contest: "Contest") -> str:
    """Six digits that tell one command from another."""
    return hashlib.sha256(repr((asked, contest)).encode()).hexdigest()[:6]
