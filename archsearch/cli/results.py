"""Commands that read a run: its front, its report."""

from pathlib import Path
from typing import Annotated

import typer

from archsearch.cli.options import JsonOption

OBSERVED = "Only networks that are on the front as measured."
RunArgument = Annotated[Path, typer.Argument(help="A run's folder under results/.", metavar="RUN")]


def front(
    run: RunArgument,
    ladder: Annotated[bool, typer.Option("--ladder", help="The best network within each rung of its ladder.")] = False,
    csv: Annotated[Path | None, typer.Option("--csv", help="Also write the table to this CSV file.")] = None,
    observed: Annotated[bool, typer.Option("--observed", help=OBSERVED)] = False,
    as_json: JsonOption = False,
) -> None:
    """The Pareto front of a run, as far as it has come, and what to believe of it.

    Of a run with a budget ladder first the network believed best within each rung. Then networks on the front as
    measured, those that are on it by what the surrogate learnt of all trials, and those that were tested. believed:
    the accuracy to expect; p(front): the probability that no other trained network beats it; group: networks with one
    number cannot be told apart, the cheapest of them is as good a choice as any.

    \b
    Examples:
      archsearch front results/cifar
      archsearch front results/cifar --observed --csv front.csv
      archsearch front results/ladder --ladder --json
    """
    from archsearch.cli.show import console, print_front, print_json, print_ladder
    from archsearch.errors import RunError
    from archsearch.report.latency import unmeasured
    from archsearch.report.tables import front_records, ladder_records
    from archsearch.report.view import view

    seen = view(run)
    rungs = ladder_records(seen)
    if ladder and not rungs:
        raise RunError(f"{run} has no budget ladder; leave out --ladder")
    listed = [each for each in front_records(seen.study, seen) if each["observed"] or not observed]
    records = rungs if ladder else listed
    if seen.beliefs.why and records and not ladder:
        console(error=True).print(f"measured values alone: {seen.beliefs.why}", markup=False, soft_wrap=True)
    if missing := unmeasured(seen):
        told = f"{missing} of these networks: latency is only predicted; the same run command measures it"
        console(error=True).print(told, markup=False, soft_wrap=True)
    if csv is not None:
        import pandas as pd

        try:
            pd.DataFrame(records).to_csv(csv, index=False)
        except OSError as error:
            raise RunError(f"{csv} cannot be written: {error.strerror or error}") from None
    if as_json:
        print_json(records)
        return
    if rungs:
        print_ladder(console(), rungs)
    if records and not ladder:
        print_front(console(), records)
    elif not records:
        console().print("no finished trial yet")


def report(
    run: RunArgument,
    png: Annotated[bool, typer.Option("--png", help="Also write the figures as PNG (needs a browser).")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a run's page, report.html, and its tables anew from the study.

    Example: archsearch report results/cifar --png
    """
    from archsearch.cli.show import console, print_json
    from archsearch.report.page import write_page
    from archsearch.report.png import write_pngs
    from archsearch.report.tables import write_tables
    from archsearch.report.view import view

    seen = view(run)
    written = [*write_tables(run, seen), write_page(run, seen)]
    if png:
        written += write_pngs(run, seen)
    if as_json:
        print_json({"written": [str(path) for path in written]})
        return
    for path in written:
        console().print(str(path), markup=False, soft_wrap=True)
