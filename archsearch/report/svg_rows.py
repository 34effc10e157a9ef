"""One row of a diagram as SVG: words, a thin line for each op, the shares as bars; and the shapes it is made of."""

import math
import textwrap
from dataclasses import dataclass

from archsearch.report.diagram import Diagram, Layer, Row, family, sentence
from archsearch.report.markup import Markup, tag
from archsearch.report.theme import scaled

LETTER = 6.2  # mean width of a letter at 12 px [pixels]
LINE, PAD = 16, 10  # height of a line of text; room around a row
PITCH, MOST, LEAST = 6, 190, 34  # an op's place in a profile; the tallest and the lowest profile [pixels]
THICK = 12.0  # the thickest line
LIST = "detections"  # kind of op whose answer is a list of boxes: it has no channels to draw
SHARED = {"madds": "MAdds", "params": "params"}  # metrics whose shares are bars, and their word beside one


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Where things stand in a row [pixels]. Side by side on a wide page; one below the other on a narrow one."""

    width: int
    text: int  # room for words, from `edge`
    axis: int  # of the shapes: pixels to its left, channels to its right
    left: int  # the widest map
    right: int  # the most channels
    memory: int  # left end of each column of bars
    madds: int
    params: int
    bar: int  # the longest bar
    stacked: bool
    edge: int = 20

    def at(self, metric: str) -> int:
        """Left end of the bars of a metric in `SHARED`."""
        return {"madds": self.madds, "params": self.params}[metric]


WIDE = Frame(
    width=960, text=226, axis=316, left=48, right=108, memory=736, madds=452, params=594, bar=84, stacked=False
)
NARROW = Frame(width=360, text=328, axis=54, left=38, right=86, memory=166, madds=16, params=188, bar=72, stacked=True,
               edge=16)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The largest of everything in a picture: what the longest bar stands for."""

    size: int
    channels: int
    memory: int
    shares: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the parts of one row stand, from the row's top [pixels]."""

    lines: float  # the first op's thin line
    pitch: float  # from one line to the next
    bars: float  # the bars of shares
    height: float  # of the row


def scale_of(drawn: Diagram) -> Scale:
    """The scale of a whole picture: all its rows can be compared."""
    layers, rows = drawn.layers, drawn.rows
    return Scale(
        size=max(drawn.resolution, *(layer["size_out"] for layer in layers)),
        channels=max(layer["c_out"] for layer in layers if layer["kind"] != LIST),
        memory=drawn.costs["peak_memory"] or 1,
        shares={name: max(row.shares[name] for row in rows) or 1 for name in SHARED},
    )


def drawn_row(row: Row, frame: Frame, scale: Scale, *, peak: str) -> tuple[Markup, float]:
    """One part of the network, from y = 0, and how tall it is; `peak` names the op with the most live memory."""
    words, tall = _words(row, frame)
    place = _place(len(row.layers), frame, tall)
    is_peak = any(layer["name"] == peak for layer in row.layers)
    here = [rect(0, 0, frame.width, place.height, "here"), rect(0, 0, 3, place.height, "peak")] if is_peak else []
    line = rect(frame.edge, 0, frame.width - 2 * frame.edge, 1, "line")
    ops, ends = _ops(row, frame, scale, place, peak=peak)
    labels = [*_labels(row, frame, place.bars, ends), *_memory_label(row, frame, scale, place, is_peak=is_peak)]
    return tag("g", *here, line, words, *ops, *labels), place.height


def _place(number: int, frame: Frame, words: float) -> Place:
    """Where `number` ops stand beside, or below, words that are that tall; many ops share the tallest profile."""
    profile = min(max(PITCH * number, LEAST), MOST)
    top = PAD + (words + 6 if frame.stacked else 0)
    inner = profile if frame.stacked else max(words, profile)
    bars = top + inner + 8 if frame.stacked else PAD + 1
    pitch = min(inner / max(number, 1), THICK)
    return Place(lines=top + (inner - pitch * number) / 2, pitch=pitch, bars=bars,
                 height=bars + 18 + PAD if frame.stacked else inner + 2 * PAD)  # fmt: skip


def _ops(row: Row, frame: Frame, scale: Scale, place: Place, *, peak: str) -> tuple[list[Markup], dict[str, float]]:
    """A group for each op, with its thin line and its piece of each bar; and where the bars end."""
    made, ends = [], {name: float(frame.at(name)) for name in SHARED}
    for nth, layer in enumerate(row.layers):
        y = place.lines + place.pitch * nth
        shapes = _line(layer, frame, scale, (y, place.pitch), is_peak=layer["name"] == peak)
        for name in SHARED:
            share = row.shares[name] * layer[name] / (row.costs[name] or 1)
            long = frame.bar * share / scale.shares[name]
            shapes += [rect(ends[name], place.bars, long, 12, family(layer))] if long else []
            ends[name] += long
        made.append(tag("g", tag("title", sentence(layer)), *shapes, class_="op"))
    return made, ends


def _words(row: Row, frame: Frame) -> tuple[Markup, float]:
    """The part in words: name and blocks, output, settings; and how tall that is."""
    letters = int(frame.text / LETTER)
    title = f"{row.name} · {row.title}" if row.name != row.title else row.title
    lines = [row.shape, *textwrap.wrap(row.words, letters, max_lines=3, placeholder=" …")]
    made = [text(cut(title, letters - 2), frame.edge, PAD + 12, "strong")]
    made += [text(cut(line, letters), frame.edge, PAD + 12 + LINE * (i + 1), "") for i, line in enumerate(lines)]
    return tag("g", *made), LINE * (len(lines) + 1)


def _line(layer: Layer, frame: Frame, scale: Scale, at: tuple[float, float], *, is_peak: bool) -> list[Markup]:
    """An op's output, the side of its map to the left of the axis and its channels to the right; its live memory."""
    y, pitch = at
    tall = max(pitch - 1, pitch * 0.8)
    left = max(frame.left * math.sqrt(layer["size_out"] / scale.size), 1)
    right = 1 if layer["kind"] == LIST else max(frame.right * math.sqrt(layer["c_out"] / scale.channels), 1)
    memory = max(frame.bar * layer["peak_memory"] / scale.memory, 1)
    return [
        rect(frame.axis - frame.left, y, frame.left + frame.right, pitch, "hit"),
        rect(frame.axis - 1 - left, y, left, tall, "size"),
        rect(frame.axis + 1, y, right, tall, family(layer)),
        rect(frame.memory, y, memory, tall, "peak" if is_peak else "memory"),
    ]


def _memory_label(row: Row, frame: Frame, scale: Scale, place: Place, *, is_peak: bool) -> list[Markup]:
    """The most memory that is live in this part, beside the line of the op that needs it."""
    if not row.layers:
        return []
    most = row.costs["peak_memory"]
    nth = next(index for index, layer in enumerate(row.layers) if layer["peak_memory"] == most)
    x = frame.memory + frame.bar * most / scale.memory + 6
    y = place.lines + place.pitch * (nth + 0.5) + 4
    said = scaled("peak_memory", most)
    return [text(f"◀ peak {said}" if is_peak else said, x, y, "peak-word" if is_peak else "number")]


def _labels(row: Row, frame: Frame, bars: float, ends: dict[str, float]) -> list[Markup]:
    """The shares in numbers behind their bars; below them, where there is room, the costs."""
    made = []
    for name, word in SHARED.items():
        if not row.costs[name]:
            continue
        share = f"{100 * row.shares[name]:.1f} %"
        made.append(text(f"{share} {word}" if frame.stacked else share, ends[name] + 5, bars + 10, "number"))
        if not frame.stacked:
            made.append(text(scaled(name, row.costs[name]), frame.at(name), bars + 27, ""))
    return made


def cut(words: str, letters: int) -> str:
    """Words, or their beginning where they are longer than that many letters."""
    return words if len(words) <= letters else f"{words[: letters - 1]}…"


def moved(what: Markup, y: float) -> Markup:
    """The same, lower."""
    return tag("g", what, transform=f"translate(0 {_number(y)})")


def rect(x: float, y: float, width: float, height: float, kind: str) -> Markup:
    """A rectangle [pixels] of a class of the style sheet."""
    box = {"x": x, "y": y, "width": width, "height": height}
    return tag("rect", class_=kind, **{name: _number(value) for name, value in box.items()})


def text(words: str, x: float, y: float, kind: str, *, anchor: str = "") -> Markup:
    """A line of words whose baseline starts, or for the anchor "end" ends, at a point [pixels]."""
    named = {"class_": kind} if kind else {}
    place = {"text_anchor": anchor} if anchor else {}
    return tag("text", words, x=_number(x), y=_number(y), **named, **place)


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
