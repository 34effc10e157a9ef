"""What an exporter is: it writes a network to files, and reads back what it wrote, so that the two can be compared."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from archsearch.errors import ExportError
from archsearch.nn.build import Network
from archsearch.spec.arch import Arch

Answers = Callable[[Tensor], Tensor]  # images float32[b, 3, r, r] -> what the network says of them


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """A network on its way out: its spec, its modules with their weights, the images it shall take at once."""

    arch: Arch
    model: Network  # evaluation mode, on the CPU, batch norm not folded
    batch: int | None = 1  # images at once; None = any number

    def __post_init__(self) -> None:
        if self.batch is not None and self.batch < 1:
            raise ExportError(f"batch must be at least 1, or dynamic, got {self.batch}")


@dataclass(frozen=True, kw_only=True)
class Exporter:
    """A format: the files of a network, written into a folder and read back from it.

    `write` gives what is worth telling of the result (an opset), as plain values; it may write to the folder only.
    `read` runs what the files hold, never the parcel's modules; where they hold no weights it may take the parcel's.
    """

    about: str
    files: tuple[str, ...]  # names that `write` makes; they may be renamed afterwards, all to one stem
    write: Callable[[Parcel, Path], dict[str, Any]]
    read: Callable[[Parcel, Path], Answers]
    any_batch: bool = True  # the files take any number of images, whatever `Parcel.batch` says
    weights: bool = True  # the files hold weights
    runtime: str = "torch"  # the package with which `read` runs them
