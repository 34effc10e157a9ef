"""space list --zoo."""

from dataclasses import replace
from pathlib import Path

import pytest
import typer

from archsearch.cli.zoo import _check, list_zoo
from archsearch.cost.bottleneck import bottleneck_memory
from archsearch.cost.conventions import counted
from archsearch.cost.count import metric
from archsearch.cost.published import compare
from archsearch.spec.lower import HEAD, lower
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
        "unexplained": "",
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


def test_what_nobody_could_explain_is_called_so_and_told_in_the_docs(cli):
    rows = cli("space", "list", "--zoo", "--check", "--json").json
    odd = {row["name"]: row for row in rows if row["agrees"] == "unexplained"}
    told = PAGE.read_text(encoding="utf-8").split("## Not explained")[1].split("\n## ")[0]
    assert len(odd) == 3
    for row in odd.values():
        printed = [row[f"printed_{metric}"] for metric in ("madds", "params")]
        (wrong,) = [each for each in printed if not each["agrees"]]
        assert wrong["unexplained"]
        assert not wrong["misprint"]
        assert wrong["text"] in told


def test_figures_in_the_text_of_the_page_are_counted():
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    lab, ssd, mnas = (preset(name) for name in (
        "deeplabv3aspp_os16_mobilenet_v2", "ssdlite_mobilenet_v2", "ssdlite_mnasnet_a1"))  # fmt: skip
    madds = [counted(lab, "madds", convention) / 1e9 for convention in ("plain", "atrous")]
    assert "{:.2f}B become {:.2f}B".format(*madds) in text
    head = sum(
        int(op.times * metric("madds").price(op)) for op in lower(ssd) if op.stage == HEAD and op.label != "last"
    )
    assert f"the head makes {head / 1e9:.3f}B" in text
    more = {classes: replace(mnas, head=replace(mnas.head, classes=classes)) for classes in (91, 92)}
    without, with_norm = (counted(more[91], "params", convention) / 1e6 for convention in ("no_norm", "plain"))
    assert f"Without batch norm the parameters are {without:.3f}M, with it {with_norm:.3f}M" in text
    norms = {part: sum(int(op.times * op.norm * op.c_out) for op in lower(mnas) if (op.stage == HEAD) == part)
             for part in (True, False)}  # fmt: skip
    assert f"92 classes without batch norm ({counted(more[92], 'params', 'no_norm') / 1e6:.3f}M)" in text
    assert f"batch norm of the head alone ({without + 2 * norms[True] / 1e6:.3f}M)" in text
    assert f"the trunk's betas alone ({without + norms[False] / 1e6:.3f}M)" in text
    missing, many = (
        counted(preset(f"deeplabv3aspp_{name}_mobilenet_v1"), "madds", convention) - printed
        for name, convention, printed in (("os16", "atrous", 14.25e9), ("os8", "atrous_scales", 941.9e9))
    )
    assert f"{-missing / 1e6:.1f}M are missing" in text
    assert f"{many / 1e9:.0f}B are too many" in text
    assert round(3 * 256 * 21 * 33**2 / 1e6, 1) == round(-missing / 1e6, 1)


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
