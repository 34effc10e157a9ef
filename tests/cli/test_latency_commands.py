"""latency: measure, table, plan, import, on a made-up device and a few times on onnxruntime."""

import csv
import json

import pytest

from archsearch import plugins
from tests.measure.fake import install

SMALL = "r32 stem_c16_s1 ir_r2_k5_e3_c24 cr_r2_e4_c32_s2 head_c64_n10"
TINY = ("--space", "nas_bench_macro", "--networks", 12, "--held-out", 15, "--minutes", 1)


@pytest.fixture
def fake(monkeypatch):
    """A device that is there in this test alone."""
    install(monkeypatch)
    yield
    plugins.table.cache_clear()
    plugins.load.cache_clear()


@pytest.fixture
def built(cli, fake):
    """A table of the small space, built and judged; its path."""
    done = cli("latency", "table", "build", *TINY, "--device", "fake", "--json")
    assert done.code == 0, done.err
    return done.json["written"]


def test_a_real_measurement_has_its_interval_its_device_and_a_picture(cli):
    done = cli("latency", "measure", SMALL, "mobilenet_v2_0.35_96", "--most", 10)
    assert done.code == 0
    assert "onnxruntime, 1 thread, batch 1, float32" in done.out
    assert "█" in done.out
    found = cli("latency", "measure", SMALL, "--most", 10, "--json").json
    made = found["measurements"][0]
    assert 0 < made["low"] <= made["ms"] <= made["high"]
    assert made["arch"] == cli("count", SMALL, "--json").json["arch"]
    assert found["device"]["versions"]["onnxruntime"]
    assert sum(made["bins"]) == made["runs"]


def test_an_anchor_is_kept_and_refused_by_another_device(cli, fake):
    first = cli("latency", "measure", SMALL, "--device", "fake", "--anchor", "a.json", "--json").json
    again = cli("latency", "measure", SMALL, "--device", "fake", "--anchor", "a.json", "--json").json
    assert again["reference_ms"] == first["reference_ms"]
    other = cli("latency", "measure", SMALL, "--device", "fake", "--batch", 2, "--anchor", "a.json")
    assert (other.code, other.out) == (2, "")
    assert "made on another device: batch is 1 there, 2 here" in other.err


def test_a_table_is_built_judged_and_shown(cli, built):
    shown = cli("latency", "table", "show", built, "--json").json
    assert shown["blocks"] == shown["about"]["blocks_of_space"] == 17
    assert shown["verified"]["passed"]
    assert built == "results/latency/nas_bench_macro-fake-t1-b1-float32.json"
    arch = cli("space", "sample", "nas_bench_macro", "-n", 1, "--json").json[0]["arch"]
    told = cli("latency", "table", "show", built, arch, "--json").json["networks"][0]
    assert told["not_measured"] == []
    assert 0 < told["ms"] <= told["upper_ms"]
    assert "passed" in cli("latency", "table", "show", built, arch).out


def test_nothing_is_left_beside_a_finished_table(built, tmp_path):
    assert [path.name for path in (tmp_path / "results" / "latency").iterdir()] == [built.rpartition("/")[2]]


def test_a_table_is_verified_again_and_keeps_the_verdict(cli, built):
    done = cli("latency", "table", "verify", built, "--held-out", 12, "--seed", 5, "--json")
    assert (done.code, done.json["verified"]["networks"]) == (0, 12)
    assert cli("latency", "table", "show", built, "--json").json["verified"]["networks"] == 12


def test_a_table_that_fails_ends_with_exit_code_1(cli, built, tmp_path):
    path = tmp_path / built
    plain = json.loads(path.read_text())
    plain["weights"]["ms"] *= 1.5
    path.write_text(json.dumps(plain))
    done = cli("latency", "table", "verify", built, "--held-out", 12)
    assert done.code == 1
    assert "failed: its mean error of" in done.out
    assert not json.loads(path.read_text())["verified"]["passed"]


def test_a_table_is_carried_over(cli, built):
    done = cli("latency", "table", "transfer", built, "--device", "fake", "--batch", 2, "--networks", 10, "--json")
    assert done.code == 0, done.err
    assert done.json["device"]["batch"] == 2
    assert done.json["about"]["networks_measured"] == 10


def test_a_plan_is_filled_in_and_imported(cli, built, tmp_path):
    assert cli("latency", "plan", "--space", "nas_bench_macro", "--networks", 10, "--out", "phone").code == 0
    with (tmp_path / "phone" / "latency.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["ms"] = 1.0 if row["kind"] == "reference" else len(row["name"]) / 100
    with (tmp_path / "phone" / "latency.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    done = cli("latency", "import", "phone", "--device-name", "my phone/2", "--json")
    assert done.code == 0, done.err
    assert done.json["written"] == "phone/my_phone_2.json"
    refused = cli("latency", "table", "verify", done.json["written"])
    assert refused.code == 2
    assert "imported" in refused.err


@pytest.mark.parametrize(("arguments", "told"), [
    (("measure", SMALL, "--device", "onnxruntim"), "did you mean 'onnxruntime'"),
    (("measure", SMALL, "--threads", 0), "--threads must be at least 1"),
    (("measure", SMALL, "--dtype", "float16"), "unknown --dtype 'float16'"),
    (("measure", SMALL, "--dtype", "bfloat16"), "device onnxruntime runs float32, int8, not bfloat16"),
    (("measure", SMALL, "--target", 2), "--target is a share"),
    (("measure", "mobilenet_v9"), "mobilenet_v9"),
    (("measure", SMALL, "--anchor", "."), "is no anchor"),
    (("table", "show", "no.json"), "no.json cannot be read"),
    (("table", "verify", "no.json"), "no.json cannot be read"),
    (("table", "build", "--space", "nowhere"), "nowhere"),
    (("table", "build", "--minutes", 0), "--minutes must be above 0"),
    (("import", "nowhere", "--device-name", "x"), "no folder of archsearch latency plan"),
])  # fmt: skip
def test_wrong_input_is_told_in_one_line(cli, arguments, told):
    done = cli("latency", *arguments)
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_a_table_that_cannot_be_written_is_told_before_anything_is_measured(cli, fake, tmp_path):
    (tmp_path / "file").write_text("")
    done = cli("latency", "table", "build", *TINY, "--device", "fake", "--out", "file/table.json")
    assert done.code == 2
    assert "cannot be written" in done.err
    assert "measuring" not in done.err
