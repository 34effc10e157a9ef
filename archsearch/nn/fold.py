"""Batch norm folded into the convolutions before it: the network as it is deployed and timed."""

import copy

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from archsearch.nn.build import Network, Place


def folded(model: Network) -> Network:
    """A copy in evaluation mode whose convolutions hold the batch norms behind them, which are gone.

    Same answers as `model.eval()` up to rounding. A norm that follows something else than a convolution stays.
    """
    deployed = copy.deepcopy(model).eval()
    deployed._steps = [(_fused(chain), *rest) for chain, *rest in deployed._steps]
    return deployed


def _fused(chain: list[Place]) -> list[Place]:
    """The places of one op without those of folded norms; their modules are changed, so hand in a copy's."""
    kept: list[Place] = []
    for parent, name in chain:
        before = getattr(*kept[-1]) if kept else None
        module = getattr(parent, name)
        if isinstance(before, nn.Conv2d) and isinstance(module, nn.BatchNorm2d):
            setattr(*kept[-1], fuse_conv_bn_eval(before, module))
            delattr(parent, name)
        else:
            kept.append((parent, name))
    return kept
