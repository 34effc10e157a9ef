"""The command `archsearch bench search`: samplers side by side on a table whose truth is known."""

from pathlib import Path
from typing import Annotated

import typer

from archsearch.cli.options import (
    JsonOption,
    MaddsBudget,
    MemoryBudget,
    ParamsBudget,
    SeedOption,
    at_least,
    budget_texts,
)
from archsearch.errors import RunError

TABLE = (
    "A table of trained networks (.csv, .json, .parquet), or a made-up landscape: additive, deceptive (with --space)."
)
SAMPLERS = "Names with commas between them, or: default (all but the slow ones), all."
OBJECTIVE = "front: accuracy against the --minimize costs; best: accuracy alone, under the --budget-... limits."
REFERENCE = (
    "Accuracy of the third reference point, strict, as a fraction. [default: 0.88 on NAS-Bench-Macro, else none]"
)
UNDER = "What the best network of a front may cost, of the first metric; limits nothing but that figure. Like 60M."
REPEATS = "With --noisy, samplers that weigh it may have a network trained again; each training is one evaluation."
NOISY = "Show one training's accuracy instead of the mean; what a sampler hands over is judged by the mean."
JOBS = "Processes; with more than one, times of suggestions mean little."
OUT = "Folder for search.json, search.csv, search.html. [default: results/bench-search-...]"
RECORD = "Also write what the first sampler reached as the band of a quality gate (see --check)."
BESIDE = ("check", "jobs", "as_json")  # what --check may be asked for
CHECK = "Run what a band records, and fail where the sampler is worse than it, or than random search."


def search(
    context: typer.Context,
    table: Annotated[str | None, typer.Option("--table", help=TABLE)] = None,
    mapping: Annotated[str | None, typer.Option("--mapping", help="Which column means what (TOML).")] = None,
    space: Annotated[str | None, typer.Option("--space", help="Design space: a shipped name or a .toml file.")] = None,
    samplers: Annotated[str, typer.Option("--samplers", help=SAMPLERS)] = "default",
    seeds: Annotated[int, typer.Option("--seeds", help="Runs of each sampler.")] = 20,
    budget: Annotated[int, typer.Option("--budget", help="Evaluations of distinct networks in a run.")] = 200,
    minimize: Annotated[list[str] | None, typer.Option("--minimize", help="Cost to minimise; may repeat.")] = None,
    objective: Annotated[str, typer.Option("--objective", help=OBJECTIVE)] = "front",
    budget_madds: MaddsBudget = None,
    budget_params: ParamsBudget = None,
    budget_memory: MemoryBudget = None,
    under: Annotated[str | None, typer.Option("--under", help=UNDER)] = None,
    reference: Annotated[float | None, typer.Option("--reference", help=REFERENCE)] = None,
    noisy: Annotated[bool, typer.Option("--noisy", help=NOISY)] = False,
    repeats: Annotated[bool, typer.Option("--repeats/--no-repeats", help=REPEATS)] = True,
    pending: Annotated[int, typer.Option("--pending", help="Evaluations that are always open.")] = 1,
    shuffle: Annotated[bool, typer.Option("--shuffle", help="Permute and rename the choices of each axis.")] = False,
    coarsen: Annotated[int | None, typer.Option("--coarsen", help="Keep at most so many choices of an axis.")] = None,
    jobs: Annotated[int, typer.Option("--jobs", help=JOBS)] = 1,
    out: Annotated[Path | None, typer.Option("--out", help=OUT)] = None,
    png: Annotated[bool, typer.Option("--png", help="Also write the figures as PNG (needs a browser).")] = False,
    record: Annotated[Path | None, typer.Option("--record", help=RECORD, metavar="FILE")] = None,
    check: Annotated[Path | None, typer.Option("--check", help=CHECK, metavar="FILE")] = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Run samplers side by side on networks whose accuracy is known, and tell how soon each finds the best of them.

    One look-up of a distinct network is one evaluation. A network proposed again is answered for free and counted as
    a duplicate, one over a --budget-... limit from its costs.

    \b
    Examples:
      archsearch bench search --table nas_bench_macro.csv --samplers random,tpe,optuna_tpe_mv_int --seeds 5
      archsearch bench search --table deceptive --space nas_bench_macro --samplers default --budget 100
      archsearch bench search --table nas_bench_macro.csv --objective best --budget-madds 60M
    """
    at_least(1, seeds=seeds, budget=budget, pending=pending, jobs=jobs)
    at_least(2, coarsen=coarsen)
    if objective not in ("front", "best"):
        raise RunError(f"--objective must be front or best, got {objective!r}")
    if objective == "best" and minimize:
        raise RunError("--minimize does not go with --objective best, which counts accuracy alone")
    if reference is not None and not 0 < reference < 1:
        raise RunError(f"--reference must be a fraction between 0 and 1, got {reference:g}")
    if check is not None:
        from archsearch.cli.race import checked

        alone(context)
        raise typer.Exit(checked(check, jobs=jobs, as_json=as_json))
    if table is None:
        raise RunError("--table is missing: a file, additive or deceptive")
    from archsearch.bench.entrants import chosen
    from archsearch.bench.race import Rules
    from archsearch.bench.search import Contest
    from archsearch.bench.tracks import Asked
    from archsearch.cli.race import carried_out, print_outcome, recorded
    from archsearch.cli.race_files import made
    from archsearch.cli.show import print_json

    costs = tuple(minimize or ("madds",)) if objective == "front" else ()
    limits = tuple(budget_texts(budget_madds, budget_params, budget_memory).items())
    asked = Asked(table=table, space=space, mapping=mapping, minimize=costs, budgets=limits, shuffle=shuffle,
                  coarsen=coarsen, seed=seed)  # fmt: skip
    contest = Contest(samplers=tuple(chosen(samplers)), seeds=seeds, seed=seed, strict=reference, under=under,
                      rules=Rules(budget=budget, pending=pending, noisy=noisy,
                                  repeats=noisy and repeats))  # fmt: skip
    if record is not None:
        made(record.parent)  # before minutes of searching, not after
    outcome, told = carried_out(asked, contest, jobs=jobs, out=out, png=png)
    if record is not None:
        recorded(asked, outcome, record)
    print_json(told) if as_json else print_outcome(told)


def alone(context: typer.Context) -> None:
    """Raise RunError for an option beside --check: the band says what is run, and no files are written."""
    for name in context.params:
        source = context.get_parameter_source(name)
        if name not in BESIDE and source is not None and source.name == "COMMANDLINE":
            told = name.replace("_", "-")
            raise RunError(f"--{told} does not go with --check, which runs what its file records")
