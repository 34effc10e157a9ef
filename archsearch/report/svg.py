"""Diagrams as SVG: numbers become rectangles and words. Well-formed XML, whatever a name holds; no script, no links."""

import math
import re
import textwrap
from dataclasses import dataclass
from importlib.resources import files

from archsearch.report.diagram import FAMILIES, Diagram, Layer, Row, family, sentence
from archsearch.report.markup import Markup, join, tag
from archsearch.report.theme import scaled, short

LETTER, MONO = 6.2, 6.4  # mean width of a letter at 12 px, and of one of the text form [pixels]
LINE, PAD = 16, 10  # height of a line of text; room around a row
PITCH, MOST, LEAST = 6, 190, 34  # an op's place in a profile; the tallest and the lowest profile [pixels]
UNWRITTEN = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML cannot hold


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


WIDE = Frame(width=960, text=226, axis=316, left=48, right=108, memory=736, madds=452, params=594, bar=84, stacked=False)
NARROW = Frame(width=360, text=328, axis=54, left=38, right=86, memory=166, madds=16, params=188, bar=72, stacked=True,
               edge=16)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The largest of everything in a picture: what the longest bar stands for."""

    size: int
    channels: int
    memory: int
    madds: float
    params: float


def svg(drawn: Diagram) -> str:
    """One SVG file: name, text form, totals, picture; its colours follow the reader's light or dark setting."""
    head, height = _header(drawn, WIDE)
    body, more = _body(drawn, WIDE)
    style = tag("style", Markup(style_sheet()))
    whole = height + more
    paper = _rect(0, 0, WIDE.width, whole, "paper", rx=10)
    children = [tag("title", f"{drawn.name}: {drawn.text}"), style, paper, head, _moved(body, height)]
    return printable(_svg(children, WIDE.width, whole) + "\n")


def picture(drawn: Diagram, frame: Frame) -> Markup:
    """The rows alone, to stand in a page that has the style sheet and the totals."""
    body, height = _body(drawn, frame)
    return _svg([body], frame.width, height)


def style_sheet() -> str:
    """The colours of all diagrams."""
    return (files("archsearch.report") / "diagram.css").read_text(encoding="utf-8")


def printable(text: str) -> str:
    """Text with the characters that XML cannot hold replaced: a file's name may have them."""
    return UNWRITTEN.sub("\ufffd", text)


def totals(drawn: Diagram) -> list[tuple[str, str]]:
    """Name and value of each cost of the network, for reading."""
    return [(short(name), scaled(name, value)) for name, value in drawn.costs.items()]


def peak_words(drawn: Diagram) -> str:
    """Which op has the most live memory, and where it is."""
    row = _peak_row(drawn)
    role = next(layer["role"] for layer in row.layers if layer["name"] == drawn.peak)
    return f"{role} of {_place(row)} ({drawn.peak})"


def _svg(children: list[Markup], width: float, height: float) -> Markup:
    size = {"viewBox": f"0 0 {width} {height:.0f}", "width": width, "height": f"{height:.0f}"}
    return tag("svg", *children, xmlns="http://www.w3.org/2000/svg", class_="diagram", role="img", **size)


def _header(drawn: Diagram, frame: Frame) -> tuple[Markup, float]:
    lines = textwrap.wrap(drawn.text, int((frame.width - 2 * frame.edge) / MONO), max_lines=4, placeholder=" …")
    made = [_text(_cut(drawn.name, 70), frame.edge, 40, "name")]
    made += [_text(line, frame.edge, 62 + 14 * i, "code") for i, line in enumerate(lines)]
    y = 62 + 14 * len(lines) + 8
    told = " · ".join([f"{drawn.resolution} × {drawn.resolution} px", *(f"{value} {name}" for name, value in totals(drawn))])
    made.append(_text(told, frame.edge, y, "number"))
    made.append(_text(f"peak memory at the {peak_words(drawn)}", frame.edge, y + 18, "peak-word"))
    made.append(_text(f"key {drawn.key}", frame.width - frame.edge, 40, "code", anchor="end"))
    return tag("g", *made), y + 30


def _body(drawn: Diagram, frame: Frame) -> tuple[Markup, float]:
    """Heads of the columns, the rows, the legend; and how tall they are."""
    scale = _scale(drawn)
    made = [_column_heads(frame)]
    y = 30.0
    for row in drawn.rows:
        body, height = _row(row, frame, scale, peak=drawn.peak)
        made.append(_moved(body, y))
        y += height
    legend, height = _legend(drawn, frame)
    return tag("g", *made, _moved(legend, y)), y + height


def _scale(drawn: Diagram) -> Scale:
    layers, rows = drawn.layers, drawn.rows
    return Scale(
        size=max(drawn.resolution, *(layer["size_out"] for layer in layers)),
        channels=max(layer["c_out"] for layer in layers),
        memory=drawn.costs["peak_memory"],
        madds=max(row.shares["madds"] for row in rows) or 1,
        params=max(row.shares["params"] for row in rows) or 1,
    )


def _column_heads(frame: Frame) -> Markup:
    shape = [_text("pixels", frame.axis - 5, 20, "", anchor="end"), _text("channels", frame.axis + 5, 20, "")]
    if frame.stacked:
        return tag("g", *shape, _text("live memory", frame.memory, 20, ""))
    heads = [("MAdds", frame.madds), ("parameters", frame.params), ("live memory", frame.memory)]
    return tag("g", *shape, *(_text(word, x, 20, "") for word, x in heads))


def _row(row: Row, frame: Frame, scale: Scale, *, peak: str) -> tuple[Markup, float]:
    """One part of the network, from y = 0: its words, then a thin line for each op, then its shares."""
    words, tall = _words(row, frame)
    profile = min(max(PITCH * len(row.layers), LEAST), MOST)
    top = PAD + (tall + 6 if frame.stacked else 0)
    inner = profile if frame.stacked else max(tall, profile)
    bars = top + inner + 8 if frame.stacked else PAD + 1
    height = bars + 18 + PAD if frame.stacked else inner + 2 * PAD
    is_peak = any(layer["name"] == peak for layer in row.layers)
    made = [_rect(0, 0, frame.width, height, "here"), _rect(0, 0, 3, height, "peak")] if is_peak else []
    made += [_rect(frame.edge, 0, frame.width - 2 * frame.edge, 1, "line"), words]
    pitch = min(inner / max(len(row.layers), 1), 12.0)
    first = top + (inner - pitch * len(row.layers)) / 2
    starts = {"madds": float(frame.madds), "params": float(frame.params)}
    for nth, layer in enumerate(row.layers):
        at = (first + pitch * nth, pitch)
        shapes = [*_shape(layer, frame, scale, at), _memory(layer, frame, scale, at, is_peak=layer["name"] == peak)]
        for name, longest in (("madds", scale.madds), ("params", scale.params)):
            long = frame.bar * row.shares[name] / longest * layer[name] / (row.costs[name] or 1)
            shapes += [_rect(starts[name], bars, long, 12, family(layer))] if long else []
            starts[name] += long
        made.append(tag("g", tag("title", sentence(layer)), *shapes, class_="op"))
    made += _labels(row, frame, bars, starts)
    if row.layers:
        made.append(_memory_label(row, frame, scale, (first, pitch), is_peak=is_peak))
    return tag("g", *made), height


def _words(row: Row, frame: Frame) -> tuple[Markup, float]:
    """The part in words: name and blocks, output, settings; and how tall that is."""
    letters = int(frame.text / LETTER)
    title = f"{row.name} · {row.title}" if row.name != row.title else row.title
    lines = [row.shape, *textwrap.wrap(row.words, letters, max_lines=3, placeholder=" …")]
    made = [_text(_cut(title, letters - 2), frame.edge, PAD + 12, "strong")]
    made += [_text(_cut(line, letters), frame.edge, PAD + 12 + LINE * (i + 1), "") for i, line in enumerate(lines)]
    return tag("g", *made), LINE * (len(lines) + 1)


def _shape(layer: Layer, frame: Frame, scale: Scale, at: tuple[float, float]) -> list[Markup]:
    """An op's output: the map's side to the left of the axis, channels to its right, both by their square roots."""
    y, pitch = at
    tall = max(pitch - 1, pitch * 0.8)
    left = max(frame.left * math.sqrt(layer["size_out"] / scale.size), 1)
    right = max(frame.right * math.sqrt(layer["c_out"] / scale.channels), 1)
    hit = _rect(frame.axis - frame.left, y, frame.left + frame.right, pitch, "hit")
    return [hit, _rect(frame.axis - 1 - left, y, left, tall, "size"), _rect(frame.axis + 1, y, right, tall, family(layer))]


def _memory(layer: Layer, frame: Frame, scale: Scale, at: tuple[float, float], *, is_peak: bool) -> Markup:
    y, pitch = at
    long = frame.bar * layer["peak_memory"] / (scale.memory or 1)
    return _rect(frame.memory, y, max(long, 1), max(pitch - 1, pitch * 0.8), "peak" if is_peak else "memory")


def _memory_label(row: Row, frame: Frame, scale: Scale, at: tuple[float, float], *, is_peak: bool) -> Markup:
    """The most memory that is live in this part, beside the line of the op that needs it."""
    first, pitch = at
    most = row.costs["peak_memory"]
    nth = next(index for index, layer in enumerate(row.layers) if layer["peak_memory"] == most)
    x = frame.memory + frame.bar * most / (scale.memory or 1) + 6
    said = scaled("peak_memory", most)
    y = first + pitch * (nth + 0.5) + 4
    return _text(f"◀ peak {said}" if is_peak else said, x, y, "peak-word" if is_peak else "number")


def _labels(row: Row, frame: Frame, bars: float, ends: dict[str, float]) -> list[Markup]:
    """The shares of MAdds and parameters in numbers, behind their bars."""
    made = []
    for name in ("madds", "params"):
        if not row.costs[name]:
            continue
        share, cost = f"{100 * row.shares[name]:.1f} %", scaled(name, row.costs[name])
        if frame.stacked:
            made.append(_text(f"{share} {'MAdds' if name == 'madds' else 'params'}", ends[name] + 5, bars + 10, "number"))
        else:
            made += [_text(share, ends[name] + 5, bars + 10, "number"), _text(cost, getattr(frame, name), bars + 27, "")]
    return made


def _legend(drawn: Diagram, frame: Frame) -> tuple[Markup, float]:
    """The colours in use, in the order of `FAMILIES`; a new line where one is full."""
    used = {family(layer) for layer in drawn.layers}
    x, y, made = float(frame.edge), 22.0, [_rect(frame.edge, 0, frame.width - 2 * frame.edge, 1, "line")]
    for kind, words in FAMILIES.items():
        if kind not in used:
            continue
        wide = 18 + LETTER * len(words) + 14
        if x + wide > frame.width:
            x, y = float(frame.edge), y + LINE + 2
        made += [_rect(x, y - 9, 10, 10, kind, rx=2), _text(words, x + 15, y, "")]
        x += wide
    notes = "One thin line for each operation, in the order in which they run. Lengths of pixels and channels: square roots."
    for line in textwrap.wrap(notes, int((frame.width - 2 * frame.edge) / LETTER)):
        y += LINE + 2
        made.append(_text(line, frame.edge, y, ""))
    return tag("g", *made), y + 16


def _peak_row(drawn: Diagram) -> Row:
    return next(row for row in drawn.rows if any(layer["name"] == drawn.peak for layer in row.layers))


def _place(row: Row) -> str:
    return f"stage {row.name}" if row.name.isdigit() else f"the {row.name}"


def _cut(words: str, letters: int) -> str:
    return words if len(words) <= letters else f"{words[: letters - 1]}…"


def _moved(what: Markup, y: float) -> Markup:
    return tag("g", what, transform=f"translate(0 {y:.1f})")


def _rect(x: float, y: float, width: float, height: float, kind: str, *, rx: float = 0) -> Markup:
    box = {"x": f"{x:.4g}", "y": f"{y:.5g}", "width": f"{width:.4g}", "height": f"{height:.5g}"}
    return tag("rect", class_=kind, **box, **({"rx": rx} if rx else {}))


def _text(words: str, x: float, y: float, kind: str, *, anchor: str = "") -> Markup:
    named = {"class_": kind} if kind else {}
    place = {"text_anchor": anchor} if anchor else {}
    return tag("text", words, x=f"{x:.1f}", y=f"{y:.1f}", **named, **place)
