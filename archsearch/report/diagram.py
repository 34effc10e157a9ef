"""A network's picture in numbers: one row for each part, with its shapes, words and shares; drawn by `svg.py`."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from archsearch.cost.count import all_metrics, metric, record
from archsearch.cost.layers import layers, peak_row, stage_name
from archsearch.report.draw import BLOCKS
from archsearch.spec.arch import Arch
from archsearch.spec.lower import lower_part, parts

Layer = dict[str, Any]  # a row of `cost.layers.layers`

FAMILIES = {"pointwise": "1 × 1 convolution", "depthwise": "depthwise convolution", "dense": "k × k convolution",
            "linear": "linear layer", "free": "no weights"}  # fmt: skip
TOLD = ("width", "repeats", "stride", "kernel", "expand", "block", "act")  # fields of a stage with words of their own
SHAPES = 2  # outputs that are spelled out


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One part of the picture: the stem, a stage or the head."""

    name: str  # "stem", "1", ..., "head"
    title: str  # "inverted residual × 3"
    shape: str  # "32 channels, 28 × 28 px": its output, or several
    words: str  # "kernel 3, stride 2, expand 6, relu6"
    layers: tuple[Layer, ...]  # its ops, in the order in which they run; none where nothing is computed
    costs: dict[str, int]  # metric -> cost of this part alone
    shares: dict[str, float]  # metric -> share of the network's cost; of a peak, how much of it is reached here


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagram:
    """A network ready to be drawn."""

    name: str  # what the reader calls it
    text: str  # its text form
    key: str
    resolution: int  # of the image [pixels]
    costs: dict[str, int]  # metric -> cost of the whole network
    rows: tuple[Row, ...]
    peak: str  # name of the op with the most live memory

    @property
    def layers(self) -> list[Layer]:
        """All ops, row after row."""
        return [layer for row in self.rows for layer in row.layers]


def diagram(arch: Arch, *, name: str = "") -> Diagram:
    """The picture of a network; `name` is its title, else its key.

    raises   SpecError for a network of more ops than can be listed
    """
    listed = layers(arch)
    told = record(arch)
    costs = {each: int(str(told[each])) for each in all_metrics()}
    places = dict.fromkeys([*(stage_name(part) for part in parts(arch)), *(layer["stage"] for layer in listed)])
    members = {place: [layer for layer in listed if layer["stage"] == place] for place in places}
    rows = tuple(_row(arch, place, inside, costs) for place, inside in members.items())
    return Diagram(name=name or str(told["key"]), text=str(told["arch"]), key=str(told["key"]), costs=costs, rows=rows,
                   resolution=arch.resolution, peak=listed[peak_row(listed)]["name"])  # fmt: skip


def summary(drawn: Diagram) -> list[dict[str, Any]]:
    """The rows as plain records, for programs: words, number of ops, costs and shares."""
    told = ("name", "title", "shape", "words", "costs", "shares")
    return [{**{name: getattr(row, name) for name in told}, "operations": len(row.layers)} for row in drawn.rows]


def family(layer: Layer) -> str:
    """What kind of arithmetic an op is: a key of `FAMILIES`. Kinds without weights, known or not, are "free"."""
    if layer["kind"] == "linear":
        return "linear"
    if layer["kind"] != "conv":
        return "free"
    if layer["per_group"] == 1 and layer["c_in"] > 1:
        return "depthwise"
    return "pointwise" if layer["kernel"] == 1 else "dense"


def sentence(layer: Layer) -> str:
    """All about one op, for a tooltip: a line for the shapes, one for each cost."""
    act = "" if layer["act"] == "linear" else f", {layer['act']}"
    window = f"{layer['kernel']} × {layer['kernel']}, stride {layer['stride']}, " if layer["kernel"] > 1 else ""
    window += f"dilation {layer['dilation']}, " if layer["dilation"] > 1 else ""
    shapes = f"{layer['c_in']} > {layer['c_out']} channels, {layer['size_in']} > {layer['size_out']} px"
    costs = [f"{each.replace('_', ' ')} {layer[each]:,} {metric(each).unit}".rstrip() for each in all_metrics()]
    return "\n".join([f"{layer['name']}: {layer['role']} ({layer['kind']})", f"{window}{shapes}{act}", *costs])


def _row(arch: Arch, place: str, inside: Sequence[Layer], whole: dict[str, int]) -> Row:
    costs = {}
    for name in whole:
        prices = [int(layer[name]) for layer in inside]
        costs[name] = max(prices, default=0) if metric(name).peak else sum(prices)
    title, own = _stage(arch, int(place) - 1) if place.isdigit() else (place, [])
    title = arch.head.kind if place == "head" and arch.head.kind != "classifier" else title
    told = list(dict.fromkeys(layer["role"] for layer in inside)) if place == "head" else _window(inside)
    words = ", ".join([*told, *own, *_acts(inside)])
    return Row(name=place, title=title, shape=_shape(inside), words=words, layers=tuple(inside), costs=costs,
               shares={name: costs[name] / (whole[name] or 1) for name in whole})  # fmt: skip


def _stage(arch: Arch, index: int) -> tuple[str, list[str]]:
    """A stage's title, and its settings that are not the default; the expansion unless it changes nothing."""
    stage = arch.stages[index]
    settings = [f"expand {stage.expand:g}"] if _expands(arch, index) else []
    for field in fields(stage):
        value = getattr(stage, field.name)
        if field.name not in TOLD and value != field.default:
            settings.append(f"{field.name} {value}")
    repeats = f" × {stage.repeats}" if stage.repeats != 1 else ""
    return f"{BLOCKS.get(stage.block, stage.block)}{repeats}", settings


def _expands(arch: Arch, index: int) -> bool:
    """Whether another expansion would be another stage: some block types ignore theirs."""
    now = lower_part(arch, index)
    for expand in (1, 64):
        stages = list(arch.stages)
        stages[index] = replace(stages[index], expand=expand)
        if lower_part(replace(arch, stages=tuple(stages)), index) != now:
            return True
    return False


def _window(inside: Sequence[Layer]) -> list[str]:
    """Kernels and strides of the convolutions; "kernel 1" only where there is no other."""
    convs = [layer for layer in inside if layer["kind"] == "conv"]
    kernels = list(dict.fromkeys(layer["kernel"] for layer in convs))
    wide = [str(kernel) for kernel in kernels if kernel > 1] or [str(kernel) for kernel in kernels]
    strides = [str(each) for each in dict.fromkeys(layer["stride"] for layer in convs) if each > 1]
    dilated = [str(each) for each in dict.fromkeys(layer["dilation"] for layer in convs) if each > 1]
    told = (("kernel", wide), ("stride", strides), ("dilation", dilated))
    return [f"{what} {' and '.join(found)}" for what, found in told if found]


def _acts(inside: Sequence[Layer]) -> list[str]:
    """What follows the convolutions, and lone activations: ["relu6/linear"]."""
    found = dict.fromkeys(layer["act"] for layer in inside if layer["kind"] in ("conv", "act"))
    return ["/".join(found)] if found else []


def _shape(inside: Sequence[Layer]) -> str:
    """The outputs of a part: tensors that no op of it reads."""
    if not inside:
        return "nothing is computed"
    read = {name for layer in inside for name in layer["inputs"]}
    ends = [layer for layer in inside if layer["name"] not in read]
    if len(ends) == 1 and ends[0]["kind"] == "detections":
        return f"{ends[0]['c_out']:,} numbers: boxes and classes"
    if len(ends) == 1:
        return f"{ends[0]['c_out']} channels, {ends[0]['size_out']} × {ends[0]['size_out']} px"
    shapes = [f"{layer['c_out']} at {layer['size_out']} px" for layer in ends[:SHAPES]]
    return f"{len(ends)} outputs: {', '.join(shapes)}{' …' if len(ends) > SHAPES else ''}"
