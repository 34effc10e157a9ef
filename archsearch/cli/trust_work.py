"""One `archsearch trust` carried out: plan, truth, evaluators, tables and page."""

import json
import signal
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import typer

from archsearch.cli.bars import bar
from archsearch.cli.explore import spoken
from archsearch.cli.forecast import TIMING, Timing, timed
from archsearch.errors import ReportError, RunError

if TYPE_CHECKING:
    from archsearch.cli.trusting import Trusting
    from archsearch.trust.advice import Row
    from archsearch.trust.judge import Scores
    from archsearch.trust.sample import Network
    from archsearch.trust.store import Claims
    from archsearch.trust.truth import Truth

CLAIMS = "claims.lock"
WAIT_S = 0.5  # between looks at what other processes have done


def carried_out(asked: "Trusting", *, png: bool) -> dict[str, Any]:
    """Train what is missing, judge, write tables and page; the document that `--json` prints."""
    from archsearch.records import write_atomic
    from archsearch.train.tuning import tune_process
    from archsearch.trust.store import Claims

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    _ = asked.problem  # whatever is wrong with the options shows here, before anything is decoded or written
    tune_process(asked.threads)
    try:
        networks, timing = planned(asked)
        folder = asked.open_folder(asked.command(len(networks)))
        if timing:
            write_atomic(folder.root / TIMING, json.dumps(timing) + "\n")
        asked.log.print(f"results in {folder.root}", markup=False, soft_wrap=True)
        claims = Claims(folder.root / CLAIMS)
        try:
            truth = trained(asked, networks, claims)
            return written(asked, truth, scored(asked, truth, claims), png=png)
        finally:
            claims.close()
    except KeyboardInterrupt:
        asked.log.print("stopped; the same command goes on from here", style="yellow")
        raise typer.Exit(130) from None


# the plan -----------------------------------------------------------------------------------------------------------


def planned(asked: "Trusting") -> tuple[list["Network"], Timing | None]:
    """The networks and what was timed (nothing of a table); told before anything is trained.

    raises   RunError where too few fit the hours
    """
    from archsearch.trust.sample import expected, within
    from archsearch.trust.sample import timed as three
    from archsearch.trust.truth import LEAST

    sample, _ = asked.sample
    if len(sample) < LEAST:
        raise RunError(f"{len(sample)} networks fit, at least {LEAST} are needed: give a larger space or budget")
    if len(sample) < (asked.networks or 0):
        asked.log.print(f"{len(sample)} networks, where {asked.networks} were asked for", markup=False)
    if asked.table is not None:
        told = f"truth: {len(sample)} networks of {asked.table.name}, {asked.seed_count} seeds; nothing is trained"
        asked.log.print(told, markup=False, soft_wrap=True)
        return sample, None
    asked.check(asked.command(len(sample)))  # another report's folder is refused before anything is timed
    timing = timed(asked, {"all": three(sample)})
    each = expected(sample, timing["groups"]["all"])
    if asked.hours is not None and (asked.networks or "networks" not in asked.stored):
        fit = within([asked.seed_count * one for one in each], 3600 * asked.hours)
        if fit < 5:
            raise RunError(f"--max-hours {asked.hours:g} is time for {fit} networks, at least 5 are needed")
        sample, each = sample[:fit], each[:fit]
    tell_plan(asked, each)
    return sample, timing


def tell_plan(asked: "Trusting", each: list[float]) -> None:
    """What is about to happen, given what one training of each network takes [s]."""
    from archsearch.cost.duration import duration

    amounts, whole = asked.amounts, asked.seed_count * sum(each)
    asked.log.print(
        f"truth: {len(each)} networks x {asked.seed_count} seeds, {amounts['epochs']} epochs of "
        f"{amounts['trial_images']:,} images: about {duration(whole)} in one process "
        f"({duration(min(each))} to {duration(max(each))} a training); what is cached is not trained again",
        markup=False, soft_wrap=True,
    )  # fmt: skip
    names = ", ".join(["params", "madds", *asked.evaluators])
    asked.log.print(f"then judged by {names}", markup=False, soft_wrap=True, style="dim")


# truth and evaluators -----------------------------------------------------------------------------------------------


def trained(asked: "Trusting", networks: list["Network"], claims: "Claims") -> "Truth":
    """The truth, made as far as the folder does not hold it."""
    from archsearch.trust.truth import Maker, from_table, make, read

    if asked.table is not None:
        from_table(networks, asked.sample[1], asked.table, asked.folder)
        return read(networks, asked.seed_count, asked.folder)
    maker = Maker(evaluator=asked.trainer(), folder=asked.folder, claims=claims, seed=asked.given["seed"],
                  clock=asked.clock, wait=partial(time.sleep, WAIT_S))  # fmt: skip
    with bar(asked.log, "training the truth") as progress:
        make(networks, asked.seed_count, maker, spoken(asked.log, progress))
    return read(networks, asked.seed_count, asked.folder)


def scored(asked: "Trusting", truth: "Truth", claims: "Claims") -> "list[Scores]":
    """Every evaluator over the networks of the truth, the baselines first."""
    from archsearch.trust.judge import Judge, counted, judged

    with bar(asked.log, "judging") as progress:
        judge = Judge(truth=truth, folder=asked.folder, claims=claims, seed=asked.given["seed"], clock=asked.clock,
                      wait=partial(time.sleep, WAIT_S), progress=spoken(asked.log, progress))  # fmt: skip
        return [*counted(truth, time.process_time), *judged(asked.candidates, judge)]


# what is told -------------------------------------------------------------------------------------------------------


def written(asked: "Trusting", truth: "Truth", scores: "list[Scores]", *, png: bool) -> dict[str, Any]:
    """trust.json, trust.csv, networks.csv, trust.html and, where wanted and possible, trust.png; the document."""
    import numpy as np

    from archsearch.records import write_atomic
    from archsearch.report.png import write_png
    from archsearch.report.ranked import ranked_page, rows_data, values_data
    from archsearch.report.ranking import ranking_data, ranking_plot
    from archsearch.trust import advice

    on = advice.ground(truth, np.random.default_rng([asked.given["seed"], 4]))
    rows = sorted([*(advice.row(each, on) for each in scores), advice.seed_row(on)], key=_order)
    told = document(asked, truth, rows, on)
    root = asked.folder
    paths = [root / name for name in ("trust.json", "trust.csv", "networks.csv", "trust.html")]
    told["written"] = [str(path) for path in paths]
    figure = ranking_plot(ranking_data(told["rows"]), ceiling=told["ceiling"]["tau"], unit=told["unit"])
    values = values_data(truth, scores)
    manifest = json.loads((root / "manifest.json").read_text(encoding="utf-8"))
    page = ranked_page(told, values, command=asked.command(asked.how_many), manifest=manifest)
    tables = (frame.to_csv(index=False) for frame in (rows_data(told), values))
    for path, text in zip(paths, (json.dumps(told, indent=2) + "\n", *tables, page), strict=True):
        write_atomic(path, text)
    try:
        told["written"] += [str(write_png(figure, root / "trust.png"))] if png else []
    except ReportError as error:
        asked.log.print(f"no PNG: {error}", markup=False, soft_wrap=True)
    return told


def _order(row: "Row") -> tuple[bool, float]:
    """Cheapest first; what costs nobody knows how much last, and what failed behind it."""
    return row.failed is not None, row.cost_s if row.cost_s == row.cost_s else float("inf")


def document(asked: "Trusting", truth: "Truth", rows: "list[Row]", on: Any) -> dict[str, Any]:
    """Everything that is told, as plain values."""
    import numpy as np

    from archsearch.trust import advice
    from archsearch.trust import statistics as st

    plain, amounts = advice.plain, asked.amounts
    found, gaps = advice.steps(rows), advice.differences(rows)
    limits = st.ceiling(truth.top1, truth.madds, np.random.default_rng([asked.given["seed"], 5]))
    trained = {} if asked.table is not None else {"epochs": amounts["epochs"], "images": amounts["trial_images"]}
    return {
        "folder": str(asked.folder), "space": asked.problem.space.name, "budgets": asked.texts,
        "data": asked.data or ("" if asked.table else "digits"), "table": str(asked.table_file or ""),
        "networks": len(truth.networks), "failed": list(truth.failed), "seeds": asked.seed_count,
        "seed": asked.given["seed"], "unit": asked.unit,
        "truth": {**trained, "recipe": asked.given["recipe"] if trained else "", "cost_s": plain(truth.cost_s),
                  "noise": plain(st.noise(truth.top1)), "lowest": plain(truth.mean.min()),
                  "highest": plain(truth.mean.max())},
        "top": {"networks": st.top_size(len(truth.networks)), "pairs": st.pairs_of(on.best)},
        "band": {"share": st.BAND, "pairs": st.pairs_of(on.close)},
        "ceiling": dict(zip(("tau", "top", "band"), map(plain, limits), strict=True)),
        "spread": advice.SPREAD, "rows": [row.to_dict() for row in rows], "differences": gaps,
        "sentences": advice.sentences(gaps, rows), "steps": found, "advice": advice.advice(found, asked.unit),
    }  # fmt: skip
