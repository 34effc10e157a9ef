"""One `archsearch ablate` carried out: plan, trainings, statistics, tables and page."""

import json
import os
import signal
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from archsearch.cli.forecast import TIMING, Timing, timed
from archsearch.errors import ReportError, RunError

if TYPE_CHECKING:
    from archsearch.ablate.campaign import Campaign
    from archsearch.ablate.pairs import Pair
    from archsearch.cli.ablating import Ablating
    from archsearch.evaluate.base import Evaluator
    from archsearch.trust.sample import Network

LEAST = 2  # pairs from which a difference is told
STOPS = (signal.SIGINT, signal.SIGTERM)
HEIGHT = 560  # of a PNG whose figure does not say [pixels]


def carried_out(asked: "Ablating", *, png: bool, member: bool, words: Sequence[str] = ()) -> dict[str, Any] | None:
    """Train what is missing, tell what it shows; the document that `--json` prints, None in a member of a crew.

    words    the command line, for further workers
    raises   typer.Exit(130) after a clean stop; tables and page are written where there is something to tell
    """
    from archsearch.cli.crew import hold_on
    from archsearch.train.tuning import tune_process

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if member:
        hold_on(lambda: os.kill(os.getpid(), signal.SIGTERM))
    _ = asked.problem  # whatever is wrong with the options shows here, before anything is decoded or written
    tune_process(asked.threads)
    try:
        campaign = opened(asked)
        evaluator = asked.evaluator
        whole = trained(asked, campaign, evaluator, words if not member else None)
        for number in STOPS:  # tables and page are written whole, however often it is pressed
            signal.signal(number, signal.SIG_IGN)
    except KeyboardInterrupt:
        asked.log.print("stopped; the same command goes on from here", style="yellow")
        raise typer.Exit(130) from None
    told = None if member else ended(asked, campaign, png=png, whole=whole)
    for number in STOPS:
        signal.signal(number, signal.default_int_handler)
    if not whole:
        asked.log.print("stopped; the same command goes on from here", style="yellow")
        raise typer.Exit(130)
    return told


def trained(asked: "Ablating", campaign: "Campaign", evaluator: "Evaluator", words: Sequence[str] | None) -> bool:
    """Train what is not trained yet; False after Ctrl-C or SIGTERM.

    words    the command line, for further workers; None where this is one of them
    """
    from archsearch.cli.crew import Crew
    from archsearch.cli.training_watch import TrainingWatch

    others, line = (0, []) if words is None else (asked.crew - 1, for_others(asked, campaign, words))
    try:
        with TrainingWatch(asked.log, campaign) as watch:
            with Crew(line, campaign.folder.workers, count=others, tell=watch.others):
                campaign.carry_out(evaluator, watch)
    except KeyboardInterrupt:
        return False
    return True


def ended(asked: "Ablating", campaign: "Campaign", *, png: bool, whole: bool) -> dict[str, Any] | None:
    """Tables and page; None where a stop came before there was anything to tell.

    raises   RunError where all was trained and there is nothing to tell either
    """
    from archsearch.ablate.outcome import outcome

    made = outcome(campaign)
    if made.comparable >= LEAST:
        return written(asked, campaign, made, png=png)
    if not whole:
        return None
    why = f"; {made.failed[0]}" if made.failed else ""
    raise RunError(f"{made.comparable} pairs can be compared, at least {LEAST} are needed{why}")


def for_others(asked: "Ablating", campaign: "Campaign", words: Sequence[str]) -> list[str]:
    """The command line of another worker on the same ablation."""
    threads = ["--threads", str(asked.threads)] if asked.threads else []
    return [*words, "--out", str(asked.folder), "--workers", "1", "--pairs", str(len(campaign.pairs)), *threads]


# the plan -----------------------------------------------------------------------------------------------------------


def opened(asked: "Ablating") -> "Campaign":
    """The ablation with its folder and study; what is about to happen is told before anything is trained.

    raises   RunError where too few pairs fit the hours, or the folder holds something else
    """
    from archsearch.ablate.campaign import Campaign, open_ledger
    from archsearch.records import RunFolder, write_atomic
    from archsearch.search.lock import FileLock

    pairs, timing = planned(asked)
    if RunFolder(asked.folder).journal.exists():
        open_ledger(RunFolder(asked.folder), pairs, asked.design)  # a study of other networks is refused untouched
    folder = asked.open_folder(asked.command(len(pairs))).make()
    if timing is not None:
        write_atomic(folder.root / TIMING, json.dumps(timing) + "\n")
    asked.log.print(f"results in {folder.root}", markup=False, soft_wrap=True)
    with FileLock(folder.workers / "propose.lock").held():
        ledger = open_ledger(folder, pairs, asked.design)
    problem = asked.problem
    return Campaign(space=problem.space, budget=problem.budget, design=asked.design, pairs=pairs,
                    seeds=asked.seed_count, seed=asked.given["seed"], folder=folder, ledger=ledger)  # fmt: skip


def planned(asked: "Ablating") -> "tuple[list[Pair], Timing | None]":
    """The pairs, and what was timed; told before anything is trained.

    raises   RunError where too few fit the hours
    """
    from archsearch.trust.sample import within

    pairs = asked.drawn
    if len(pairs) < (asked.pairs or 0):
        asked.log.print(f"{len(pairs)} pairs, where {asked.pairs} were asked for: no more fit", markup=False)
    asked.log.print(f"{asked.design.about}", markup=False, soft_wrap=True)
    asked.check(asked.command(len(pairs)))  # another ablation's folder is refused before anything is timed
    if not asked.trains:
        return pairs, None
    timing, costs = costs_of(asked, pairs)
    if asked.hours is not None:
        fit = within([asked.seed_count * each / asked.crew for each in costs], 3600 * asked.hours)
        fit = max(fit, asked.whole("pairs") or 0)
        if fit < LEAST:
            raise RunError(f"--max-hours {asked.hours:g} is time for {fit} pairs, at least {LEAST} are needed")
        pairs, costs = pairs[:fit], costs[:fit]
    tell_plan(asked, pairs, costs)
    return pairs, timing


def costs_of(asked: "Ablating", pairs: "list[Pair]") -> "tuple[Timing, list[float]]":
    """What was timed, and what one seed of each pair takes [s]: by treatment, from the three pairs that were timed."""
    from archsearch.ablate.pairs import by_cost
    from archsearch.trust.sample import expected, network

    labels = [asked.design.label(treatment) for treatment in asked.design.treatments]
    nets: dict[str, list[Network]] = {}
    for pair in by_cost(pairs):
        for each in pair.networks:
            nets.setdefault(labels[each.treatment], []).append(network(each.arch))
    timing = timed(asked, nets)
    every = [point for points in timing["groups"].values() for point in points]

    def seconds(pair: "Pair") -> float:
        told = (
            expected([network(each.arch)], timing["groups"].get(labels[each.treatment]) or every)
            for each in pair.networks
        )  # of a fraction the three pairs may lack a treatment
        return sum(one for (one,) in told)

    return timing, [seconds(pair) for pair in pairs]


def tell_plan(asked: "Ablating", pairs: "list[Pair]", costs: list[float]) -> None:
    """How much is about to be trained, given what one seed of each pair takes [s]."""
    from archsearch.cost.duration import duration

    amounts, seeds = asked.amounts, asked.seed_count
    of = f"{len(pairs[0].networks)} networks x {seeds} seed{'s' if seeds > 1 else ''}"
    epochs = f"{amounts['epochs']} epoch{'s' if amounts['epochs'] > 1 else ''}"
    trainings = seeds * sum(len(pair.networks) for pair in pairs)
    whole = duration(seeds * sum(costs) / asked.crew)
    asked.log.print(
        f"{len(pairs)} pairs x {of} = {trainings} trainings, {epochs} of {amounts['trial_images']:,} images: about "
        f"{whole} in {asked.crew} process{'es' if asked.crew > 1 else ''}; what is in the folder is not trained again",
        markup=False, soft_wrap=True,
    )  # fmt: skip


# what is told -------------------------------------------------------------------------------------------------------


def written(asked: "Ablating", campaign: "Campaign", made: Any, *, png: bool) -> dict[str, Any]:
    """ablation.json, ablation.csv, ablation.html and, where wanted and possible, PNGs; the document."""
    import pandas as pd

    from archsearch.ablate.document import document
    from archsearch.ablate.outcome import rows
    from archsearch.records import write_atomic
    from archsearch.report.ablation import ablation_page, pngs
    from archsearch.report.ablation_data import networks_data
    from archsearch.report.png import write_png

    root, frame = campaign.folder.root, pd.DataFrame(rows(campaign))
    command = asked.command(len(campaign.pairs))
    told = document(made, campaign.design, seed=asked.given["seed"]) | about(asked, campaign)
    networks = networks_data(frame)
    told["written"] = [str(root / name) for name in ("ablation.json", "ablation.csv", "ablation.html")]
    manifest = json.loads(campaign.folder.manifest.read_text(encoding="utf-8"))
    page = ablation_page(told, networks, command=command, manifest=manifest)
    write_atomic(root / "ablation.csv", frame.to_csv(index=False))
    write_atomic(root / "ablation.html", page)
    try:
        for name, figure in pngs(told, networks).items() if png else ():
            height = int(figure.layout.height or HEIGHT)
            told["written"].append(str(write_png(figure, root / f"{name}.png", height=height)))
    except ReportError as error:
        asked.log.print(f"no PNG: {error}", markup=False, soft_wrap=True)
    write_atomic(root / "ablation.json", json.dumps(told, indent=2, allow_nan=False) + "\n")
    return told


def about(asked: "Ablating", campaign: "Campaign") -> dict[str, Any]:
    """What the document says of the experiment beside its figures."""
    amounts = asked.amounts
    return {
        "folder": str(asked.folder), "space": asked.problem.space.name, "budgets": asked.texts,
        "data": asked.data or "digits", "asked": len(campaign.pairs), "seeds": campaign.seeds,
        "trainings": campaign.ended, "planned": campaign.trainings, "seed": campaign.seed, "fraction": asked.parts,
        "evaluator": asked.given["evaluator"],
        "epochs": amounts["epochs"], "images": amounts["trial_images"], "recipe": asked.given["recipe"],
        "device": asked.device,
    }  # fmt: skip


def print_report(told: Mapping[str, Any]) -> None:
    """The comparisons as a table, what they can show, the verdicts."""
    from archsearch.cli.show import console, table
    from archsearch.report.ablation_words import COLUMNS, cells, notes

    out = console()
    out.print(table(COLUMNS, [cells(each) for each in told["comparisons"]]))
    for line in told["failed"]:
        out.print(line, markup=False, soft_wrap=True, style="yellow")
    for line in notes(told):
        out.print(line, markup=False, soft_wrap=True, style="dim")
    for line in told["verdicts"]:
        out.print(line, markup=False, soft_wrap=True)
    out.print(f"page: {told['written'][2]}", markup=False, soft_wrap=True)
