"""Data, spaces and devices as the commands ask for them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsearch.errors import DataError

if TYPE_CHECKING:
    from archsearch.data.dataset import Dataset
    from archsearch.data.load import Peek
    from archsearch.evaluate.base import Evaluator, Setup
    from archsearch.evaluate.table import Table
    from archsearch.spec.space import SearchSpace

SMALL_IMAGES = 64  # up to this side the default space is the small one [pixels]
BY_TABLE = ("table", "table-mean")  # evaluators
UNTRAINED = 50_000  # images of a table's run, none of which is ever seen


def load_data(source: str, log: Any, *, size: int | None = None) -> "Dataset":
    """Decode a data set with a progress bar, and tell its notes."""
    from archsearch.cli.bars import bar
    from archsearch.data.load import load

    with bar(log, f"reading {source}") as progress:
        dataset = load(source, size=size, progress=lambda done, total: progress(done, total, ""))
    parts = ", ".join(f"{len(split):,} {name}" for name, split in dataset.splits.items())
    log.print(f"{dataset.name}: {len(dataset.classes)} classes; {parts} images", markup=False, style="dim")
    for note in dataset.notes:
        log.print(f"  {note}", markup=False, style="dim")
    return dataset


def made_with_bar(name: str, setup: "Setup", log: Any) -> "Evaluator":
    """An evaluator by name; what it makes once, before its first network, shows a progress bar."""
    from dataclasses import replace

    from archsearch import plugins
    from archsearch.cli.bars import later_bar

    with later_bar(log, f"making {name}") as progress:
        made: Evaluator = plugins.load("evaluators", name)(replace(setup, progress=progress))
    return made


def load_table(file: Path | None, mapping: Path | None, *, space: str | None, evaluator: str) -> "Table | None":
    """The table of an evaluator that looks accuracies up; None for any other.

    raises   DataError where table and evaluator do not go together, or the table belongs to no design space
    """
    if evaluator not in BY_TABLE:
        if file is not None or mapping is not None:
            raise DataError(f"--table and --mapping go with --evaluator table, not with {evaluator}")
        return None
    from archsearch.evaluate.table_file import read_table
    from archsearch.spec.space_file import read_space

    if file is None:
        raise DataError(f"--evaluator {evaluator} needs a table: --table FILE")
    table = read_table(file, read_space(space) if space else None, mapping)
    if table.space is None:
        raise DataError(
            f"table {table.name} belongs to no design space; give --space, or name one in "
            "the mapping; archsearch bench search needs none"
        )
    return table


def table_peek(table: "Table") -> "Peek":
    """A table in the place of images: what the space says of them. Nothing is trained, so amounts mean nothing."""
    from archsearch.data.load import Peek

    assert table.space is not None
    size = largest_resolution(table.space)
    classes = tuple(str(label) for label in range(table.space.head.classes))
    return Peek(name=table.name, classes=classes, native=size, size=size, train_images=UNTRAINED, flip=False,
                notes=table.notes)  # fmt: skip


def default_space(peek: "Peek") -> str:
    """The space for images of this size."""
    return "mobilenet_v2_small" if peek.native <= SMALL_IMAGES else "mobilenet_v2"


def largest_resolution(space: "SearchSpace") -> int:
    """The largest resolution in a space [pixels]."""
    from archsearch.spec.fields import Chosen

    return max(space.resolution.values) if isinstance(space.resolution, Chosen) else int(space.resolution.value)


def default_threads(native: int, device: str) -> int | None:
    """CPU threads where the user names none; None leaves torch's choice.

    On small images an operation is over before a second thread has woken: on two cores one thread trained networks of
    3 to 11 M MAdds at 24 pixels 1.4 to 1.9 times as fast as two (`archsearch run --threads`, two interleaved pairs).
    """
    return 1 if device == "cpu" and native <= SMALL_IMAGES else None


def pick_device(wanted: str | None) -> str:
    """The device to train on: the one asked for, else a GPU where there is one.

    raises   DataError for a device that torch does not have
    """
    import torch

    if wanted is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=wanted)
    except (RuntimeError, AssertionError):
        raise DataError(f"device {wanted!r} is not there; write cpu, or cuda where torch sees a GPU") from None
    return wanted
