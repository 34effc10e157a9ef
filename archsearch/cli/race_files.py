"""The files of runs side by side, a benchmark's or real ones: a document, a table, a page, figures."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsearch.errors import ReportError, RunError

if TYPE_CHECKING:
    from archsearch.bench.score import Score


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """What the files are called and what their page says."""

    name: str  # of the files and of the command
    title: str
    lead: str
    counted: str  # what the figures' axis counts
    titles: Mapping[str, str]  # reference point -> headline of its figure


def made(folder: Path) -> Path:
    """The folder, created where it is not there.

    raises   RunError where nothing can be written into it (read-only, a file in the way)
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".write-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise RunError(f"folder {folder} cannot be written: {error.strerror or error}") from None
    return folder


def write_race(
    folder: Path, sheet: Sheet, *, told: Mapping[str, Any], rows: Iterable[Mapping[str, Any]],
    scores: Mapping[str, Sequence["Score"]], png: bool,
) -> list[Path]:  # fmt: skip
    """NAME.json, NAME.csv, NAME.html, and where wanted and possible NAME-<reference>.png."""
    import pandas as pd

    from archsearch.cli.show import console
    from archsearch.records import write_atomic
    from archsearch.report.png import write_png
    from archsearch.report.race import race_data, race_page, race_plot

    made(folder)
    figures = {
        name: race_plot(race_data({who: [each.volume[name] for each in runs] for who, runs in scores.items()}),
                        counted=sheet.counted)
        for name in sheet.titles
    }  # fmt: skip
    page = race_page(sheet.title, sheet.lead, {sheet.titles[name]: figure for name, figure in figures.items()},
                     command=f"bench {sheet.name}")  # fmt: skip
    paths = [folder / f"{sheet.name}.{kind}" for kind in ("json", "csv", "html")]
    texts = (json.dumps(told, indent=2) + "\n", pd.DataFrame(rows).to_csv(index=False), page)
    for path, text in zip(paths, texts, strict=True):
        write_atomic(path, text)
    try:
        drawn = [write_png(figure, folder / f"{sheet.name}-{name}.png") for name, figure in figures.items() if png]
    except ReportError as error:
        console(error=True).print(f"no PNG: {error}", markup=False, soft_wrap=True)
        return paths
    return paths + drawn
