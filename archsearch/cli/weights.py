"""Weights of a network as the user names them: a finalist of a run, a file, or none."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsearch.cli.options import find_trial, read_arch
from archsearch.errors import CheckpointError
from archsearch.records import RunFolder

if TYPE_CHECKING:
    from archsearch.nn.build import Network
    from archsearch.spec.arch import Arch


@dataclass(frozen=True, kw_only=True)
class Found:
    """A network and its trained weights; without a file there are none."""

    arch: "Arch"
    file: Path | None = None
    state: Mapping[str, Any] | None = None

    def model(self, seed: int) -> "Network":
        """The network in evaluation mode; freshly initialised from the seed where there are no weights.

        raises   CheckpointError where the weights do not fit
        """
        import torch

        from archsearch.nn.build import build

        torch.manual_seed(seed)
        model = build(self.arch).eval()
        if self.state is not None:
            try:
                model.load_state_dict(self.state, strict=True)
            except (RuntimeError, TypeError, AttributeError) as error:
                told = " ".join(str(error).partition("\n")[2].split()) or str(error)
                raise CheckpointError(f"{self.file} does not fit the network: {told:.200}") from None
        return model


def find(arch: str, file: Path | None) -> Found:
    """The network that an `ARCH` argument names, with the weights in `file`, else those of a finalist RUN#TRIAL.

    raises   CheckpointError for a file that cannot be trusted, or that holds another network
    """
    from archsearch.train.weights import read

    network = read_arch(arch)
    file = file or _finalist(arch)
    if file is None:
        return Found(arch=network)
    kept, state = read(file)
    return Found(arch=network if kept is None else _same(network, kept, file), file=file, state=state)


def _finalist(arch: str) -> Path | None:
    """Where the trained weights of RUN#TRIAL lie: its own, or those of a trial with the same network."""
    folder, mark, which = arch.rpartition("#")
    if not mark:
        return None
    trial, trials = find_trial(Path(folder), which)
    same = [each.number for each in trials if each.user_attrs.get("key") == trial.user_attrs["key"]]
    kept = RunFolder(Path(folder)).checkpoints
    files = [kept / f"final-{number}" / "model.pt" for number in (trial.number, *same)]
    return next((file for file in files if file.is_file()), None)


def _same(network: "Arch", kept: "Arch", file: Path) -> "Arch":
    """The network as the file has it: its classes may be others, since a training takes its data's."""
    from archsearch.spec.canon import key
    from archsearch.spec.text import to_text

    if key(replace(network, head=replace(network.head, classes=kept.head.classes))) != key(kept):
        raise CheckpointError(f"{file} holds the weights of another network: {to_text(kept)}")
    return kept
