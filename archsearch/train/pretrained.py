"""Trained weights to begin from: torchvision's of ImageNet, or a file's."""

import hashlib
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from archsearch.errors import CheckpointError
from archsearch.nn.build import Network, build
from archsearch.nn.recognise import recognised
from archsearch.nn.transfer import Report, Weights, fitted
from archsearch.spec.arch import Arch
from archsearch.spec.presets import mobilenet_v2
from archsearch.train.weights import read

TORCHVISION = "torchvision"
TIMEOUT_S = 10.0  # to wait for the server's first answer


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Source:
    """Weights to begin from: where they come from, and a digest by which a run knows them again."""

    name: str
    weights: Weights
    digest: str  # 12 hexadecimal digits over names, shapes and values

    def network(self, arch: Arch) -> Network:
        """A network whose first weights are these, as far as they fit; the rest is drawn from torch's generator."""
        return self.fit(arch)[0]

    def fit(self, arch: Arch) -> tuple[Network, Report]:
        """The network, and what came over."""
        model = build(arch)
        state, report = fitted(self.weights, Weights(arch=arch, state=model.state_dict()))
        model.load_state_dict(state, strict=True)
        return model, report

    def begun(self, arch: Arch) -> Report:
        """What comes over to a network.

        raises   CheckpointError where no layer of its stages has a counterpart
        """
        _, report = self.fit(arch)
        if not report.inside:
            kinds = ", ".join(sorted({stage.block for stage in arch.stages}))
            there = ", ".join(sorted({stage.block for stage in self.weights.arch.stages}))
            raise CheckpointError(
                f"nothing of {self.name} fits: its blocks are {there or 'none'}, the network's {kinds or 'none'}"
            )
        return report


def source(text: str) -> Source:
    """The weights that a user names: "torchvision", or a file.

    raises   CheckpointError for what cannot be had, or is of no network that is known
    """
    if text == TORCHVISION:
        return _known(text, mobilenet_v2(), torchvision_state())
    arch, state = read(Path(text))
    if not all(isinstance(name, str) and isinstance(value, Tensor) for name, value in state.items()):
        raise CheckpointError(f"{text} holds no state dict; wanted are names and tensors")
    try:
        found = recognised(state) if arch is None else _checked(arch, state)
    except CheckpointError as error:
        raise CheckpointError(f"{text}: {error}") from None
    return _known(text, found, state)


def torchvision_state(fetch: Callable[[], Mapping[str, Tensor]] | None = None) -> Mapping[str, Tensor]:
    """torchvision's MobileNetV2 weights of ImageNet, from torch's cache or downloaded.

    fetch    how they are had; torchvision's own way where it is not given
    raises   CheckpointError telling where a file could be put by hand
    """
    from torchvision.models import MobileNet_V2_Weights

    weights = MobileNet_V2_Weights.DEFAULT
    kept = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
    try:
        if fetch is None:
            if not kept.is_file():  # torchvision sets no timeout, so ask the server once before it downloads
                request = urllib.request.Request(weights.url, method="HEAD")
                urllib.request.urlopen(request, timeout=TIMEOUT_S).close()
            return weights.get_state_dict(progress=False, check_hash=True)
        return fetch()
    except (OSError, RuntimeError) as error:
        told = (str(error).splitlines() or [type(error).__name__])[0]
        raise CheckpointError(
            f"torchvision's weights cannot be had ({told}); put the file of {weights.url} at {kept}, "
            "or give any file of weights: --init FILE"
        ) from None


def _checked(arch: Arch, state: Mapping[str, Tensor]) -> Arch:
    """The network, which a state dict must be of."""
    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in build(arch).state_dict().items()}
    differ = [name for name in sorted({*shapes, *state}) if name not in state or shapes.get(name) != state[name].shape]
    if differ:
        raise CheckpointError(f"the weights are not those of the network in the same file ({differ[0]})")
    return arch


def _known(name: str, arch: Arch, state: Mapping[str, Tensor]) -> Source:
    digest = hashlib.sha256()
    for key in sorted(state):
        digest.update(f"{key} {tuple(state[key].shape)}".encode())
        digest.update(state[key].detach().cpu().float().contiguous().numpy().tobytes())
    return Source(name=name, weights=Weights(arch=arch, state=state), digest=digest.hexdigest()[:12])
