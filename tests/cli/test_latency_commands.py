"""latency: measure, table, plan, import, on a made-up device and a few times on onnxruntime."""

import csv
import json

import pytest

from archsearch import plugins
from tests.measure.fake import FakeDevice, install

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
    done = cli("latency", "table", "verify", built, "--held-out", 12, "--seed", 5, "--usual", "--json")
    assert (done.code, done.json["verified"]["networks"]) == (0, 12)
    assert [row["name"] for row in done.json["verified"]["scores"]][-1] == "usual way, again"
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
    (("table", "build", "--minutes", "inf"), "--minutes must be above 0 and finite"),
    (("table", "build", "--held-out", 2), "--held-out must be 0 or at least 3"),
    (("measure", SMALL, "--threads", 100_000), "--threads 100000 is more than the"),
    (("plan", "--batch", 0), "--batch must be at least 1"),
    (("measure", SMALL, "--anchor", "/proc/no/anchor.json"), "cannot be written"),
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


def test_a_table_for_other_classes_has_a_place_of_its_own(cli, fake):
    done = cli("latency", "table", "build", *TINY, "--device", "fake", "--classes", 7, "--held-out", 0, "--json")
    assert done.json["written"] == "results/latency/nas_bench_macro-c7-fake-t1-b1-float32.json"
    own = cli("latency", "table", "build", *TINY, "--device", "fake", "--classes", 10, "--held-out", 0, "--json")
    assert own.json["written"] == "results/latency/nas_bench_macro-fake-t1-b1-float32.json"
    assert (done.json["about"]["classes"], own.json["about"]["classes"]) == (7, 10)
    assert done.json["about"]["space_digest"] == own.json["about"]["space_digest"]
    moved = cli("latency", "table", "transfer", done.json["written"], "--device", "fake", "--held-out", 0, "--json")
    assert moved.json["written"] == "results/latency/nas_bench_macro-c7-fake-t1-b1-float32-transferred.json"


class Dies(FakeDevice):
    """A device that is interrupted while it judges a table."""

    def load(self, model):
        self.runs = 0 if len(self.loaded) < 33 else self.runs
        self.fail_after = None if len(self.loaded) < 33 else 500
        return super().load(model)


def dies(settings):
    """The plug-in."""
    return Dies(settings=settings)


def test_an_interrupted_build_says_what_is_kept_and_leaves_the_earlier_table_alone(cli, built, tmp_path, monkeypatch):
    from archsearch import plugins

    before = (tmp_path / built).read_text()
    monkeypatch.setitem(plugins.TABLE["devices"], "fake", "tests.cli.test_latency_commands:dies")
    plugins.table.cache_clear()
    plugins.load.cache_clear()
    stopped = cli("latency", "table", "build", *TINY, "--device", "fake", "--seed", 3)
    assert stopped.code == 130
    assert "interrupted; the same command goes on: 29 measurements are kept" in stopped.err
    assert (tmp_path / built).read_text() == before
    other = cli("latency", "table", "build", *TINY, "--device", "fake", "--seed", 4)
    assert "what another command had measured is kept in" in other.err
    assert len((tmp_path / f"{built}.build.partial.old").read_text().splitlines()) == 29


def test_a_device_that_fails_leaves_no_file_behind(cli, tmp_path):
    done = cli("latency", "table", "build", *TINY, "--device", "cuda:9", "--out", "deep/t.json")
    assert done.code == 2
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_table_that_was_imported_is_not_written_over_unless_it_is_named(cli, fake, tmp_path):
    assert cli("latency", "plan", "--space", "nas_bench_macro", "--networks", 10, "--out", "my phone").code == 0
    (tmp_path / "my phone" / "x.json").write_text("mine")
    refused = cli("latency", "import", "my phone", "--device-name", "x")
    assert (refused.code, (tmp_path / "my phone" / "x.json").read_text()) == (2, "mine")
    assert "x.json is there already" in refused.err
    assert "--device-name must name the device" in cli("latency", "import", "my phone", "--device-name", "").err


def test_a_plan_prints_a_call_that_can_be_copied(cli):
    done = cli("latency", "plan", "--space", "nas_bench_macro", "--networks", 8, "--blocks", 8, "--out", "my phone")
    assert "archsearch latency import 'my phone' --device-name NAME" in done.out


def test_a_verification_takes_networks_that_judged_nothing_before(cli, built):
    first = {row["arch"] for row in cli("latency", "table", "show", built, "--json").json["verified"]["measured"]}
    for _ in range(2):
        again = cli("latency", "table", "verify", built, "--held-out", 12, "--seed", 1, "--json").json["verified"]
        assert not first & {row["arch"] for row in again["measured"]}
        first = {row["arch"] for row in again["measured"]}


def test_a_space_of_few_networks_gives_a_table_that_is_not_verified(cli, fake, tmp_path):
    from archsearch.spec.space_file import read_space
    from archsearch.spec.space_text import to_toml

    space = read_space("linear_vs_relu")
    for axis in space.axes:
        if axis.name != "resolution":
            space = space.restrict(axis.name, axis.values[:1])
    space = space.restrict("resolution", space.axes[[axis.name for axis in space.axes].index("resolution")].values[:3])
    (tmp_path / "few.toml").write_text(to_toml(space))
    done = cli("latency", "table", "build", "--space", "few.toml", "--device", "fake", "--out", "t.json", "--json")
    assert done.code == 0, done.err
    assert done.json["verified"] is None
    assert "it is not verified" in done.err.replace("\n", " ")
    again = cli("latency", "table", "verify", "t.json")
    assert again.code == 2
    assert "no networks to judge it by" in again.err


def test_busy_neighbours_are_told_after_a_build(capfd):
    from archsearch.cli.latency_building import told_load

    for quiet in (None, 0.0, 0.25):
        told_load(quiet)
    assert capfd.readouterr().err == ""
    told_load(1.3)
    assert "other processes kept 1.3 cores busy: build it again on a quiet machine" in capfd.readouterr().err


def test_an_unknown_gain_is_shown_as_a_dash(cli, built, tmp_path):
    plain = json.loads((tmp_path / built).read_text())
    plain["verified"]["band_gain"]["madds"] = [None, None, None]
    (tmp_path / built).write_text(json.dumps(plain))
    assert "ranks better than madds alone by -" in cli("latency", "table", "show", built).out
