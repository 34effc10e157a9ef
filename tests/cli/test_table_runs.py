"""run --evaluator table: a whole run on a table, resumed and refused; made-up landscapes on a huge space."""

import json

import pytest

from archsearch.evaluate.landscapes import tabulated
from archsearch.evaluate.table_file import read_table
from archsearch.spec.space_file import read_space
from archsearch.spec.text import to_text


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


@pytest.fixture
def part(tmp_path, csv):
    """A third of that table, with a latency that only the table knows."""
    lines = (tmp_path / "made.csv").read_text().splitlines()
    rows = [f"{line},{0.5 + 0.25 * (number % 17)}" for number, line in enumerate(lines[1:]) if number % 3 == 0]
    (tmp_path / "part.csv").write_text("\n".join([f"{lines[0]},latency_ms", *rows]))
    return len(rows)


MADE = ("--evaluator", "table", "--table", "made.csv", "--space", "nas_bench_macro")
PART = ("run", "--evaluator", "table", "--table", "part.csv", "--space", "nas_bench_macro", "--finalists", 2, "--json")


@pytest.mark.parametrize("sampler", ["greybox", "random", "nsga2", "tpe"])
def test_nothing_is_tried_that_an_incomplete_table_lacks(sampler, cli, part):
    done = cli(*PART, "--sampler", sampler, "--trials", 25, "--budget-madds", "60M", "--out", "r")
    assert done.code == 0, done.err
    assert done.json["trials"]["trained"] == 25
    assert "failed" not in done.json["trials"]
    assert sum(row["top1_test"] is not None for row in done.json["front"]) == 2


@pytest.mark.parametrize("sampler", ["greybox", "nsga2"])
def test_what_only_the_table_knows_can_be_minimised_and_limited(sampler, cli, part):
    words = ("--sampler", sampler, "--trials", 20, "--minimize", "latency_ms", "--out", "r")
    done = cli(*PART, *words, "--budget", "latency_ms=2.6")
    assert done.code == 0, done.err
    assert done.json["trials"]["trained"] == 20
    assert "failed" not in done.json["trials"]
    latencies = [row["latency_ms"] for row in done.json["front"]]
    assert latencies == sorted(latencies)
    assert 0.5 <= latencies[0] <= latencies[-1] <= 2.5
    tighter = cli(*PART, *words, "--budget", "latency_ms=60%")
    assert tighter.code == 0, tighter.err
    assert cli(*PART, *words, "--budget", "latency_ms=0.1").code == 2


def test_a_ladder_on_a_metric_of_the_table(cli, part, tmp_path):
    done = cli(*PART, "--trials", 25, "--budget", "latency_ms=1,2.5,4", "--out", "r")
    assert done.code == 0, done.err
    assert [(row["metric"], row["budget"]) for row in done.json["ladder"]] == [("latency_ms", n) for n in (1, 2.5, 4)]
    assert all(row["latency_ms"] <= row["budget"] for row in done.json["ladder"])
    shown = cli("front", "r", "--ladder").out.splitlines()
    assert shown[0].split()[:4] == ["latency_ms", "up", "to", "latency_ms"]
    for row, line in zip(done.json["ladder"], shown[-3:], strict=True):
        limit, own, trial, *_ = line.split()
        assert (float(limit), float(own), int(trial)) == (row["budget"], row["latency_ms"], row["trial"])
    head = (tmp_path / "r" / "report.html").read_text().partition("The budget ladder")[2]
    assert "<th>latency up to</th><th>latency</th><th>trial</th>" in head


def test_the_page_counts_each_winner_of_a_rung_once(cli, part, tmp_path):
    done = cli(*PART, "--trials", 40, "--sampler", "random", "--budget-madds", "60M,6G,7G", "--out", "r")
    winners = {row["trial"] for row in done.json["ladder"]}
    assert len(winners) < sum(row["handed_over"] for row in done.json["front"])
    assert f"<b>{len(winners)}</b><span>handed over</span>" in (tmp_path / "r" / "report.html").read_text()


def test_a_network_that_the_table_lacks_cannot_be_asked_for(cli, part, csv, tmp_path):
    space = read_space("nas_bench_macro")
    table = read_table(tmp_path / "part.csv", space)
    lost = next(code for code in csv.codes if table.rows(code[None])[0] < 0)
    done = cli(*PART, "--trials", 3, "--add", to_text(space.decode(lost)))
    assert done.code == 2
    assert "the table has no such network" in done.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--evaluator", "table"), "needs a table: --table FILE"),
        (("--table", "made.csv"), "--table and --mapping go with --evaluator table, not with train"),
        (("--evaluator", "table", "--table", "none.csv"), "there is no such file"),
        (("--evaluator", "table", "--table", "made.csv"), "table made belongs to no design space; give --space"),
        (("--evaluator", "table", "--table", "made.csv"), "archsearch bench search needs none"),
        ((*MADE, "--budget", "latency_ms=3"), "latency_ms"),
        ((*MADE, "--minimize", "latency_ms"), "latency_ms"),
        ((*MADE, "--budget", "madds"), "must be METRIC=LIMIT, like latency_ms=12.5"),
        ((*MADE, "--budget-madds", "9M", "--budget", "madds=8M"), "madds has the limit '9M' already"),
        ((*MADE, "--budget-madds", "1k"), "no network of table made meets the whole budget; the nearest has madds"),
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
