"""`archsearch ablate relu-embedding`: what ReLU leaves of points in few dimensions that a random layer widened."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archsearch.errors import ReportError, RunError

FOLDER = Path("results") / "relu-embedding"
FILE = "embedding.json"
COLUMNS = ("units", "activation", "information kept", "95 % interval", "best linear map", "points still unique")


def embedded(out: Path | None, *, seed: int, png: bool, as_json: bool) -> None:
    """Make the experiment, write embedding.json and embedding.html, print its table.

    raises   RunError where the folder holds something else, or cannot be written
    """
    from archsearch.ablate.embedding import embedding
    from archsearch.cli.show import console, print_json, table
    from archsearch.records import RunFolder, append_manifest, environment, write_atomic
    from archsearch.report.embedding import embedding_page, kept_plot, spirals_plot
    from archsearch.report.png import write_png

    folder = RunFolder(out or FOLDER)
    claim(folder.root)
    made = embedding(seed)
    append_manifest(folder, {**environment(), "seed": seed})
    told: dict[str, Any] = {"folder": str(folder.root), "seed": seed, "rows": made.rows}
    paths = [folder.root / FILE, folder.root / "embedding.html"]
    told["written"] = [str(path) for path in paths]
    manifest = json.loads(folder.manifest.read_text(encoding="utf-8"))
    curves, original = [each for each in made.curves if each["act"] == "relu"], made.original.tolist()
    write_atomic(paths[1], embedding_page(made.rows, curves, original, manifest=manifest))
    log = console(error=True)
    try:
        figures = {"spirals": spirals_plot(curves, original), "kept": kept_plot(made.rows)} if png else {}
        for name, figure in figures.items():
            told["written"].append(str(write_png(figure, folder.root / f"{name}.png")))
    except ReportError as error:
        log.print(f"no PNG: {error}", markup=False, soft_wrap=True)
    write_atomic(paths[0], json.dumps(told, indent=2) + "\n")
    if as_json:
        print_json(told)
        return
    console().print(table(COLUMNS, [cells(row) for row in made.rows], left=(1,)))
    console().print(f"page: {paths[1]}", markup=False, soft_wrap=True)


def claim(root: Path) -> None:
    """Make the folder; raise RunError where it holds something else, or cannot be made."""
    if root.is_dir() and not (root / FILE).exists() and any(root.iterdir()):
        raise RunError(f"{root} is not empty and holds no {FILE}; give another --out")
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"results folder {root} cannot be written: {error.strerror or error}") from None


def cells(row: Mapping[str, Any]) -> list[str]:
    """One row of the table."""
    percent = [f"{100 * row[name]:.1f} %" for name in ("kept", "kept_linear_map", "unique")]
    interval = f"{100 * row['low']:.1f} to {100 * row['high']:.1f} %"
    return [str(row["n"]), row["act"], percent[0], interval, *percent[1:]]
