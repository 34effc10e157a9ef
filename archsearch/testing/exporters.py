"""Checks of what hands networks over: exporters."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsearch.testing.common import hold

if TYPE_CHECKING:
    from archsearch.export.base import Exporter, Parcel
    from archsearch.spec.arch import Arch


def check_exporter(name: str, folder: Path) -> None:
    """An exporter: every block type and head goes through it, its files stand alone, answers are the torch model's.

    folder   an empty folder to work in
    raises   AssertionError, or ExportError where answers differ
    """
    from archsearch import plugins
    from archsearch.export.base import Exporter, Parcel
    from archsearch.export.pack import pack

    exporter = plugins.load("exporters", name)
    hold(isinstance(exporter, Exporter), f"exporter {name!r} is a {type(exporter).__name__}, not an Exporter")
    hold(bool(exporter.about), f"exporter {name!r} says nothing about itself")
    hold(len(set(exporter.files)) == len(exporter.files) > 0, f"exporter {name!r} has files {exporter.files}")
    for number, arch in enumerate(_nets()):
        parcel = Parcel(arch=arch, model=_random(arch, seed=number), batch=None if number % 2 else 2)
        before = {key: tensor.clone() for key, tensor in parcel.model.state_dict().items()}
        own = folder / str(number)
        own.mkdir()
        out = own / exporter.files[0] if len(exporter.files) == 1 else own / "made"
        packed = pack(parcel, name, out)
        hold(all(path.is_file() for path in packed.files), f"exporter {name!r} did not write {packed.files}")
        left = {path for path in own.rglob("*") if path.is_file()} - set(packed.files)
        hold(not left, f"exporter {name!r} left {sorted(left)} behind")
        after = parcel.model.state_dict()
        kept = all(tensor.equal(after[key]) for key, tensor in before.items()) and not parcel.model.training
        hold(kept, f"exporter {name!r} changes the model that it is given")
        if exporter.weights:
            _check_alone(exporter, parcel, packed.files[0].parent)


def _check_alone(exporter: "Exporter", parcel: "Parcel", folder: Path) -> None:
    """What was written answers with its own weights, not with those of the model at hand."""
    from dataclasses import replace

    from archsearch.export.pack import compare

    other = replace(parcel, model=_random(parcel.arch, seed=99))
    compare(parcel, exporter.read(other, folder), (parcel.batch or 1,))


def _nets() -> "Iterator[Arch]":
    """Small networks: every block type with its switches, every head."""
    from archsearch import plugins
    from archsearch.spec.arch import ACTIVATIONS, Arch, Head, Stage, Stem

    stages = tuple(
        Stage(block=block, width=8 + 4 * (number % 2), expand=2, act=ACTIVATIONS[number % 4], se=0.25 * (number % 2),
              stride=1 + (number == 2))
        for number, block in enumerate(plugins.names("blocks"))
    )  # fmt: skip
    yield Arch(resolution=8, stem=Stem(width=8, stride=1), stages=(*stages, Stage(width=8, repeats=2, expand=2)),
               head=Head(width=16, hidden=8, classes=3, act="hard_swish"))  # fmt: skip
    shrinking = tuple(Stage(block="cn", width=8, stride=2) for _ in range(4))
    for kind in (name for name in plugins.names("heads") if name != "classifier"):
        head = Head(kind=kind, width=8, hidden=0 if kind == "ssdlite" else 8, classes=3,
                    output_stride=0 if kind == "ssdlite" else 16)  # fmt: skip
        yield Arch(resolution=33, stem=Stem(width=8), stages=shrinking, head=head)


def _random(arch: "Arch", seed: int) -> Any:
    """A network whose weights and batch-norm statistics are random, so that nothing is left out unseen."""
    import torch

    from archsearch.nn.build import build

    draw = torch.Generator().manual_seed(seed)
    model = build(arch).eval()
    for tensor in model.state_dict().values():
        if tensor.is_floating_point():
            noise = torch.rand(tensor.shape, generator=draw)
            scale = (3 / max(1, tensor[0].numel())) ** 0.5
            tensor.copy_(noise + 0.5 if tensor.ndim == 1 else (2 * noise - 1) * scale)
    return model
