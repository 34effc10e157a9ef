"""Options that several commands share, and the reading of `ARCH`."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archsearch.errors import BudgetError, RunError, SpecError

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from archsearch.spec.arch import Arch

ARCH_HELP = (
    "A preset (mobilenet_v2_0.75_192), a .json file, a text form (r224 stem_c32 ir_r1_e1_c16 ...) or RUN#12, RUN#best."
)
LIMIT = "like 300M, 200M..300M, or 60% of the space's largest; run: also a ladder, 50M,100M,200M"
FLAT_SHARE = "0.1%"  # of --stop-when-flat where none is written
MS = "like 15ms, 800us, 5ms..10ms or 60%, by the upper end of a latency table's interval; run: also a ladder"
LATENCY_TABLE = "Latency table, as archsearch latency table build makes it. [default: the space's, in results/latency]"
BYTES = "like 512KiB, or 60% of the space's largest; float32; run: also a ladder"


def _option(name: str, told: str) -> Any:
    return typer.Option(name, help=told)


ArchArgument = Annotated[str, typer.Argument(help=ARCH_HELP, metavar="ARCH")]
JsonOption = Annotated[bool, _option("--json", "Print one JSON document on stdout.")]
SeedOption = Annotated[int, typer.Option("--seed", help="Seed of everything random.", min=0)]
DataOption = Annotated[
    str | None,
    _option("--data", "digits (the default), cifar10, cifar100, a folder of class folders, a .parquet file."),
]
MaddsBudget = Annotated[str | None, _option("--budget-madds", f"Hard limit on multiply-adds, {LIMIT}.")]
ParamsBudget = Annotated[str | None, _option("--budget-params", f"Hard limit on parameters, {LIMIT}.")]
MemoryBudget = Annotated[str | None, _option("--budget-memory", f"Hard limit on peak activation memory, {BYTES}.")]
LatencyBudget = Annotated[str | None, _option("--budget-latency", f"Hard limit on latency, {MS}.")]
LatencyTableOption = Annotated[Path | None, _option("--latency-table", LATENCY_TABLE)]
DeviceOption = Annotated[str | None, _option("--device", "cpu or cuda; a GPU is taken where there is one.")]
ThreadsOption = Annotated[
    int | None,
    _option("--threads", "CPU threads of this process. [default: 1 on images up to 64 pixels, else torch's]"),
]
EpochsOption = Annotated[
    int | None, _option("--epochs", "Epochs of a training. [default: run: sized for the device; train: the recipe's]")
]


def budget_texts(
    madds: str | None, params: str | None, memory: str | None, others: Sequence[str] = (), *, latency: str | None = None
) -> dict[str, str]:
    """Metric -> limit as written, of the options that were given.

    others   of --budget, each `METRIC=LIMIT`
    raises   BudgetError for one that is not, or limits a metric that has a limit already
    """
    given = {"madds": madds, "params": params, "peak_memory": memory, "latency_upper": latency}
    texts = {name: text for name, text in given.items() if text is not None}
    for word in others:
        name, equals, text = (part.strip() for part in word.partition("="))
        if not (name and equals and text):
            raise BudgetError(f"--budget {word!r} must be METRIC=LIMIT, like latency_ms=12.5")
        if name in texts:
            raise BudgetError(f"--budget {word!r}: {name} has the limit {texts[name]!r} already")
        texts[name] = text
    return texts


def with_share(words: list[str]) -> list[str]:
    """A command line in which `--stop-when-flat` without a share is given the default one."""
    ends = [*words[1:], ""]
    return [f"{word}={FLAT_SHARE}" if word == "--stop-when-flat" and not re.match(r"[\d.]", after) else word
            for word, after in zip(words, ends, strict=True)]  # fmt: skip


def at_least(least: float, **options: float | None) -> None:
    """Raise RunError where an option that was given is smaller; `trial_images` stands for --trial-images."""
    for name, value in options.items():
        if value is not None and not value >= least:
            raise RunError(f"--{name.replace('_', '-')} must be at least {least:g}, got {value:g}")


def absolute(storage: str | None) -> str | None:
    """A storage URL that means the same in every directory: relative SQLite paths are made absolute."""
    if storage is None or not storage.startswith("sqlite:///") or storage.startswith("sqlite:////"):
        return storage
    return f"sqlite:///{Path(storage.removeprefix('sqlite:///')).resolve()}"


def read_arch(text: str) -> "Arch":
    """The network that an `ARCH` argument names.

    raises   SpecError or RunError saying what could not be found
    """
    from archsearch.spec.presets import read_arch as read

    folder, mark, which = text.rpartition("#")
    return from_run(Path(folder), which) if mark else read(text)


def from_run(folder: Path, which: str) -> "Arch":
    """The network of trial `which` of a run, or its most accurate one on the front ("best")."""
    from archsearch.spec.arch import Arch

    return Arch.from_dict(find_trial(folder, which)[0].user_attrs["arch_json"])


def find_trial(folder: Path, which: str) -> tuple["FrozenTrial", list["FrozenTrial"]]:
    """Trial `which` of a run (a number, or "best": the most accurate one on the front), and all of its trials."""
    from archsearch.report.open import open_run
    from archsearch.report.tables import front_records

    study, _, _ = open_run(folder)
    trials = study.get_trials(deepcopy=False)
    if which == "best":
        members = front_records(study)
        if not members:
            raise RunError(f"{folder} has no finished trial yet, so none is best")
        number = int(max(members, key=lambda row: row["top1"])["trial"])
    elif re.fullmatch(r"\d+", which) and int(which) < len(trials):
        number = int(which)
    else:
        raise SpecError(f"{folder} has no trial {which!r}; it has 0 to {len(trials) - 1}, or write #best")
    return trials[number], trials
