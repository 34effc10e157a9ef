"""Export of a network: written to a fresh folder, read back, compared with the torch model, only then put in place."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from archsearch import plugins
from archsearch.errors import ExportError
from archsearch.export.base import Answers, Exporter, Parcel
from archsearch.records import RunFolder

TOLERANCE = 1e-4  # largest difference of an answer, as a share of the largest answer
FAINT = 1e-20  # answers below this are no measure: inside such a network numbers underflow
BATCHES = (1, 3)  # images at once in the comparison, where any number is possible


@dataclass(frozen=True, kw_only=True)
class Packed:
    """What was written, and how far its answers are from the torch model's."""

    files: tuple[Path, ...]
    difference: float  # the largest, absolute
    answer: float  # the torch model's largest, absolute
    batches: tuple[int, ...]  # of the random images they were found on
    facts: dict[str, Any]  # what the exporter tells


def pack(parcel: Parcel, to: str, out: Path, *, source: Path | None = None) -> Packed:
    """Export a network to the format `to`; files that are there already are replaced, but for `source`.

    out      the file; of a format with several files the folder, or a file name with the first one's ending
    raises   ExportError where it cannot be written, or answers otherwise than the torch model: then nothing is written;
             PluginError for an unknown format
    """
    exporter: Exporter = plugins.load("exporters", to)
    targets = places(exporter, out, source)
    batches = BATCHES if exporter.any_batch or parcel.batch is None else (parcel.batch,)
    with _fresh_folder(out) as folder:
        facts = exporter.write(parcel, folder)
        difference, answer = compare(parcel, exporter.read(parcel, folder), batches)
        if out != targets[0]:
            targets[0].parent.mkdir(exist_ok=True)
        for name, target in zip(exporter.files, targets, strict=True):
            os.replace(folder / name, target)
    return Packed(files=targets, difference=difference, answer=answer, batches=batches, facts=facts)


def places(exporter: Exporter, out: Path, source: Path | None = None) -> tuple[Path, ...]:
    """Where the files of a format go.

    source   the file from which the weights are read
    raises   ExportError where there is no such folder, or a folder or file is in the way, or trained weights are
    """
    if not out.parent.is_dir():
        raise ExportError(f"{out} cannot be written: {out.parent} is not a folder")
    first = Path(exporter.files[0])
    if len(exporter.files) == 1:
        targets = (out,)
    elif out.suffix == first.suffix:
        targets = tuple(out.with_suffix(Path(name).suffix) for name in exporter.files)
    else:
        targets = tuple(out / name for name in exporter.files)
        if out.exists() and not out.is_dir():
            raise ExportError(f"{out} is a file; give a folder, or a name that ends in {first.suffix}")
    for target in targets:
        if target.is_dir():
            raise ExportError(f"{target} is a folder, not a file to write")
        if source is not None and target.exists() and source.exists() and target.samefile(source):
            raise ExportError(f"{target} holds the weights that are read: give another --out")
        if _of_a_run(target):
            raise ExportError(f"{target} lies among the checkpoints of a run, which are kept: give another --out")
    return targets


def _of_a_run(target: Path) -> bool:
    """Whether a file would lie in the checkpoints of a run."""
    return any(RunFolder(folder.parent).checkpoints == folder and RunFolder(folder.parent).command.exists()
               for folder in target.resolve().parents)  # fmt: skip


def compare(parcel: Parcel, answers: Answers, batches: Sequence[int]) -> tuple[float, float]:
    """The largest absolute difference from the torch model's answers on random images, and the largest of these.

    A share counts, not an absolute bound: networks that are not trained may answer with numbers like 1e-8.
    raises   ExportError where the difference is above TOLERANCE of the largest answer, or NaN
    """
    draw = torch.Generator().manual_seed(0)
    size = parcel.arch.resolution
    pairs = []
    for batch in batches:
        images = torch.randn(batch, 3, size, size, generator=draw)
        with torch.no_grad():
            pairs.append(_compared(parcel.model(images), answers(images)))
    return max(found for found, _ in pairs), max(largest for _, largest in pairs)


def _compared(wanted: Tensor, got: Tensor) -> tuple[float, float]:
    if not wanted.isfinite().all():
        raise ExportError("the network answers with infinite numbers or NaN: its weights are of no use")
    if got.shape != wanted.shape:
        raise ExportError(f"the exported network answers with shape {list(got.shape)} instead of {list(wanted.shape)}")
    found, largest = float((got - wanted).abs().max()), float(wanted.abs().max())
    bound = TOLERANCE * max(FAINT, largest)
    if not found <= bound:  # NaN, too
        raise ExportError(f"the exported network differs by {found:.2g} from the torch model, whose answers go up to "
                          f"{largest:.3g}; at most {bound:.2g} can be rounding")  # fmt: skip
    return found, largest


@contextmanager
def _fresh_folder(out: Path) -> Iterator[Path]:
    """An empty folder beside `out`, gone afterwards, so that files can be moved into place whole."""
    try:
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=".export-") as name:
            yield Path(name)
    except OSError as error:
        raise ExportError(f"{out} cannot be written: {error.strerror or error}") from None
