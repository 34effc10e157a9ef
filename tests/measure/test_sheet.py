"""Devices whose owner fills in a CSV."""

import csv

import pytest

from archsearch.errors import LatencyError
from archsearch.measure.blocks import blocks_of
from archsearch.measure.model import block, whole
from archsearch.measure.ort_session import OrtModel
from archsearch.measure.sheet import SHEET, imported, read_plan, read_sheet, write_plan
from archsearch.spec.space_file import read_space
from archsearch.spec.text import from_text
from tests.measure.fake import cost_ms


@pytest.fixture(scope="module")
def space():
    return read_space("nas_bench_macro")


@pytest.fixture
def folder(space, tmp_path):
    write_plan(space, tmp_path / "plan", source="nas_bench_macro", most=17, networks=10, batch=1, seed=0)
    return tmp_path / "plan"


def filled(folder, space, ms):
    """Fill the CSV in with what `ms` says of each model, None = left empty."""
    blocks = blocks_of(space)
    rows = read_sheet(folder / SHEET)
    with (folder / SHEET).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "kind", "ms", "name"])
        for row in rows:
            made = block(blocks[row.name]) if row.kind == "block" else (
                None if row.kind == "reference" else whole(from_text(row.name), row.name))  # fmt: skip
            told = ms(row, 1.0 if made is None else cost_ms(made))
            writer.writerow([row.file, row.kind, "" if told is None else f"{told:.6f}", row.name])


def test_a_plan_holds_models_that_run_and_a_line_for_each(folder, space):
    rows = read_sheet(folder / SHEET)
    assert [row.kind for row in rows].count("block") == 17
    assert [row.kind for row in rows].count("network") == [row.kind for row in rows].count("held out") == 10
    assert all((folder / row.file).is_file() and row.ms is None for row in rows)
    assert OrtModel(folder / rows[1].file, threads=1).run() > 0
    assert OrtModel(folder / rows[-1].file, threads=1).run() > 0
    told = read_plan(folder)
    assert (told.space.name, told.batch) == ("nas_bench_macro", 1)


def test_a_filled_in_plan_becomes_a_table_that_is_judged(folder, space):
    filled(folder, space, lambda row, ms: ms)
    table = imported(space, read_sheet(folder / SHEET), device="mine", batch=1)
    assert table.passed
    assert table.fingerprint["device"] == "mine"
    assert {row["name"] for row in table.verified["scores"]} >= {"table", "madds only"}


def test_rows_may_stay_empty(folder, space):
    filled(folder, space, lambda row, ms: None if row.kind == "held out" or row.file.endswith("9.onnx") else ms)
    table = imported(space, read_sheet(folder / SHEET), device="mine", batch=1)
    assert table.verified is None
    assert len(table.blocks) < 17


def test_nonsense_in_the_networks_held_out_fails_the_table(folder, space):
    filled(folder, space, lambda row, ms: 3 * ms if row.kind == "held out" else ms)
    assert not imported(space, read_sheet(folder / SHEET), device="mine", batch=1).passed


def test_too_little_filled_in_is_told(folder, space):
    with pytest.raises(LatencyError, match="at least 8 networks and 8 blocks"):
        imported(space, read_sheet(folder / SHEET), device="mine", batch=1)


@pytest.mark.parametrize(("cells", "told"), [
    (["m", "block", "abc", "x"], "line 2: ms must be a number"), (["m", "block", "-1", "x"], "above 0"),
    (["m", "block", "nan", "x"], "above 0"), (["m", "blck", "1", "x"], "line 2: kind must be one of"),
])  # fmt: skip
def test_a_line_that_cannot_be_read_is_named(tmp_path, cells, told):
    path = tmp_path / SHEET
    path.write_text("file,kind,ms,name\n" + ",".join(cells) + "\n")
    with pytest.raises(LatencyError, match=told):
        read_sheet(path)


def test_a_block_of_another_space_is_refused(folder, space):
    filled(folder, space, lambda row, ms: ms)
    with pytest.raises(LatencyError, match="is no block of space linear_vs_relu"):
        imported(read_space("linear_vs_relu"), read_sheet(folder / SHEET), device="mine", batch=1)


def test_what_was_filled_in_is_not_written_over(folder, space):
    with pytest.raises(LatencyError, match="there already"):
        write_plan(space, folder, source="nas_bench_macro", most=17, networks=10, batch=1, seed=0)


def test_a_folder_that_is_no_plan_is_told(tmp_path):
    with pytest.raises(LatencyError, match="no folder of archsearch latency plan"):
        read_plan(tmp_path)


def test_the_reference_must_be_filled_in(folder, space):
    filled(folder, space, lambda row, ms: None if row.kind == "reference" else ms)
    assert "`reference` is required" in (folder / "README.txt").read_text()
    with pytest.raises(LatencyError, match="row `reference` must be filled in"):
        imported(space, read_sheet(folder / SHEET), device="mine", batch=1)


def test_a_device_without_a_name_is_refused(folder, space):
    filled(folder, space, lambda row, ms: ms)
    with pytest.raises(LatencyError, match="--device-name"):
        imported(space, read_sheet(folder / SHEET), device=" ", batch=1)


def test_a_batch_of_nothing_is_refused_before_a_file_is_written(space, tmp_path):
    with pytest.raises(LatencyError, match="--batch must be at least 1"):
        write_plan(space, tmp_path / "p", source="nas_bench_macro", most=17, networks=10, batch=0, seed=0)
    assert not (tmp_path / "p").exists()


def test_a_folder_with_a_blank_is_quoted_in_the_call_to_copy(space, tmp_path):
    write_plan(space, tmp_path / "my phone", source="nas_bench_macro", most=8, networks=8, batch=1, seed=0)
    assert f"import '{tmp_path}/my phone' --device-name" in (tmp_path / "my phone" / "README.txt").read_text()
