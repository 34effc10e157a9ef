"""One `archsearch run` carried out: open the folder, search, test the front, tell the outcome."""

import signal
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from archsearch.cli.show import console, print_front, print_json
from archsearch.errors import ReportError

if TYPE_CHECKING:
    from archsearch.cli.request import Request
    from archsearch.search.run import Run


def carry_out(request: "Request", *, png: bool, as_json: bool) -> None:
    """Search, test, report; raises typer.Exit(130) after a clean stop by Ctrl-C or SIGTERM."""
    from archsearch.cli.watch import ConsoleWatch
    from archsearch.train.tuning import tune_process

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    problem = request.problem  # whatever is wrong with the options shows here, before anything is decoded or written
    tune_process(request.threads)
    evaluator = request.evaluator
    run = opened(request)
    metrics = tuple(dict.fromkeys([*problem.minimize, *problem.budget.limits]))
    stopped, why = False, ""
    try:
        with ConsoleWatch(request.log, trials=run.config.trials, metrics=metrics) as watch:
            watch.resumed(run.ledger.trials())
            why = run.search(evaluator, watch)
            run.finish(evaluator, watch)
    except KeyboardInterrupt:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # tables and page are written whole, however often Ctrl-C is pressed
        stopped, why = True, "interrupted"
    pngs = write(request, run.folder.root, png=png)
    tell(run, why, pngs, as_json=as_json)
    if stopped:
        request.log.print("stopped; the same command goes on from here", style="yellow")
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        raise typer.Exit(130)


def opened(request: "Request") -> "Run":
    """The run's folder and study, its manifest written, and what is about to happen told."""
    from archsearch.records import RunFolder, append_manifest, environment
    from archsearch.search.run import open_run

    config = request.config
    run = open_run(config, request.problem, RunFolder(request.folder))
    append_manifest(run.folder, {**environment(), **request.manifest})
    known = len(run.ledger.trials())
    goes_on = f", which holds {known} trials and goes on" if known else ""
    request.log.print(f"results in {run.folder.root}{goes_on}", markup=False, soft_wrap=True)
    if request.table is not None:
        request.log.print(f"  search: {config.trials} networks, looked up in {request.table.name}", style="dim")
        return run
    request.log.print(
        f"  search: {config.trials} networks, {config.epochs} epochs each on {config.trial_images:,} images; "
        f"then at most {config.finalists} of the front again, {config.final_epochs} epochs on all images",
        style="dim",
        soft_wrap=True,
    )
    return run


def write(request: "Request", root: Path, *, png: bool) -> list[Path]:
    """Tables, page and, where wanted and possible, PNGs; the PNGs' paths."""
    from archsearch.report.page import write_page
    from archsearch.report.png import write_pngs
    from archsearch.report.tables import write_tables

    write_tables(root)
    write_page(root)
    try:
        return write_pngs(root) if png else []
    except ReportError as error:
        request.log.print(f"no PNG: {error}", markup=False, soft_wrap=True)
        return []


def tell(run: "Run", why: str, pngs: list[Path], *, as_json: bool) -> None:
    """Print the front and where the results lie."""
    from archsearch.report.tables import front_records

    records = front_records(run.ledger.study)
    counts = Counter(str(trial.user_attrs.get("status")) for trial in run.ledger.trials())
    if as_json:
        print_json({
            "folder": str(run.folder.root), "stopped": why, "trials": dict(counts), "front": records,
            "report": str(run.folder.report), "png": [str(path) for path in pngs],
        })  # fmt: skip
        return
    out = console()
    if records:
        print_front(out, records)
    else:
        out.print("no network was trained to its end; trials.csv says why")
    told = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in sorted(counts.items()))
    out.print(f"{why}; trials: {told}", style="dim", markup=False)
    out.print(f"report: {run.folder.report}", markup=False, soft_wrap=True)
