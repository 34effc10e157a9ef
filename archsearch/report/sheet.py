"""A network as one HTML page: its costs, its picture, its operations. No script, and no other file is asked for."""

from importlib.resources import files
from pathlib import Path

from archsearch.cost.budget import show
from archsearch.errors import ReportError
from archsearch.records import write_atomic
from archsearch.report.diagram import Diagram, Layer
from archsearch.report.markup import Markup, table, tag
from archsearch.report.svg import peak_words, picture, printable, style_sheet, svg, totals
from archsearch.report.svg_rows import NARROW, WIDE
from archsearch.report.theme import short

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
HEADS = ("stage", "operation", "role", "channels", "kernel", "stride", "pixels", "act")
CSS = """
.name-of { overflow-wrap: anywhere; }
.pictures { margin: 8px -14px 0; }
.pictures svg { display: block; margin: 0 auto; height: auto; max-width: 100%; }
.pictures .narrow { display: none; }
.ops td, .ops th { white-space: nowrap; text-align: right; }
.ops td:nth-child(-n+3), .ops th:nth-child(-n+3), .ops td:nth-child(8), .ops th:nth-child(8) { text-align: left; }
.ops .at-peak td { color: var(--accent); font-weight: 600; }
@media (max-width: 760px) { .pictures .wide { display: none; } .pictures .narrow { display: block; } }
"""


def check(path: Path) -> None:
    """Raise ReportError unless the name is that of an .svg or .html file."""
    if path.suffix.lower() not in (".svg", ".html"):
        raise ReportError(f"a picture is an .svg or .html file, got {str(path)!r}")


def write(drawn: Diagram, path: Path) -> None:
    """Write a picture, an .svg or .html file by its name.

    raises   ReportError for another name, RunError where the file cannot be written
    """
    check(path)
    write_atomic(path, svg(drawn) if path.suffix.lower() == ".svg" else page(drawn))


def page(drawn: Diagram) -> str:
    """The whole HTML document."""
    tiles = [tag("div", tag("b", value), tag("span", name)) for name, value in totals(drawn)]
    header = tag(
        "header",
        tag("p", "archsearch network", class_="eyebrow"),
        tag("h1", drawn.name),
        tag("p", tag("code", drawn.text), class_="lead"),
        tag("div", *tiles, class_="tiles"),
    )
    both = (tag("div", picture(drawn, frame), class_=kind) for kind, frame in (("wide", WIDE), ("narrow", NARROW)))
    said = f"The most memory is live at the {peak_words(drawn)}. Point at a line for its numbers. Key: {drawn.key}."
    main = tag(
        "main",
        tag(
            "section", tag("h2", "Stage by stage"), tag("p", said, class_="note"), tag("div", *both, class_="pictures")
        ),
        tag("section", tag("h2", "Operations"), _operations(drawn)),
    )
    return printable(
        f'<!doctype html>\n<html lang="en">{_head(drawn)}{tag("body", header, main, tag("footer"))}</html>\n'
    )


def _head(drawn: Diagram) -> Markup:
    shared = (files("archsearch.report") / "page.css").read_text(encoding="utf-8")
    return tag(
        "head",
        Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><link rel="icon" href="data:,">'),
        tag("title", f"archsearch · {drawn.name}"),
        tag("style", Markup(shared + style_sheet() + CSS)),
    )


def _operations(drawn: Diagram) -> Markup:
    """One table row for each operation, every metric a column; the peak of memory is marked."""
    rows = []
    for layer in drawn.layers:
        marked = {"class_": "at-peak"} if layer["name"] == drawn.peak else {}
        rows.append(tag("tr", *(tag("td", cell) for cell in _cells(layer, drawn)), **marked))
    costs = ["live memory" if name == "peak_memory" else short(name) for name in _metrics(drawn)]
    return table([*HEADS, *costs], rows, "ops")


def _cells(layer: Layer, drawn: Diagram) -> list[str]:
    kernel, stride = (str(layer["kernel"]), str(layer["stride"])) if layer["kind"] == "conv" else ("–", "–")
    return [layer["stage"], layer["name"], layer["role"], f"{layer['c_in']} > {layer['c_out']}", kernel,
            stride, f"{layer['size_in']} > {layer['size_out']}", layer["act"].replace("linear", "–"),
            *(show(layer[name], name) for name in _metrics(drawn))]  # fmt: skip


def _metrics(drawn: Diagram) -> list[str]:
    """The metrics, those that are looked at most in front: what does not fit on a page lies to the right."""
    return sorted(drawn.costs, key=lambda name: name not in ("madds", "params", "peak_memory"))
