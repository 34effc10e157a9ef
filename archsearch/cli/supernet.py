"""The command `supernet`: train one network that holds every network of a space, and look at what it says."""

import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archsearch.cli.options import (
    DataOption,
    DeviceOption,
    EpochsOption,
    JsonOption,
    MaddsBudget,
    SeedOption,
    ThreadsOption,
    at_least,
    budget_texts,
)
from archsearch.errors import RunError

if TYPE_CHECKING:
    from archsearch.evaluate.supernet import Judge
    from archsearch.spec.space import SearchSpace
    from archsearch.train.supernet import StepLog
    from archsearch.train.supernet_folder import Plan

SPACE = "A design space by name (archsearch space list) or a .toml file; chosen by the images' size where not given."
IMAGES = "Training images that it learns from. [default: all]"
SAMPLING = "Networks of a step: sandwich (largest, smallest, random ones), fair (each choice equally often), uniform."
FAIR = "The same as --sampling fair."
SHARE = "slices (all choices of a block are slices of one tensor) or choices (each has weights of its own)."
NETWORKS = "Networks that one step goes through."
OUT = "Folder of the supernet; the same command goes on with it. [default: results/supernet-SPACE-DATA-sSEED]"
DISTILL = "Sandwich: all but the largest learn from its answers, not from the labels."
HALF = "Share of the steps, the first ones, on images of half the side: much faster."
WAITS = "another process is training it; waiting"
SHOWN = 4  # random networks whose accuracy is printed


def supernet(
    space: Annotated[str | None, typer.Option("--space", help=SPACE)] = None,
    data: DataOption = None,
    epochs: EpochsOption = None,
    images: Annotated[int | None, typer.Option("--images", help=IMAGES)] = None,
    sampling: Annotated[str | None, typer.Option("--sampling", help=SAMPLING)] = None,
    fair: Annotated[bool, typer.Option("--fair", help=FAIR)] = False,
    networks: Annotated[int | None, typer.Option("--networks", help=NETWORKS)] = None,
    share: Annotated[str | None, typer.Option("--share", help=SHARE)] = None,
    distill: Annotated[bool | None, typer.Option("--distill/--no-distill", help=DISTILL)] = None,
    half: Annotated[float | None, typer.Option("--half", help=HALF)] = None,
    batch: Annotated[int | None, typer.Option("--batch", help="Images of a step.")] = None,
    lr: Annotated[float | None, typer.Option("--lr", help="Highest learning rate, for 256 images.")] = None,
    budget_madds: MaddsBudget = None,
    out: Annotated[Path | None, typer.Option("--out", help=OUT)] = None,
    device: DeviceOption = None,
    threads: ThreadsOption = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Train a supernet: one set of weights for every network of a design space.

    Any of its networks can then be judged by inference alone (archsearch run --evaluator supernet --supernet DIR), or
    trained on from the weights that it inherits (archsearch train ARCH --from-supernet DIR). Stopped or killed, the
    same command goes on where it was.

    Example: archsearch supernet --space nas_bench_macro --data cifar10 --epochs 8 --out results/macro
    """
    from archsearch.cli.show import print_json

    at_least(1, epochs=epochs, images=images, threads=threads, networks=networks)
    at_least(2, batch=batch)
    if fair and sampling not in (None, "fair"):
        raise RunError(f"--fair is --sampling fair, not {sampling}; leave one out")
    changes: dict[str, Any] = {
        "epochs": epochs, "images": images, "sampling": "fair" if fair else sampling, "networks": networks,
        "share": share, "distill": distill, "half": half, "batch": batch, "lr": lr,
    }  # fmt: skip
    done = made(
        space,
        data or "digits",
        changes={name: value for name, value in changes.items() if value is not None},
        budgets=budget_texts(budget_madds, None, None),
        means={"out": out, "device": device, "threads": threads, "seed": seed},
    )
    if as_json:
        print_json(done)
        return
    tell(done)


def made(
    space: str | None, data: str, *, changes: dict[str, Any], budgets: dict[str, str], means: dict[str, Any]
) -> dict[str, Any]:
    """Train, or load, a supernet; the document that `--json` prints.

    changes  fields of its recipe that are given
    means    out, device, threads and seed as given; None = default
    raises   typer.Exit(130) after Ctrl-C or SIGTERM; the folder keeps the last checkpoint
    """
    from archsearch.cli.bars import bar
    from archsearch.cli.loading import default_threads, load_data, pick_device
    from archsearch.cli.show import console
    from archsearch.cost.feasible import check, read_budget
    from archsearch.evaluate.supernet import Judge, lasting, planned
    from archsearch.train.supernet_folder import trained
    from archsearch.train.supernet_recipe import SupernetRecipe
    from archsearch.train.tuning import tune_process

    log, device = console(error=True), pick_device(means["device"])
    recipe = SupernetRecipe.from_dict(changes)
    fitted = _space(space, data, log)
    budget = read_budget(budgets, fitted)
    check(fitted, budget)
    dataset = load_data(data, log)
    tune_process(means["threads"] or default_threads(dataset.native, device))
    plan = planned(fitted, dataset, recipe, seed=means["seed"], budget=budget)
    folder = means["out"] or Path("results") / f"supernet-{fitted.name}-{dataset.name}-s{means['seed']}"
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with bar(log, "supernet") as progress:
            told = Teller(log, progress)
            done = trained(folder, plan, device=device, on_step=told, on_wait=lambda: log.print(WAITS, style="dim"))
    except KeyboardInterrupt:
        log.print("stopped; the same command goes on from its last checkpoint", style="yellow")
        raise typer.Exit(130) from None
    log.print(f"trained in {lasting(done.seconds)}; it lies in {folder}", style="dim", markup=False, soft_wrap=True)
    judge = Judge(dataset=dataset, supernet=done, device=device)
    return {"folder": str(folder), "space": fitted.name, "data": dataset.name, "seconds": done.seconds,
            "losses": list(done.losses), "recipe": recipe.to_dict(), "seed": means["seed"],
            "networks": _judged(plan, judge)}  # fmt: skip


class Teller:
    """Progress of a training: a bar on a terminal, and one line that says how long it will take."""

    def __init__(self, log: Any, progress: Any) -> None:
        self._log, self._progress, self._first, self._said = log, progress, -1, False

    def __call__(self, done: "StepLog") -> None:
        """After each step."""
        from archsearch.evaluate.supernet import lasting

        self._first = done.step if self._first < 0 else self._first
        if not self._said and (done.step - self._first >= 20 or done.step == done.steps):
            begun = f"step {done.step:,} of {done.steps:,}; "
            self._log.print(f"{begun}about {lasting(done.left_s)} left", style="dim", markup=False)
            self._said = True
        self._progress(done.step, done.steps, f"loss {done.loss:.3f}")


def tell(done: dict[str, Any]) -> None:
    """Print where the supernet lies, and accuracies."""
    from archsearch.cli.show import console, percent, table
    from archsearch.cost.budget import show

    rows = [[row["which"], show(row["madds"], "madds"), percent(row["top1"], row["top1_se"]), row["arch"]] for row in
            done["networks"]]  # fmt: skip
    out = console()
    out.print(table(["network", "MAdds", "validation top-1", "spelled"], rows, left=(0, 3), cut_last=True))
    out.print(f"supernet in {done['folder']}", markup=False, soft_wrap=True)


def _space(space: str | None, data: str, log: Any) -> "SearchSpace":
    """The space for these images: the one named, or one for their size; of as many classes."""
    from archsearch.cli.loading import default_space
    from archsearch.data.load import peek
    from archsearch.search.run import fit_to_images
    from archsearch.spec.lower import check_classifies
    from archsearch.spec.space_file import read_space

    seen = peek(data)
    named = read_space(space or default_space(seen))
    check_classifies(named.decode(next(named.enumerate(1))[0]))
    fitted, note = fit_to_images(named.with_classes(seen.num_classes), seen.native)
    for text in filter(None, (f"space {fitted.name}: {fitted.size:,} networks", note)):
        log.print(f"  {text}", markup=False, style="dim")
    return fitted


def _judged(plan: "Plan", judge: "Judge") -> list[dict[str, Any]]:
    """The largest, the smallest and a few random networks, as the supernet sees them."""
    import numpy as np

    from archsearch.cost.count import record
    from archsearch.train.sandwich import Sampler

    recipe = replace(plan.recipe, sampling="sandwich", networks=2 + SHOWN)
    codes = Sampler(plan.space, recipe, seed=plan.seed, budget=plan.budget).codes(0)
    rows = []
    for which, code in zip(["largest", "smallest", *["random"] * SHOWN], np.array(codes), strict=True):
        arch = plan.space.decode(code)
        found = judge.score(arch)
        rows.append({"which": which, **record(arch), "top1": found.top1, "top1_se": found.top1_se,
                     "top5": found.top5, "loss": found.loss})  # fmt: skip
    return rows
