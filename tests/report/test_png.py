"""Figures as PNG files."""

import plotly.graph_objects as go
import pytest
from PIL import Image

from archsearch.errors import ReportError
from archsearch.report.png import write_png, write_pngs


@pytest.mark.slow
def test_a_run_gets_a_png_on_white_paper(tmp_path, browser_path, monkeypatch, make):
    monkeypatch.setenv("BROWSER_PATH", browser_path)
    (path,) = write_pngs(make.run(tmp_path / "r", 6))
    assert path.name == "front-madds.png"
    with Image.open(path) as image:
        assert image.size == (2000, 1120)
        assert image.convert("RGB").getpixel((2, 2)) == (255, 255, 255)


def test_without_a_browser_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "no-browser"))
    with pytest.raises(ReportError, match="install one"):
        write_png(go.Figure(), tmp_path / "f.png")
    assert not (tmp_path / "f.png").exists()
