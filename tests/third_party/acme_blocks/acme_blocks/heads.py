"""A head that gives heat maps, one a class, at 1/8 of the image: key points of hands, say."""

from collections.abc import Iterator

from archsearch.errors import SpecError
from archsearch.spec.heads import Ends, HeadType, Tap, resize
from archsearch.spec.ops import Op


def heatmap(e: Ends) -> Iterator[Op]:
    """Last map and the map at 1/8 of the image, each by a 1x1 convolution to `hidden` channels, added; then classes."""
    inner = e.head.hidden
    if not inner:
        raise SpecError("head heatmap needs `hidden`, its channels inside, like h64")
    yield Op(kind="conv", label="top", c_in=e.c_in, c_out=inner, size_in=e.size, size_out=e.size, per_group=e.c_in,
             norm=True, act=e.head.act)  # fmt: skip
    yield resize("spread", inner, (e.size, e.tap_size), "top")
    yield Op(kind="conv", label="side", c_in=e.tap_c, c_out=inner, size_in=e.tap_size, size_out=e.tap_size,
             per_group=e.tap_c, norm=True, act=e.head.act, inputs=("tap",))  # fmt: skip
    yield Op(kind="add", label="join", c_in=inner, c_out=inner, size_in=e.tap_size, size_out=e.tap_size,
             inputs=("side", "spread"))  # fmt: skip
    yield Op(kind="conv", label="smooth", c_in=inner, c_out=inner, size_in=e.tap_size, size_out=e.tap_size, kernel=3,
             norm=True, act=e.head.act, inputs=("join",))  # fmt: skip
    yield Op(kind="conv", label="maps", c_in=inner, c_out=e.head.classes, size_in=e.tap_size, size_out=e.tap_size,
             per_group=inner, bias=True, inputs=("smooth",))  # fmt: skip


HEATMAP = HeadType(make=heatmap, tap=Tap(stride=8))
