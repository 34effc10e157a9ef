"""count and train."""

import csv
import io

import pytest

FIELDS = {"arch", "key", "madds", "params", "activations", "peak_memory", "weight_bytes"}


def test_count_prints_exact_numbers(cli):
    done = cli("count", "mobilenet_v2_1.0_224")
    assert done.code == 0
    assert "300,774,272" in done.out
    assert "3,504,872" in done.out


def test_count_json_is_the_contracts_object(cli):
    document = cli("count", "mobilenet_v2", "--json").json
    assert FIELDS <= set(document)
    assert (document["madds"], document["params"]) == (300_774_272, 3_504_872)
    assert document["weight_bytes"] == 4 * document["params"]


def test_a_printed_record_and_its_text_form_count_the_same(cli, tmp_path):
    printed = cli("count", "mobilenet_v2_0.5_96", "--json")
    (tmp_path / "net.json").write_text(printed.out)
    assert cli("count", "net.json", "--json").json == printed.json
    assert cli("count", printed.json["arch"], "--json").json == printed.json


def test_layers_add_up(cli):
    document = cli("count", "mobilenet_v1_0.5_128", "--per-layer", "--json").json
    assert sum(layer["madds"] for layer in document["layers"]) == document["madds"]
    assert sum(layer["params"] for layer in document["layers"]) == document["params"]
    assert max(layer["peak_memory"] for layer in document["layers"]) == document["peak_memory"]
    assert cli("count", "mobilenet_v1_0.5_128", "--per-layer").out.count("depthwise") == 13


def test_the_csv_file_holds_the_numbers_of_the_json_document(cli, tmp_path):
    document = cli("count", "mobilenet_v2_0.35_96", "--per-layer", "--csv", "layers.csv", "--json").json
    rows = list(csv.DictReader(io.StringIO((tmp_path / "layers.csv").read_text())))
    plain = [{**layer, "inputs": " ".join(layer["inputs"])} for layer in document["layers"]]
    assert rows == [{name: str(value) for name, value in layer.items()} for layer in plain]
    assert sum(int(row["madds"]) for row in rows) == document["madds"]
    assert FIELDS - {"arch", "key"} <= set(rows[0])


def test_the_csv_on_stdout_is_the_file_and_nothing_else(cli, tmp_path):
    printed = cli("count", "mobilenet_v2_0.35_96", "--per-layer", "--csv", "-").out
    done = cli("count", "mobilenet_v2_0.35_96", "--csv", "layers.csv")
    assert printed == (tmp_path / "layers.csv").read_text()
    assert "features" not in done.out  # without --per-layer the table is not printed


@pytest.mark.parametrize(("options", "told"), [
    (("--csv", "-", "--json"), "nothing else"),
    (("--csv", "nowhere/layers.csv"), "nowhere/layers.csv cannot be written"),
    (("--csv", "."), "cannot be written"),
])  # fmt: skip
def test_a_csv_that_cannot_be_written_is_one_line_and_code_2(cli, options, told):
    done = cli("count", "mobilenet_v2_0.35_96", *options)
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_the_table_names_stages_and_marks_the_peak(cli):
    lines = cli("count", "mobilenet_v2_1.0_224", "--per-layer").out.splitlines()
    (marked,) = [line for line in lines if line.endswith("< peak")]
    assert marked.split()[:3] == ["2", "features.2.conv.1", "depthwise"]
    assert {line.split()[0] for line in lines if "features." in line} >= {"stem", "1", "7", "head"}
    assert "peak memory: 5.74MiB at features.2.conv.1 (depthwise of stage 2)" in lines


def test_a_network_of_a_billion_blocks_is_refused_at_once(cli):
    done = cli("count", "r32 ir_r9000_c8", "--per-layer")
    assert done.code == 2
    assert "36,003 operations" in done.err


def test_verify_compares_three_counts(cli):
    document = cli("count", "mobilenet_v2_0.35_96", "--verify", "--json").json
    assert len({str(costs) for costs in document["verified"].values()}) == 1
    assert set(document["verified"]) == {"counter", "hooks", "fvcore"}


def test_verify_fails_loudly_where_they_differ(cli, monkeypatch):
    from archsearch.nn import trace

    honest = trace.by_hooks
    monkeypatch.setattr(trace, "by_hooks", lambda *args: {**honest(*args), "madds": 1})
    done = cli("count", "mobilenet_v2_0.35_96", "--verify")
    assert done.code == 2
    assert "madds differs" in done.err


@pytest.mark.parametrize(("arch", "told"), [
    ("mobilenet_v3", "did you mean 'mobilenet_v"),
    ("nothing.json", "no such file"),
    ("mobilenet_v2_0", "cannot be read"),
    ("r32 stem_c8 ir_q3_c8", "unknown word 'q3'"),
    ("nowhere#3", "does not exist"),
])  # fmt: skip
def test_a_wrong_arch_is_one_line_and_code_2(cli, arch, told):
    done = cli("count", arch)
    assert done.code == 2
    assert told in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_train_ends_with_a_test_figure_and_weights_that_load(cli, tmp_path):
    small = "r24 stem_c8_k3_s2 ir_r1_e1_c8 ir_r1_s2_e2_c16 head_c32_n3"
    done = cli("train", small, "--data", "digits", "--epochs", 2, "--out", "out", "--threads", 1, "--json")
    assert done.code == 0
    document = done.json
    assert 0 <= document["top1_test"] <= document["top5_test"] <= 1
    assert document["arch"].endswith("n10")

    from archsearch.nn.build import build
    from archsearch.spec.arch import Arch
    from archsearch.train import checkpoint

    kept = checkpoint.load(document["weights"])
    build(Arch.from_dict(kept["arch"])).load_state_dict(kept["state_dict"], strict=True)
    again = cli("train", small, "--data", "digits", "--epochs", 2, "--out", "out", "--threads", 1, "--json").json
    assert again["top1_test"] == document["top1_test"]


def test_a_truncated_checkpoint_is_told_with_its_path(cli, tmp_path):
    small = "r24 stem_c8_k3_s2 ir_r1_e1_c8 head_c16_n3"
    command = ("train", small, "--epochs", 1, "--out", "out", "--threads", 1)
    assert cli(*command).code == 0
    for path in (tmp_path / "out" / "checkpoints").glob("*.pt"):
        path.write_bytes(path.read_bytes()[:1000])
    done = cli(*command)
    assert done.code == 2
    assert "last.pt" in done.err


def test_front_as_csv(cli, finished, tmp_path):
    assert cli("front", "run", "--csv", "front.csv").code == 0
    rows = list(csv.DictReader(io.StringIO((tmp_path / "front.csv").read_text())))
    assert [row["key"] for row in rows] == [row["key"] for row in cli("front", "run", "--json").json]


def test_training_a_detector_on_labels_is_refused_in_one_line(cli, tmp_path):
    done = cli("train", "r64 ir_s2_c16 ir_s2_c24 ir_s2_c32 ir_s2_c32 ssdlite_c64_n10", "--epochs", 1)
    assert (done.code, done.out) == (2, "")
    assert done.err == "archsearch: images with labels train classifiers, and head ssdlite makes something else\n"
    assert list(tmp_path.iterdir()) == []
