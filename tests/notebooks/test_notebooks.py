"""The notebooks run from the first cell to the last and show what they promise; the pages in docs/ are of them."""

import re

import nbformat
import pandas as pd
import plotly.graph_objects as go
import pytest

from tests.notebooks.running import NOTEBOOKS, PLOTLY, data, executed, printed, read

PAGES = NOTEBOOKS[0].parents[1] / "docs" / "notebooks"
LARGEST = 64_000  # bytes of a picture


def named(path):
    return path.stem


@pytest.fixture
def ran(request, tmp_path):
    """A notebook by the first digits of its name, executed in an empty folder."""
    (path,) = (path for path in NOTEBOOKS if path.name.startswith(request.param))
    made = executed(path, tmp_path)
    assert printed(made, "stderr") == ""
    return made


def figures(notebook):
    """Its figures, read back; a trace of each has points."""
    made = [go.Figure({"data": each["data"], "layout": each["layout"]}) for each in data(notebook, PLOTLY)]
    assert all(any(trace.y is not None and len(trace.y) for trace in figure.data) for figure in made)
    return made


def tables(notebook):
    """Its tables, read back from what is displayed: columns of numbers where all cells are."""
    made = []
    for text in data(notebook, "text/html"):
        names, *rows = (re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"(?s)<tr.*?</tr>", text))
        table = pd.DataFrame(rows, columns=names).drop(columns="")
        made.append(table.apply(lambda column: column if column.name == "name" else column.map(float)))
    return made


@pytest.mark.slow
@pytest.mark.parametrize("ran", ["01"], indirect=True)
def test_the_first_search_ends_with_a_front_and_a_network_to_take_home(ran):
    (front,), (figure,), text = tables(ran), figures(ran), printed(ran)
    assert len(front) >= 1
    assert (front["madds"] <= 3_000_000).all()
    assert front["top1"].between(0, 1).all()
    assert front["top1_test"].notna().sum() == 1
    assert sum(len(trace.x) for trace in figure.data if trace.meta == "trials") == 8
    assert "answers differ from the torch model's by" in text
    assert re.search(r"first/report\.html \d", text)


@pytest.mark.slow
@pytest.mark.parametrize("ran", ["02"], indirect=True)
def test_a_space_is_counted_in_two_ways_and_the_better_one_is_found(ran):
    text, (costs, edf) = printed(ran), figures(ran)
    assert "72,576 networks counted" in text
    ((fit, size),) = re.findall(r"wide: ([\d,]+) of ([\d,]+) networks fit", text)
    assert f"wide: {size} codes; {fit} fit" in text  # the command's exact count
    assert "wide against plain: errors are lower at the 5 % level" in text
    assert {trace.name for trace in costs.data} == {"plain", "wide"} <= {trace.name for trace in edf.data}
    assert sum(costs.data[0].y) == pytest.approx(1)


@pytest.mark.slow
@pytest.mark.parametrize("ran", ["03"], indirect=True)
def test_an_ablation_says_what_it_shows_and_what_it_cannot(ran):
    text, (pairs,) = printed(ran), tables(ran)
    small, shown = text.split("What such a run can and cannot show:")
    assert re.search(r"relu6 minus linear: [+-]\d.*in \d of 4 pairs: (not )?shown", small)
    assert "smallest effect shown with 80 % power" in small
    assert "That says nothing about a full training" in shown
    assert {"base", "level", "difference", "madds"} <= set(pairs.columns)
    assert (pairs["level"] - pairs["base"] - pairs["difference"]).abs().max() < 2e-4
    paired, cost, spirals, kept = figures(ran)
    assert len(cost.data) >= 2
    assert len(spirals.data) >= 9
    assert {trace.name for trace in kept.data} >= {"ReLU", "ReLU6", "no activation"}
    assert any(trace.name == "no difference" for trace in paired.data)


@pytest.mark.slow
@pytest.mark.parametrize("ran", ["04"], indirect=True)
def test_milliseconds_are_foretold_and_measured(ran):
    text, (first, foretold) = printed(ran), tables(ran)
    assert len(first) == 4
    assert ((first["low"] <= first["ms"]) & (first["ms"] <= first["high"]) & (first["low"] > 0)).all()
    assert len(foretold) == 12
    assert (foretold["latency_ms_predicted"] > 0).all()
    (turned,) = re.findall(r"In (\d+) of 66 pairs", text)
    assert 0 <= int(turned) <= 66
    assert re.search(r"The table is off by \d", text)
    predicted, madds = figures(ran)
    assert max(len(trace.x) for trace in predicted.data) == 12
    assert [trace.name for trace in madds.data] == ["inverted residuals", "fused"]
    assert sum(len(trace.x) for trace in madds.data) == 12


@pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
def test_a_notebook_is_kept_without_what_it_printed(path):
    notebook = read(path)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    assert all(not cell.outputs and cell.execution_count is None and not cell.metadata for cell in code)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
def test_its_page_is_of_this_notebook(path):
    page = (PAGES / f"{path.stem}.md").read_text(encoding="utf-8")
    for cell in read(path).cells:
        assert cell.source.strip() in page, f"make notebooks: {cell.source[:60]}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
def test_its_page_has_small_pictures_and_no_paths_of_a_machine(path):
    page = (PAGES / f"{path.stem}.md").read_text(encoding="utf-8")
    pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", page)
    assert pictures
    assert all((PAGES / name).stat().st_size <= LARGEST for name in pictures)
    assert {file.name for file in PAGES.glob(f"{path.stem}_*.png")} == set(pictures)
    assert not re.search(r"(/tmp|/home|/root|/work|/Users|/var)/", page)
