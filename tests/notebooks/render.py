"""`python -m tests.notebooks.render [01 ...]`: execute notebooks, write pages with pictures to docs/notebooks."""

import base64
import re
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from nbconvert import MarkdownExporter
from PIL import Image

from archsearch.report.png import write_png
from tests.notebooks.running import NOTEBOOKS, PLOTLY, executed, outputs

PAGES = Path(__file__).resolve().parents[2] / "docs" / "notebooks"
WIDE, HIGH = 760, 420  # of a picture [pixels], where the figure itself says nothing
COLOURS = 256  # of a picture
SCALES = (1.5, 1.25, 1.0)  # pixels of a picture for each of the figure: the first that is small enough
LARGEST = 60_000  # bytes of a picture


def picture(figure: go.Figure, work: Path) -> bytes:
    """A figure as a small PNG on white paper."""
    height = int(figure.layout.height or HIGH)
    with Image.open(write_png(figure, work / "figure.png", width=WIDE, height=height)) as drawn:
        whole = drawn.convert("RGB")
    for scale in SCALES:
        small = whole.resize((round(WIDE * scale), round(height * scale)), Image.Resampling.LANCZOS)
        made = BytesIO()
        small.quantize(COLOURS, dither=Image.Dither.NONE).save(made, "PNG", optimize=True)
        if made.tell() <= LARGEST:
            break
    return made.getvalue()


def plain(notebook: Any, work: Path) -> Any:
    """The notebook with pictures for figures, and tables without pandas' style."""
    for each in outputs(notebook):
        shown = each.get("data", {})
        if PLOTLY in shown:
            figure = go.Figure({"data": shown[PLOTLY]["data"], "layout": shown[PLOTLY]["layout"]})
            each["data"] = {"image/png": base64.b64encode(picture(figure, work)).decode()}
        if "text/html" in shown:
            table = re.sub(r"<style scoped>.*?</style>\n?", "", shown["text/html"], flags=re.S)
            each["data"] = {"text/html": table.replace(' border="1" class="dataframe"', "")}
    return notebook


def render(path: Path) -> list[Path]:
    """Write a notebook's page and pictures; their paths. Pictures of an earlier page are removed."""
    with tempfile.TemporaryDirectory() as work:
        made = plain(executed(path, Path(work) / "run"), Path(work))
    text, found = MarkdownExporter().from_notebook_node(made, resources={"unique_key": path.stem})
    PAGES.mkdir(parents=True, exist_ok=True)
    for old in PAGES.glob(f"{path.stem}_*.png"):
        old.unlink()
    pages = {f"{path.stem}.md": re.sub(r"[ \t]+$", "", text, flags=re.M).strip().encode() + b"\n"}
    for name, content in (pages | found["outputs"]).items():
        (PAGES / name).write_bytes(content)
    return [PAGES / name for name in pages | found["outputs"]]


if __name__ == "__main__":
    asked = sys.argv[1:]
    for notebook in NOTEBOOKS:
        if not asked or notebook.stem.startswith(tuple(asked)):
            print(*(f"{path.name} ({path.stat().st_size / 1000:.0f} kB)" for path in render(notebook)), flush=True)
