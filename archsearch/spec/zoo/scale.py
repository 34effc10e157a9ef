"""A published network at another width and resolution, and families of such networks."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from archsearch.spec.arch import Arch, head_at, scaled, stem_at
from archsearch.spec.text import from_text


@dataclass(frozen=True, slots=True)
class Family:
    """Networks under one name: `build(width, resolution)`, both optional; `build()` where `scaled` is False."""

    build: Callable[..., Arch]
    scaled: bool = True


def behind(head: Callable[[Arch], Arch], trunk: Callable[..., Arch], resolution: int) -> Family:
    """The networks of a family with another head, at a resolution of their own unless another one is asked for."""

    def build(width: float = 1.0, resolution: int = resolution) -> Arch:
        return head(trunk(width, resolution))

    return Family(build)


def network(
    text: str, width: float = 1.0, resolution: int | None = None, *, stem: bool = True, last: bool = True
) -> Arch:
    """The network of a text form under a width multiplier, as TF-slim scales: multiples of 8, never below 90 %.

    What stands behind the last feature map is not narrowed: the last 1x1 convolution keeps its width below 1 and grows
    above it; where a hidden layer stands behind it (MobileNetV3 and V4), that one does so and the convolution scales.
    resolution  of the text form where None
    stem        False: the first convolution keeps its width
    last        False: so does the last one, at every multiplier
    Source: arXiv:1801.04381, section 4.1, and the released code of TF-slim's MobileNets.
    """
    base = from_text(text)
    head = head_at(base.head, width)
    return replace(
        base,
        resolution=base.resolution if resolution is None else resolution,
        stem=stem_at(base.stem, width) if stem else base.stem,
        stages=tuple(replace(stage, width=scaled(stage.width, width)) for stage in base.stages),
        head=head if last else replace(head, width=base.head.width),
    )
