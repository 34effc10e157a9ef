"""The command `run`: search, retrain and test the front, write the report."""

from pathlib import Path
from typing import Annotated, Any

import typer

from archsearch.cli.first_weights import HELP as INIT
from archsearch.cli.first_weights import spelled
from archsearch.cli.halting import RUNGS, SHARE
from archsearch.cli.options import (
    DataOption,
    EpochsOption,
    JsonOption,
    LatencyBudget,
    LatencyTableOption,
    MaddsBudget,
    MemoryBudget,
    ParamsBudget,
    SeedOption,
    ThreadsOption,
    absolute,
    at_least,
    budget_texts,
)

SPACE = "A design space by name (archsearch space list) or a .toml file; chosen by the images' size where not given."
EVALUATOR = (
    "train; supernet (inference with shared weights); table or table-mean (looked up in --table); a zero-cost proxy "
    "(naswot, ...: archsearch proxies), params, madds or depth; predictor or ensemble (learn from --from RUN); "
    "synthetic, additive, deceptive (made up, to try out)."
)
TABLE = "Networks that somebody trained, as .csv, .parquet or .json; for --evaluator table."
SAMPLER = "greybox (learns accuracy, knows costs), random, nsga2, nsga3, tpe or gp. [default: greybox, or as begun]"
MINIMIZE = (
    "Metric to minimise, like madds or latency; may repeat; none: accuracy alone. [default: the metric of a budget "
    "ladder; latency where it has a limit and madds has none; else madds]"
)
DEVICE = (
    "Where to train: cpu, cuda or cuda:N; a GPU is taken where there is one. Or a device to time on (onnxruntime, "
    "torch-eager, remote:HOST, ...), and then the same as --latency-device."
)
TIMED_ON = "Where latency counts: the front is timed there. [default: the table's device, or onnxruntime]"
FORCED = "Use a latency table that is not verified, failed its verification or was made elsewhere."
REPEATS = "Let the sampler have a network trained again where that would change the front more than a new one."
ADD = "Train this network before the sampler's own; may repeat. A preset, a .json file, a text form or RUN#12."
FROM = (
    "Begin from the networks that an earlier run trained; evaluators that learn take a trust report's, too; may repeat."
)
FLAT = "Stop when the next network is expected to add less than this share of hypervolume. [0.1% where none is named]"
OTHER = "Hard limit on any other metric that is counted, or that --table tells, like latency_ms=12.5; may repeat."
SUPERNET = "A trained supernet (archsearch supernet) that judges; --evaluator supernet trains its own without."
WORKERS = (
    "Processes that share the work, or auto: one for each core, on CUDA at most 4. Each decodes the images itself; "
    "--threads is split among them."
)
OUT = "Results folder; the same command on it resumes. [default: results/run-...]"


def run(
    ctx: typer.Context,
    budget_madds: MaddsBudget = None,
    budget_params: ParamsBudget = None,
    budget_memory: MemoryBudget = None,
    budget_latency: LatencyBudget = None,
    budget: Annotated[list[str] | None, typer.Option("--budget", metavar="METRIC=LIMIT", help=OTHER)] = None,
    space: Annotated[str | None, typer.Option("--space", help=SPACE)] = None,
    data: DataOption = None,
    minimize: Annotated[list[str] | None, typer.Option("--minimize", help=MINIMIZE)] = None,
    evaluator: Annotated[str, typer.Option("--evaluator", help=EVALUATOR)] = "train",
    supernet: Annotated[Path | None, typer.Option("--supernet", metavar="DIR", help=SUPERNET)] = None,
    table: Annotated[Path | None, typer.Option("--table", help=TABLE)] = None,
    mapping: Annotated[Path | None, typer.Option("--mapping", help="What its columns mean (docs/tables.md).")] = None,
    sampler: Annotated[str | None, typer.Option("--sampler", help=SAMPLER)] = None,
    repeats: Annotated[bool | None, typer.Option("--repeats/--no-repeats", help=REPEATS)] = None,
    add: Annotated[list[str] | None, typer.Option("--add", metavar="ARCH", help=ADD)] = None,
    earlier: Annotated[list[Path] | None, typer.Option("--from", metavar="RUN", help=FROM)] = None,
    trials: Annotated[int | None, typer.Option("--trials", help="Networks to train while searching.")] = None,
    timeout: Annotated[float | None, typer.Option("--timeout", help="Seconds; then no new trial begins.")] = None,
    trial_timeout: Annotated[float | None, typer.Option("--trial-timeout", help="Seconds; then a trial fails.")] = None,
    stop_when_flat: Annotated[str | None, typer.Option("--stop-when-flat", metavar="[SHARE]", help=FLAT)] = None,
    epochs: EpochsOption = None,
    trial_images: Annotated[
        int | None, typer.Option("--trial-images", help="Training images that a trial sees.")
    ] = None,
    recipe: Annotated[str, typer.Option("--recipe", help="Recipe of a trial.")] = "quick",
    final_epochs: Annotated[
        int | None, typer.Option("--final-epochs", help="Epochs of the front's retraining.")
    ] = None,
    final_recipe: Annotated[str, typer.Option("--final-recipe", help="Recipe of the front's retraining.")] = "full",
    rungs: Annotated[str | None, typer.Option("--rungs", metavar="N|EPOCHS|auto", help=RUNGS)] = None,
    eta: Annotated[int | None, typer.Option("--eta", min=1, help=SHARE)] = None,
    init: Annotated[str | None, typer.Option("--init", metavar="torchvision|FILE", help=INIT)] = None,
    finalists: Annotated[
        int | None, typer.Option("--finalists", help="Networks of the front to retrain and test.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help=OUT)] = None,
    storage: Annotated[
        str | None, typer.Option("--storage", help="Optuna storage URL instead of a journal file.")
    ] = None,
    device: Annotated[str | None, typer.Option("--device", help=DEVICE)] = None,
    latency_table: LatencyTableOption = None,
    latency_device: Annotated[str | None, typer.Option("--latency-device", metavar="NAME", help=TIMED_ON)] = None,
    force_latency: Annotated[bool, typer.Option("--force-latency", help=FORCED)] = False,
    threads: ThreadsOption = None,
    workers: Annotated[str, typer.Option("--workers", metavar="N|auto", help=WORKERS)] = "1",
    member: Annotated[int | None, typer.Option("--member", hidden=True)] = None,
    seed: SeedOption = 0,
    png: Annotated[bool, typer.Option("--png", help="Also write the figures as PNG (needs a browser).")] = False,
    as_json: JsonOption = False,
) -> None:
    """Search a design space under hard budgets; retrain and test the Pareto front; write tables and a report.

    Run the same command again to resume; --workers or a second shell adds workers. Ctrl-C stops cleanly. With --out,
    budgets may change on resume (none lifts one), and networks that no longer fit leave the front. A budget with
    commas is a ladder: one search, the best network within each rung. With a limit on latency the front is timed on
    the device before it is retrained, and what does not hold the limit there leaves it.

    \b
    Examples:
      archsearch run --budget-madds 300M
      archsearch run --budget-madds 60M --budget-memory 1MiB --data photos/ --trials 40
      archsearch run --budget-madds 30% --sampler nsga2 --data cifar10 --out results/cifar
      archsearch run --budget-madds 50M,100M,200M,300M --data photos/
      archsearch run --budget-latency 15ms --device onnxruntime --data photos/
      archsearch run --budget-madds 60M --minimize none --add mobilenet_v2_0.35_96 --from results/cifar
      archsearch run --budget-madds 60M --data photos/ --trials 500 --stop-when-flat 0.1%
      archsearch run --budget-madds 60M --data photos/ --epochs 9 --rungs 1,3,9
      archsearch run --budget-madds 60M --data cifar10 --workers auto
      archsearch run --evaluator table --table nas_bench_macro.csv --budget-madds 60M --trials 100
    """
    from archsearch.cli.crew import work_along
    from archsearch.cli.request import Request
    from archsearch.cli.session import carry_out
    from archsearch.cli.timing import Wish, devices
    from archsearch.search.flat import read_share

    device, latency_device = devices(device, latency_device)
    given = checked(
        evaluator=evaluator, sampler=sampler, repeats=repeats, trials=trials, timeout=timeout,
        trial_timeout=trial_timeout, epochs=epochs, trial_images=trial_images, recipe=recipe,
        final_epochs=final_epochs, final_recipe=final_recipe, finalists=finalists, storage=absolute(storage),
        device=device, threads=threads, seed=seed, init=spelled(init), rungs=rungs, eta=eta,
        supernet=None if supernet is None else str(supernet.resolve()),
        stop_when_flat=None if stop_when_flat is None else read_share(stop_when_flat),
    )  # fmt: skip
    budgets = budget_texts(budget_madds, budget_params, budget_memory, budget or (), latency=budget_latency)
    request = Request(
        budgets=budgets, space=space, data=data, minimize=tuple(minimize or ()), out=out, given=given,
        add=tuple(add or ()), earlier=tuple(earlier or ()), table_file=table, mapping=mapping,
        wish=Wish(file=latency_table, device=latency_device, force=force_latency), workers=workers,
    )  # fmt: skip
    if member is None:
        carry_out(request, png=png, as_json=as_json, words=ctx.obj)
    else:
        work_along(request)


def checked(**given: Any) -> dict[str, Any]:
    """The options as they were given, amounts within their ranges.

    raises   RunError naming the option
    """
    least = {name: 1.0 for name in ("trials", "epochs", "trial_images", "final_epochs", "threads")}
    for name, value in (least | {"finalists": 0.0, "timeout": 0.001, "trial_timeout": 0.001}).items():
        at_least(value, **{name: given[name]})
    return given
