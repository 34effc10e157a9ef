"""One primitive operation with shapes: the only thing that counters, models and drawings know of a network."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Int: TypeAlias = int | NDArray[np.int64]
else:
    Int: TypeAlias = Any  # an int, or int64[n] for n networks at once

KINDS = ("conv", "linear", "pool", "add", "act", "mul", "cat", "resize", "detections")


@dataclass(frozen=True, slots=True, kw_only=True)
class Op:
    """One operation. Every Int is an int, or int64[n] for n networks at once.

    Inside a block, `inputs` names labels of the same block ("" = the block's input); an absent op (`times` 0) stands
    for its first input. `c_in` and `size_in` are those of the first input; what the others hold is in `held`.
    After `unroll`, `name` is the torch module's path and `inputs` are names ("input" = the image).
    """

    kind: str  # one of KINDS
    label: str  # what it does in its block: expand, depthwise, project, ...
    c_in: Int  # channels
    c_out: Int
    size_in: Int  # side of the square feature map [pixels]
    size_out: Int
    kernel: Int = 1
    stride: Int = 1
    dilation: int = 1  # pixels from one tap of the kernel to the next
    per_group: Int = 1  # input channels that one output channel sees: c_in, or 1 where depthwise
    bias: bool = False
    norm: bool = False  # followed by batch norm
    act: Any = "linear"  # activation fused behind it; costs nothing, so an array of names is never looked at
    held: Int = 0  # elements of other tensors that are live while it runs (a shortcut)
    times: Int = 1  # how often it stands in the network; 0 = absent
    inputs: tuple[str, ...] = ("",)
    flat: bool = False  # its modules lie directly in the block's sequence (torchvision's naming of projections)
    stage: int = 0  # -1 stem, 0.. stages, -2 head
    group: int = 0  # ops of one block (times its repeats) share it
    name: str = ""
