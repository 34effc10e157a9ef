"""Commands about one network: count it, train it."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archsearch.cli.first_weights import HELP as INIT
from archsearch.cli.options import (
    ArchArgument,
    DataOption,
    DeviceOption,
    EpochsOption,
    JsonOption,
    SeedOption,
    ThreadsOption,
    at_least,
    read_arch,
)
from archsearch.errors import RunError

if TYPE_CHECKING:
    from archsearch.spec.arch import Arch

CSV = "Write one row for each operation to this CSV file; - prints it, and nothing else."
FROM_SUPERNET = "Begin from the weights that the network inherits from a supernet (archsearch supernet)."
PROGRESSIVE = "Side of the first images as a share of the full one; they grow in three quarters of the epochs."
VERIFY = "Compare with torch hooks and fvcore on the built model; fail where they differ."


def count(
    arch: ArchArgument,
    per_layer: Annotated[bool, typer.Option("--per-layer", help="One row for each operation.")] = False,
    csv: Annotated[str | None, typer.Option("--csv", help=CSV, metavar="FILE")] = None,
    verify: Annotated[bool, typer.Option("--verify", help=VERIFY)] = False,
    as_json: JsonOption = False,
) -> None:
    """Costs of one network.

    Examples: archsearch count mobilenet_v2_0.75_192 --per-layer; archsearch count mobilenet_v2 --csv layers.csv
    """
    from archsearch.cli.show import console, cost_rows, layer_table, peak_line, print_json, table
    from archsearch.cost.count import all_metrics, record
    from archsearch.cost.layers import layers

    alone = csv == "-"
    if alone and (as_json or verify):
        raise RunError("--csv - prints the operations and nothing else; give a file to have --json or --verify as well")
    network = read_arch(arch)
    rows = layers(network) if per_layer or csv is not None else []
    if csv is not None:
        write_csv(csv, rows)
    if alone:
        return
    document: dict[str, Any] = record(network)
    if per_layer:
        document["layers"] = rows
    if verify:
        from archsearch.nn.trace import verify as compare

        document["verified"] = compare(network)
    if as_json:
        print_json(document)
        return
    out = console()
    out.print(document["arch"], markup=False, soft_wrap=True)
    out.print(f"key {document['key']}", style="dim")
    if per_layer:
        out.print(layer_table(rows))
        out.print(peak_line(rows), markup=False, soft_wrap=True)
    out.print(table(["cost", "exact", "short"], cost_rows({name: document[name] for name in all_metrics()})))
    if verify:
        said = document["verified"]
        counts = [[who, *(f"{costs[name]:,}" for name in costs)] for who, costs in said.items()]
        out.print(table(["counted by", *said["counter"]], counts))
        out.print("all three agree", style="green")


def write_csv(target: str, rows: list[dict[str, Any]]) -> None:
    """The operations as a CSV file, or on stdout for "-"; raises RunError where the file cannot be written."""
    from archsearch.cost.layers import layers_csv

    if target == "-":
        print(layers_csv(rows), end="")
        return
    try:
        Path(target).write_text(layers_csv(rows), encoding="utf-8")
    except (OSError, ValueError) as error:
        raise RunError(f"{target} cannot be written: {getattr(error, 'strerror', None) or error}") from None


def train(
    arch: ArchArgument,
    data: DataOption = None,
    recipe: Annotated[str, typer.Option("--recipe", help="Training recipe: quick, full or paper.")] = "full",
    epochs: EpochsOption = None,
    init: Annotated[str | None, typer.Option("--init", metavar="torchvision|FILE", help=INIT)] = None,
    from_supernet: Annotated[Path | None, typer.Option("--from-supernet", metavar="DIR", help=FROM_SUPERNET)] = None,
    progressive: Annotated[float, typer.Option("--progressive", min=0.25, max=1.0, help=PROGRESSIVE)] = 1.0,
    out: Annotated[Path | None, typer.Option("--out", help="Folder of checkpoints; the same command goes on.")] = None,
    device: DeviceOption = None,
    threads: ThreadsOption = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Train one network to the end and test it once: last-epoch top-1 and top-5 on the test split.

    The classifier takes the data set's classes. Stopped or killed, the same command goes on from its last epoch.

    Examples: archsearch train mobilenet_v2_0.5_32 --data cifar10 --epochs 20
    archsearch train mobilenet_v2_0.5_96 --data photos/ --init torchvision
    """
    from archsearch.cli.show import console, percent, print_json

    at_least(1, epochs=epochs, threads=threads)
    changes = {"progressive": progressive, **({} if epochs is None else {"epochs": epochs})}
    done = trained(read_arch(arch), data or "digits", recipe=(recipe, changes), out=out,
                   means={"device": device, "threads": threads, "seed": seed, "init": init,
                          "supernet": from_supernet})  # fmt: skip
    if as_json:
        print_json(done)
        return
    console().print(
        f"test top-1 {percent(done['top1_test'], done['top1_test_se'])}, top-5 {percent(done['top5_test'])} after "
        f"{done['epochs']} epochs ({done['seconds']:.0f} s); weights in {done['weights']}",
        soft_wrap=True,
    )


def trained(
    network: "Arch", data: str, *, recipe: tuple[str, dict[str, Any]], out: Path | None, means: dict[str, Any]
) -> dict[str, Any]:
    """Train and test one network; the record that `--json` prints, also kept in the folder's manifest.

    recipe   its name, and the fields that are given otherwise
    means    device, threads, seed, init and supernet as given; None = default
    """
    from archsearch.cli.bars import bar
    from archsearch.cli.first_weights import for_config, note
    from archsearch.cli.loading import default_threads, load_data, pick_device
    from archsearch.cli.show import console
    from archsearch.cost.count import record
    from archsearch.evaluate.base import Job
    from archsearch.evaluate.training import TrainEvaluator
    from archsearch.records import RunFolder, environment, write_manifest
    from archsearch.spec.lower import check_classifies
    from archsearch.train.recipe import recipe as find_recipe
    from archsearch.train.tuning import tune_process

    name, changes = recipe
    followed, device, log = find_recipe(name, **changes), pick_device(means["device"]), console(error=True)
    check_classifies(network)
    first = first_weights(means)
    dataset = load_data(data, log)
    tune_process(means["threads"] or default_threads(dataset.native, device))
    network = replace(network, head=replace(network.head, classes=len(dataset.classes)))
    told, began = record(network), for_config(first)
    if first:
        log.print(f"  {first.name}: {first.begun(network).line}", markup=False, soft_wrap=True, style="dim")
    name = f"run-train-{told['key']}-{dataset.name}-s{means['seed']}" + (f"-{first.digest}" if first else "")
    folder = RunFolder(out or Path("results") / name).make()
    note(folder.checkpoints, first)
    evaluator = TrainEvaluator(dataset=dataset, recipe=followed, final_recipe=followed,
                               images=len(dataset.splits["train"]), device=device,
                               initial=first.network if first else None)  # fmt: skip
    with bar(log, "training") as progress:
        job = Job(number=0, seed=means["seed"], folder=folder.checkpoints, progress=progress)
        result = evaluator.final(network, job)
    document = {**told, "data": dataset.name, "top1_test": result.top1, "top1_test_se": result.top1_se,
                "top5_test": result.top5, "seconds": result.seconds, **result.extra, "seed": means["seed"], **began,
                "weights": str(folder.checkpoints / "model.pt")}  # fmt: skip
    write_manifest(folder, {**environment(), "result": document, "recipe": followed.to_dict(), "device": device,
                            "dataset": {"name": dataset.name, "fingerprint": dataset.fingerprint}})  # fmt: skip
    return document


def first_weights(means: dict[str, Any]) -> Any:
    """What a training begins with: trained weights, those that a supernet has, or None for fresh ones.

    raises   RunError where both are asked for
    """
    from archsearch.cli.first_weights import spelled
    from archsearch.train.inherited import inherited
    from archsearch.train.pretrained import source

    if means.get("init") and means.get("supernet"):
        raise RunError("--init and --from-supernet both say where first weights come from; leave one out")
    if means.get("supernet"):
        return inherited(means["supernet"].resolve())
    return source(str(spelled(means["init"]))) if means.get("init") else None
