"""First weights for networks that shall be compared: alike wherever their layers have a shape in common."""

import hashlib

import torch

from archsearch.nn.build import Network, build, initialise
from archsearch.nn.places import Place, layers
from archsearch.spec.arch import Arch
from archsearch.train.seed import seeded


def paired(arch: Arch) -> Network:
    """A network whose every layer is drawn by a generator of its own: of the seed, its place and its tensor's shape.

    Two networks that are made under the same seed of torch's global generator agree in all layers that have the same
    place and shape in both, whatever lies between. The distributions are those of `nn.build.build`.
    """
    start = int(torch.randint(2**31, ()))
    model = build(arch)
    for place, layer in layers(arch).items():
        for path in dict.fromkeys(name.rpartition(".")[0] for name in layer.tensors.values()):
            module = model.get_submodule(path)
            with seeded(start, _number(place, module)):
                initialise(module)
    return model


def _number(place: Place, module: torch.nn.Module) -> int:
    """A number for a layer's place and shape; its block's type does not count."""
    shapes = [tuple(tensor.shape) for tensor in module.parameters()]
    told = repr((place.level, place.block, place.label, type(module).__name__, shapes))
    return int(hashlib.sha256(told.encode()).hexdigest()[:8], 16)
