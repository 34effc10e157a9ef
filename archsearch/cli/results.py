"""Commands that read a run: its front, its report."""

from pathlib import Path
from typing import Annotated

import typer

from archsearch.cli.options import JsonOption

RunArgument = Annotated[Path, typer.Argument(help="A run's folder under results/.", metavar="RUN")]


def front(
    run: RunArgument,
    ladder: Annotated[bool, typer.Option("--ladder", help="The best network within each rung of its ladder.")] = False,
    csv: Annotated[Path | None, typer.Option("--csv", help="Also write the table to this CSV file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """The Pareto front of a run, as far as it has come; of a run with a budget ladder first the best of each rung.

    \b
    Examples:
      archsearch front results/cifar --json
      archsearch front results/ladder --ladder --csv rungs.csv
    """
    from archsearch.cli.show import console, print_front, print_json, print_ladder
    from archsearch.errors import RunError
    from archsearch.report.open import open_run
    from archsearch.report.tables import front_records, ladder_records

    study, _, _ = open_run(run)
    rungs = ladder_records(study)
    if ladder and not rungs:
        raise RunError(f"{run} has no budget ladder; leave out --ladder")
    records = rungs if ladder else front_records(study)
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

    written = [*write_tables(run), write_page(run)]
    if png:
        written += write_pngs(run)
    if as_json:
        print_json({"written": [str(path) for path in written]})
        return
    for path in written:
        console().print(str(path), markup=False, soft_wrap=True)
