"""space list --zoo."""

from pathlib import Path

import pytest
import typer

from archsearch.cli.zoo import _check, list_zoo
from archsearch.cost.bottleneck import bottleneck_memory
from archsearch.cost.published import compare
from archsearch.spec.presets import preset
from archsearch.spec.zoo import ROWS
from archsearch.spec.zoo.published import Figure, Published

PAGE = Path(__file__).resolve().parents[2] / "docs" / "zoo.md"


def test_the_zoo_is_in_order_and_the_table_names_every_network(cli):
    shown = cli("space", "list", "--zoo", "--check")
    assert shown.code == 0
    assert all(row.name in shown.out for row in ROWS)
    assert "docs/zoo.md" in shown.err


def test_json_has_the_counts_and_the_printed_figures(cli):
    rows = cli("space", "list", "--zoo", "--json").json
    assert len(rows) == len(ROWS)
    (row,) = [row for row in rows if row["name"] == "fbnet_c" and row["agrees"] == "yes"]
    assert (row["madds"], row["params"]) == (384_960_160, 5_572_200)
    assert row["printed_madds"] == {
        "text": "383.0M", "convention": "conv", "cut": False, "counted": 382_976_160, "agrees": True, "misprint": "",
    }  # fmt: skip
    assert [row["printed_madds"] for row in rows if row["name"] == "proxyless_gpu"] == [None]


def test_a_figure_that_disagrees_without_a_word_is_a_failure(capsys):
    row = Published(name="fbnet_c", source="nowhere", madds=Figure(text="300M"), params=Figure(text="5.6M"))
    with pytest.raises(typer.Exit) as left:
        _check([compare(row)])
    assert left.value.exit_code == 1
    told = capsys.readouterr().err
    assert told == (
        "archsearch: fbnet_c, madds 300M (nowhere) does not follow, and nothing says why; counted 384,960,160\n"
    )


@pytest.mark.parametrize("option", ["--check", "--markdown"])
def test_options_of_the_zoo_need_it(cli, option):
    done = cli("space", "list", option)
    assert done.code == 2
    assert "add --zoo" in done.err


def test_the_page_holds_the_tables_of_the_command(capsys):
    list_zoo(check=False, as_json=False, markdown=True)
    assert PAGE.read_text(encoding="utf-8").endswith(
        "a test compares them with the counts.\n\n" + capsys.readouterr().out
    )


def test_the_page_holds_the_memory_between_blocks():
    text = PAGE.read_text(encoding="utf-8")
    first, second = (bottleneck_memory(preset(name)) for name in ("mobilenet_v1", "mobilenet_v2"))
    for side in first:
        cells = [cell.strip() for cell in text.split(f"\n| {side} |")[1].split("\n")[0].split("|")]
        assert cells[1] == "{} / {:,}".format(*first[side])
        assert cells[3] == "{} / {:,}".format(*second[side])
