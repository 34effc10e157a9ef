"""run with a limit on latency, front and report of it, on a device that is made up."""

import json

import pytest

from archsearch.cost.count import BOUND
from archsearch.measure.method import Effort
from archsearch.search.run import Run
from tests.latency_tables import SPACE, fake_table, write

SOURCE = "from tests.measure.fake import FakeDevice\n\ndef fake(settings):\n    return FakeDevice(settings=settings)\n"
LATENCY = ("latency_ms_predicted", "latency_ms_upper", "latency_ms", "latency_ms_low", "latency_ms_high")
RUN = ("run", "--space", "tiny.toml", "--evaluator", "synthetic", "--trials", 16, "--finalists", 2, "--out", "run")


@pytest.fixture(autouse=True)
def device(third_party, tmp_path, monkeypatch):
    """A device "fake", a space "tiny", and nothing that takes long."""
    third_party(SOURCE, {"devices": {"fake": "fake"}})
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
    for row in rungs:
        assert row["latency_ms_high"] * 1e6 <= row["budget"]


@pytest.mark.parametrize(("table", "told"), [
    ({"passed": None}, "it is not verified (archsearch latency table verify"),
    ({"passed": False}, "it failed its verification"),
    ({"space": "other"}, "it was made for space other, and this is tiny"),
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
    drawn = cli("space", "sample", "tiny.toml", "-n", 5, "--budget-latency", "0.2ms..0.3ms", *table, "--json").json
    assert all(row["latency"] >= 200_000 and row["latency_upper"] <= 300_000 for row in drawn)
    missing = cli("space", "profile", "tiny.toml", "--budget-latency", "0.3ms")
    assert missing.code == 2
