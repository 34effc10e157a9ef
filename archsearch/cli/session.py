"""One `archsearch run` carried out: open the folder, search, test the front, tell the outcome."""

import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from archsearch.cli.halting import saved, saved_line
from archsearch.cli.judging import check_alike
from archsearch.cli.show import console, print_front, print_json, print_ladder
from archsearch.errors import ArchSearchError, ReportError

if TYPE_CHECKING:
    from archsearch.cli.request import Request
    from archsearch.report.view import View
    from archsearch.search.config import RunConfig
    from archsearch.search.run import Run
    from archsearch.search.timed import Outcome
    from archsearch.search.worker import Watch


def carry_out(request: "Request", *, png: bool, as_json: bool, words: Sequence[str] = ()) -> None:
    """Search, test, report; raises typer.Exit(130) after a clean stop by Ctrl-C or SIGTERM.

    words    the command line, for further workers
    """
    from archsearch.cli.crew import Crew
    from archsearch.cli.watch import ConsoleWatch
    from archsearch.records import SINCE
    from archsearch.train.tuning import tune_process

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    _ = request.problem  # whatever is wrong with the options shows here, before anything is decoded or written
    tune_process(request.threads)
    wanted, _ = request.wanted, request.earlier_runs  # these, too
    try_device(request)
    evaluator = request.evaluator
    run = opened(request)
    check_alike(evaluator, run.ledger.trials())
    for line in [*take_over(request, run), *run.ask_for(wanted)]:
        request.log.print(f"  {line}", markup=False, soft_wrap=True)
    since = run.ledger.recall(SINCE, 0)
    stopped, why, outcome = False, "", None
    try:
        with ConsoleWatch(request.log, trials=run.trials, problem=run.problem, since=since) as watch:
            watch.resumed(run.ledger.trials())
            with Crew(for_others(request, words), run.folder.workers, count=request.crew - 1, tell=watch.others):
                why = run.search(evaluator, watch)
                outcome = timed(request, run, watch)
                run.finish(evaluator, watch)
    except KeyboardInterrupt:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # tables and page are written whole, however often Ctrl-C is pressed
        stopped, why = True, "interrupted"
    seen, pngs = write(request, run.folder.root, png=png)
    for line in outcome.lines() if outcome else []:
        request.log.print(f"  {line}", markup=False, soft_wrap=True)
    tell(run, seen, pngs, why=why, outcome=outcome, as_json=as_json)
    if stopped:
        request.log.print("stopped; the same command goes on from here", style="yellow")
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        raise typer.Exit(130)


def for_others(request: "Request", words: Sequence[str]) -> list[str]:
    """The command line of another worker of the same run."""
    threads = ["--threads", str(request.threads)] if request.threads else []
    return [*words, "--out", str(request.folder), "--workers", "1", *threads]


def try_device(request: "Request") -> None:
    """Run one network on the device that shall time the front: one that cannot is told before hours are spent.

    raises   DeviceError or SpecError, which say why it cannot
    """
    from archsearch.search.tried import try_one

    made = request.timing
    if made and made.stopwatch and request.stored.get("latency_device") != made.device:
        try_one(made.stopwatch, request.problem)


def opened(request: "Request") -> "Run":
    """The run's folder and study, its manifest written, and what is about to happen told."""
    from archsearch.records import RunFolder, append_manifest, environment
    from archsearch.search.run import open_run

    config = request.config
    run = open_run(config, request.problem, RunFolder(request.folder))
    append_manifest(run.folder, {**environment(), **request.manifest})
    if run.note:
        request.log.print(f"  {run.note}", markup=False, soft_wrap=True, style="yellow")
    known = len(run.ledger.trials())
    goes_on = f", which holds {known} trials and goes on" if known else ""
    request.log.print(f"results in {run.folder.root}{goes_on}", markup=False, soft_wrap=True)
    if request.table is not None:
        request.log.print(f"  search: {config.trials} networks, looked up in {request.table.name}", style="dim")
        return run
    best = "best of the rungs" if request.problem.ladder else "front"
    request.log.print(
        f"  search: {config.trials} networks, {_epochs(config)}; "
        f"then at most {config.finalists} of the {best} again, {config.final_epochs} epochs on all images",
        style="dim",
        soft_wrap=True,
    )
    return run


def _epochs(config: "RunConfig") -> str:
    """How long each is trained, and on what."""
    from archsearch.report.summary import SHARING, not_measured

    if config.evaluator == SHARING:
        return "each judged with shared weights (--evaluator supernet)"
    if not_measured(config.evaluator):
        return f"none of them trained (--evaluator {config.evaluator})"
    images = f"on {config.trial_images:,} images"
    if config.rungs is None:
        return f"{config.epochs} epochs each {images}"
    who = "judged" if config.eta == 1 else "the better ones on"
    return f"{who} after {', '.join(map(str, config.rungs[:-1]))} of {config.epochs} epochs {images}"


def timed(request: "Request", run: "Run", watch: "Watch") -> "Outcome | None":
    """The front timed on the device, where a latency table is in use; what that showed.

    raises   ArchSearchError where that went wrong: the page is written, and tells what is only predicted
    """
    made = request.timing
    if made is None or made.stopwatch is None:
        return None
    try:
        return run.time(made.stopwatch, watch)
    except ArchSearchError:
        write(request, run.folder.root, png=False)
        request.log.print(
            f"  the front could not be timed: its latency is only predicted; report: {run.folder.report}",
            markup=False, soft_wrap=True, style="yellow",
        )  # fmt: skip
        raise


def take_over(request: "Request", run: "Run") -> list[str]:
    """The networks of earlier runs taken over; what came of it, in lines."""
    from archsearch.cli.bars import bar

    told = []
    with bar(request.log, "earlier runs") as progress:
        taken = run.take_over(request.earlier_runs, lambda done, total: progress(done, total, ""))
    for each in taken:
        of = f"{each.new} networks of {each.name} taken over" + (f", {each.known} were before" if each.known else "")
        unlike = f"they only inform the sampler: {', '.join(each.differs)} differ"
        alike = unlike if each.differs else "they count as this run's own"
        told.append(f"{of}; {alike}")
        if each.outside:
            told.append(f"{len(each.outside)} networks of {each.name} are not in this space, such as {each.outside[0]}")
    return told


def write(request: "Request", root: Path, *, png: bool) -> "tuple[View, list[Path]]":
    """Tables, page and, where wanted and possible, PNGs; what they show, and the PNGs' paths."""
    from archsearch.report.page import write_page
    from archsearch.report.png import write_pngs
    from archsearch.report.tables import write_tables
    from archsearch.report.view import view

    seen = view(root)
    write_tables(root, seen)
    write_page(root, seen)
    try:
        return seen, write_pngs(root, seen) if png else []
    except ReportError as error:
        request.log.print(f"no PNG: {error}", markup=False, soft_wrap=True)
        return seen, []


def tell(
    run: "Run", seen: "View", pngs: list[Path], *, why: str, outcome: "Outcome | None", as_json: bool
) -> None:  # fmt: skip
    """Print the front and where the results lie."""
    from archsearch.records import SINCE
    from archsearch.report.summary import not_measured
    from archsearch.report.tables import front_records, ladder_records
    from archsearch.report.trust import surrogate_record
    from archsearch.search.flat import gain

    trials = run.ledger.trials()
    records, ladder = front_records(seen.study, seen), ladder_records(seen)
    counts = Counter(str(trial.user_attrs.get("status")) for trial in trials)
    epochs = saved(trials, run.problem.rule.whole) if run.problem.rule else None
    if as_json:
        print_json({
            "folder": str(run.folder.root), "stopped": why, "trials": dict(counts), "sampler": run.config.sampler,
            "gain": gain(trials, since=run.ledger.recall(SINCE, 0)), "ladder": ladder, "front": records,
            "surrogate": surrogate_record(seen), "latency": outcome.to_dict() if outcome else None,
            "epochs": epochs, "report": str(run.folder.report), "png": [str(path) for path in pngs],
        })  # fmt: skip
        return
    out = console()
    if ladder:
        print_ladder(out, ladder)
    if records:
        print_front(out, records)
    else:
        out.print("no network was trained to its end; trials.csv says why")
    if unlike := not_measured(run.config.evaluator):
        out.print(f"no accuracies: validation and believed are {unlike}", style="yellow", markup=False, soft_wrap=True)
    told = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in sorted(counts.items()))
    out.print(f"{why}; trials: {told}", style="dim", markup=False)
    if epochs:
        out.print(saved_line(epochs), style="dim", markup=False)
    out.print(f"report: {run.folder.report}", markup=False, soft_wrap=True)
