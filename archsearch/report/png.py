"""Figures as PNG files, drawn by kaleido in a browser."""

import re
from pathlib import Path

import plotly.graph_objects as go

from archsearch.errors import ReportError
from archsearch.report.view import View, front_figure, view

NO_BROWSER = (
    "a PNG needs Chrome or Chromium and none was found; install one (Debian: apt-get install chromium) "
    "or name it in BROWSER_PATH; the HTML page needs none"
)


def write_png(figure: go.Figure, path: Path, *, width: int = 1000, height: int = 560) -> Path:
    """The figure on white paper at twice `width` x `height` pixels.

    The browser is kaleido's choice: BROWSER_PATH, else the first Chrome or Chromium it finds. It opens no page from
    the network and runs without its sandbox, which lets it start as root (in containers).
    raises   ReportError if there is no browser, it does not start, or the file cannot be written
    """
    from kaleido.errors import ChromeNotFoundError  # here: kaleido is slow to import and only PNGs need it

    white = go.Figure(figure).update_layout(paper_bgcolor="#ffffff", plot_bgcolor="#ffffff")
    try:
        image = white.to_image(format="png", width=width, height=height, scale=2)
    except Exception as error:  # plotly, kaleido and the browser each have their own; no PNG is one case to the user
        missing = isinstance(error, ChromeNotFoundError) or isinstance(error.__context__, ChromeNotFoundError)
        raise ReportError(NO_BROWSER if missing else f"the browser drew no PNG: {_one_line(error)}") from error
    try:
        Path(path).write_bytes(image)
    except OSError as error:
        raise ReportError(f"cannot write {path}: {error.strerror or error}") from error
    return Path(path)


def write_pngs(run_dir: Path, seen: View | None = None) -> list[Path]:
    """Write the front figures as `front-<metric>.png` into the run's folder; raises as `write_png`.

    seen     the run, where it was read already
    """
    seen = seen or view(run_dir)
    name = {metric: re.sub(r"[^A-Za-z0-9_-]", "_", metric) for metric in seen.metrics}
    return [write_png(front_figure(seen, m)[0], Path(run_dir) / f"front-{name[m]}.png") for m in seen.metrics]


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
