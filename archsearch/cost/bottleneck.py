"""Memory of what has to be stored between blocks: table 3 of arXiv:1801.04381."""

from itertools import groupby

from archsearch.spec.arch import Arch
from archsearch.spec.lower import STEM, lower


def bottleneck_memory(arch: Arch, element: int = 2) -> dict[int, tuple[int, int]]:
    """The largest tensor that stands between two blocks, for each side of the feature map.

    What lies inside a block is not stored: a block may be computed in slices of its hidden channels, the first one
    together with the stem, the last convolution together with the pooling behind it.
    element  bytes of one number; 2 as in the paper
    returns  side [pixels] -> (channels, bytes), largest side first
    Source: arXiv:1801.04381, section 5.1 and table 3.
    """
    most: dict[int, int] = {}
    for _, members in groupby(lower(arch), key=lambda op: op.group):
        block = [op for op in members if op.times and op.stage != STEM]
        for end in block[-1:] if block and block[0].stage >= 0 else [op for op in block if op.kind == "pool"]:
            side, channels = int(end.size_out), int(end.c_out)
            most[side] = max(most.get(side, 0), channels)
    return {side: (c, c * side * side * element) for side, c in sorted(most.items(), reverse=True)}
