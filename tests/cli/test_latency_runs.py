"""run with a limit on latency, front and report of it, on a device that is made up."""

import json
import tomllib

import pytest

from archsearch.cost.count import BOUND
from archsearch.measure.method import Effort
from archsearch.records import latency_file
from archsearch.search.run import Run
from archsearch.spec.space_digest import space_digest
from archsearch.spec.space_file import parse_space
from tests.latency_tables import SPACE, fake_table, small_space, write

SOURCE = """
from archsearch.errors import DeviceError, SpecError
from tests.measure.fake import FakeDevice

def fake(settings):
    return FakeDevice(settings=settings)

class Broken(FakeDevice):
    def load(self, model):
        if len(self.loaded) >= self.most:
            raise self.error
        return super().load(model)

def broken(settings):
    made = Broken(settings=settings, name="broken")
    made.most, made.error = 1, DeviceError("broken cannot run this network: no such operation")
    return made

def late(settings):
    made = Broken(settings=settings, name="late")
    made.most, made.error = 4, SpecError("operation 'strange' has no ONNX form")
    return made
"""
LATENCY = ("latency_ms_predicted", "latency_ms_upper", "latency_ms", "latency_ms_low", "latency_ms_high")
RUN = ("run", "--space", "tiny.toml", "--evaluator", "synthetic", "--trials", 16, "--finalists", 2, "--out", "run")


@pytest.fixture(autouse=True)
def device(third_party, tmp_path, monkeypatch):
    """A device "fake", a space "tiny", and nothing that takes long."""
    third_party(SOURCE, {"devices": {name: name for name in ("fake", "broken", "late")}})
    monkeypatch.setattr(Run.time, "__defaults__", (Effort(least=3, most=6),))
    (tmp_path / "tiny.toml").write_text(SPACE)
    yield
    BOUND.clear()


@pytest.fixture
def low(tmp_path):
    """A table that says 80 % of the truth, where the run looks for it."""
    return write(fake_table(share=0.8), tmp_path / "results" / "latency" / "tiny-fake-t1-b1-float32.json")


def test_the_front_holds_the_limit_and_says_how_wrong_the_table_was(cli, low, tmp_path):
    done = cli(*RUN, "--budget-latency", "0.5ms", "--device", "fake", "--json")
    assert done.code == 0, done.err
    front = done.json["front"]
    assert front
    for row in front:
        assert {*LATENCY} <= {*row}
        assert row["latency_ms_upper"] <= 0.5
        assert row["latency_ms_high"] <= 0.5
        assert row["latency_ms_low"] <= row["latency_ms"] <= row["latency_ms_high"]
    told = done.json["latency"]
    assert told["struck"]
    assert not {*told["struck"]} & {row["trial"] for row in front}
    assert f"the prediction alone would have been wrong for {len(told['struck'])} of {told['networks']}" in done.err
    assert "struck out: #" in done.err
    assert cli("front", "run", "--json").json == front
    header = (tmp_path / "run" / "front.csv").read_text().splitlines()[0].split(",")
    assert {*LATENCY, "latency", "latency_upper"} <= {*header}
    assert {*LATENCY} <= {*(tmp_path / "run" / "trials.csv").read_text().splitlines()[0].split(",")}


def test_the_same_command_goes_on_with_the_runs_own_copy(cli, low):
    assert cli(*RUN, "--budget-latency", "0.5ms", "--device", "fake").code == 0
    low.unlink()
    done = cli(*RUN, "--budget-latency", "0.5ms", "--device", "fake", "--json")
    assert done.code == 0, done.err
    again = cli("run", "--space", "tiny.toml", "--evaluator", "synthetic", "--out", "run", "--json")
    assert again.code == 0, again.err
    assert again.json["front"] == done.json["front"]
    other = write(fake_table(), low.parent / "other.json")
    refused = cli(*RUN, "--budget-latency", "0.5ms", "--latency-table", other)
    assert refused.code == 2
    assert "holds another run: latency is" in refused.err


def test_minimising_latency_needs_no_limit_and_goes_with_madds(cli, low):
    done = cli(*RUN, "--minimize", "latency", "--minimize", "madds", "--device", "fake", "--json")
    assert done.code == 0, done.err
    assert done.json["latency"]["struck"] == []
    assert all(row["latency_ms"] for row in done.json["front"])


def test_a_device_alone_has_the_front_timed(cli, low):
    done = cli(*RUN, "--budget-madds", "60%", "--latency-device", "fake", "--json")
    assert done.code == 0, done.err
    assert all(row["latency_ms"] for row in done.json["front"])


def test_a_ladder_in_milliseconds(cli, low):
    done = cli(*RUN, "--budget-latency", "0.3ms,0.5ms,800us", "--device", "fake")
    assert done.code == 0, done.err
    assert "latency at most up to" in done.out
    for rung in ("0.3ms", "0.5ms", "0.8ms"):
        assert rung in done.out
    rungs = cli("front", "run", "--ladder", "--json").json
    assert [row["budget"] for row in rungs] == [300_000, 500_000, 800_000]
    assert [row["budget_ms"] for row in rungs] == [0.3, 0.5, 0.8]
    for row in rungs:
        assert row["latency_ms_high"] * 1e6 <= row["budget"]


@pytest.mark.parametrize(("table", "told"), [
    ({"passed": None}, "it is not verified (archsearch latency table verify"),
    ({"passed": False}, "it failed its verification"),
    ({"space": "other"}, "it was made for space other, and this is tiny"),
    ({"about": {"space_digest": "0123456789ab"}}, "it was made for another space tiny (0123456789ab, and this is"),
    ({"fingerprint": {"device": "fake", "threads": 1, "batch": 1, "dtype": "float32", "cpu": "another"}},
     "it was made elsewhere: cpu is 'another' there, 'none' here"),
    ({"fingerprint": {"device": "pixel1", "threads": None, "batch": 1, "dtype": "float32"}},
     "its device pixel1 is none that this machine can time on"),
])  # fmt: skip
def test_a_table_that_cannot_be_trusted_is_refused_unless_forced(cli, tmp_path, table, told):
    write(fake_table(**table), tmp_path / "t.json")
    command = (*RUN, "--budget-latency", "0.5ms", "--latency-table", "t.json")
    refused = cli(*command)
    assert refused.code == 2
    (line,) = [each for each in refused.err.splitlines() if each.startswith("archsearch: ")]
    assert told in line
    assert "--force-latency" in line
    assert not (tmp_path / "run").exists()
    forced = cli(*command, "--force-latency")
    assert forced.code == 0, forced.err
    assert "latency table t.json, forced: " + told in forced.err


OWN = {"space_digest": space_digest(small_space())}


def test_a_table_for_other_classes_is_taken_where_it_can_tell_the_head_by_its_shape(cli, tmp_path):
    write(fake_table(about=OWN | {"classes": 1000}), tmp_path / "t.json")
    command = (*RUN, "--budget-latency", "0.5ms", "--latency-table", "t.json")
    done = cli(*command)
    assert done.code == 0, done.err
    assert "t.json: made for 1000 classes, this has 10: the head's time is told by its shape" in done.err
    write(fake_table(about=OWN | {"classes": 1000}, shapes=None), tmp_path / "blocks.json")
    refused = cli(*command[:-1], "blocks.json", "--out", "other")
    assert refused.code == 2
    assert "it was made for 1000 classes, this has 10, and it cannot tell a head by its shape" in refused.err


def test_the_table_of_as_many_classes_comes_first(cli, low, tmp_path):
    settings = {"threads": 1, "batch": 1, "dtype": "float32"}
    write(fake_table(about=OWN | {"classes": 10}), tmp_path / latency_file("tiny", "fake", classes=10, **settings))
    done = cli(*RUN, "--budget-latency", "0.5ms", "--device", "fake", "--json")
    assert done.code == 0, done.err
    assert done.json["latency"]["struck"] == []
    assert done.json["latency"]["error"] < 0.05


def test_a_table_of_a_space_holds_for_what_small_images_leave_of_it(cli, tmp_path):
    text = SPACE.replace("[96, 128]", "[96, 128, 1024]")
    (tmp_path / "tiny.toml").write_text(text)
    whole = parse_space(tomllib.loads(text), name="tiny")
    write(fake_table(about={"space_digest": space_digest(whole), "classes": 10}), tmp_path / "t.json")
    done = cli(*RUN, "--budget-latency", "0.5ms", "--latency-table", "t.json")
    assert done.code == 0, done.err
    assert "1024 are left out" in done.err
    fixed = cli("space", "profile", "tiny.toml", "--fix", "resolution=96", "--latency-table", "t.json", "--json")
    assert fixed.code == 0, fixed.err
    assert "made for" not in fixed.err


def test_a_device_that_cannot_run_such_networks_is_told_before_the_search(cli, low, tmp_path):
    command = (*RUN, "--budget-latency", "0.5ms", "--latency-table", low, "--force-latency")
    done = cli(*command, "--latency-device", "broken")
    assert done.code == 2
    assert "broken cannot run this network: no such operation" in done.err
    assert not (tmp_path / "run").exists()


def test_a_front_that_the_device_cannot_run_is_shown_as_predicted(cli, low, tmp_path):
    command = (*RUN, "--budget-latency", "0.5ms", "--latency-table", low, "--force-latency")
    done = cli(*command, "--latency-device", "late")
    assert done.code == 2
    (line,) = [each for each in done.err.splitlines() if each.startswith("archsearch: ")]
    assert "operation 'strange' has no ONNX form" in line
    assert "the front could not be timed: its latency is only predicted" in done.err
    assert "not measured" in (tmp_path / "run" / "report.html").read_text()
    front = cli("front", "run", "--json").json
    assert front
    assert all(row["latency_ms"] is None for row in front)


def test_a_front_that_cannot_be_timed_says_so(cli, tmp_path):
    there = {"device": "pixel1", "threads": None, "batch": 1, "dtype": "float32"}
    write(fake_table(fingerprint=there), tmp_path / "t.json")
    assert cli(*RUN, "--budget-latency", "0.5ms", "--latency-table", "t.json", "--force-latency").code == 0
    shown = cli("front", "run")
    assert "latency is only predicted" in shown.err
    assert all(row["latency_ms"] is None for row in cli("front", "run", "--json").json)
    assert "not measured" in (tmp_path / "run" / "report.html").read_text()


BAD = [
    (("--budget-latency", "1ms"), "there is no latency table"),
    (("--budget-latency", "1ms", "--device", "fake"), "archsearch latency table build --space tiny.toml --device fake"),
    (("--minimize", "latency"), "there is no latency table"),
    (("--budget-latency", "1ms", "--latency-table", "none.json"), "none.json cannot be read"),
    (("--budget-latency", "1ms", "--latency-table", "tiny.toml"), "is no latency table"),
    (("--device", "fake", "--latency-device", "onnxruntime"), "both name a device to time on"),
    (("--budget-latency", "1ms", "--latency-device", "fak"), "there is no latency table"),
]


@pytest.mark.parametrize(("options", "told"), BAD, ids=[" ".join(options) for options, _ in BAD])
def test_bad_input_is_one_line(cli, tmp_path, options, told):
    done = cli(*RUN, *options)
    assert done.code == 2
    (line,) = [each for each in done.err.splitlines() if each.startswith("archsearch: ")]
    assert told in line
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("limit", "told"), [
    ("0.01ms", "the nearest possible is 0."), ("50MiB", "write 15ms, 800us"), ("0ms", "must be above 0"),
])  # fmt: skip
def test_limits_that_cannot_be_are_told_in_milliseconds(cli, low, limit, told):
    done = cli(*RUN, "--budget-latency", limit, "--device", "fake")
    assert done.code == 2
    assert told in done.err


def test_the_page_shows_predicted_and_measured(cli, low, tmp_path):
    assert cli(*RUN, "--budget-latency", "0.5ms", "--device", "fake").code == 0
    page = (tmp_path / "run" / "report.html").read_text()
    for words in ("Latency, predicted and measured", "is struck out: measured", "Kendall", "measured latency",
                  "predicted latency [ms]", "budget: upper end of predicted latency up to 0.5 ms"):  # fmt: skip
        assert words in page, words


def test_a_run_without_a_table_is_as_it_was(cli, finished, tmp_path):
    assert "latency" not in json.dumps(cli("front", "run", "--json").json)
    assert "Latency, predicted" not in (tmp_path / "run" / "report.html").read_text()
    assert not (tmp_path / "run" / "latency.json").exists()
    assert "latency" not in (tmp_path / "run" / "run.toml").read_text()


def test_a_space_can_be_asked_what_a_limit_leaves(cli, low):
    table = ("--latency-table", low)
    found = cli("space", "profile", "tiny.toml", "--budget-latency", "0.3ms", *table, "--json").json
    assert 0 < found["fits"] < found["size"]
    assert found["budget"] == {"latency_upper": [None, 300_000]}
    ranges = found["metrics"]
    assert 0 < ranges["latency"]["min"] < ranges["latency"]["max"] < ranges["latency_upper"]["max"] <= 300_000
    assert "latency at most" in cli("space", "profile", "tiny.toml", "--budget-latency", "0.3ms", *table).out
    drawn = cli("space", "sample", "tiny.toml", "-n", 5, "--budget-latency", "0.2ms..0.3ms", *table, "--json").json
    assert all(row["latency"] >= 200_000 and row["latency_upper"] <= 300_000 for row in drawn)
    missing = cli("space", "profile", "tiny.toml", "--budget-latency", "0.3ms")
    assert missing.code == 2
