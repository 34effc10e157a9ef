"""Diagrams as SVG: numbers become rectangles and words. Well-formed XML, whatever a name holds; no script, no links."""

import re
import textwrap
from importlib.resources import files

from archsearch.report.diagram import FAMILIES, Diagram, Row, family
from archsearch.report.markup import Markup, tag
from archsearch.report.svg_rows import LETTER, LINE, WIDE, Frame, cut, drawn_row, moved, rect, scale_of, text
from archsearch.report.theme import scaled, short

MONO = 6.4  # width of a letter of the text form [pixels]
NOTE = "One thin line for each operation, in the order in which they run. Pixels and channels by their square roots."
UNWRITTEN = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML cannot hold


def svg(drawn: Diagram) -> str:
    """One SVG file: name, text form, totals, picture; its colours follow the reader's light or dark setting."""
    head, height = _header(drawn, WIDE)
    body, more = _body(drawn, WIDE)
    style = tag("style", Markup(style_sheet()))
    whole = height + more
    paper = rect(0, 0, WIDE.width, whole, "paper")
    children = [tag("title", f"{drawn.name}: {drawn.text}"), style, paper, head, moved(body, height)]
    return printable(_svg(drawn, children, WIDE.width, whole) + "\n")


def picture(drawn: Diagram, frame: Frame) -> Markup:
    """The rows alone, to stand in a page that has the style sheet and the totals."""
    body, height = _body(drawn, frame)
    return _svg(drawn, [body], frame.width, height)


def style_sheet() -> str:
    """The colours of all diagrams."""
    return (files("archsearch.report") / "diagram.css").read_text(encoding="utf-8")


def printable(document: str) -> str:
    """Text with the characters that XML cannot hold replaced: a file's name may have them."""
    return UNWRITTEN.sub("\ufffd", document)


def totals(drawn: Diagram) -> list[tuple[str, str]]:
    """Name and value of each cost of the network, for reading."""
    return [(short(name), scaled(name, value)) for name, value in drawn.costs.items()]


def peak_words(drawn: Diagram) -> str:
    """Which op has the most live memory, and where it is."""
    row = _peak_row(drawn)
    role = next(layer["role"] for layer in row.layers if layer["name"] == drawn.peak)
    return f"{role} of {_place(row)} ({drawn.peak})"


def _svg(drawn: Diagram, children: list[Markup], width: float, height: float) -> Markup:
    size = {"viewBox": f"0 0 {width} {height:.0f}", "width": width, "height": f"{height:.0f}"}
    said = f"{drawn.name}, stage by stage"
    return tag(
        "svg", *children, xmlns="http://www.w3.org/2000/svg", class_="diagram", role="img", aria_label=said, **size
    )


def _header(drawn: Diagram, frame: Frame) -> tuple[Markup, float]:
    lines = textwrap.wrap(drawn.text, int((frame.width - 2 * frame.edge) / MONO), max_lines=4, placeholder=" …")
    made = [text(cut(drawn.name, 70), frame.edge, 40, "name")]
    made += [text(line, frame.edge, 62 + 14 * i, "code") for i, line in enumerate(lines)]
    y = 62 + 14 * len(lines) + 8
    told = " · ".join(
        [f"{drawn.resolution} × {drawn.resolution} px", *(f"{value} {name}" for name, value in totals(drawn))]
    )
    made.append(text(cut(told, int((frame.width - 2 * frame.edge) / LETTER)), frame.edge, y, "number"))
    made.append(text(f"peak memory at the {peak_words(drawn)}", frame.edge, y + 18, "peak-word"))
    made.append(text(f"key {drawn.key}", frame.width - frame.edge, 40, "code", anchor="end"))
    return tag("g", *made), y + 30


def _body(drawn: Diagram, frame: Frame) -> tuple[Markup, float]:
    """Heads of the columns, the rows, the legend; and how tall they are."""
    scale = scale_of(drawn)
    made = [_column_heads(frame)]
    y = 30.0
    for row in drawn.rows:
        body, height = drawn_row(row, frame, scale, peak=drawn.peak)
        made.append(moved(body, y))
        y += height
    legend, height = _legend(drawn, frame)
    return tag("g", *made, moved(legend, y)), y + height


def _column_heads(frame: Frame) -> Markup:
    shape = [text("pixels", frame.axis - 5, 20, "", anchor="end"), text("channels", frame.axis + 5, 20, "")]
    if frame.stacked:
        return tag("g", *shape, text("live memory", frame.memory, 20, ""))
    heads = [("MAdds", frame.madds), ("parameters", frame.params), ("live memory", frame.memory)]
    return tag("g", *shape, *(text(word, x, 20, "") for word, x in heads))


def _legend(drawn: Diagram, frame: Frame) -> tuple[Markup, float]:
    """The colours in use, in the order of `FAMILIES`; a new line where one is full."""
    used = {family(layer) for layer in drawn.layers}
    x, y, made = float(frame.edge), 22.0, [rect(frame.edge, 0, frame.width - 2 * frame.edge, 1, "line")]
    for kind, words in FAMILIES.items():
        if kind not in used:
            continue
        wide = 18 + LETTER * len(words) + 14
        if x + wide > frame.width:
            x, y = float(frame.edge), y + LINE + 2
        made += [rect(x, y - 9, 10, 10, kind), text(words, x + 15, y, "")]
        x += wide
    for line in textwrap.wrap(NOTE, int((frame.width - 2 * frame.edge) / LETTER)):
        y += LINE + 2
        made.append(text(line, frame.edge, y, ""))
    return tag("g", *made), y + 16


def _peak_row(drawn: Diagram) -> Row:
    return next(row for row in drawn.rows if any(layer["name"] == drawn.peak for layer in row.layers))


def _place(row: Row) -> str:
    return f"stage {row.name}" if row.name.isdigit() else f"the {row.name}"
