"""archsearch bench search: its document, its files, its tables, its gate, its complaints."""

import json

import numpy as np
import pandas as pd
import pytest

from archsearch.cli.main import code
from archsearch.cli.race import volume_rows

ROWS = ["a,b,acc,madds"] + [
    f"{a},{b},{50 + 9 * a + 3 * b + (a == b)},{10 + 7 * a + 3 * b * b}" for a in range(5) for b in range(4)
]


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "twenty.csv"
    path.write_text("\n".join(ROWS) + "\n")
    (tmp_path / "twenty.toml").write_text('[axes]\na = "a"\nb = "b"\n')
    return str(path), "--mapping", str(tmp_path / "twenty.toml")


def _run(capsys, *arguments):
    left = code(["bench", "search", *map(str, arguments)])
    told = capsys.readouterr()
    return left, told.out, told.err


def test_the_document_and_the_files(table, tmp_path, capsys):
    out = tmp_path / "out"
    left, said, _ = _run(capsys, "--table", *table, "--samplers", "random,optuna_random", "--seeds", 2, "--budget", 10,
                         "--out", out, "--json")  # fmt: skip
    assert left == 0
    told = json.loads(said)
    assert (told["table"], told["seeds"], list(told["samplers"])) == ("twenty", 2, ["random", "optuna_random"])
    assert json.loads((out / "search.json").read_text())["samplers"] == told["samplers"]
    rows = pd.read_csv(out / "search.csv")
    assert len(rows) == 2 * 2 * 10
    last = rows[(rows["sampler"] == "random") & (rows["evaluation"] == 10)]["hypervolume_min"]
    assert np.median(last) == pytest.approx(told["samplers"]["random"]["hypervolume_at"]["min"]["10"])
    assert "optuna_random" in (out / "search.html").read_text()
    assert told["written"] == [str(out / f"search.{kind}") for kind in ("json", "csv", "html")]


def test_the_same_command_says_the_same_but_for_times(table, tmp_path, capsys):
    arguments = ("--table", *table, "--samplers", "local,optuna_tpe_mv_int", "--seeds", 2, "--budget", 12, "--pending",
                 3, "--noisy", "--json", "--out", tmp_path / "out")  # fmt: skip

    def told():
        document = json.loads(_run(capsys, *arguments)[1])
        for each in document["samplers"].values():
            for name in [name for name in each if name.startswith("suggest_ms")]:
                del each[name]
        return document

    assert told() == told()


def test_the_tables_have_a_row_for_each_sampler(table, tmp_path, capsys):
    left, said, _ = _run(capsys, "--table", *table, "--samplers", "random,local,optuna_random", "--seeds", 3,
                         "--budget", 20, "--reference", "0.7", "--under", "25", "--out", tmp_path)  # fmt: skip
    assert left == 0
    assert said.count("reference: ") == 3
    assert "best network at or below 25" in said
    for name in ("random", "local", "optuna_random"):
        assert sum(line.split()[0] == name for line in said.splitlines() if line) == 4


def test_a_row_of_the_table_holds_the_documents_figures(table, tmp_path, capsys):
    told = json.loads(_run(capsys, "--table", *table, "--samplers", "local,optuna_random", "--seeds", 3, "--budget", 20,
                           "--out", tmp_path, "--json")[1])  # fmt: skip
    columns, rows = volume_rows(told, "min")
    assert [len(row) for row in rows] == [len(columns)] * 2
    cell = rows[0][columns.index("to 99 %")]
    assert cell.startswith(f"{told['samplers']['local']['evaluations_to']['min']['0.99']:g} [")


def test_a_gate_passes_what_it_recorded_and_fails_what_is_worse(table, tmp_path, capsys):
    band = tmp_path / "band.json"
    run = ("--table", *table, "--samplers", "local", "--seeds", 3, "--budget", 12, "--out", tmp_path)
    assert _run(capsys, *run, "--record", band)[0] == 0
    kept = json.loads(band.read_text())
    kept["contest"]["samplers"] = ["local"]  # nothing to be better than
    band.write_text(json.dumps(kept))
    left, said, _ = _run(capsys, "--check", band)
    assert (left, said) == (0, "local is as good as recorded\n")
    left, said, heard = _run(capsys, "--check", band, "--record", tmp_path / "other.json")
    assert (left, said, heard.count("\n"), "--record does not go with --check" in heard) == (2, "", 1, True)
    for figure in kept["figures"]:
        figure["least"] = 1.1
    band.write_text(json.dumps(kept))
    left, said, _ = _run(capsys, "--check", band, "--json")
    assert left == 1
    assert len(json.loads(said)["complaints"]) == len(kept["figures"])


@pytest.mark.parametrize("words", [
    ("--samplers", "default"), ("--seeds", 20), ("--budget", 200), ("--objective", "front"), ("--budget-madds", "5M"),
    ("--budget-params", "1M"), ("--budget-memory", "1MiB"), ("--noisy",), ("--repeats",), ("--no-repeats",),
    ("--pending", 1), ("--shuffle",), ("--seed", 0), ("--png",), ("--table", "t.csv"), ("--coarsen", 2),
])  # fmt: skip
def test_what_a_band_settles_is_not_asked_for_beside_it(words, tmp_path, capsys):
    left, said, heard = _run(capsys, *words, "--check", tmp_path / "band.json")
    told = words[0].replace("--no-", "--")
    assert (left, said, heard.count("\n"), f"{told} does not go with --check" in heard) == (2, "", 1, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--samplers", "rndom"], "did you mean 'random'"),
        (["--objective", "worst"], "--objective must be front or best"),
        (["--objective", "best", "--minimize", "madds"], "--minimize does not go with --objective best"),
        (["--reference", "88"], "--reference must be a fraction"),
        (["--budget", "0"], "--budget must be at least 1"),
        (["--minimize", "latency"], "has no cost 'latency'"),
        (["--table", "nothing.csv"], "nothing.csv"),
        (["--table", "additive"], "needs --space"),
    ],
)
def test_wrong_requests_are_one_line_and_code_2(table, arguments, message, capsys):
    left, said, heard = _run(capsys, "--table", *table, "--samplers", "random", "--seeds", "1", *arguments)
    assert (left, said, len(heard.splitlines())) == (2, "", 1)
    assert message in heard


def test_no_table_is_one_line_and_code_2(capsys):
    left, _, heard = _run(capsys)
    assert (left, len(heard.splitlines())) == (2, 1)
    assert "--table is missing" in heard


@pytest.mark.parametrize("part", ["figures", "asked", "contest"])
def test_a_band_with_a_part_missing_is_one_line_and_code_2(part, table, tmp_path, capsys):
    band = tmp_path / "band.json"
    run = ("--table", *table, "--samplers", "local", "--seeds", 1, "--budget", 4, "--out", tmp_path)
    _run(capsys, *run, "--record", band)
    kept = json.loads(band.read_text())
    late = kept | {"figures": [kept["figures"][0] | {"evaluations": 5}]}
    for wrong in ({name: kept[name] for name in kept if name != part}, late):
        band.write_text(json.dumps(wrong))
        left, said, heard = _run(capsys, "--check", band)
        assert (left, said, heard.count("\n"), "is no band" in heard) == (2, "", 1, True)


def test_a_band_that_cannot_be_written_is_told_before_the_search(table, tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    run = ("--table", *table, "--samplers", "random", "--seeds", 1, "--budget", 3, "--out", tmp_path / "out")
    left, said, heard = _run(capsys, *run, "--record", tmp_path / "file" / "band.json")
    assert (left, said, heard.count("\n")) == (2, "", 1)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_named_before_the_search(table, tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    for out in (tmp_path / "file", tmp_path / "file" / "deeper"):
        left, said, told = _run(
            capsys, "--table", *table, "--samplers", "random", "--seeds", 1, "--budget", 3, "--out", out
        )
        assert (left, said, told.count("\n")) == (2, "", 1)
        assert f"folder {out} cannot be written" in told
