"""Each example of docs/tables.md is read, and is what the line below it says."""

import re
from pathlib import Path

import pytest

from archsearch.evaluate.table import Table
from archsearch.evaluate.table_file import read_table
from archsearch.evaluate.table_map import KEYS, UNITS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "tables.md").read_text(encoding="utf-8")
EXAMPLES = {part.partition("\n")[0]: part for part in re.split("^### ", PAGE.split("\n## Made-up")[0], flags=re.M)[1:]}
KINDS = {"csv": "table.csv", "json": "table.json", "toml": "mapping.toml", "space": "space.toml"}


def told(table: Table) -> str:
    """A table in the words of the page."""
    open_axes = [axis.name if table.space is not None and len(table.axes) > 2 else
                 f"{axis.name} ({', '.join(map(str, axis.values))})" for axis in table.axes]  # fmt: skip
    seeds = table.top1.shape[1]
    costs = f"costs {', '.join(sorted(table.costs))}" if table.costs else "no costs"
    words = [f"{len(table)} networks", f"axes {', '.join(open_axes)}", f"{seeds} seed{'s' * (seeds > 1)}", costs,
             f"first {table.mean[0]:.1%}".replace("%", " %")]  # fmt: skip
    words += [f"{table.seconds[0]:.0f} seconds"] if table.seconds is not None else []
    words += [f"{table.curves.shape[-1]} epochs"] if table.curves is not None else []
    return "; ".join(words)


@pytest.mark.parametrize("title", EXAMPLES)
def test_an_example_of_the_page_is_what_it_says(title, tmp_path):
    for kind, text in re.findall(r"^```(\w+)\n(.*?)^```", EXAMPLES[title], flags=re.M | re.S):
        (tmp_path / KINDS[kind]).write_text(text)
    (file,) = tmp_path.glob("table.*")
    mapping = tmp_path / "mapping.toml"
    table = read_table(file, mapping=mapping if mapping.is_file() else None)
    assert told(table) in EXAMPLES[title].splitlines()


def test_the_page_names_every_key_and_unit():
    assert len(EXAMPLES) >= 5
    rows = PAGE.partition("## The mapping")[2].partition("## Examples")[0]
    assert [key for key in KEYS if f"`{key}`" not in rows and f"`[{key}]`" not in rows] == []
    assert [unit for unit in UNITS if f"`{unit}`" not in rows] == []
