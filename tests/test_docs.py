"""What the documents show is run: Python blocks, the space file, the JSON and text forms, links between pages."""

import json
import re
import tomllib
import warnings
from pathlib import Path

import pytest

from archsearch.spec.arch import Arch
from archsearch.spec.presets import read_arch
from archsearch.spec.space_file import parse_space

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "README.md"]


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.M | re.S)


PYTHON = [(page, code) for page in PAGES if page.parent.name == "docs" for code in blocks(page, "python")]


@pytest.mark.parametrize(("page", "code"), PYTHON, ids=[f"{page.name}-{i}" for i, (page, _) in enumerate(PYTHON)])
def test_python_in_the_docs_runs(page, code):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fvcore traces with torch's deprecated tracer
        exec(compile(code, str(page), "exec"), {"__name__": "docs"})


def test_the_space_file_in_the_docs_has_the_axes_that_it_names():
    (text,) = blocks(ROOT / "docs" / "spaces.md", "toml")
    space = parse_space(tomllib.loads(text), name="garden")
    named = re.findall(r"# axis `([^`]+)`", text)
    assert [axis.name for axis in space.axes] == named
    assert space.size == 10368


def test_the_json_network_in_the_docs_is_written_as_it_is_read():
    (text,) = blocks(ROOT / "docs" / "spaces.md", "json")
    assert Arch.from_json(text).to_dict() == json.loads(text)


def test_the_text_form_in_the_docs_is_a_network():
    (text,) = re.findall(r'`"(r32 [^"]+)"`', (ROOT / "docs" / "spaces.md").read_text(encoding="utf-8"))
    assert read_arch(text).stages[0].kernel == 5


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (page.parent / target).exists(), target
