"""The command `ablate`: a designed experiment on one choice or several, with statistics."""

from pathlib import Path
from typing import Annotated

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
from archsearch.errors import RunError

DESIGN = "linear-vs-relu, shortcut, expansion, v1-vs-v2, block, or relu-embedding, which trains nothing."
FACTOR = "What to vary: its base, then the other levels; may repeat: all combinations. A field of stages, or an axis."
SPACE = "A design space by name or a .toml file; chosen by the images' size where not given."
MATCH = "madds: all networks of a pair get the MAdds of the first, within 2 %, by their width. [default: none, or the "
FRACTION = "Each network gets one in so many of the combinations; over so many networks all come once."
PAIRS = "Networks to draw; more on the same folder adds to them. [default: 20, or what fits --max-hours]"
SEEDS = "Trainings of each, with the same seeds inside a pair; more on the same folder adds. [default: 2]"
IMAGES = "Training images that a network sees in each epoch. [default: sized for the device]"
HOURS = "Take as many pairs as fit into so many hours, by a timing of three pairs."
WORKERS = "Processes that share the work, or auto: one for each core, on CUDA at most 4."
OUT = "Results folder; the same command on it goes on. [default: results/ablation-...]"


def ablate(
    ctx: typer.Context,
    design: Annotated[str | None, typer.Argument(metavar="[DESIGN]", help=DESIGN, show_default=False)] = None,
    factor: Annotated[list[str] | None, typer.Option("--factor", metavar="NAME=BASE,LEVEL", help=FACTOR)] = None,
    space: Annotated[str | None, typer.Option("--space", help=SPACE)] = None,
    data: DataOption = None,
    budget_madds: MaddsBudget = None,
    budget_params: ParamsBudget = None,
    budget_memory: MemoryBudget = None,
    pairs: Annotated[int | None, typer.Option("--pairs", "-n", help=PAIRS)] = None,
    seeds: Annotated[int | None, typer.Option("--seeds", help=SEEDS)] = None,
    match: Annotated[str | None, typer.Option("--match", metavar="madds|none", help=f"{MATCH}design's]")] = None,
    fraction: Annotated[int, typer.Option("--fraction", help=FRACTION)] = 1,
    epochs: EpochsOption = None,
    images: Annotated[int | None, typer.Option("--images", help=IMAGES)] = None,
    recipe: Annotated[str, typer.Option("--recipe", help="Recipe of a training.")] = "quick",
    evaluator: Annotated[str, typer.Option("--evaluator", help="How networks are judged.")] = "train",
    out: Annotated[Path | None, typer.Option("--out", help=OUT)] = None,
    max_hours: Annotated[float | None, typer.Option("--max-hours", help=HOURS)] = None,
    device: DeviceOption = None,
    threads: ThreadsOption = None,
    workers: Annotated[str, typer.Option("--workers", metavar="N|auto", help=WORKERS)] = "1",
    seed: SeedOption = 0,
    png: Annotated[bool, typer.Option("--png", help="Also write the figures as PNG (needs a browser).")] = False,
    as_json: JsonOption = False,
    member: Annotated[int | None, typer.Option("--member", hidden=True)] = None,
) -> None:
    """Does one choice in a network matter? Networks that differ in it alone, trained side by side, with statistics.

    Draws networks from a space, gives each every level of the factor (or every combination, of several), trains them
    with the same seeds, first weights and order of images, and tells the paired difference with its interval, where
    it holds, and what the experiment could not have shown. Stopped or killed, the same command goes on; in a second
    shell it helps.

    \b
    Examples:
      archsearch ablate linear-vs-relu --data cifar10 --budget-madds 20M --max-hours 1 --workers auto
      archsearch ablate --factor expand=6,3 --data photos/ --match madds --pairs 30 --seeds 3
      archsearch ablate --factor bottleneck=linear,relu6 --factor shortcut=bottleneck,none --space linear_vs_relu
      archsearch ablate relu-embedding
    """
    from archsearch.cli.show import print_json

    at_least(2, pairs=pairs)
    at_least(1, seeds=seeds, epochs=epochs, images=images, threads=threads, fraction=fraction)
    at_least(0.001, max_hours=max_hours)
    if design == "relu-embedding":
        from archsearch.cli.embedding import embedded

        takes_only(ctx, "design", "out", "seed", "png", "as_json")
        embedded(out, seed=seed, png=png, as_json=as_json)
        return
    from archsearch.cli.ablate_work import carried_out, print_report
    from archsearch.cli.ablating import Ablating

    given = {"evaluator": evaluator, "epochs": epochs, "trial_images": images, "recipe": recipe,
             "final_recipe": "full", "device": device, "threads": threads, "seed": seed}  # fmt: skip
    asked = Ablating(
        budgets=budget_texts(budget_madds, budget_params, budget_memory), space=space, data=data, minimize=(), out=out,
        given=given, workers=workers, question=design, factors=tuple(factor or ()), match=match, parts=fraction,
        pairs=pairs, seeds=seeds, hours=max_hours if member is None else None,
    )  # fmt: skip
    told = carried_out(asked, png=png, member=member is not None, words=ctx.obj or ())
    if told is not None:
        (print_json if as_json else print_report)(told)


def takes_only(ctx: typer.Context, *known: str) -> None:
    """Raise RunError where an option was given that this ablation has no use for."""
    for name, value in ctx.params.items():
        source = ctx.get_parameter_source(name)
        if name not in known and source is not None and source.name == "COMMANDLINE" and value is not None:
            raise RunError(f"relu-embedding trains nothing: --{name.replace('_', '-')} says nothing to it")
