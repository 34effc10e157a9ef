"""Commands that look at what a space's networks reach: compare spaces, narrow one to its best part."""

import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archsearch.cli.options import (
    DataOption,
    DeviceOption,
    EpochsOption,
    JsonOption,
    MaddsBudget,
    MemoryBudget,
    ParamsBudget,
    SeedOption,
    ThreadsOption,
    at_least,
    budget_texts,
)
from archsearch.errors import ReportError, RunError, SpaceError

if TYPE_CHECKING:
    from archsearch.cli.comparison import Comparison

LINE_S = 30.0
SpacesArgument = Annotated[
    list[str], typer.Argument(help="Two or more spaces: shipped names or .toml files.", metavar="A B [C ...]")
]
RunArgument = Annotated[Path, typer.Argument(help="A run's folder under results/.", metavar="RUN")]
ConfidenceOption = Annotated[float, typer.Option("--confidence", help="Of bands, intervals and tests: 0.5 to 0.999.")]
MATCH = "Take equally many networks of each space from every tenth of the band, so that costs are alike."
EVALUATOR = "How networks are judged: train, synthetic (made up), or a plug-in's."
OUT = "Results folder; the same command on it goes on. [default: results/compare-...]"
SHARE = "Share of the networks in each resample; smaller looks at more of the good ones."
COST = "Metric whose effect is taken out of the error; may repeat; none = none. [default: those the run minimised]"
NARROWED = "Where the narrowed space goes. [default: RUN/refined.toml]"


def compare(
    spaces: SpacesArgument,
    budget_madds: MaddsBudget = None,
    budget_params: ParamsBudget = None,
    budget_memory: MemoryBudget = None,
    n: Annotated[int, typer.Option("-n", "--number", help="Networks of each space.")] = 100,
    match: Annotated[bool, typer.Option("--match", help=MATCH)] = False,
    evaluator: Annotated[str, typer.Option("--evaluator", help=EVALUATOR)] = "train",
    data: DataOption = None,
    epochs: EpochsOption = None,
    trial_images: Annotated[
        int | None, typer.Option("--trial-images", help="Training images that a network sees.")
    ] = None,
    recipe: Annotated[str, typer.Option("--recipe", help="Recipe of a training.")] = "quick",
    confidence: ConfidenceOption = 0.95,
    out: Annotated[Path | None, typer.Option("--out", help=OUT)] = None,
    device: DeviceOption = None,
    threads: ThreadsOption = None,
    seed: SeedOption = 0,
    png: Annotated[bool, typer.Option("--png", help="Also write the figure as PNG (needs a browser).")] = False,
    as_json: JsonOption = False,
) -> None:
    """Draw n random networks of each space at equal cost, evaluate them, and compare their errors' distributions.

    Stopped or killed, the same command goes on; nothing is evaluated twice. More -n adds networks to those there are.

    \b
    Examples:
      archsearch space compare mobilenet_v2_small linear_vs_relu --budget-madds 16M..18M --data cifar10
      archsearch space compare a.toml b.toml -n 500 --evaluator synthetic
    """
    if len(spaces) < 2:
        raise SpaceError(f"compare needs at least two spaces, got {len(spaces)}")
    at_least(5, number=n)
    at_least(1, epochs=epochs, trial_images=trial_images, threads=threads)
    level = _level(confidence)
    from archsearch.cli.comparison import Comparison  # below the checks: it is slow to import
    from archsearch.cli.show import print_json

    given = {"evaluator": evaluator, "epochs": epochs, "trial_images": trial_images, "recipe": recipe,
             "final_recipe": "full", "device": device, "threads": threads, "seed": seed}  # fmt: skip
    asked = Comparison(
        budgets=budget_texts(budget_madds, budget_params, budget_memory), space=None, data=data, minimize=("madds",),
        out=out, given=given, names=tuple(spaces), number=n, match=match, confidence=level,
    )  # fmt: skip
    told = carried_out(asked, png=png)
    print_json(told) if as_json else print_outcome(told)


def carried_out(asked: "Comparison", *, png: bool) -> dict[str, Any]:
    """Evaluate what is missing, write tables and page; the document that `--json` prints."""
    import numpy as np

    from archsearch.cli.bars import bar
    from archsearch.explore.compare import evaluate_all, outcome
    from archsearch.explore.store import opened

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    contenders = asked.contenders
    if asked.with_images:
        from archsearch.train.tuning import tune_process

        tune_process(asked.threads)
    evaluator = asked.evaluator
    folder = asked.open_folder()
    asked.log.print(f"results in {folder.root}", markup=False, soft_wrap=True)
    with opened(folder.root / "results.jsonl") as store:
        try:
            with bar(asked.log, "evaluating") as progress:
                evaluate_all(contenders, store, evaluator, seed=asked.given["seed"], folder=folder.checkpoints,
                             progress=spoken(asked.log, progress))  # fmt: skip
        except KeyboardInterrupt:
            asked.log.print("stopped; the same command goes on from here", style="yellow")
            raise typer.Exit(130) from None
        found = outcome(contenders, store.rows, np.random.default_rng(asked.given["seed"]), confidence=asked.confidence)
        command = asked.command
        told = {"folder": str(folder.root), **{name: command[name] for name in KEPT}, **found}
        return told | {"written": [str(path) for path in _written(asked, told, store.rows, png=png)]}


def spoken(log: Any, progress: Any) -> Any:
    """The progress bar; where there is no terminal, a line every half minute."""
    last = time.monotonic()

    def line(done: int, total: int, text: str) -> None:
        nonlocal last
        if time.monotonic() - last >= LINE_S:
            last = time.monotonic()
            log.print(f"{done} of {total} evaluated; now {text}", markup=False, soft_wrap=True)

    return progress if log.is_terminal else line


KEPT = ("number", "budgets", "match", "evaluator", "data", "seed", "confidence")


def _written(asked: "Comparison", told: dict[str, Any], rows: Any, *, png: bool) -> list[Path]:
    """edf.csv, compare.html and, where wanted and possible, edf.png."""
    import json

    from archsearch.explore.compare import curves, gaps
    from archsearch.records import write_atomic
    from archsearch.report.compared import compared_page
    from archsearch.report.edf import edf_data, edf_plot, gap_data
    from archsearch.report.png import write_png

    root, level = asked.folder, asked.confidence
    data = edf_data(curves(asked.contenders, rows, level))
    between = gap_data(gaps(asked.contenders, rows, level))
    manifest = json.loads((root / "manifest.json").read_text(encoding="utf-8"))
    page = compared_page(told, data, between, command=asked.command, manifest=manifest)
    paths = [root / "edf.csv", root / "compare.html"]
    for path, text in zip(paths, (data.to_csv(index=False), page), strict=True):
        write_atomic(path, text)
    try:
        figure = edf_plot(data, between, confidence=level)
        return [*paths, write_png(figure, root / "edf.png", height=680)] if png else paths
    except ReportError as error:
        asked.log.print(f"no PNG: {error}", markup=False, soft_wrap=True)
        return paths


def print_outcome(told: dict[str, Any]) -> None:
    """The spaces as a table, each difference as a sentence, and where the page lies."""
    from archsearch.cli.show import console, percent, table
    from archsearch.cost.budget import show
    from archsearch.report.compared import sentences

    out = console()
    rows = [
        [row["space"], str(row["networks"]), str(row["failed"]), show(row["madds_median"], "madds"),
         *(percent(row[name]) for name in ("error_best", "error_median", "error_mean"))]
        for row in told["spaces"]
    ]  # fmt: skip
    out.print(table(["space", "networks", "failed", "median MAdds", "best error", "median", "mean"], rows))
    for line in sentences(told):
        out.print(line, markup=False, soft_wrap=True)
    for line in told["warnings"]:
        out.print(f"note: {line}", markup=False, soft_wrap=True, style="yellow")
    out.print(f"page: {told['written'][1]}", markup=False, soft_wrap=True)


def refine(
    run: RunArgument,
    out: Annotated[Path | None, typer.Option("--out", help=NARROWED)] = None,
    confidence: ConfidenceOption = 0.95,
    share: Annotated[float, typer.Option("--share", help=SHARE)] = 0.25,
    cost: Annotated[list[str] | None, typer.Option("--cost", help=COST)] = None,
    space: Annotated[str | None, typer.Option("--space", help="The run's space, where its file has moved.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Narrow a run's space to the choices that hold its best networks, at equal cost, and write it as a TOML file.

    An axis is narrowed only where the error depends on it, and to the range in which the best network of a random
    quarter of the trials lies with the stated confidence.

    Example: archsearch space refine results/cifar --out narrowed.toml
    """
    from archsearch.cli.refinement import print_refined, refined
    from archsearch.cli.show import print_json

    if not 0.01 <= share <= 0.5:
        raise RunError(f"--share must be from 0.01 to 0.5, got {share:g}")
    told = refined(run, space=space, out=out, costs=cost, means=(_level(confidence), share))
    print_json(told) if as_json else print_refined(told)


def _level(confidence: float) -> float:
    if not 0.5 <= confidence <= 0.999:
        raise RunError(f"--confidence must be from 0.5 to 0.999, got {confidence:g}")
    return confidence
