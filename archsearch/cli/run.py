"""The command `run`: search, retrain and test the front, write the report."""

import signal
from pathlib import Path
from typing import Annotated

import typer

from archsearch.cli.options import JsonOption, SeedOption
from archsearch.errors import RunError

LIMIT = "like 300M, 200M..300M, or 60% of the space's largest"


def run(
    budget_madds: Annotated[
        str | None, typer.Option("--budget-madds", help=f"Hard limit on multiply-adds, {LIMIT}.")
    ] = None,
    budget_params: Annotated[
        str | None, typer.Option("--budget-params", help="Hard limit on parameters, like 3M.")
    ] = None,
    budget_memory: Annotated[
        str | None, typer.Option("--budget-memory", help="Hard limit on peak activation memory, like 512KiB (float32).")
    ] = None,
    space: Annotated[
        str | None,
        typer.Option(
            "--space",
            help="A design space by name (archsearch space list) or a .toml file; chosen by image size where not given.",
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option("--data", help="digits, cifar10, cifar100, a folder of class folders, a .parquet file."),
    ] = None,
    minimize: Annotated[
        list[str] | None,
        typer.Option("--minimize", help="Metric to minimise beside the error; may repeat. [default: madds]"),
    ] = None,
    evaluator: Annotated[
        str,
        typer.Option("--evaluator", help="How networks are judged: train, or synthetic (made up, to try things out)."),
    ] = "train",
    sampler: Annotated[
        str, typer.Option("--sampler", help="random (stratified by cost), nsga2, nsga3, tpe or gp.")
    ] = "random",
    trials: Annotated[int | None, typer.Option("--trials", help="Networks to train while searching.")] = None,
    timeout: Annotated[
        float | None, typer.Option("--timeout", help="Stop the search after this many seconds; running trials end.")
    ] = None,
    trial_timeout: Annotated[
        float | None, typer.Option("--trial-timeout", help="Give up one trial after this many seconds.")
    ] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", help="Epochs of a trial.")] = None,
    trial_images: Annotated[
        int | None, typer.Option("--trial-images", help="Training images that a trial sees in each epoch.")
    ] = None,
    recipe: Annotated[str, typer.Option("--recipe", help="Recipe of a trial.")] = "quick",
    final_epochs: Annotated[
        int | None, typer.Option("--final-epochs", help="Epochs of the front's retraining.")
    ] = None,
    final_recipe: Annotated[str, typer.Option("--final-recipe", help="Recipe of the front's retraining.")] = "full",
    finalists: Annotated[
        int | None, typer.Option("--finalists", help="Networks of the front to retrain and test.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Results folder; the same command on it resumes. [default: results/run-...]"),
    ] = None,
    storage: Annotated[
        str | None, typer.Option("--storage", help="Optuna storage URL instead of the folder's journal.")
    ] = None,
    device: Annotated[
        str | None, typer.Option("--device", help="cpu or cuda; a GPU is taken where there is one.")
    ] = None,
    threads: Annotated[int | None, typer.Option("--threads", help="CPU threads of this worker.")] = None,
    seed: SeedOption = 0,
    png: Annotated[bool, typer.Option("--png", help="Also write the figures as PNG (needs a browser).")] = False,
    as_json: JsonOption = False,
) -> None:
    """Search a design space under hard budgets; retrain and test the Pareto front; write tables and a report.

    Run the same command again to resume; run it in a second shell to add a worker. Ctrl-C stops cleanly.

    \b
    Examples:
      archsearch run --budget-madds 300M
      archsearch run --budget-madds 60M --budget-memory 1MiB --data photos/ --trials 40
      archsearch run --budget-madds 30% --sampler nsga2 --data cifar10 --out results/cifar
    """
    from archsearch.cli.session import Session

    whole = {
        "trials": trials,
        "epochs": epochs,
        "trial-images": trial_images,
        "final-epochs": final_epochs,
        "threads": threads,
    }
    for name, value in whole.items():
        _at_least(name, value, 1)
    _at_least("finalists", finalists, 0)
    for name, seconds in {"timeout": timeout, "trial-timeout": trial_timeout}.items():
        if seconds is not None and not seconds > 0:
            raise RunError(f"--{name} must be above 0 seconds, got {seconds:g}")
    budgets = {"madds": budget_madds, "params": budget_params, "peak_memory": budget_memory}
    session = Session(
        budgets={name: text for name, text in budgets.items() if text is not None},
        space=space, data=data, minimize=tuple(minimize or ["madds"]), out=out,
        given={"evaluator": evaluator, "sampler": sampler, "trials": trials, "timeout": timeout,
               "trial_timeout": trial_timeout, "epochs": epochs, "trial_images": trial_images, "recipe": recipe,
               "final_epochs": final_epochs, "final_recipe": final_recipe, "finalists": finalists,
               "storage": storage, "device": device, "threads": threads, "seed": seed},
    )  # fmt: skip
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    session.carry_out(png=png, as_json=as_json)


def _at_least(name: str, value: int | None, least: int) -> None:
    if value is not None and value < least:
        raise RunError(f"--{name} must be at least {least}, got {value}")
