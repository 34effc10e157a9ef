"""One self-contained HTML page of a run: no network, nothing unescaped, rebuilt from the study at any time."""

from importlib.resources import files
from pathlib import Path

from archsearch.records import RunFolder, write_atomic
from archsearch.report import sections
from archsearch.report.ladder import handed_over, ladder_section
from archsearch.report.latency import latency_section
from archsearch.report.markup import Markup, tag
from archsearch.report.rungs import rung_section
from archsearch.report.summary import headline, tiles
from archsearch.report.trust_section import trust_section
from archsearch.report.view import View, view

POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"


def write_page(run_dir: Path, seen: View | None = None) -> Path:
    """Write `report.html` into the run's folder and return its path.

    seen     the run, where it was read already
    raises   RunError if the folder is no run or cannot be written
    """
    path = RunFolder(Path(run_dir)).report
    write_atomic(path, page(seen or view(run_dir)))
    return path


def page(seen: View) -> str:
    """The whole HTML document."""
    charts = sections.Charts()
    header = tag(
        "header",
        tag("p", "archsearch report", class_="eyebrow"),
        tag("h1", seen.name),
        tag("p", headline(seen.run, seen.manifest, seen.budgets), class_="lead"),
        sections.warning(seen),
        tiles(seen.frame, handed_over(seen)),
    )
    main = tag(
        "main",
        sections.front_section(seen, charts),
        ladder_section(seen),
        latency_section(seen, charts),
        trust_section(seen, charts),
        sections.network_section(seen),
        sections.importance_section(seen, charts),
        sections.history_section(seen, charts),
        rung_section(seen, charts),
        sections.trial_section(seen),
        sections.reading_section(seen.run),
        sections.repeat_section(seen),
    )
    footer = tag("footer", "A view of the run's Optuna study; archsearch report rebuilds it at any time.")
    return f'<!doctype html>\n<html lang="en">{head(seen.name)}{tag("body", header, main, footer)}</html>\n'


def head(name: str) -> Markup:
    """The head of a page: its title, its looks, and what it may load (nothing)."""
    style = Markup((files("archsearch.report") / "page.css").read_text(encoding="utf-8"))
    return tag(
        "head",
        Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><link rel="icon" href="data:,">'),
        tag("title", f"archsearch · {name}"),
        tag("style", style),
    )
