"""Traits: what an architecture tells of its accuracy before training, summed over ops as costs are.

They are no costs, so no command prints them; the surrogate learns from them. Both are ops' own numbers, exact.
"""

from archsearch.cost.metrics import Metric
from archsearch.spec.ops import Int, Op

UNIT = 2**16  # parts of the image's side in which the reach is counted


def depth(op: Op) -> Int:
    """1 for a convolution that looks beyond its own pixel."""
    return (op.kernel > 1) * 1 if op.kind == "conv" else 0


def reach(op: Op) -> Int:
    """What a convolution adds to the side of the receptive field, as a share of the image's side, in 1/65536.

    A kernel of k on a map of n pixels adds (k - 1) of its pixels, each 1/n of the image's side (Araujo et al. 2019,
    doi:10.23915/distill.00021).
    """
    if op.kind != "conv":
        return 0
    return UNIT * (op.kernel - 1) * op.dilation // op.size_in


DEPTH = Metric(name="depth", unit="", price=depth, about="convolutions with a kernel above 1 in a row")
REACH = Metric(name="reach", unit="/65536", price=reach, about="side of the receptive field, as a share of the image's")
