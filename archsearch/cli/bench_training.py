"""The command `archsearch bench training`: our training loop beside a plain one."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

import typer

from archsearch.cli.options import DataOption, DeviceOption, JsonOption, SeedOption
from archsearch.errors import RunError

READING = (
    "images/s: median over turns, quartiles in brackets; times plain: median of the turns' ratios; GFLOP/s: 2 x 3 x "
    "MAdds x images/s; peak: measured float32 product of 2048 x 2048 matrices, same threads; networks/h: 10 epochs of "
    "50,000 images"
)
PACKAGES = ("archsearch", "torch", "torchvision", "numpy", "numba")
SECONDS = "Of one turn of the plain loop, about."
ACCURACY = "Compare accuracies instead: both loops from the same first weights, for each seed."
IMAGES = "Training images. [default: all]"
SIDE_BY_SIDE = "Trainings side by side. [default: one a core; on a GPU 4]"


def training(
    widths: Annotated[str, typer.Option("--widths", help="Widths of MobileNetV2, with commas.")] = "0.25,0.5,1.0",
    size: Annotated[int, typer.Option("--size", help="Side of the images [pixels].", min=8, max=512)] = 32,
    batch: Annotated[int, typer.Option("--batch", help="Images of a step.", min=2)] = 128,
    data: DataOption = None,
    device: DeviceOption = None,
    seconds: Annotated[float, typer.Option("--seconds", help=SECONDS, min=0.1)] = 3.0,
    turns: Annotated[int, typer.Option("--turns", help="Of each contender, one to warm up not counted.", min=1)] = 5,
    processes: Annotated[int | None, typer.Option("--processes", help=SIDE_BY_SIDE, min=1)] = None,
    accuracy: Annotated[bool, typer.Option("--accuracy", help=ACCURACY)] = False,
    epochs: Annotated[int, typer.Option("--epochs", help="With --accuracy: of each training.", min=1)] = 5,
    images: Annotated[int | None, typer.Option("--images", help=f"With --accuracy: {IMAGES}", min=2)] = None,
    seeds: Annotated[int, typer.Option("--seeds", help="With --accuracy: trainings of each loop.", min=2)] = 5,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Images a second of training beside a plain PyTorch loop, and the share of the machine's matrix-product peak.

    The plain loop is written the usual way: DataLoader, torchvision transforms of single images, float32. Each
    contender is a process of its own; they take turns on the same network and images. Takes some minutes; be alone on
    the machine.

    \b
    Examples:
      archsearch bench training
      archsearch bench training --widths 0.5 --data cifar10 --seconds 5
      archsearch bench training --accuracy --data cifar10 --widths 0.25 --epochs 5 --images 10000
    """
    from archsearch.cli.loading import load_data, pick_device
    from archsearch.cli.show import console, print_json

    log = console(error=True)
    read, place = _widths(widths), pick_device(device)
    dataset = load_data(data or "digits", log)
    if accuracy:
        if len(read) > 1:
            read = read[:1]
        told = _accuracy(dataset, (read[0], size, batch, place), epochs=epochs, images=images,
                         seeds=tuple(range(seed, seed + seeds)))  # fmt: skip
    else:
        told = _speed(dataset, {"widths": read, "size": size, "batch": batch, "device": place, "seconds": seconds,
                                "turns": turns, "processes": processes or 0})  # fmt: skip
    told = {**_machine(place), "data": dataset.name, **told}
    if as_json:
        print_json(told)
    else:
        (_show_accuracy if accuracy else _show)(told)


def _widths(text: str) -> tuple[float, ...]:
    """raises   RunError for what is no list of numbers above 0"""
    try:
        widths = tuple(float(word) for word in text.split(","))
    except ValueError:
        widths = ()
    if not widths or not all(0 < width <= 4 for width in widths):
        raise RunError(f"--widths must be numbers above 0, up to 4, with commas, like 0.25,0.5; got {text!r}")
    return widths


def _machine(device: str) -> dict[str, Any]:
    from archsearch.measure.fingerprint import host

    told = host(PACKAGES)
    if device.startswith("cuda"):
        import torch

        told["gpu"] = torch.cuda.get_device_name(device)
    return told


def _speed(dataset: Any, asked: Mapping[str, Any]) -> dict[str, Any]:
    import torch

    from archsearch.bench.training import MOST, Question, measured
    from archsearch.cli.bars import bar
    from archsearch.cli.show import console
    from archsearch.data.crops import resize

    split = dataset.splits["train"]
    pixels = resize(split.images[torch.arange(min(MOST, len(split)))], asked["size"]).contiguous().numpy()
    with bar(console(error=True), "bench training") as progress:
        return measured(Question(**asked), pixels, split.labels[: len(pixels)].numpy(), progress)


def _accuracy(dataset: Any, what: tuple[Any, ...], *, epochs: int, images: int | None, seeds: Any) -> dict[str, Any]:
    from archsearch.bench.training import network
    from archsearch.bench.training_accuracy import Trainings, compared
    from archsearch.cli.bars import bar
    from archsearch.cli.show import console
    from archsearch.train.job import TrainData
    from archsearch.train.recipe import Recipe
    from archsearch.train.tuning import tune_process

    width, size, batch, device = what
    tune_process()
    train = dataset.trainval() if images is None else dataset.subset(images)
    data = TrainData(train=train, eval=dataset.splits["test"], mean=dataset.mean, std=dataset.std, flip=dataset.flip)
    asked = Trainings(arch=network(width, size, len(dataset.classes)), recipe=Recipe(epochs=epochs, batch=batch),
                      seeds=seeds, device=device)  # fmt: skip
    with bar(console(error=True), "bench training") as progress:
        return {"device": device, "width": width, "size": size, "batch": batch, **compared(asked, data, progress)}


def _show(told: Mapping[str, Any]) -> None:
    """One table for all widths, and what it holds for."""
    from archsearch.cli.race import spread
    from archsearch.cli.show import console, table

    say = partial(console().print, markup=False, soft_wrap=True)
    rows = []
    for width, each in told["widths"].items():
        for name, row in each["contenders"].items():
            rows.append([width, name, str(told["threads"][name]),
                         spread(row["images_per_second"], row["quartiles"], "{:,.0f}"), f"{row['times_plain']:.2f}",
                         f"{row['gflops']:,.0f}", f"{row['share_of_peak']:.0%}",
                         f"{row['networks_per_hour']:.2g}"])  # fmt: skip
    console().print(table(["width", "loop", "threads", "images/s", "times plain", "GFLOP/s", "of peak", "networks/h"],
                          rows, left=(0, 1)))  # fmt: skip
    say(f"{told['data']}, {told['size']} pixels, batches of {told['batch']}, {told['turns']} turns; {_where(told)}")
    say(READING)


def _show_accuracy(told: Mapping[str, Any]) -> None:
    from archsearch.cli.show import console, table

    say = partial(console().print, markup=False, soft_wrap=True)
    rows = [[str(seed), *(f"{100 * told['top1'][name][nth]:.2f} %" for name in ("plain", "ours")),
             *(f"{told['seconds'][name][nth]:.0f} s" for name in ("plain", "ours"))]
            for nth, seed in enumerate(told["seeds"])]  # fmt: skip
    console().print(table(["seed", "plain", "ours", "plain took", "ours took"], rows))
    low, high = (100 * end for end in told["interval"])
    say(f"ours less plain: {100 * told['difference']:+.2f} points, 95 % interval {low:+.2f} to {high:+.2f} (paired, "
        f"{len(told['seeds'])} seeds): {'the same within it' if told['same'] else 'they DIFFER'}")  # fmt: skip
    say(f"MobileNetV2 {told['width']:g}, {told['data']}, {told['train_images']:,} training images, {told['epochs']} "
        f"epochs, judged on {told['eval_images']:,}; {_where(told)}")  # fmt: skip


def _where(told: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in told["versions"].items() if number)
    return f"{told.get('gpu') or told['cpu']}, {told['cores']} cores; {versions}"
