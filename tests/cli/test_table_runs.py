"""run --evaluator table: a whole run on a table, resumed and refused; made-up landscapes on a huge space."""

import json

import pytest

from archsearch.evaluate.landscapes import tabulated
from archsearch.spec.space_file import read_space


@pytest.fixture
def csv(tmp_path):
    """A made-up table of NAS-Bench-Macro's space as a CSV with one column an axis."""
    table = tabulated("additive", read_space("nas_bench_macro"))
    names = ",".join(axis.name for axis in table.axes)
    rows = [",".join([*(str(table.axes[at].values[choice]) for at, choice in enumerate(code)),
                      *(repr(float(value)) for value in table.top1[row])])
            for row, code in enumerate(table.codes.tolist())]  # fmt: skip
    (tmp_path / "made.csv").write_text("\n".join([f"{names},acc1,acc2,acc3", *rows]))
    return table


def test_a_run_on_a_table_finds_its_figures_and_goes_on(cli, csv, tmp_path):
    command = ("run", "--evaluator", "table", "--table", "made.csv", "--space", "nas_bench_macro",
               "--budget-madds", "60M", "--finalists", 2, "--out", "r", "--json")  # fmt: skip
    done = cli(*command, "--trials", 6)
    assert done.code == 0, done.err
    assert done.json["trials"] == {"trained": 6}
    assert "looked up in made" in done.err
    known = {round(value, 9) for value in csv.top1.ravel().tolist()}
    assert all(round(row["top1"], 9) in known and row["madds"] <= 60_000_000 for row in done.json["front"])
    tested = [row for row in done.json["front"] if row["top1_test"] is not None]
    assert len(tested) == 2
    means = {round(value, 9) for value in csv.mean.tolist()}
    assert all(round(row["top1_test"], 9) in means for row in tested)
    assert cli(*command, "--trials", 8).json["trials"] == {"trained": 8}
    manifest = json.loads((tmp_path / "r" / "manifest.json").read_text())
    assert manifest["dataset"]["networks"] == len(csv)
    assert len(manifest["resumed"]) == 1
    text = (tmp_path / "made.csv").read_text()
    (tmp_path / "made.csv").write_text(text.replace("0.8", "0.7"))
    again = cli(*command, "--trials", 9)
    assert again.code == 2
    assert "data 'made.csv' has changed" in again.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--evaluator", "table"), "needs a table: --table FILE"),
        (("--table", "made.csv"), "--table and --mapping go with --evaluator table, not with train"),
        (("--evaluator", "table", "--table", "none.csv"), "there is no such file"),
        (("--evaluator", "table", "--table", "made.csv"), "table made belongs to no design space; give --space"),
        (("--evaluator", "table", "--table", "made.csv", "--space", "mobilenet_v2"), "space mobilenet_v2"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_line(words, told, cli, csv):
    done = cli("run", *words, "--trials", 2)
    assert done.code == 2
    assert told in done.err.replace("\n", " ")


@pytest.mark.parametrize("family", ["additive", "deceptive"])
def test_a_landscape_judges_networks_of_a_huge_space(family, cli):
    done = cli("run", "--evaluator", family, "--space", "mobilenet_v2_small", "--budget-madds", "40M", "--trials", 4,
               "--finalists", 1, "--out", "r", "--json")  # fmt: skip
    assert done.code == 0
    assert "accuracies are made up" in done.err
    assert done.json["trials"] == {"trained": 4}
