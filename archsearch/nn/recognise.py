"""Which MobileNetV2 a bare state dict holds: torchvision's, at any width."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import accumulate

import torch
from torch import Tensor

from archsearch.errors import CheckpointError, SpecError
from archsearch.nn.build import build
from archsearch.spec.arch import Arch
from archsearch.spec.presets import mobilenet_v2

WANTED = "a MobileNetV2 as torchvision names it, or the model.pt of a training, which tells its network"


def recognised(state: Mapping[str, Tensor]) -> Arch:
    """The network of a state dict with torchvision's names and MobileNetV2's 17 blocks; resolution 224.

    raises   CheckpointError where it is another network's
    """
    base = mobilenet_v2()
    numbers = [1, *accumulate((stage.repeats for stage in base.stages), initial=1)][1:-1]
    try:
        stem = state["features.0.0.weight"].shape
        c_in = [stem[0], *(_project(state, number)[0] for number in numbers)]
        stages = tuple(
            replace(stage, width=c_in[nth + 1], kernel=_depthwise(state, number)[-1],
                    expand=_depthwise(state, number)[0] / c_in[nth])
            for nth, (stage, number) in enumerate(zip(base.stages, numbers, strict=True))
        )  # fmt: skip
        classes, width = state["classifier.1.weight"].shape
        found = replace(base, stem=replace(base.stem, width=stem[0], kernel=stem[-1]), stages=stages,
                        head=replace(base.head, width=width, classes=classes))  # fmt: skip
    except (KeyError, IndexError, ValueError, AttributeError, SpecError):
        raise CheckpointError(f"these weights are of no network that is known; wanted: {WANTED}") from None
    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in build(found).state_dict().items()}
    differ = [name for name in sorted({*shapes, *state}) if name not in state or shapes.get(name) != state[name].shape]
    if differ:
        raise CheckpointError(f"these weights are of no network that is known ({differ[0]}); wanted: {WANTED}")
    return found


def _depthwise(state: Mapping[str, Tensor], number: int) -> torch.Size:
    return state[f"features.{number}.conv.{_expands(state, number)}.0.weight"].shape


def _project(state: Mapping[str, Tensor], number: int) -> torch.Size:
    return state[f"features.{number}.conv.{1 + _expands(state, number)}.weight"].shape


def _expands(state: Mapping[str, Tensor], number: int) -> int:
    """1 where a block has an expansion, else 0: then its second place holds a convolution in a module of its own."""
    return int(f"features.{number}.conv.1.0.weight" in state)
