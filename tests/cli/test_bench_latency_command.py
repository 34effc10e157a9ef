"""archsearch bench outside-latency: others' latencies, foretold."""

import json

from typer.testing import CliRunner

from archsearch.cli.main import app


def test_figures_of_all_tables_are_printed(tables):
    asked = ["bench", "outside-latency", "--tables", str(tables), "--splits", "1", "--json"]
    found = json.loads(CliRunner().invoke(app, asked, catch_exceptions=False).stdout)
    assert [(row["device"], row["share"]) for row in found["blocks"]][:2] == [("i7-8700K", 0.5), ("i7-8700K", 0.2)]
    assert all(low <= middle <= high for middle, low, high in found["networks"]["ways"]["model"].values())
    assert set(found["networks"]["ways"]) == {"model", "prices alone", "madds only", "params only"}


def test_a_folder_without_the_tables_is_one_line(tmp_path):
    result = CliRunner().invoke(app, ["bench", "outside-latency", "--tables", str(tmp_path)])
    assert result.exit_code != 0
    assert "lut_nsganetv2_i7_8700k.csv" in str(result.exception or result.output)
