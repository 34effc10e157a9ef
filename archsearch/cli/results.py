"""Commands that read a run: its front, its report."""

from pathlib import Path
from typing import Annotated

import typer

from archsearch.cli.options import JsonOption

RunArgument = Annotated[Path, typer.Argument(help="A run's folder under results/.", metavar="RUN")]


def front(
    run: RunArgument,
    csv: Annotated[Path | None, typer.Option("--csv", help="Also write the front to this CSV file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """The Pareto front of a run, as far as it has come.

    Example: archsearch front results/cifar --json
    """
    from archsearch.cli.show import console, print_front, print_json
    from archsearch.errors import RunError
    from archsearch.report.open import open_run
    from archsearch.report.tables import front_records

    study, _, _ = open_run(run)
    records = front_records(study)
    if csv is not None:
        import pandas as pd

        try:
            pd.DataFrame(records).to_csv(csv, index=False)
        except OSError as error:
            raise RunError(f"{csv} cannot be written: {error.strerror or error}") from None
    if as_json:
        print_json(records)
    elif records:
        print_front(console(), records)
    else:
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
