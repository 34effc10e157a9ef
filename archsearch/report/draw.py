"""Networks drawn stage by stage: what each stage is, what it leaves of the image, what it costs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from archsearch.cost.metrics import MADDS, PARAMS
from archsearch.report.markup import Markup, table, tag
from archsearch.report.theme import scaled
from archsearch.spec.arch import Arch
from archsearch.spec.lower import HEAD, STEM, lower
from archsearch.spec.ops import Op

BLOCKS = {
    "ir": "inverted residual", "ds": "depthwise separable", "cr": "classic residual", "id": "identity",
    "cn": "convolution", "er": "fused inverted residual", "sg": "sandglass", "uib": "universal bottleneck",
}  # fmt: skip
SLOT, TALL, TOP = 79, 96, 8  # of the drawing [pixels]: a stage's slot, the largest map, the margin above
BASE = TOP + TALL  # where the maps stand


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One stage of a drawing, the stem and the head included."""

    name: str  # stem, 1, 2, ..., head
    block: str  # a name in plug-in group "blocks", or stem, head
    repeats: int
    kernel: int | None
    expand: float | None
    stride: int
    width: int  # output channels
    size: int  # side of the output map [pixels]
    madds: int
    params: int
    share: float  # of the network's MAdds


def parts(arch: Arch) -> list[Part]:
    """The stem, the stages and the head of a network; their MAdds and parameters sum to the network's."""
    ops = lower(arch)
    total = int(MADDS.total(ops)) or 1
    return [
        _part(arch, [op for op in ops if op.stage == index], index, total)
        for index in (STEM, *range(len(arch.stages)), HEAD)
    ]


def drawing(drawn: Sequence[Part]) -> Markup:
    """An SVG strip: one column a stage, one bar a block; heights show map sizes, thickness channels, text the rest."""
    width, height = SLOT * len(drawn), BASE + 92
    largest = max(part.size for part in drawn)
    columns = [_column(part, SLOT * i + SLOT / 2, part.size / largest) for i, part in enumerate(drawn)]
    label = "; ".join(f"{p.name} {p.block} x{p.repeats}, {p.width} channels, {p.size} px" for p in drawn)
    view = {"viewBox": f"0 0 {width} {height}", "width": width, "height": height}
    return tag("svg", *columns, class_="net", role="img", aria_label=label, **view)


def stage_table(drawn: Sequence[Part]) -> Markup:
    """The same as `drawing`, exactly: one row a stage."""
    head = [
        "stage",
        "block",
        "repeats",
        "kernel",
        "stride",
        "expand",
        "width",
        "output",
        "MAdds",
        "share",
        "parameters",
    ]
    rows = [tag("tr", *(tag("td", cell) for cell in _cells(part))) for part in drawn]
    return table(head, rows, "stages")


def _part(arch: Arch, ops: list[Op], index: int, total: int) -> Part:
    madds = int(MADDS.total(ops))
    common = {"madds": madds, "params": int(PARAMS.total(ops)), "share": madds / total}
    if index == STEM:
        stem = arch.stem
        return Part(name="stem", block="stem", repeats=1, kernel=stem.kernel, expand=None, stride=stem.stride,
                    width=stem.width, size=ops[-1].size_out, **common)  # fmt: skip
    if index == HEAD:
        width = arch.head.width or ops[-1].c_in
        return Part(name="head", block="head", repeats=1, kernel=1 if arch.head.width else None, expand=None, stride=1,
                    width=width, size=ops[0].size_out, **common)  # fmt: skip
    stage = arch.stages[index]
    plain = stage.block in ("ds", "id", "cn")  # their ratio means nothing
    return Part(name=str(index + 1), block=stage.block, repeats=stage.repeats, kernel=stage.kernel,
                expand=None if plain else stage.expand, stride=stage.stride, width=stage.width,
                size=ops[-1].size_out, **common)  # fmt: skip


def _cells(part: Part) -> list[str]:
    words = [part.name, BLOCKS.get(part.block, part.block), part.repeats, part.kernel, part.stride, part.expand]
    shown = ["–" if word is None else str(word) for word in words]
    shape = [str(part.width), f"{part.size} × {part.size}"]
    return [*shown, *shape, scaled("madds", part.madds), f"{100 * part.share:.1f} %", scaled("params", part.params)]


def _column(part: Part, middle: float, relative: float) -> Markup:
    bars = min(part.repeats, 8)
    thick = min(3 * math.log2(max(part.width, 4)), (SLOT - 10) / bars - 2)
    tall = max(6.0, TALL * math.sqrt(relative))
    left = middle - (bars * (thick + 2) - 2) / 2
    rects = [_rect(left + i * (thick + 2), BASE - tall, thick, tall, f"b-{part.block}") for i in range(bars)]
    return tag("g", tag("title", _sentence(part)), *rects, *_words(part, middle), *_cost_bar(part, middle))


def _words(part: Part, middle: float) -> list[Markup]:
    kernel = [f"k{part.kernel}"] if part.kernel else []
    ratio = [f"e{part.expand}"] if part.expand else []
    stride = [f"s{part.stride}"] if part.stride > 1 else []
    name = part.block if part.block in ("stem", "head") else f"{part.block} ×{part.repeats}"
    lines = [("strong", name), ("", " ".join([*kernel, *ratio, *stride])), ("", f"c{part.width} · {part.size}px")]
    return [_text(line, middle, BASE + 17 + 15 * i, kind) for i, (kind, line) in enumerate(lines)]


def _cost_bar(part: Part, middle: float) -> list[Markup]:
    wide, y = SLOT - 18, BASE + 57
    left = middle - wide / 2
    return [
        _rect(left, y, wide, 6, "track"),
        _rect(left, y, wide * part.share, 6, "cost"),
        _text(f"{100 * part.share:.0f} % MAdds", middle, y + 21, "small"),
    ]


def _sentence(part: Part) -> str:
    what = BLOCKS.get(part.block, part.block)
    return (
        f"{what}, {part.repeats} block(s), {part.width} channels at {part.size} x {part.size} pixels: "
        f"{scaled('madds', part.madds)} MAdds ({100 * part.share:.1f} %), {scaled('params', part.params)} parameters"
    )


def _rect(x: float, y: float, width: float, height: float, kind: str) -> Markup:
    box = {"x": f"{x:.1f}", "y": f"{y:.1f}", "width": f"{max(width, 0):.1f}", "height": f"{height:.1f}"}
    return tag("rect", class_=kind, rx="1.5", **box)


def _text(words: str, x: float, y: float, kind: str) -> Markup:
    return tag("text", words, class_=kind, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor="middle")
