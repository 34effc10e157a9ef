"""The command that hands a network over: to ONNX, torch.export, plain torch, Python, JSON."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archsearch.cli.options import ArchArgument, JsonOption, SeedOption
from archsearch.errors import ExportError

if TYPE_CHECKING:
    from archsearch.cli.weights import Found
    from archsearch.export.base import Exporter
    from archsearch.export.pack import Packed

TO = "onnx, pt2 (torch.export), state-dict, python (a file that needs torch alone), json, or another package's format."
OUT = "File to write; of python a folder, or FILE.py. [default: NAME.onnx and so on here, NAME the preset's or the key]"
BATCH = "Images at once, or dynamic: any number. Of onnx and pt2; the others take any. [default: 1]"
WEIGHTS = "A model.pt of archsearch train or run, or a state dict; torchvision's of mobilenet_v2 fits. [default: the \
trained weights of RUN#TRIAL]"


def export(
    arch: ArchArgument,
    to: Annotated[str, typer.Option("--to", help=TO, metavar="FORMAT")],
    out: Annotated[Path | None, typer.Option("--out", help=OUT, metavar="PATH")] = None,
    batch: Annotated[str | None, typer.Option("--batch", help=BATCH, metavar="N|dynamic")] = None,
    weights: Annotated[Path | None, typer.Option("--weights", help=WEIGHTS, metavar="FILE")] = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Write one network in a form that runs without archsearch, and check that it answers as the torch model does.

    A finalist of a run, RUN#TRIAL, takes its trained weights along. A network without any gets random ones from --seed.

    Examples: archsearch export results/run-1#best --to onnx --batch dynamic; archsearch export mobilenet_v2 --to json
    """
    from archsearch import plugins
    from archsearch.cli.show import console, print_json
    from archsearch.export.base import Parcel
    from archsearch.export.pack import pack, places

    exporter = plugins.load("exporters", to)
    images = _batch(batch, to, exporter)
    log = console(error=True)
    found = _found(arch, weights, exporter)
    path = out or Path(_name(arch, found) + _ending(exporter))
    places(exporter, path, found.file)  # whatever is in the way is told before any work
    if exporter.weights and found.file is None:
        log.print(f"no trained weights: these are random, from seed {seed}; --weights FILE brings some",
                  markup=False, style="yellow", soft_wrap=True)  # fmt: skip
    with _spinner(log, f"exporting to {to}"):
        parcel = Parcel(arch=found.arch, model=found.model(seed), batch=images)
        packed = pack(parcel, to, path, source=found.file)
    if as_json:
        told = {"format": to, "batch": "dynamic" if exporter.any_batch or images is None else images,
                "weights": str(found.file) if found.file else None}  # fmt: skip
        print_json({**_document(found, packed, exporter), **told})
        return
    console().print(_told(packed, exporter), markup=False, soft_wrap=True)


def _batch(text: str | None, to: str, exporter: "Exporter") -> int | None:
    """Images at once; None = any number."""
    if text is not None and text != "dynamic" and not re.fullmatch("[1-9][0-9]{0,5}", text):
        raise ExportError(f"--batch must be a whole number from 1, or dynamic, got {text!r}")
    if exporter.any_batch and text not in (None, "dynamic"):
        raise ExportError(f"--batch {text} goes with formats that fix it, like onnx; {to} takes any number of images")
    return None if text == "dynamic" else int(text or 1)


def _found(arch: str, weights: Path | None, exporter: "Exporter") -> "Found":
    from archsearch.cli.options import read_arch
    from archsearch.cli.weights import Found, find

    if exporter.weights:
        return find(arch, weights)
    if weights is not None:
        raise ExportError(f"--weights {weights} goes with formats that hold weights; this one is {exporter.about}")
    return Found(arch=read_arch(arch))


def _name(arch: str, found: "Found") -> str:
    """A preset's name; of anything else the network's key."""
    from archsearch.spec.canon import key

    preset = re.fullmatch(r"[\w.]+", arch) and not arch.endswith(".json")
    return arch if preset else key(found.arch)


def _ending(exporter: "Exporter") -> str:
    """What a default name ends in; a format of several files goes to a folder."""
    return "" if len(exporter.files) > 1 else Path(exporter.files[0]).suffix


@contextmanager
def _spinner(log: Any, title: str) -> Iterator[None]:
    """A sign of life on a terminal; nothing elsewhere."""
    if not log.is_terminal:
        yield
        return
    with log.status(title):
        yield


def _document(found: "Found", packed: "Packed", exporter: "Exporter") -> dict[str, Any]:
    from archsearch.cost.count import record

    return {**record(found.arch), "written": [str(path) for path in packed.files],
            "largest_difference": packed.difference, "largest_answer": packed.answer,
            "checked_with": _runtime(exporter), "checked_batches": list(packed.batches), **packed.facts}  # fmt: skip


def _runtime(exporter: "Exporter") -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"{exporter.runtime} {version(exporter.runtime)}"
    except PackageNotFoundError:
        return exporter.runtime


def _told(packed: "Packed", exporter: "Exporter") -> str:
    files = [f"{path} ({path.stat().st_size / 1e6:.1f} MB)" for path in packed.files]
    batches = " and ".join(map(str, packed.batches))
    difference = (f"answers differ from the torch model's by {packed.difference:.1e} at most (they go up to "
                  f"{packed.answer:.3g}; {_runtime(exporter)}, batch {batches}, random images)")  # fmt: skip
    return "\n".join([*files, difference])
